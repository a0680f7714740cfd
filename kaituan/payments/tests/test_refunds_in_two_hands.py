"""One refund, wanted by two at once: by the worker or the leader, and by the cashier who makes it balance."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from kaituan.ledger.queries import balance_fen, broken_invariants
from kaituan.ledger.services import AccountRef
from kaituan.ordering.locks import lock_orders
from kaituan.payments import refunds, services
from kaituan.payments.gateways.protocol import GatewayRefused, GatewayUnreachable
from kaituan.payments.gateways.registry import KNOWN
from kaituan.payments.models import Refund
from tests import factories as make
from tests.factories import NOON

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def order():
    make.open_books()
    campaign = make.campaign()
    listing = make.listing(campaign)
    order = make.place(listing, make.member(listing.group), (make.offer(campaign), 1))
    yield order
    assert broken_invariants() == []


def cancelled_after(order, *, channel):
    """A refund of money that came by this channel."""
    if channel == "cash":
        services.leader_receives(
            order=order, leader=order.listing.leader, channel=channel, amount_fen=order.due_fen, key="k",
            acting_person=order.listing.leader.person, now=NOON,
        )  # fmt: skip
    else:
        intent = services.open_intent(order=order, channel=channel, now=NOON)
        services.gateway_succeeded(intent=intent, external_reference="T1", amount_fen=3990, now=NOON)
    services.cancel_order(order=order, acting_person=order.person, now=NOON)
    return Refund.objects.get()


def balance_of(person):
    return balance_fen(AccountRef("balance_principal", f"person:{person.pk}"))


@pytest.mark.django_db
def test_what_a_gateway_may_have_sent_already_becomes_no_balance(order, monkeypatch):
    refund = cancelled_after(order, channel="sandbox")
    answers = [GatewayUnreachable("no answer: it may have been sent all the same"), GatewayRefused("closed")]

    def answer(**_asked):
        raise answers.pop(0)

    monkeypatch.setattr(KNOWN["sandbox"], "refund", answer)
    refunds.send_refund(refund_id=refund.pk, now=LATER)
    with pytest.raises(services.PaymentRefused):
        services.refund_to_balance(refund=refund, acting_person=order.person, now=LATER)
    assert balance_of(order.person) == 0
    refunds.send_refund(refund_id=refund.pk, now=LATER)
    services.refund_to_balance(refund=refund, acting_person=order.person, now=LATER)
    assert balance_of(order.person) == 3990
    with pytest.raises(services.AlreadyDone):
        services.refund_to_balance(refund=refund, acting_person=order.person, now=LATER)


@pytest.mark.django_db(transaction=True)
def test_leader_and_cashier_at_once_give_it_back_once_and_nobody_waits_for_ever(order):
    refund = cancelled_after(order, channel="cash")
    leader = order.listing.leader.person

    def by_hand():
        try:
            return services.hand_back(refund=refund, acting_person=leader, now=LATER)
        except services.PaymentRefused as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_orders(order_ids=[order.pk])
            waiting = pool.submit(by_hand)
            _until_somebody_waits()
            services.refund_to_balance(refund=refund, acting_person=leader, now=LATER)
        answer = waiting.result(timeout=30)
    assert isinstance(answer, services.PaymentRefused)
    assert balance_of(order.person) == 3990


def _until_somebody_waits():
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody came to wait")
