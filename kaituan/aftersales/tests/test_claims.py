"""Claims: asked for in time with a photo, decided within limits, and the money that follows."""

from datetime import timedelta

import pytest

from kaituan.aftersales import services
from kaituan.aftersales.models import Claim
from kaituan.aftersales.queries import beyond_leaders, claim_counts, open_claims
from kaituan.aftersales.refusals import AlreadyDecided, BeyondLimit, ClaimRefused, OwnClaim
from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.handover import undo_hand_over
from kaituan.fulfilment.models import CompletionHold
from kaituan.fulfilment.refusals import HandOverRefused
from kaituan.fulfilment.tests.conftest import EVENING
from kaituan.ledger.queries import trial_balance_fen
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import OrderAdjustment
from kaituan.payments.models import Refund

pytestmark = pytest.mark.django_db
SOON = EVENING + timedelta(hours=1)
WINDOW_ENDS = EVENING + timedelta(hours=48)


def ask(town, *, line=None, asked_fen=2000, now=SOON, key="c1", reason="damaged", **fields):
    return services.open_claim(
        line=line or town.line, reason=reason, words=fields.pop("words", "压坏了两个"), asked_fen=asked_fen,
        photos=fields.pop("photos", []), acting_person=town.zhang.person, now=now, key=key, **fields,
    )  # fmt: skip


def grant(town, claim, *, amount_fen=2000, liability="supplier", now=SOON, **fields):
    return services.grant_claim(
        claim=claim, amount_fen=amount_fen, liability=liability,
        acting_person=fields.pop("acting_person", town.operator), now=now, **fields,
    )  # fmt: skip


class TestOpening:
    def test_it_waits_for_a_decision_and_holds_the_line(self, town):
        claim = ask(town)
        assert (claim.status, claim.asked_fen, claim.opened_by) == ("open", 2000, town.zhang.person)
        assert list(open_claims()) == [claim]
        assert CompletionHold.objects.get().order_line == town.line
        assert OutboxMessage.objects.get(topic="claim_opened").subject == f"claim:{claim.pk}"

    def test_the_same_form_twice_is_one_claim(self, town):
        assert ask(town) == ask(town, words="又点了一次")
        assert Claim.objects.count() == 1

    def test_the_form_of_another_line_opens_nothing(self, town):
        ask(town)
        with pytest.raises(ClaimRefused):
            ask(town, line=town.egg_line, asked_fen=100)
        assert Claim.objects.count() == 1

    def test_one_open_claim_on_a_line(self, town):
        ask(town)
        with pytest.raises(ClaimRefused, match="open claim"):
            ask(town, key="c2")
        assert ask(town, line=town.egg_line, key="c3").status == "open"

    @pytest.mark.parametrize("asked_fen", [0, -1, 3 * 3990 + 1])
    def test_the_amount_is_at_most_what_the_line_costs(self, town, asked_fen):
        with pytest.raises(ClaimRefused, match=r"¥0\.01 and ¥119\.70"):
            ask(town, asked_fen=asked_fen)

    def test_until_the_window_closes_and_no_longer(self, town):
        with pytest.raises(ClaimRefused, match="time for claims is over"):
            ask(town, now=WINDOW_ENDS)
        assert ask(town, now=WINDOW_ENDS - timedelta(seconds=1)).status == "open"

    def test_not_before_something_is_handed_over(self, town):
        town.paid.lines.update(handed_quantity=0, handed_over_at=None)
        with pytest.raises(ClaimRefused, match="handed over"):
            ask(town)

    def test_not_for_an_unknown_reason(self, town):
        with pytest.raises(ClaimRefused, match="Choose"):
            ask(town, reason="bad_mood")


