"""The cut-off: who is in, what is asked for at whom, what happens when too little was ordered."""

from datetime import date, timedelta

import pytest

from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.cutoff import Ending, cancel_after_cut_off, cut_off, cut_off_due
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, Snapshot, SnapshotLine
from kaituan.fulfilment.refusals import CutOffRefused
from kaituan.fulfilment.snapshots import record_changes
from kaituan.fulfilment.tests.conftest import CUT_OFF, NOON, Town
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import Order
from kaituan.ordering.services import OrderRefused
from kaituan.payments.models import Refund
from tests import factories as make

pytestmark = pytest.mark.django_db


def topics():
    return list(OutboxMessage.objects.order_by("pk").values_list("topic", flat=True))


def test_the_snapshot_holds_every_standing_line_by_supplier_and_place(town):
    first = town.order(town.zhang, (town.oranges, 2), (town.eggs, 1))
    other = town.order(town.zhao, (town.oranges, 3))
    done = town.cut_off()
    assert (done.ending, done.snapshot.number) == (Ending.CLOSED, 1)
    rows = SnapshotLine.objects.order_by("pk").values_list(
        "order_line__order", "supplier", "pickup_point", "quantity"
    )
    here, there = town.listing.pickup_point_id, town.elsewhere.pickup_point_id
    assert set(rows) == {
        (first.pk, town.orchard.pk, here, 2),
        (first.pk, town.farm.pk, here, 1),
        (other.pk, town.orchard.pk, there, 3),
    }


def test_the_campaign_is_closed_at_the_end_of_its_window_however_late_the_clock_comes(town):
    version = town.campaign.version
    done = town.cut_off(now=CUT_OFF + timedelta(minutes=3))
    assert (town.campaign.status, town.campaign.closed_at) == ("closed", CUT_OFF)
    assert town.campaign.version == version + 1 == done.snapshot.campaign_version
    assert done.snapshot.taken_at == CUT_OFF + timedelta(minutes=3)


def test_an_operator_may_close_earlier_but_the_clock_may_not(town):
    with pytest.raises(CutOffRefused, match="still takes orders"):
        cut_off(campaign=town.campaign, now=NOON)
    town.cut_off(now=NOON, acting_person=town.operator)
    assert town.campaign.closed_at == NOON


LATER = {"opens_at": CUT_OFF + timedelta(hours=1), "closes_at": CUT_OFF + timedelta(hours=2)}


@pytest.mark.parametrize("fields", [{"status": "draft"}, {"status": "scheduled", **LATER}])
def test_what_has_not_opened_cannot_be_cut_off(town, fields):
    Campaign.objects.filter(pk=town.campaign.pk).update(**fields)
    with pytest.raises(CutOffRefused, match="not opened"):
        cut_off(campaign=town.campaign, now=CUT_OFF)


def test_unpaid_prepaid_orders_are_released_and_those_a_leader_stands_in_for_are_kept(town):
    unpaid = town.order(town.zhang, (town.oranges, 2), settles="prepaid", now=CUT_OFF - timedelta(minutes=1))
    guaranteed = town.order(town.wang, (town.oranges, 1))
    paid = town.paid_order(town.zhao, (town.oranges, 1))
    town.cut_off()
    assert [Order.objects.get(pk=o.pk).status for o in (unpaid, guaranteed, paid)] == [
        "released",
        "confirmed",
        "confirmed",
    ]
    assert SnapshotLine.objects.filter(order_line__order=unpaid).count() == 0
    pool = town.oranges.pool_links.get().pool
    assert pool.available_quantity == 98


def test_one_purchase_order_per_supplier_in_whole_purchase_units_at_the_price_in_force(town):
    town.order(town.zhang, (town.oranges, 5), (town.eggs, 2))
    town.order(town.zhao, (town.eggs, 1))
    town.cut_off()
    orchard, farm = PurchaseOrder.objects.order_by("supplier_id")
    line = orchard.lines.get()
    assert (line.ordered_quantity, line.purchase_units, line.purchase_price_fen) == (5, 2, 10_000)
    assert (farm.lines.get().ordered_quantity, farm.lines.get().purchase_units) == (3, 3)
    assert (orchard.status, orchard.arrives_on) == ("draft", date(2026, 10, 2))
    assert orchard.number == f"PO261001-{town.campaign.pk}-{town.orchard.pk}"


