"""Changing a published campaign: whom it touches, what it costs, that it is done as previewed and told to all."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaituan.campaigns.models import CampaignEvent
from kaituan.campaigns.refusals import ChangeRefused, VersionChanged
from kaituan.campaigns.services import close_campaign, extend_once
from kaituan.ledger.queries import broken_invariants, trial_balance_fen
from kaituan.money.fen import line_amount_fen
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.notices.services import announce
from kaituan.ordering.core import Outcome, place_orders
from kaituan.ordering.models import Order, OrderAdjustment
from kaituan.payments import campaign_changes as changes
from kaituan.payments import campaign_notices, services
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import PaymentIntent, Refund
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


class Town:
    """Two groups sell oranges and milk. 张敏 has paid 2 oranges; 李阿姨 pays 王姐 at the door for 1 and a milk;
    赵六 in the other group has not paid his 3 oranges."""

    def __init__(self):
        self.campaign = make.campaign()
        self.first = make.listing(self.campaign, make.group(name="一群"))
        self.second = make.listing(self.campaign, make.group(make.leader("刘哥"), name="二群"))
        self.pool = make.pool(quantity=10)
        self.oranges = make.offer(self.campaign, self.pool)
        self.milk = make.offer(self.campaign, price_fen=1590, title="鲜牛奶")
        self.zhang = make.member(self.first.group, "张敏")
        self.li = make.member(self.first.group, "李阿姨")
        self.zhao = make.member(self.second.group, "赵六")
        self.paid = make.place(self.first, self.zhang, (self.oranges, 2))
        pay(self.paid)
        self.mixed = make.place(self.first, self.li, (self.oranges, 1), (self.milk, 1), settles="leader")
        self.unpaid = make.place(self.second, self.zhao, (self.oranges, 3))
        self.boss = self.campaign.created_by

    def order(self, which):
        return Order.objects.get(pk=which.pk)

    def do(self, change, **arguments):
        self.campaign.refresh_from_db()
        return change(
            **{
                "expected_version": self.campaign.version,
                "acting_person": self.boss,
                "now": NOON,
                "reason": "说明",
                **arguments,
            }
        )

    def be_operator(self):
        StaffRole.objects.get_or_create(person=self.boss, role="operator", effective_from=NOON)

    def cut(self, price_fen, **arguments):
        self.oranges.refresh_from_db()
        return self.do(changes.do_price_change, offer=self.oranges, price_fen=price_fen, **arguments)


@pytest.fixture
def town():
    make.open_books()
    yield Town()
    assert broken_invariants() == []


def pay(order):
    intent = services.open_intent(order=order, channel="sandbox", now=NOON)
    reference = SandboxGateway().pay(intent=intent, now=NOON)
    services.gateway_succeeded(
        intent=intent, external_reference=reference, amount_fen=intent.amount_fen, now=NOON
    )


def rows(preview):
    return [(o.follow_number, o.due_before_fen, o.due_after_fen, o.refund_fen) for o in preview.orders]


class TestPrice:
    def test_a_lower_price_is_previewed_then_given_to_everybody_who_ordered(self, town):
        preview = changes.preview_price_change(offer=town.oranges, price_fen=3490)
        assert rows(preview) == [(1, 7980, 6980, 1000), (2, 5580, 5080, 0), (1, 11970, 10470, 0)]
        assert (preview.order_count, preview.person_count, preview.listing_count) == (3, 3, 2)
        assert (preview.refund_fen, preview.forgone_fen) == (1000, 3000)
        assert town.order(town.paid).adjustment_fen == 0
        done = town.cut(3490)
        assert rows(done) == rows(preview)
        assert [town.order(o).due_fen for o in (town.paid, town.mixed, town.unpaid)] == [6980, 5080, 10470]
        refund = Refund.objects.get()
        assert (refund.order, refund.amount_fen, refund.reason) == (town.paid, 1000, "price_cut")
        assert trial_balance_fen() == {"channel_cash": 7980, "prepayment": 6980, "refund_due": 1000}
        kinds = set(OrderAdjustment.objects.values_list("kind", "funder"))
        assert kinds == {("price_cut", "platform")}

    def test_a_second_cut_counts_the_first(self, town):
        town.cut(3490)
        assert changes.preview_price_change(offer=town.oranges, price_fen=2990).forgone_fen == 3000
        town.be_operator()
        town.cut(2990, funder="supplier")
        assert town.order(town.paid).due_fen == 5980
        assert sum(Refund.objects.values_list("amount_fen", flat=True)) == 2000

    def test_a_higher_price_holds_for_new_orders_only(self, town):
        preview = changes.preview_price_change(offer=town.oranges, price_fen=4490)
        assert (preview.kind, preview.order_count, preview.forgone_fen) == ("price_raised", 3, 0)
        town.cut(4490)
        assert town.order(town.paid).due_fen == 7980
        assert make.place(town.first, town.zhang, (town.oranges, 1)).due_fen == 4490

    def test_who_ordered_before_it_rose_gets_nothing_when_it_comes_down_again(self, town):
        town.cut(4490)
        late = make.place(town.first, town.zhang, (town.oranges, 1))
        done = town.cut(4190)
        assert rows(done) == [(3, 4490, 4190, 0)]
        assert town.order(late).due_fen == 4190

    @pytest.mark.parametrize(
        ("price_fen", "funder"), [(2799, "platform"), (0, "platform"), (3490, "supplier")]
    )
    def test_a_leader_gives_away_no_money_of_ours_or_of_a_supplier(self, town, price_fen, funder):
        with pytest.raises(ChangeRefused):
            town.cut(price_fen, funder=funder)
        assert town.order(town.paid).due_fen == 7980
        town.be_operator()
        assert town.cut(price_fen, funder=funder).forgone_fen > 0

    def test_a_page_with_the_old_price_must_look_again(self, town):
        seen = town.campaign.version
        town.cut(3490)
        [answer] = changes_seen(town, seen)
        assert answer.outcome == Outcome.CHANGED

    def test_a_second_click_changes_nothing(self, town):
        seen = town.campaign.version
        town.cut(3490)
        with pytest.raises(VersionChanged):
            town.cut(3490, expected_version=seen)
        with pytest.raises(ChangeRefused):
            town.cut(3490)
        assert Refund.objects.count() == 1

    def test_an_order_that_becomes_free_is_confirmed_and_its_open_intent_void(self, town):
        intent = services.open_intent(order=town.unpaid, channel="sandbox", now=NOON)
        town.be_operator()
        town.cut(0)
        assert town.order(town.unpaid).status == "confirmed"
        assert PaymentIntent.objects.get(pk=intent.pk).status == "void"
        assert town.order(town.paid).kept_fen == 0

    def test_an_amendment_after_a_cut_keeps_its_part_of_it(self, town):
        town.cut(3490)
        order = services.amend_order(
            order=town.order(town.paid), quantities={town.oranges.pk: 1}, acting_person=town.boss, now=NOON
        )
        assert (order.due_fen, order.kept_fen) == (3490, 3490)
        assert changes.preview_price_change(offer=town.oranges, price_fen=2990).orders[0].refund_fen == 500

    @pytest.mark.parametrize("price", [-1, 3990, 2**63])
    def test_what_is_no_other_price_is_refused(self, town, price):
        with pytest.raises(ChangeRefused):
            changes.preview_price_change(offer=town.oranges, price_fen=price)

    def test_after_the_cut_off_prices_stand(self, town):
        close_campaign(campaign=town.campaign, acting_person=None, now=NOON)
        with pytest.raises(ChangeRefused):
            town.cut(3490)
        with pytest.raises(ChangeRefused):
            changes.preview_price_change(offer=make.offer(make.campaign(status="draft")), price_fen=1)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        quantity=st.integers(1, 2_000),
        per=st.sampled_from([1, 3, 500]),
        prices=st.lists(st.integers(0, 9_999), min_size=1, max_size=4),
    )
    def test_nobody_pays_more_than_the_price_in_force_and_never_less_than_the_lowest(
        self, town, quantity, per, prices
    ):
        """Whatever the price did, loose goods included, a line costs its quantity at the lowest price since."""
        town.be_operator()
        offer = make.offer(
            town.campaign, make.pool(quantity=5_000), price_fen=9_999, price_quantity=per,
            code=f"P{town.campaign.offers.count()}",
        )  # fmt: skip
        order = make.place(town.first, town.li, (offer, quantity), settles="leader")
        for price in prices:
            offer.refresh_from_db()
            if price != offer.price_fen:
                town.do(changes.do_price_change, offer=offer, price_fen=price)
        lowest = min([9_999, *prices])
        expected = line_amount_fen(price_fen=lowest, price_quantity=per, quantity=quantity)
        assert town.order(order).due_fen == expected


def changes_seen(town, version):
    return place_orders(
        now=NOON,
        campaign_id=town.campaign.pk,
        version=version,
        requests=[make.request(town.first, town.zhang, (town.milk, 1))],
    )


class TestStop:
    def test_a_stopped_offer_takes_no_orders_and_what_was_ordered_stands(self, town):
        preview = changes.preview_stop_offer(offer=town.oranges, cancels_ordered=False)
        assert (preview.order_count, preview.forgone_fen, preview.refund_fen) == (3, 0, 0)
        town.do(changes.do_stop_offer, offer=town.oranges, cancels_ordered=False)
        assert town.order(town.paid).due_fen == 7980
        [answer] = make.place_one(town.first, town.zhang, (town.oranges, 1))
        assert answer.outcome == Outcome.STOPPED
        with pytest.raises(ChangeRefused):
            changes.preview_stop_offer(offer=stopped(town), cancels_ordered=False)

    def test_taking_it_out_cancels_refunds_and_gives_the_stock_back(self, town):
        preview = changes.preview_stop_offer(offer=town.oranges, cancels_ordered=True)
        assert rows(preview) == [(1, 7980, 0, 7980), (2, 5580, 1590, 0), (1, 11970, 0, 0)]
        town.do(changes.do_stop_offer, offer=town.oranges, cancels_ordered=True)
        states = [(town.order(o).status, town.order(o).due_fen) for o in (town.paid, town.mixed, town.unpaid)]
        assert states == [("cancelled", 0), ("confirmed", 1590), ("cancelled", 0)]
        town.pool.refresh_from_db()
        assert town.pool.available_quantity == 10
        assert Refund.objects.get().amount_fen == 7980
        assert trial_balance_fen() == {"channel_cash": 7980, "prepayment": 0, "refund_due": 7980}

    def test_it_may_be_stopped_first_and_taken_out_later_after_a_price_cut_too(self, town):
        town.cut(3490)
        town.do(changes.do_stop_offer, offer=town.oranges, cancels_ordered=False)
        preview = changes.preview_stop_offer(offer=stopped(town), cancels_ordered=True)
        assert rows(preview) == [(1, 6980, 0, 6980), (2, 5080, 1590, 0), (1, 10470, 0, 0)]
        town.do(
            changes.do_stop_offer, offer=stopped(town), cancels_ordered=True, now=NOON + timedelta(hours=1)
        )
        assert town.order(town.mixed).due_fen == 1590
        assert town.order(town.paid).kept_fen == 0
        assert stopped(town).stopped_at == NOON


def stopped(town):
    town.oranges.refresh_from_db()
    return town.oranges


class TestDatesAndEnd:
    def test_the_pickup_date_moves_for_everybody_even_after_the_cut_off(self, town):
        preview = changes.preview_pickup_move(campaign=town.campaign, pickup_on=date(2026, 10, 3))
        assert (preview.order_count, preview.forgone_fen, preview.listing_count) == (3, 0, 2)
        close_campaign(campaign=town.campaign, acting_person=None, now=NOON)
        town.do(changes.do_pickup_move, campaign=town.campaign, pickup_on=date(2026, 10, 3))
        town.campaign.refresh_from_db()
        assert town.campaign.pickup_on == date(2026, 10, 3)
        for day in (date(2026, 10, 3), date(2026, 9, 30)):
            with pytest.raises(ChangeRefused):
                town.do(changes.do_pickup_move, campaign=town.campaign, pickup_on=day)

    def test_the_window_is_extended_and_taken_at_once(self, town):
        later = NOON + timedelta(hours=30)
        with pytest.raises(ChangeRefused):
            changes.preview_window_extension(campaign=town.campaign, closes_at=later + timedelta(days=1))
        with pytest.raises(ChangeRefused):
            changes.preview_window_extension(campaign=town.campaign, closes_at=NOON)
        town.do(
            changes.do_window_extension, campaign=town.campaign, closes_at=later, pickup_on=date(2026, 10, 4)
        )
        order = make.place(town.first, town.zhang, (town.milk, 1), now=later - timedelta(seconds=1))
        assert order.status == "pending"
        town.campaign.refresh_from_db()
        assert (town.campaign.closes_at, town.campaign.pickup_on) == (later, date(2026, 10, 4))

    def test_calling_off_refunds_everybody_and_ends_every_listing(self, town):
        preview = changes.preview_cancel_campaign(campaign=town.campaign)
        assert (preview.order_count, preview.refund_fen, preview.forgone_fen) == (3, 7980, 25_530)
        town.do(changes.do_cancel_campaign, campaign=town.campaign)
        assert set(Order.objects.values_list("status", flat=True)) == {"cancelled"}
        assert Refund.objects.get().reason == "campaign_cancelled"
        for listing, member in ((town.first, town.zhang), (town.second, town.zhao)):
            [answer] = make.place_one(listing, member, (town.milk, 1))
            assert answer.outcome == Outcome.CLOSED
        town.pool.refresh_from_db()
        assert town.pool.available_quantity == 10
        with pytest.raises(ChangeRefused):
            town.do(changes.do_cancel_campaign, campaign=town.campaign)

    def test_what_was_changed_by_whom_and_why_is_written_down(self, town):
        town.cut(3490, reason="产地降价")
        event = CampaignEvent.objects.get(kind="price_lowered")
        assert (event.actor, event.reason, event.version) == (town.boss, "产地降价", 2)
        assert event.details == {"offer_id": town.oranges.pk, "old_fen": 3990, "new_fen": 3490}

    def test_turnover_is_what_the_live_orders_come_to(self, town):
        town.cut(3490)
        services.cancel_order(order=town.unpaid, acting_person=town.boss, now=NOON)
        assert changes.turnover_fen(campaign=town.campaign) == 6980 + 5080
        assert changes.turnover_fen(campaign=make.campaign()) == 0


class TestTelling:
    def told(self, topic, handler):
        message = OutboxMessage.objects.get(topic=topic)
        handler(message)
        handler(message)
        return set(Notice.objects.filter(kind=topic).values_list("person_id", flat=True))

    def sellers(self, town):
        return {town.boss.pk, town.first.leader.person_id, town.second.leader.person_id}

    def buyers(self, town):
        return {town.zhang.person_id, town.li.person_id, town.zhao.person_id}

    def test_sellers_and_buyers_hear_of_a_price_once(self, town):
        town.cut(3490)
        told = self.told("price_lowered", campaign_notices.campaign_was_changed)
        assert told == self.sellers(town) | self.buyers(town)
        notice = Notice.objects.get(person_id=town.zhao.person_id, kind="price_lowered")
        assert notice.data["old_fen"] == 3990
        assert notice.data["new_fen"] == 3490
        assert notice.link == f"/g/{town.second.public_id}/"

    def test_only_buyers_of_the_offer_hear_that_it_is_taken_out(self, town):
        town.do(changes.do_stop_offer, offer=town.milk, cancels_ordered=True)
        told = self.told("offer_withdrawn", campaign_notices.campaign_was_changed)
        assert told == self.sellers(town) | {town.li.person_id}

    def test_everybody_hears_of_dates_and_of_the_end(self, town):
        everybody = self.sellers(town) | self.buyers(town)
        town.do(changes.do_pickup_move, campaign=town.campaign, pickup_on=date(2026, 10, 3))
        assert self.told("pickup_moved", campaign_notices.campaign_was_changed) == everybody
        assert Notice.objects.filter(kind="pickup_moved").first().data["old_on"] == "2026-10-02"
        later = NOON + timedelta(hours=11)
        town.do(changes.do_window_extension, campaign=town.campaign, closes_at=later)
        assert self.told("window_extended", campaign_notices.campaign_was_changed) == everybody
        extend_once(campaign=town.campaign, now=NOON)
        assert self.told("campaign_extended", campaign_notices.campaign_was_changed) == everybody
        town.do(changes.do_cancel_campaign, campaign=town.campaign)
        assert self.told("campaign_cancelled", campaign_notices.campaign_was_cancelled) == everybody

    def test_a_message_without_names_of_buyers_finds_those_who_went_with_it(self, town):
        town.do(changes.do_cancel_campaign, campaign=town.campaign)
        message = OutboxMessage.objects.get(topic="campaign_cancelled")
        del message.payload["person_ids"]
        message.save()
        told = self.told("campaign_cancelled", campaign_notices.campaign_was_cancelled)
        assert told == self.sellers(town) | self.buyers(town)

    def test_an_opening_is_told_to_those_who_sell(self, town):
        announce(topic="campaign_opened", subject=f"campaign:{town.campaign.pk}", payload={}, now=NOON)
        assert self.told("campaign_opened", campaign_notices.campaign_was_opened) == self.sellers(town)
