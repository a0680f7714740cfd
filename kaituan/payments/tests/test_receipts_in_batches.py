"""Receipts of many orders at once: the same as one by one, in a fixed number of statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kaituan.ledger.queries import broken_invariants
from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import Payment
from kaituan.payments.refusals import NothingToPay, PaymentRefused
from kaituan.reporting.doctor import examine
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON


@pytest.fixture
def listing():
    make.station()
    make.open_books()
    return make.listing(make.campaign())


def placed(listing, count: int, *, settles: str = "prepaid") -> list[Order]:
    offer = make.offer(listing.campaign)
    members = [make.member(listing.group, f"团员{number}") for number in range(count)]
    return [make.place(listing, member, (offer, 1), settles=settles) for member in members]


def success(order: Order, reference: str, *, extra_fen: int = 0) -> payments.Success:
    intent = payments.open_intent(order=order, channel="sandbox", now=NOON)
    return payments.Success(intent, reference, intent.amount_fen + extra_fen)


def test_a_gateways_list_pays_each_order_once(listing):
    orders = placed(listing, 3)
    said = [success(order, f"S{number}") for number, order in enumerate(orders)]
    first = payments.gateway_succeeded_many(successes=said, now=NOON)
    again = payments.gateway_succeeded_many(successes=said, now=NOON)
    assert [payment.pk for payment in first] == [payment.pk for payment in again]
    assert [payment.allocated_fen for payment in first] == [3990, 3990, 3990]
    assert set(Order.objects.values_list("status", "paid_fen")) == {("confirmed", 3990)}
    assert examine() == []


def test_an_order_twice_in_the_list_is_paid_once_and_the_rest_goes_back(listing):
    [order] = placed(listing, 1)
    one = success(order, "S1")
    other = payments.Success(one.intent, "S2", one.amount_fen)
    kept, returned = payments.gateway_succeeded_many(successes=[one, other], now=NOON)
    assert (kept.allocated_fen, kept.returned_fen) == (3990, 0)
    assert (returned.allocated_fen, returned.returned_fen) == (0, 3990)
    assert examine() == []


def test_the_same_receipt_twice_in_one_list_is_one(listing):
    [order] = placed(listing, 1)
    one = success(order, "S1", extra_fen=10)
    first, second = payments.gateway_succeeded_many(successes=[one, one], now=NOON)
    assert first.pk == second.pk
    assert Payment.objects.count() == 1
    assert (first.allocated_fen, first.returned_fen) == (3990, 10)
    assert broken_invariants() == []


def test_a_leader_takes_money_of_many_orders_all_or_nothing(listing):
    orders = placed(listing, 3, settles="leader")
    taken = [payments.Taken(order, "cash", 3990, f"k{order.pk}") for order in orders]
    taken[2] = payments.Taken(orders[2], "cash", 4000, "k")
    by = {"leader": listing.leader, "acting_person": listing.leader.person, "now": NOON}
    with pytest.raises(PaymentRefused):
        payments.leader_receives_many(taken=taken, **by)
    assert not Payment.objects.exists()
    taken[2] = payments.Taken(orders[2], "payment_code", 1000, "k")
    payments.leader_receives_many(taken=taken, **by)
    payments.leader_receives_many(taken=taken, **by)
    assert payments.leader_held_fen(leader=listing.leader) == 3990 * 2 + 1000
    with pytest.raises(NothingToPay):
        payments.leader_receives_many(taken=[payments.Taken(orders[0], "cash", 1, "new")], **by)
    with pytest.raises(PaymentRefused):
        payments.leader_receives_many(
            taken=[payments.Taken(orders[2], "cash", 1, "a"), payments.Taken(orders[2], "cash", 1, "b")], **by
        )
    assert examine() == []


def test_ten_receipts_take_as_many_statements_as_two(listing):
    orders = placed(listing, 13, settles="leader")
    counts = []
    # The first receipt of all also makes the leader's account in the books.
    for batch in (orders[:1], orders[1:3], orders[3:]):
        taken = [payments.Taken(order, "cash", 3990, f"k{order.pk}") for order in batch]
        # Loaded before, as a page has them.
        for row in taken:
            assert row.order.person
        with CaptureQueriesContext(connection) as queries:
            payments.leader_receives_many(
                taken=taken, leader=listing.leader, acting_person=listing.leader.person, now=NOON
            )
        counts.append(len(queries))
    assert counts[1] == counts[2]