class TestDeciding:
    def test_a_grant_lowers_what_is_due_and_refunds_it(self, town):
        claim = grant(town, ask(town), amount_fen=1500)
        assert (claim.status, claim.granted_fen, claim.liability) == ("granted", 1500, "supplier")
        assert (claim.adjustment.kind, claim.adjustment.amount_fen, claim.adjustment.funder) == (
            "claim",
            -1500,
            "supplier",
        )
        town.paid.refresh_from_db()
        assert (town.paid.adjustment_fen, town.paid.refunded_fen, town.paid.unpaid_fen) == (-1500, 1500, 0)
        refund = Refund.objects.get()
        assert (refund.reason, refund.amount_fen) == ("claim", 1500)

    def test_granting_twice_pays_once(self, town):
        claim = ask(town)
        assert grant(town, claim) == grant(town, claim)
        assert OrderAdjustment.objects.count() == 1
        with pytest.raises(AlreadyDecided):
            grant(town, claim, amount_fen=1)

    def test_more_than_was_asked_may_be_granted_but_not_more_than_the_line_costs(self, town):
        claim = ask(town, asked_fen=100)
        with pytest.raises(ClaimRefused, match=r"119\.70"):
            grant(town, claim, amount_fen=11_971)
        grant(town, claim, amount_fen=11_970)
        town.line.refresh_from_db()
        assert services.claimable_fen(line=town.line) == 0

    def test_nothing_is_left_to_ask_for_after_everything_was_given_back(self, town):
        grant(town, ask(town), amount_fen=11_970)
        with pytest.raises(ClaimRefused, match="Nothing is left"):
            ask(town, key="c2", asked_fen=1)

    def test_an_unpaid_order_simply_owes_less(self, town):
        claim = ask(town, line=town.owing.lines.get(), asked_fen=990)
        grant(town, claim, amount_fen=990)
        town.owing.refresh_from_db()
        assert (town.owing.due_fen, town.owing.unpaid_fen) == (3000, 3000)
        assert not Refund.objects.exists()

    def test_a_leader_decides_up_to_the_limit(self, town):
        limit = services.leader_limit_fen()
        claim = ask(town, asked_fen=6000)
        with pytest.raises(BeyondLimit, match=r"¥50\.00"):
            grant(town, claim, amount_fen=5001, limit_fen=limit, acting_person=town.leader.person)
        assert list(beyond_leaders(limit_fen=limit)) == [claim]
        grant(town, claim, amount_fen=5000, limit_fen=limit, acting_person=town.leader.person)
        assert list(beyond_leaders(limit_fen=limit)) == []

    def test_the_limit_holds_for_all_claims_on_a_line_together(self, town):
        leader = {"acting_person": town.leader.person, "limit_fen": 5_000}
        grant(town, ask(town, key="c1"), amount_fen=3_000, **leader)
        second = ask(town, key="c2", asked_fen=3_000)
        with pytest.raises(BeyondLimit):
            grant(town, second, amount_fen=2_001, **leader)
        assert grant(town, second, amount_fen=2_000, **leader).status == "granted"

    def test_nobody_decides_a_claim_of_their_own(self, town):
        claim = ask(town)
        with pytest.raises(OwnClaim):
            grant(town, claim, acting_person=town.zhang.person)
        with pytest.raises(OwnClaim):
            services.refuse_claim(claim=claim, answer="不行", acting_person=town.zhang.person, now=SOON)

    def test_somebody_has_to_bear_it(self, town):
        with pytest.raises(ClaimRefused, match="who bears it"):
            grant(town, ask(town), liability="nobody")

    def test_a_refusal_says_why(self, town):
        claim = ask(town)
        with pytest.raises(ClaimRefused, match="Say why"):
            services.refuse_claim(claim=claim, answer="  ", acting_person=town.operator, now=SOON)
        refused = services.refuse_claim(
            claim=claim, answer="照片看不出问题", acting_person=town.operator, now=SOON
        )
        assert (refused.status, refused.answer, refused.granted_fen) == ("refused", "照片看不出问题", 0)
        assert not OrderAdjustment.objects.exists()
        assert (
            services.refuse_claim(claim=claim, answer="x", acting_person=town.operator, now=SOON) == refused
        )

    def test_a_member_may_take_it_back_and_ask_again_in_time(self, town):
        claim = ask(town)
        for _ in range(2):
            withdrawn = services.withdraw_claim(claim=claim, acting_person=town.zhang.person, now=SOON)
        assert withdrawn.status == "withdrawn"
        with pytest.raises(AlreadyDecided):
            grant(town, claim)
        assert ask(town, key="c2").status == "open"

    def test_the_counts_of_the_day(self, town):
        grant(town, ask(town), amount_fen=1500)
        ask(town, line=town.egg_line, key="c2")
        assert claim_counts(since=EVENING) == {"open": 1, "granted": 1, "refused": 0, "granted_fen": 1500}


