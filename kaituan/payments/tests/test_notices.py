"""Whoever is touched by what happens to an order's money is told, once, and nobody of their own doing twice."""

from datetime import timedelta

import pytest

from kaituan.notices import queries as inbox
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.ordering.core import place_orders
from kaituan.payments.services import (
    announce_remittance,
    cancel_order,
    confirm_remittance,
    leader_receives,
    record_unmatched,
    release_unpaid,
)
from kaituan.people.services import grant_role
from kaituan.worker.clock import run_due
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def books():
    make.station()
    make.open_books()
    make.plan()


@pytest.fixture
def scene():
    class Scene:
        leader = make.leader("王姐")
        group = make.group(leader)
        member = make.member(group, "张敏")
        campaign = make.campaign()
        cashier = make.account(make.person("周会计"), username="zhou", is_staff=True).person

    scene = Scene()
    grant_role(person=scene.cashier, role="cashier", acting_person=None, now=NOON - timedelta(days=1))
    scene.offer = make.offer(scene.campaign)
    scene.listing = make.listing(scene.campaign, scene.group)
    return scene


def order(scene, **fields):
    return make.place(scene.listing, scene.member, (scene.offer, 2), **fields)


def told(person):
    return [notice.kind for notice in reversed(inbox.inbox(person_id=person.pk))]


def relay(now=LATER):
    assert run_due(now=now) == {}
    assert inbox.failing_messages() == []


def pay_leader(scene, placed, amount_fen=None):
    leader_receives(
        order=placed,
        leader=scene.leader,
        channel="cash",
        amount_fen=amount_fen or placed.due_fen,
        key=f"cash-{placed.pk}-{amount_fen}",
        acting_person=scene.leader.person,
        now=NOON,
    )


def test_an_order_to_pay_says_until_when_and_a_paid_one_that_it_is_in(scene):
    placed = order(scene)
    relay()
    [notice] = inbox.inbox(person_id=scene.member.person_id)
    assert notice.kind == "order_to_pay"
    assert notice.data["amount_fen"] == placed.due_fen
    assert notice.link == f"/g/{scene.listing.public_id}/"
    order(scene, settles="leader")
    relay()
    assert told(scene.member.person) == ["order_to_pay", "order_placed"]


def test_orders_of_one_call_are_announced_together_and_each_is_told_once(scene):
    members = [make.member(scene.group, name) for name in ("李雷", "韩梅梅", "王芳")]
    requests = [make.request(scene.listing, member, (scene.offer, 1)) for member in members]
    again = place_orders(
        now=NOON, campaign_id=scene.campaign.pk, version=None, requests=[*requests, requests[0]]
    )
    assert [answer.outcome for answer in again] == ["placed", "placed", "placed", "already_placed"]
    place_orders(now=NOON, campaign_id=scene.campaign.pk, version=None, requests=requests)
    [message] = OutboxMessage.objects.filter(topic="orders_placed")
    assert message.subject == f"campaign:{scene.campaign.pk}"
    assert message.payload == {"orders": [answer.order_id for answer in again[:3]]}
    relay()
    OutboxMessage.objects.update(handled_at=None)
    relay()
    assert [told(member.person) for member in members] == [["order_to_pay"]] * 3


def test_who_did_not_order_themselves_learns_who_did(scene):
    order(scene, settles="leader", source="key_in", actor_id=scene.leader.person_id)
    relay()
    [notice] = inbox.inbox(person_id=scene.member.person_id)
    assert (notice.kind, notice.data["leader_id"]) == ("order_keyed_in", scene.leader.pk)


def test_a_payment_and_a_refund_in_cash_are_told_to_both_sides(scene):
    placed = order(scene)
    pay_leader(scene, placed)
    cancel_order(order=placed, acting_person=scene.leader.person, now=LATER, reason="卖完了")
    relay()
    assert told(scene.member.person) == ["order_placed", "payment_received", "order_cancelled", "refund_due"]
    assert told(scene.leader.person) == ["refund_to_hand_back"]


def test_nobody_is_told_what_they_did_themselves(scene):
    placed = order(scene)
    cancel_order(order=placed, acting_person=scene.member.person, now=LATER, reason="")
    relay()
    assert "order_cancelled" not in told(scene.member.person)


def test_an_order_that_is_released_is_told(scene):
    placed = order(scene)
    release_unpaid(now=placed.pay_by)
    relay(now=placed.pay_by)
    assert told(scene.member.person)[-1] == "order_released"


def test_cashiers_learn_of_money_without_an_order_and_of_remittances(scene):
    record_unmatched(channel="bank", external_reference="B1", amount_fen=500, now=NOON)
    placed = order(scene, settles="leader")
    pay_leader(scene, placed)
    remittance = announce_remittance(leader=scene.leader, amount_fen=1000, reference="R1", now=LATER)
    relay()
    assert told(scene.cashier) == ["payment_unmatched", "remittance_announced"]
    confirm_remittance(remittance=remittance, acting_person=scene.cashier, now=LATER)
    relay()
    assert told(scene.leader.person) == ["remittance_confirmed"]


def test_a_message_that_is_handled_twice_tells_once(scene):
    order(scene)
    relay()
    before = Notice.objects.count()
    OutboxMessage.objects.update(handled_at=None)
    relay()
    assert Notice.objects.count() == before
