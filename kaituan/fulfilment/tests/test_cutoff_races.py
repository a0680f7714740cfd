"""An order in the very instant of the cut-off is in the snapshot or refused. On real transactions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from kaituan.fulfilment.cutoff import cut_off_due
from kaituan.fulfilment.models import PurchaseOrderLine, Snapshot, SnapshotLine
from kaituan.fulfilment.tests.conftest import CUT_OFF, Town
from kaituan.ledger.queries import broken_invariants
from kaituan.ordering.core import Outcome
from kaituan.ordering.models import Order
from tests import factories as make

BUYERS = 6
INSTANT = CUT_OFF - timedelta(microseconds=1)


def together(*tasks):
    """Run all tasks at once, each in a thread with a connection of its own; their answers in order."""
    barrier = Barrier(len(tasks))

    def run(task):
        barrier.wait()
        try:
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def race():
    """Buyers and two workers of the clock, at the same moment."""
    town = Town()
    members = [make.member(town.listing.group, f"邻居{n}") for n in range(BUYERS)]

    def buy(member):
        return lambda: make.place_one(town.listing, member, (town.oranges, 1), now=INSTANT, settles="leader")[
            0
        ]

    def cut():
        cut_off_due(now=CUT_OFF)

    answers = together(*(buy(member) for member in members[:3]), cut, cut, *map(buy, members[3:]))
    return town, [answer for answer in answers if answer is not None]


def check(town, answers):
    placed = {answer.order_id for answer in answers if answer.outcome == Outcome.PLACED}
    refused = [answer for answer in answers if answer.outcome == Outcome.CLOSED]
    assert len(placed) + len(refused) == BUYERS
    assert set(Order.objects.values_list("pk", flat=True)) == placed
    assert set(SnapshotLine.objects.values_list("order_line__order_id", flat=True)) == placed
    assert Snapshot.objects.count() == 1
    asked = sum(PurchaseOrderLine.objects.values_list("ordered_quantity", flat=True))
    assert asked == len(placed)
    town.campaign.refresh_from_db()
    assert town.campaign.status == "closed"
    assert broken_invariants() == []
    return len(placed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_an_order_racing_the_cut_off_is_in_the_snapshot_or_refused(_round):
    check(*race())


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(100))
def test_a_hundred_races_in_a_row(_round):
    check(*race())
