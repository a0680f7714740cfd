"""Many at once, for real: threads with connections of their own, committed transactions."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from kaituan.ordering.core import Answer, place_orders
from kaituan.ordering.models import Order
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS, UNITS = 64, 10


def at_once[T](jobs: list[Callable[[], T]]) -> list[T]:
    """Run all jobs at the same instant, each in a thread and on a connection of its own."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait()
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def race_through_two_campaigns() -> None:
    pool = make.pool(quantity=UNITS)
    doors = []
    for _ in range(2):
        campaign = make.campaign()
        doors.append((make.listing(campaign), make.offer(campaign, pool)))
    requests = []
    for number in range(BUYERS):
        listing, offer = doors[number % 2]
        buyer = make.member(listing.group, f"邻居{number}")
        requests.append((listing.campaign_id, make.request(listing, buyer, (offer, 1))))

    def buy(campaign_id: int, request) -> Answer:
        [answer] = place_orders(now=NOON, campaign_id=campaign_id, version=None, requests=[request])
        return answer

    answers = at_once([lambda c=c, r=r: buy(c, r) for c, r in requests])
    outcomes = [answer.outcome for answer in answers]
    assert (outcomes.count("placed"), outcomes.count("sold_out")) == (UNITS, BUYERS - UNITS)
    pool.refresh_from_db()
    assert pool.available_quantity == 0
    assert Order.objects.filter(listing__in=[listing for listing, _ in doors]).count() == UNITS
    for listing, offer in doors:
        offer.refresh_from_db()
        numbers = sorted(listing.orders.values_list("follow_number", flat=True))
        assert numbers == list(range(1, offer.sold_quantity + 1))


def test_64_buyers_race_for_10_units_through_two_campaigns_on_one_pool():
    for _ in range(3):
        race_through_two_campaigns()


@pytest.mark.long
def test_64_buyers_race_for_10_units_a_hundred_times():
    for _ in range(100):
        race_through_two_campaigns()


def test_the_same_order_sent_from_many_tabs_at_once_is_placed_once():
    campaign = make.campaign()
    listing, offer = make.listing(campaign), make.offer(campaign)
    request = make.request(listing, make.member(listing.group), (offer, 1))

    def send() -> Answer:
        [answer] = place_orders(now=NOON, campaign_id=campaign.pk, version=None, requests=[request])
        return answer

    answers = at_once([send] * 16)
    assert [answer.outcome for answer in answers].count("placed") == 1
    assert len({answer.order_id for answer in answers}) == 1
    assert Order.objects.filter(listing=listing).count() == 1
