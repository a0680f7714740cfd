"""Tiers by rule over a real town: the figures of a window, one look a day, and what leaders are shown."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from kaituan.aftersales.models import Claim
from kaituan.commission.models import TierEvaluation, TierRuleSet
from kaituan.commission.services import ReasonMissing, TooLate
from kaituan.commission.tier_figures import leader_figures
from kaituan.commission.tier_rules import Figures, read_rules
from kaituan.commission.tiers import (
    TierRulesNotAccepted,
    evaluate_tiers,
    preview_tiers,
    publish_tier_rules,
    tier_progress,
)
from kaituan.fulfilment.models import Arrival, HandOver
from kaituan.notices.models import Notice
from kaituan.notices.relay import relay_all
from kaituan.people.models import LeaderTier, Person
from kaituan.people.notices import tier_was_changed
from kaituan.people.queries import tier_at
from kaituan.people.services import set_tier
from kaituan.settlement.tests.story import NOON, Shop, books_and_plan, give_back
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
AFTER = NOON + 5 * DAY
RULES = {
    "tiers": [
        {"tier": "host"},
        {
            "tier": "captain",
            "promotion": {"window_days": 30, "own_turnover_fen": 10_000},
            "keeping": {"window_days": 20, "own_turnover_fen": 5_000},
        },
    ]
}


@pytest.fixture(autouse=True)
def town():
    books_and_plan()


def publish(document=RULES, at=NOON, **given):
    return publish_tier_rules(
        **{
            "document": document,
            "effective_from": at,
            "reason": "开业规则",
            "acting_person": None,
            "now": at,
            **given,
        }
    )


def figures_of(leader, *, start=NOON, end=AFTER, named=None):
    return leader_figures(starts_at=start, ends_at=end, leader_ids=named)[leader.pk]


class TestPublishing:
    def test_versions_are_counted_and_the_same_again_is_the_first(self):
        first = publish()
        assert publish() == first
        second = publish(at=NOON + DAY, now=NOON)
        assert (first.number, second.number) == (1, 2)

    def test_nothing_is_published_backwards_twice_at_a_time_or_without_a_reason(self):
        publish()
        with pytest.raises(TooLate):
            publish(at=NOON, now=NOON + DAY, document={"tiers": [{"tier": "host"}]})
        with pytest.raises(TooLate):
            publish(document={"tiers": [{"tier": "host"}]})
        with pytest.raises(ReasonMissing):
            publish(at=NOON + DAY, reason=" ")
        assert TierRuleSet.objects.count() == 1

    def test_pay_by_people_recruited_is_refused_with_its_rule(self):
        document = {"tiers": [{"tier": "captain", "promotion": {"window_days": 30, "recruits": 3}}]}
        with pytest.raises(TierRulesNotAccepted, match="《禁止传销条例》第七条"):
            publish(document)
        assert not TierRuleSet.objects.exists()


class TestFigures:
    def test_turnover_is_net_and_a_team_is_everyone_below(self):
        top = make.leader("陈姐")
        middle = make.leader("李姐", referrer=top)
        low = make.leader("王姐", referrer=middle)
        Shop(top).sell(10)
        line = Shop(middle).sell(20)
        Shop(low).sell(40)
        give_back(line, 500, NOON + 4 * DAY)
        assert [figures_of(leader).own_turnover_fen for leader in (top, middle, low)] == [1000, 1500, 4000]
        assert [figures_of(leader).team_turnover_fen for leader in (top, middle, low)] == [6500, 5500, 4000]
        assert figures_of(middle, named=[middle.pk, low.pk]).team_turnover_fen == 5500

    def test_a_window_takes_what_was_completed_in_it_and_what_was_given_back_in_it(self):
        leader = make.leader()
        shop = Shop(leader)
        early = shop.sell(10, completed_at=NOON - timedelta(seconds=1))
        shop.sell(20, completed_at=NOON)
        Shop(leader, offer=shop.offer).sell(40, completed_at=AFTER)
        give_back(early, 300, NOON + DAY)
        give_back(early, 100, AFTER)
        assert figures_of(leader).own_turnover_fen == 2000 - 300

    def test_claims_count_for_the_seller_and_hand_overs_for_who_handed_over(self):
        seller, keeper = make.leader("卖的"), make.leader("发的")
        shop = Shop(seller)
        claimed, *_ = [shop.sell(10, handed_by=keeper) for _ in range(4)]
        Claim.objects.create(
            line=claimed, reason="damaged", asked_fen=100, opened_at=AFTER, opened_by=shop.member.person,
            idempotency_key="c", status="granted", granted_fen=100, decided_at=AFTER,
        )  # fmt: skip
        assert (figures_of(seller).claim_rate_bp, figures_of(seller).on_time_rate_bp) == (2500, None)
        assert (figures_of(keeper).claim_rate_bp, figures_of(keeper).on_time_rate_bp) == (None, 10_000)

    def test_late_or_unclaimed_goods_are_not_on_time_unless_they_came_late_themselves(self):
        leader = make.leader()
        shop = Shop(leader)
        shop.sell(10)
        shop.sell(10, completed_at=NOON + 4 * DAY)
        unclaimed = shop.sell(10)
        HandOver.objects.create(
            order_line=unclaimed, quantity=10, method="unclaimed", handed_at=NOON + DAY, idempotency_key="u"
        )
        assert figures_of(leader).on_time_rate_bp == 3333
        Arrival.objects.create(
            campaign=shop.listing.campaign,
            pickup_point=shop.listing.pickup_point,
            arrived_at=NOON + 2 * DAY,
        )
        assert figures_of(leader).on_time_rate_bp == 6666

    def test_members_of_owned_groups_count_once_and_only_while_they_are_there(self):
        leader = make.leader()
        first, second = make.group(leader), make.group(leader, name="二群")
        make.group(leader, name="旧群", archived_at=NOON)
        both = make.person("双群")
        make.member(first, of=both)
        make.member(second, of=both)
        make.member(first, "一个")
        make.member(first, "走了", left_at=NOON + DAY)
        found = figures_of(leader)
        assert (found.groups_owned, found.group_members) == (2, 2)

    def test_one_statement_whatever_the_number_of_leaders(self, django_assert_num_queries):
        for _ in range(5):
            make.leader()
        with django_assert_num_queries(1):
            leader_figures(starts_at=NOON, ends_at=AFTER)


class TestEvaluating:
    def test_without_rules_nothing_happens(self):
        assert evaluate_tiers(now=AFTER) is None

    def test_whoever_reaches_the_tier_rises_by_the_clock_with_the_reason_and_is_told(self):
        good, small = make.leader("王姐"), make.leader("李姐")
        Shop(good).sell(100)
        Shop(small).sell(99)
        publish()
        row = evaluate_tiers(now=AFTER)
        assert (row.promoted, row.demoted, row.on_date) == (1, 0, date(2026, 10, 6))
        assert tier_at(leader=good, at=AFTER) == "captain"
        assert tier_at(leader=good, at=AFTER - timedelta(seconds=1)) == "host"
        assert tier_at(leader=small, at=AFTER) == "host"
        written = good.tiers.latest("effective_from")
        assert written.set_by is None
        assert "100.00" in written.reason
        assert "30" in written.reason
        relay_all(handlers={"tier_changed": (tier_was_changed,)}, now=AFTER)
        assert Notice.objects.filter(person_id=good.person_id, kind="tier_changed").count() == 1

    def test_once_a_day_however_often_it_is_called(self):
        leader = make.leader()
        publish()
        first = evaluate_tiers(now=AFTER)
        Shop(leader).sell(100, completed_at=AFTER - DAY)
        assert evaluate_tiers(now=AFTER + timedelta(hours=1)) == first
        assert tier_at(leader=leader, at=AFTER + DAY) == "host"
        assert evaluate_tiers(now=AFTER + DAY).promoted == 1
        assert TierEvaluation.objects.count() == 2

    def test_what_happens_today_counts_tomorrow(self):
        Shop(make.leader()).sell(100, completed_at=AFTER - timedelta(hours=1))
        publish()
        assert evaluate_tiers(now=AFTER).promoted == 0
        assert evaluate_tiers(now=AFTER + DAY).promoted == 1

    def test_a_captain_who_does_not_keep_it_falls_at_the_end_of_the_window_and_not_before(self):
        leader = make.leader(tier="captain")
        publish()
        for day in range(20):
            assert evaluate_tiers(now=NOON + day * DAY).demoted == 0
        assert evaluate_tiers(now=NOON + 20 * DAY).demoted == 1
        assert tier_at(leader=leader, at=NOON + 20 * DAY) == "host"

    def test_a_change_by_hand_to_come_is_left_to_its_day_and_people_who_are_gone_to_rest(self):
        planned, gone = make.leader("计划"), make.leader("离开")
        for leader in (planned, gone):
            Shop(leader).sell(100)
        Person.objects.filter(pk=gone.person_id).update(deleted_at=NOON)
        set_tier(
            leader=planned, tier="", effective_from=AFTER + DAY, reason="退出", acting_person=None, now=NOON
        )
        publish()
        assert evaluate_tiers(now=AFTER).promoted == 0

    def test_a_tier_taken_away_by_a_person_is_not_given_back_by_the_clock_next_day(self):
        leader = make.leader(tier="captain")
        Shop(leader).sell(100)
        publish()
        set_tier(
            leader=leader, tier="host", effective_from=AFTER - DAY, reason="违规",
            acting_person=make.person("陈总"), now=AFTER - DAY,
        )  # fmt: skip
        assert evaluate_tiers(now=AFTER).promoted == 0
        assert LeaderTier.objects.filter(leader=leader).count() == 2


class TestShowing:
    def test_the_preview_says_who_would_rise_and_who_would_fall_and_when(self):
        riser, faller = make.leader("升的"), make.leader("降的", tier="captain")
        Shop(riser).sell(100)
        moves = preview_tiers(rules=read_rules(RULES), effective_from=AFTER, now=AFTER)
        today = timezone.localdate(AFTER)
        assert [(m.leader, m.old_tier, m.decision.tier, m.decision.on) for m in moves] == [
            (riser, "host", "captain", today),
            (faller, "captain", "host", today + 20 * DAY),
        ]
        assert LeaderTier.objects.count() == 2, "a preview changes nothing"

    def test_a_leader_sees_how_far_the_next_tier_is(self):
        leader = make.leader()
        Shop(leader).sell(60)
        assert tier_progress(leader=leader, now=AFTER) is None
        publish()
        seen = tier_progress(leader=leader, now=AFTER)
        assert (seen.tier, seen.next_tier, seen.keeping) == ("host", "captain", None)
        [check] = seen.promotion.checks
        assert (check.figure, check.value, check.limit, check.is_met) == (
            "own_turnover_fen", 6000, 10_000, False,
        )  # fmt: skip

    def test_at_the_top_only_keeping_is_left(self):
        leader = make.leader(tier="captain")
        publish()
        seen = tier_progress(leader=leader, now=AFTER)
        assert (seen.next_tier, seen.promotion) == ("", None)
        assert seen.keeping.checks[0].value == 0
        assert seen.keeping_ends_on == timezone.localdate(NOON + 20 * DAY)

    def test_nothing_done_is_nothing(self):
        assert figures_of(make.leader()) == Figures()