class TestUndoingTheHandOver:
    def test_who_has_claimed_keeps_the_goods_and_does_not_get_them_twice(self, town):
        given = list(town.line.hand_overs.all())
        claim = ask(town, now=EVENING)
        for _ in range(2):
            with pytest.raises(HandOverRefused):
                undo_hand_over(hand_overs=given, acting_person=town.leader.person, now=EVENING)
            if claim.status == "open":
                claim = grant(town, claim, now=EVENING)

    def test_a_claim_that_was_withdrawn_or_refused_is_none(self, town):
        given = list(town.line.hand_overs.all())
        services.withdraw_claim(claim=ask(town, now=EVENING), acting_person=town.zhang.person, now=EVENING)
        [undone] = undo_hand_over(hand_overs=given, acting_person=town.leader.person, now=EVENING)
        assert undone.undone_at == EVENING


class TestCompletion:
    def test_the_line_waits_for_the_decision_however_late(self, town):
        claim = ask(town)
        late = WINDOW_ENDS + timedelta(days=3)
        assert complete_due(now=late) == 2
        town.line.refresh_from_db()
        assert town.line.completed_at is None
        grant(town, claim, amount_fen=1500, now=late)
        assert complete_due(now=late) == 1
        assert trial_balance_fen()["sales"] == 3 * 3990 - 1500 + 2 * 1200 + 3990

    @pytest.mark.parametrize("ends", ["refused", "withdrawn"])
    def test_however_it_ends_the_line_goes_on(self, town, ends):
        claim = ask(town)
        if ends == "refused":
            services.refuse_claim(claim=claim, answer="没有", acting_person=town.operator, now=SOON)
        else:
            services.withdraw_claim(claim=claim, acting_person=town.zhang.person, now=SOON)
        assert complete_due(now=WINDOW_ENDS) == 3


class TestGoodwill:
    def give(self, town, *, amount_fen=2000, key="g1", line=None, **fields):
        return services.grant_goodwill(
            line=line or town.line, amount_fen=amount_fen, liability="platform", reason="quality",
            answer="老顾客，补偿一次", acting_person=fields.get("acting_person", town.operator),
            now=fields.get("now", WINDOW_ENDS + timedelta(days=20)), key=key,
        )  # fmt: skip

    def test_the_operator_may_give_back_long_after_completion(self, town):
        complete_due(now=WINDOW_ENDS)
        assert trial_balance_fen()["sales"] == 3 * 3990 + 2 * 1200 + 3990
        claim = self.give(town)
        assert (claim.status, claim.asked_fen, claim.granted_fen) == ("granted", 2000, 2000)
        assert trial_balance_fen()["sales"] == 3 * 3990 + 2 * 1200 + 3990 - 2000
        town.paid.refresh_from_db()
        assert (town.paid.refunded_fen, town.paid.unpaid_fen) == (2000, 0)
        town.line.refresh_from_db()
        assert town.line.completed_at == WINDOW_ENDS

    def test_all_of_it_undoes_the_sale_to_the_fen(self, town):
        complete_due(now=WINDOW_ENDS)
        for number, order in enumerate((town.paid, town.owing)):
            for line in order.lines.all():
                self.give(town, line=line, amount_fen=line.amount_fen, key=f"g{number}{line.pk}")
        balances = trial_balance_fen()
        assert {kind: balances.get(kind, 0) for kind in ("sales", "receivable", "prepayment")} == {
            "sales": 0,
            "receivable": 0,
            "prepayment": 0,
        }

    def test_the_same_form_twice_gives_once(self, town):
        assert self.give(town) == self.give(town)
        assert OrderAdjustment.objects.count() == 1

    def test_an_open_claim_is_decided_first(self, town):
        ask(town)
        with pytest.raises(ClaimRefused, match="decide that one"):
            self.give(town)

    def test_never_more_than_is_left_and_never_to_oneself(self, town):
        with pytest.raises(ClaimRefused):
            self.give(town, amount_fen=11_971)
        with pytest.raises(OwnClaim):
            self.give(town, acting_person=town.zhang.person)
        assert not Claim.objects.exists()


def test_a_grant_leaves_every_other_order_as_it_was(town):
    grant(town, ask(town))
    town.owing.refresh_from_db()
    assert (town.owing.adjustment_fen, town.owing.unpaid_fen) == (0, 3990)
