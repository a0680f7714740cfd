"""A purchase order on its way: sent, seen, confirmed, moved."""

from datetime import date, timedelta

import pytest

from kaituan.fulfilment import purchasing
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.fulfilment.purchasing import confirm, follow_pickup_date, mark_seen, purchase_units, send
from kaituan.fulfilment.refusals import PurchasingRefused
from kaituan.fulfilment.tests.conftest import CUT_OFF, MORNING
from kaituan.notices.models import OutboxMessage
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(town):
    town.order(town.zhang, (town.oranges, 5))
    town.cut_off()
    return town.purchase_order(town.oranges)


@pytest.mark.parametrize(
    ("quantity", "per_unit", "units"), [(0, 4, 0), (1, 4, 1), (4, 4, 1), (5, 4, 2), (750, 500, 2), (7, 1, 7)]
)
def test_purchase_units_are_whole_and_enough(quantity, per_unit, units):
    assert purchase_units(quantity=quantity, steps_per_purchase_unit=per_unit) == units


def test_it_is_sent_once_and_the_supplier_is_told_once(town, order):
    send(purchase_order=order, acting_person=town.operator, now=CUT_OFF)
    later = send(purchase_order=order, acting_person=town.operator, now=MORNING)
    assert (later.status, later.sent_at) == ("sent", CUT_OFF)
    assert OutboxMessage.objects.filter(topic="purchase_order_sent").count() == 1


def test_the_first_look_counts(town, order):
    assert mark_seen(purchase_order=order, acting_person=town.operator, now=CUT_OFF).status == "draft"
    send(purchase_order=order, acting_person=town.operator, now=CUT_OFF)
    mark_seen(purchase_order=order, acting_person=town.operator, now=CUT_OFF + timedelta(minutes=5))
    seen = mark_seen(purchase_order=order, acting_person=town.operator, now=MORNING)
    assert (seen.status, seen.seen_at) == ("seen", CUT_OFF + timedelta(minutes=5))


def test_the_supplier_confirms_in_full_or_says_less(town, order):
    send(purchase_order=order, acting_person=None, now=CUT_OFF)
    line = order.lines.get()
    confirm(purchase_order=order, quantities={}, acting_person=town.operator, now=MORNING)
    line.refresh_from_db()
    assert line.confirmed_quantity == 8
    confirmed = confirm(
        purchase_order=order, quantities={line.pk: 3}, acting_person=town.operator, now=MORNING
    )
    line.refresh_from_db()
    assert (confirmed.status, confirmed.seen_at, line.confirmed_quantity) == ("confirmed", MORNING, 3)


def test_confirming_the_same_again_changes_nothing(town, order):
    send(purchase_order=order, acting_person=None, now=CUT_OFF)
    for now in (MORNING, MORNING + timedelta(hours=1)):
        confirmed = confirm(purchase_order=order, quantities={}, acting_person=town.operator, now=now)
    assert confirmed.confirmed_at == MORNING
    assert OutboxMessage.objects.filter(topic="purchase_order_confirmed").count() == 1


def test_what_cannot_be_confirmed(town, order):
    line = order.lines.get()
    with pytest.raises(PurchasingRefused, match="not been sent"):
        confirm(purchase_order=order, quantities={}, acting_person=town.operator, now=MORNING)
    send(purchase_order=order, acting_person=None, now=CUT_OFF)
    for wrong in ({line.pk: -1}, {line.pk + 99: 1}):
        with pytest.raises(PurchasingRefused, match="0 or more"):
            confirm(purchase_order=order, quantities=wrong, acting_person=town.operator, now=MORNING)
    town.receive(town.oranges, 8)
    with pytest.raises(PurchasingRefused, match="already received"):
        confirm(purchase_order=order, quantities={}, acting_person=town.operator, now=MORNING)


def test_a_moved_pickup_date_moves_what_is_not_received(town, order):
    send(purchase_order=order, acting_person=None, now=CUT_OFF)
    town.campaign.pickup_on = date(2026, 10, 4)
    town.campaign.save()
    assert follow_pickup_date(campaign_id=town.campaign.pk, now=MORNING) == 1
    assert follow_pickup_date(campaign_id=town.campaign.pk, now=MORNING) == 0
    order.refresh_from_db()
    assert order.arrives_on == date(2026, 10, 4)
    town.receive(town.oranges, 8)
    town.campaign.pickup_on = date(2026, 10, 5)
    town.campaign.save()
    assert follow_pickup_date(campaign_id=town.campaign.pk, now=MORNING) == 0


def test_a_variant_without_a_price_does_not_stop_the_cut_off(town):
    unpriced = make.variant(make.product("新米", supplier=town.farm))
    # Prices are never deleted by the app; a variant simply may have none yet.
    unpriced.prices.update(effective_from=CUT_OFF + timedelta(days=1))
    rice = make.offer(town.campaign, make.pool(unpriced))
    town.order(town.zhang, (rice, 2))
    town.cut_off()
    line = PurchaseOrder.objects.get().lines.get()
    assert (line.ordered_quantity, line.purchase_price_fen) == (2, 0)


def test_asked_quantity_is_what_the_whole_units_hold(order):
    assert purchasing.asked_quantity(order.lines.get()) == 8
