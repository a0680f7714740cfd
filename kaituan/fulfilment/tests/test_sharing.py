"""Sharing out: all get all, or somebody goes short by the policy and gets the money back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.fulfilment.models import SharingOut, ShortShare
from kaituan.fulfilment.queries import to_share_out
from kaituan.fulfilment.refusals import SharingRefused
from kaituan.fulfilment.sharing import (
    Policy,
    missing_fen,
    preview_sharing,
    share_out_complete,
    variants_to_share,
)
from kaituan.fulfilment.tests.conftest import CUT_OFF, MORNING
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import OrderAdjustment, OrderLine
from kaituan.ordering.services import LineAdjustment, adjust_lines
from kaituan.payments.models import Refund
from kaituan.payments.services import settle_differences
from tests import factories as make

pytestmark = pytest.mark.django_db


def allocated(order):
    return {
        line.offer.code: line.allocated_quantity
        for line in order.lines.select_related("offer").order_by("pk")
    }


@pytest.fixture
def three(town):
    """Three orders of 5, 3 and 2 oranges, in that order; the first is paid, the others settle with the leader."""
    town.first = town.paid_order(town.zhang, (town.oranges, 5))
    town.second = town.order(town.zhao, (town.oranges, 3))
    town.third = town.order(town.wang, (town.oranges, 2), (town.eggs, 1))
    town.cut_off()
    town.send_all()
    return town


@given(net=st.integers(0, 10**7), ordered=st.integers(1, 500), data=st.data())
def test_what_is_given_back_grows_with_what_is_missing_and_ends_at_everything(net, ordered, data):
    given_quantity = data.draw(st.integers(0, ordered))
    back = missing_fen(net_fen=net, ordered_quantity=ordered, given_quantity=given_quantity)
    assert 0 <= back <= net
    assert back * ordered >= net * (ordered - given_quantity)
    assert missing_fen(net_fen=net, ordered_quantity=ordered, given_quantity=0) == net
    assert missing_fen(net_fen=net, ordered_quantity=ordered, given_quantity=ordered) == 0


def test_without_a_shortage_everybody_gets_what_was_ordered(three):
    three.receive(three.oranges, 12)
    sharing = three.share_out(three.oranges)
    assert (sharing.available_quantity, sharing.ordered_quantity) == (12, 10)
    assert allocated(three.first) == {"A": 5}
    assert allocated(three.third) == {"A": 2, "B": None}
    assert not OrderAdjustment.objects.exists()


def test_first_come_serves_the_earlier_orders(three):
    three.receive(three.oranges, 7)
    three.share_out(three.oranges, Policy.FIRST_COME)
    assert [allocated(order)["A"] for order in (three.first, three.second, three.third)] == [5, 2, 0]
    three.second.refresh_from_db()
    assert (three.second.due_fen, three.second.unpaid_fen) == (2 * 3990, 2 * 3990)


def test_pro_rata_takes_from_everybody_and_refunds_who_has_paid(three):
    three.receive(three.oranges, 7)
    three.share_out(three.oranges, Policy.PRO_RATA)
    assert [allocated(order)["A"] for order in (three.first, three.second, three.third)] == [4, 2, 1]
    three.first.refresh_from_db()
    assert (three.first.due_fen, three.first.kept_fen, three.first.refunded_fen) == (4 * 3990, 4 * 3990, 3990)
    refund = Refund.objects.get()
    assert (refund.reason, refund.amount_fen) == ("shortage", 3990)


def test_the_preview_says_what_sharing_out_then_does(three):
    three.receive(three.oranges, 7)
    plan = preview_sharing(campaign=three.campaign, variant=three.oranges.variant, policy=Policy.PRO_RATA)
    assert (plan.available_quantity, plan.needed_quantity, plan.short_quantity) == (7, 10, 3)
    assert [(s.order_id, s.ordered_quantity, s.given_quantity, s.refund_fen) for s in plan.short_shares] == [
        (three.first.pk, 5, 4, 3990),
        (three.second.pk, 3, 2, 3990),
        (three.third.pk, 2, 1, 3990),
    ]
    assert not OrderLine.objects.filter(allocated_quantity__isnull=False).exists()
    three.share_out(three.oranges, Policy.PRO_RATA)
    taken_off = -sum(OrderAdjustment.objects.values_list("amount_fen", flat=True))
    assert taken_off == plan.refund_fen
    by_line = {share.line_id: share.given_quantity for share in plan.shares}
    assert dict(OrderLine.objects.filter(pk__in=by_line).values_list("pk", "allocated_quantity")) == by_line


def test_sharing_out_twice_shares_once(three):
    three.receive(three.oranges, 7)
    first = three.share_out(three.oranges, Policy.PRO_RATA)
    assert three.share_out(three.oranges, Policy.FIRST_COME) == first
    assert (SharingOut.objects.count(), OrderAdjustment.objects.count()) == (1, 3)


def test_who_goes_short_is_told_and_written_down(three):
    three.receive(three.oranges, 7)
    three.share_out(three.oranges, Policy.FIRST_COME)
    short = {row.order_line.order_id: row.quantity for row in ShortShare.objects.all()}
    assert short == {three.second.pk: 2, three.third.pk: 0}
    messages = OutboxMessage.objects.filter(topic="line_short").order_by("pk")
    assert [m.subject for m in messages] == [f"order:{three.second.pk}", f"order:{three.third.pk}"]


def test_when_nothing_comes_the_line_has_come_to_its_end(three):
    three.receive(three.oranges, 0)
    three.share_out(three.oranges)
    line = three.first.lines.get()
    assert (line.allocated_quantity, line.handed_over_at, line.pickup_leader_id) == (0, MORNING, None)
    three.first.refresh_from_db()
    assert (three.first.due_fen, three.first.kept_fen) == (0, 0)


def test_a_lowered_price_is_not_given_back_twice(three):
    line = three.first.lines.get()
    cut = LineAdjustment(line_id=line.pk, kind=OrderAdjustment.Kind.PRICE_CUT, amount_fen=-950)
    adjust_lines(adjustments=[cut], now=CUT_OFF)
    settle_differences(order_ids=[three.first.pk], reason=Refund.Reason.PRICE_CUT, now=CUT_OFF)
    three.receive(three.oranges, 0)
    three.share_out(three.oranges)
    three.first.refresh_from_db()
    assert (three.first.due_fen, three.first.refunded_fen) == (0, 5 * 3990)


def test_cancelled_orders_leave_more_for_the_others(three):
    from kaituan.fulfilment.cutoff import cancel_after_cut_off

    cancel_after_cut_off(order=three.first, acting_person=three.operator, now=MORNING, reason="搬家")
    three.receive(three.oranges, 5)
    three.share_out(three.oranges)
    assert [allocated(order)["A"] for order in (three.second, three.third)] == [3, 2]
    assert allocated(three.first) == {"A": None}


def test_what_is_not_received_or_not_cut_off_is_not_shared_out(town):
    with pytest.raises(SharingRefused, match="cut off"):
        town.share_out(town.oranges)
    town.order(town.zhang, (town.oranges, 1))
    town.cut_off()
    with pytest.raises(SharingRefused, match="not counted"):
        town.share_out(town.oranges)
    with pytest.raises(SharingRefused, match="Choose"):
        preview_sharing(campaign=town.campaign, variant=town.oranges.variant, policy="by_lot")


def test_everything_that_is_there_in_full_goes_out_in_one_go(three):
    three.receive(three.oranges, 9)
    three.receive(three.eggs, 1)
    assert list(to_share_out()) == [three.campaign]
    assert variants_to_share(campaign=three.campaign) == [three.eggs.variant, three.oranges.variant]
    shared = share_out_complete(campaign=three.campaign, acting_person=three.operator, now=MORNING)
    assert [row.variant for row in shared] == [three.eggs.variant]
    assert variants_to_share(campaign=three.campaign) == [three.oranges.variant]
    three.share_out(three.oranges)
    assert not to_share_out().exists()


def test_the_received_wins_over_the_asked(three):
    """2 boxes of 4 and one more: 12 asked for, 9 came, 10 were ordered."""
    three.receive(three.oranges, 9)
    plan = preview_sharing(campaign=three.campaign, variant=three.oranges.variant, policy=Policy.FIRST_COME)
    assert (plan.short_quantity, plan.refund_fen) == (1, 3990)


class TestBundles:
    @pytest.fixture
    def basket(self, town):
        """A basket of 1 orange and 3 eggs, beside single eggs."""
        oranges, eggs = (offer.pool_links.get().pool for offer in (town.oranges, town.eggs))
        town.basket = make.offer(town.campaign, oranges, eggs, price_fen=9000)
        town.basket.pool_links.filter(pool=eggs).update(steps_per_step=3)
        town.baskets = town.paid_order(town.zhang, (town.basket, 2))
        town.single = town.order(town.wang, (town.eggs, 2))
        town.cut_off()
        town.send_all()
        return town

    def test_a_bundle_waits_until_all_its_parts_are_shared_out(self, basket):
        basket.receive(basket.oranges, 4)
        basket.share_out(basket.oranges)
        assert allocated(basket.baskets) == {"C": None}
        basket.receive(basket.eggs, 8)
        basket.share_out(basket.eggs)
        assert allocated(basket.baskets) == {"C": 2}
        assert allocated(basket.single) == {"B": 2}

    def test_the_scarcest_part_decides(self, basket):
        basket.receive(basket.oranges, 1)
        basket.share_out(basket.oranges)
        assert not OrderAdjustment.objects.exists()
        # Only one basket can be filled, so it takes no more eggs than that from the others.
        basket.receive(basket.eggs, 5)
        assert basket.share_out(basket.eggs, Policy.PRO_RATA).ordered_quantity == 5
        assert (allocated(basket.baskets), allocated(basket.single)) == ({"C": 1}, {"B": 2})
        basket.baskets.refresh_from_db()
        assert (basket.baskets.due_fen, basket.baskets.refunded_fen) == (9000, 9000)
