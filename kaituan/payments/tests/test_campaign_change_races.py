"""A price that falls while people order: nobody is charged the old price, whoever came first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from kaituan.campaigns.refusals import VersionChanged
from kaituan.ledger.queries import broken_invariants
from kaituan.ordering.models import Order, OrderAdjustment
from kaituan.payments.campaign_changes import do_cancel_campaign, do_price_change
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 8


def together(tasks):
    """Run all at once, each on a connection of its own; their answers, or what they raised."""
    barrier = Barrier(len(tasks))

    def run(task):
        barrier.wait()
        try:
            return task()
        except VersionChanged as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@pytest.fixture
def town():
    make.open_books()

    class Town:
        def __init__(self):
            self.campaign = make.campaign()
            self.listing = make.listing(self.campaign)
            self.oranges = make.offer(self.campaign)
            self.members = [make.member(self.listing.group, f"邻居{n}") for n in range(BUYERS)]

        def buyers(self):
            return [lambda m=m: make.place_one(self.listing, m, (self.oranges, 2)) for m in self.members]

        def change(self, do, **arguments):
            return lambda: do(
                expected_version=1, acting_person=self.campaign.created_by, now=NOON, **arguments
            )

    town = Town()
    yield town
    assert broken_invariants() == []


def test_whoever_ordered_first_pays_the_lower_price_too_and_two_clicks_cut_once(town):
    cut = town.change(do_price_change, offer=town.oranges, price_fen=3490)
    answers = together([*town.buyers(), cut, cut])
    assert [type(answer) for answer in answers].count(VersionChanged) == 1
    assert {order.due_fen for order in Order.objects.all()} == {2 * 3490}
    assert Order.objects.count() == BUYERS
    assert set(OrderAdjustment.objects.values_list("amount_fen", flat=True)) <= {-1000}


def test_an_order_in_the_instant_of_calling_off_is_cancelled_or_refused(town):
    off = town.change(do_cancel_campaign, campaign=town.campaign)
    answers = together([*town.buyers(), off])
    placed = [answer[0] for answer in answers[:-1] if answer[0].outcome == "placed"]
    assert {answer[0].outcome for answer in answers[:-1]} <= {"placed", "closed"}
    assert set(Order.objects.values_list("status", flat=True)) <= {"cancelled"}
    assert Order.objects.count() == len(placed)
    pool = town.oranges.pool_links.get().pool
    assert pool.available_quantity == pool.supplied_quantity
