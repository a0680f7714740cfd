"""Who is told what between the cut-off and the hand-over: everybody who is touched, once."""

from datetime import date, timedelta

import pytest

from kaituan.fulfilment import notices
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.cutoff import cancel_after_cut_off
from kaituan.fulfilment.handover import give_up_unclaimed, undo_hand_over
from kaituan.fulfilment.purchasing import confirm
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, NOON
from kaituan.fulfilment.tests.test_handover import give
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.notices.relay import relay_all
from kaituan.notices.services import announce
from kaituan.people.models import StaffRole
from kaituan.worker.handlers import HANDLERS
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(town):
    """Zhang has paid 3 oranges, Wang guaranteed 2 and some eggs, Zhao 1 elsewhere."""
    town.supplier_person = make.person("果园老周")
    town.orchard.staff.create(person=town.supplier_person, effective_from=NOON)
    StaffRole.objects.create(person=town.operator, role="operator", effective_from=NOON)
    town.paid = town.paid_order(town.zhang, (town.oranges, 3))
    town.owing = town.order(town.wang, (town.oranges, 2), (town.eggs, 1))
    town.away = town.order(town.zhao, (town.oranges, 1))
    return town


def told(kind):
    """Person -> data of what was told, after everything was handled twice."""
    relay_all(handlers=HANDLERS, now=EVENING)
    assert not OutboxMessage.objects.exclude(last_error="").exists()
    OutboxMessage.objects.filter(topic__in=HANDLERS).update(handled_at=None)
    before = Notice.objects.count()
    relay_all(handlers=HANDLERS, now=EVENING)
    assert Notice.objects.count() == before
    return {notice.person_id: notice.data for notice in Notice.objects.filter(kind=kind)}


def arrive(town, *, oranges=8):
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, oranges)
    town.receive(town.eggs, 1)
    for offer in (town.oranges, town.eggs):
        town.share_out(offer)
    for point in (town.listing.pickup_point, town.elsewhere.pickup_point):
        confirm_arrival(campaign=town.campaign, pickup_point=point, acting_person=None, now=MORNING)


def test_each_leader_learns_of_their_own_orders_and_the_host_of_all(town):
    town.cut_off()
    figures = {
        person: (data["orders"], data["amount_fen"]) for person, data in told("campaign_closed").items()
    }
    assert figures == {
        town.leader.person_id: (2, 5 * 3990 + 1200),
        town.elsewhere.leader.person_id: (1, 3990),
        town.campaign.created_by_id: (3, 6 * 3990 + 1200),
    }


def test_a_minimum_that_was_not_met_is_told_to_who_ordered_and_who_sold(town):
    town.campaign.offers.filter(pk=town.eggs.pk).update(minimum_quantity=10)
    town.cut_off()
    leaders = {town.leader.person_id, town.elsewhere.leader.person_id}
    assert told("minimum_not_met").keys() == {town.wang.person_id, *leaders}


def test_the_supplier_is_told_of_its_own_purchase_order(town):
    town.cut_off()
    town.send_all()
    order = town.purchase_order(town.oranges)
    assert {p: data["number"] for p, data in told("purchase_order_sent").items()} == {
        town.supplier_person.pk: order.number
    }
    confirm(purchase_order=order, quantities={}, acting_person=town.supplier_person, now=MORNING)
    assert told("purchase_order_confirmed").keys() == {town.operator.pk}


def test_a_moved_pickup_date_moves_the_purchase_orders_and_tells_their_suppliers(town):
    town.cut_off()
    town.send_all()
    town.campaign.pickup_on = date(2026, 10, 5)
    town.campaign.save()
    moved = {"old_on": date(2026, 10, 2), "pickup_on": date(2026, 10, 5)}
    announce(topic="pickup_moved", subject=f"campaign:{town.campaign.pk}", payload=moved, now=MORNING)
    [(person, data)] = told("purchase_order_moved").items()
    assert (person, data["arrives_on"]) == (town.supplier_person.pk, "2026-10-05")
    assert town.purchase_order(town.oranges).arrives_on == date(2026, 10, 5)


def test_a_change_after_the_cut_off_is_told_to_the_suppliers_it_touches(town):
    town.cut_off()
    town.send_all()
    cancel_after_cut_off(order=town.paid, acting_person=town.operator, now=MORNING, reason="退")
    assert told("purchase_order_changed").keys() == {town.supplier_person.pk}


def test_who_goes_short_learns_what_comes_back(town):
    arrive(town, oranges=4)
    short = told("shortage")
    assert {person: data["amount_fen"] for person, data in short.items()} == {
        town.wang.person_id: 3990,
        town.zhao.person_id: 3990,
    }


def test_members_learn_that_their_goods_are_there_and_leaders_how_many_orders(town):
    arrive(town, oranges=5)
    members = {person: data["follow_number"] for person, data in told("arrived").items()}
    assert members == {town.zhang.person_id: 1, town.wang.person_id: 2}
    leaders = told("arrived_for_leader")
    assert {person: data["orders"] for person, data in leaders.items()} == {
        town.leader.person_id: 2,
        town.elsewhere.leader.person_id: 0,
    }


def test_the_member_learns_until_when_something_can_be_said(town):
    arrive(town)
    give(town, town.paid, quantities={"A": 1})
    assert told("handed_over") == {}
    given = give(town, town.paid, quantities={"A": 2}, key="k2")
    [(person, data)] = told("handed_over").items()
    assert person == town.zhang.person_id
    assert data["claims_until_at"] == (EVENING + timedelta(hours=48)).isoformat()
    undo_hand_over(hand_overs=given, acting_person=town.operator, now=EVENING)
    assert told("hand_over_undone").keys() == {town.zhang.person_id}


def test_who_has_not_come_is_reminded_once_in_time(town):
    arrive(town)
    give(town, town.paid)
    early = MORNING + timedelta(hours=48) - timedelta(seconds=1)
    assert notices.remind_unclaimed(now=early) == 0
    assert notices.remind_unclaimed(now=early + timedelta(seconds=1)) == 2
    assert notices.remind_unclaimed(now=early + timedelta(hours=5)) == 0
    assert told("unclaimed_soon").keys() == {town.wang.person_id, town.zhao.person_id}
    give_up_unclaimed(now=MORNING + timedelta(hours=72))
    assert told("goods_unclaimed").keys() == {town.wang.person_id, town.zhao.person_id}


def test_everything_is_told_without_names_phones_or_rooms(town):
    arrive(town, oranges=4)
    told("arrived")
    everything = repr(list(Notice.objects.values_list("data", flat=True)))
    everything += repr(list(OutboxMessage.objects.values_list("payload", flat=True)))
    assert not any(text in everything for text in ("张敏", "王阿姨", "3-502"))