def test_a_bundle_asks_its_own_parts_of_their_suppliers(town):
    oranges, eggs = (offer.pool_links.get().pool for offer in (town.oranges, town.eggs))
    basket = make.offer(town.campaign, oranges, eggs, price_fen=5000)
    basket.pool_links.filter(pool=eggs).update(steps_per_step=3)
    town.order(town.zhang, (basket, 2), (town.eggs, 1))
    town.cut_off()
    asked = dict(PurchaseOrderLine.objects.values_list("variant_id", "ordered_quantity"))
    assert asked == {town.oranges.variant_id: 2, town.eggs.variant_id: 7}


def test_cutting_off_twice_takes_one_snapshot(town):
    town.order(town.zhang, (town.oranges, 1))
    first = town.cut_off()
    assert town.cut_off().snapshot == first.snapshot
    assert cut_off_due(now=CUT_OFF) == []
    assert (Snapshot.objects.count(), PurchaseOrder.objects.count()) == (1, 1)
    assert topics().count("campaign_closed") == 1


def test_the_clock_finds_what_is_due_and_nothing_else(town):
    make.campaign(closes_at=CUT_OFF + timedelta(hours=1))
    scheduled = make.campaign(status="scheduled")
    assert cut_off_due(now=CUT_OFF - timedelta(seconds=1)) == []
    done = cut_off_due(now=CUT_OFF)
    assert {row.campaign.pk for row in done} == {town.campaign.pk, scheduled.pk}


def test_one_campaign_that_fails_does_not_keep_the_others_open(town):
    other = make.campaign(closes_at=CUT_OFF + timedelta(minutes=1))
    town.order(town.zhang, (town.oranges, 1))
    # The number that the town's purchase order needs is taken, so its cut-off fails as a whole.
    PurchaseOrder.objects.create(
        number=f"PO261001-{town.campaign.pk}-{town.orchard.pk}",
        snapshot=Snapshot.objects.create(campaign=other, number=9, campaign_version=1, taken_at=NOON),
        supplier=town.orchard,
        arrives_on=date(2026, 10, 2),
        created_at=NOON,
    )
    done = cut_off_due(now=CUT_OFF + timedelta(minutes=1))
    assert [row.campaign.pk for row in done] == [other.pk]
    town.campaign.refresh_from_db()
    assert town.campaign.status == "open"
    assert not town.campaign.snapshots.exists()


def test_an_offer_below_its_minimum_is_taken_out_and_refunded(town):
    town.eggs.minimum_quantity = 10
    town.eggs.save()
    both = town.paid_order(town.zhang, (town.oranges, 1), (town.eggs, 2))
    only_eggs = town.paid_order(town.wang, (town.eggs, 1))
    assert town.cut_off().ending == Ending.CLOSED
    both.refresh_from_db()
    only_eggs.refresh_from_db()
    assert (both.status, both.due_fen, both.refunded_fen) == ("confirmed", 3990, 2400)
    assert (only_eggs.status, only_eggs.due_fen, only_eggs.refunded_fen) == ("cancelled", 0, 1200)
    assert set(Refund.objects.values_list("reason", flat=True)) == {"minimum_not_met"}
    assert list(SnapshotLine.objects.values_list("offer_id", flat=True)) == [town.oranges.pk]
    message = OutboxMessage.objects.get(topic="minimum_not_met")
    assert message.payload["person_ids"] == sorted([town.zhang.person_id, town.wang.person_id])
    town.eggs.refresh_from_db()
    assert town.eggs.sold_quantity == 0


def test_a_campaign_below_its_minimum_is_called_off_and_everything_goes_back(db):
    town = Town(minimum_fen=100_000)
    paid = town.paid_order(town.zhang, (town.oranges, 2))
    town.order(town.wang, (town.eggs, 1))
    done = town.cut_off()
    assert (done.ending, done.snapshot) == (Ending.CALLED_OFF, None)
    assert (town.campaign.status, town.campaign.cancelled_at) == ("cancelled", CUT_OFF)
    paid.refresh_from_db()
    assert (paid.status, paid.refunded_fen) == ("cancelled", 7980)
    assert not PurchaseOrder.objects.exists()
    assert town.cut_off().ending == Ending.CALLED_OFF


def test_a_minimum_may_extend_the_window_once_and_then_refunds(db):
    town = Town(minimum_fen=100_000, minimum_policy="extend_once", extend_hours=24)
    town.order(town.zhang, (town.oranges, 2))
    done = town.cut_off()
    assert (done.ending, town.campaign.status) == (Ending.EXTENDED, "open")
    assert town.campaign.closes_at == CUT_OFF + timedelta(hours=24)
    assert town.campaign.pickup_on == date(2026, 10, 3)
    assert cut_off_due(now=CUT_OFF) == []
    town.order(town.wang, (town.oranges, 1), now=CUT_OFF + timedelta(hours=23))
    [second] = cut_off_due(now=CUT_OFF + timedelta(hours=24))
    assert second.ending == Ending.CALLED_OFF


def test_a_minimum_that_is_reached_in_the_extension_closes(db):
    town = Town(minimum_fen=100_000, minimum_policy="extend_once")
    town.cut_off()
    town.order(town.wang, (town.oranges, 30), now=CUT_OFF + timedelta(hours=1))
    [second] = cut_off_due(now=CUT_OFF + timedelta(hours=24))
    assert (second.ending, second.snapshot.lines.count()) == (Ending.CLOSED, 1)


def test_nobody_closes_early_what_would_be_extended(db):
    town = Town(minimum_fen=100_000, minimum_policy="extend_once")
    town.order(town.zhang, (town.oranges, 2), settles="prepaid")
    with pytest.raises(CutOffRefused, match="minimum"):
        cut_off(campaign=town.campaign, now=NOON, acting_person=town.operator)
    assert Order.objects.get().status == "pending"


def test_what_the_operator_cancels_later_is_a_delta_and_edits_nothing(town):
    kept = town.order(town.zhang, (town.oranges, 2))
    gone = town.paid_order(town.zhao, (town.oranges, 3), (town.eggs, 1))
    town.cut_off()
    cancel_after_cut_off(order=gone, acting_person=town.operator, now=CUT_OFF, reason="地址填错")
    gone.refresh_from_db()
    assert (gone.status, gone.refunded_fen) == ("cancelled", 3 * 3990 + 1200)
    delta = Snapshot.objects.get(number=2)
    assert delta.reason == "地址填错"
    changes = dict(delta.lines.values_list("offer_id", "quantity"))
    assert changes == {town.oranges.pk: -3, town.eggs.pk: -1}
    assert PurchaseOrder.objects.get(supplier=town.orchard).lines.get().ordered_quantity == 5
    standing = SnapshotLine.objects.filter(order_line__order=kept)
    assert [row.quantity for row in standing] == [2]


def test_cancelling_twice_or_recording_without_a_change_writes_no_delta(town):
    order = town.order(town.zhang, (town.oranges, 2))
    assert record_changes(campaign=town.campaign, reason="", now=NOON) is None
    town.cut_off()
    for _ in range(2):
        cancel_after_cut_off(order=order, acting_person=town.operator, now=CUT_OFF, reason="重复")
    assert record_changes(campaign=town.campaign, reason="", now=CUT_OFF) is None
    assert Snapshot.objects.count() == 2


def test_a_released_order_cannot_be_cancelled_after_the_cut_off(town):
    order = town.order(town.zhang, (town.oranges, 2), settles="prepaid")
    town.cut_off()
    with pytest.raises(OrderRefused):
        cancel_after_cut_off(order=order, acting_person=town.operator, now=CUT_OFF, reason="试试")
