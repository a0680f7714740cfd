"""Two taps, two keepers, the clock and the member: in one instant."""

from datetime import timedelta

import pytest

from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import give_up_unclaimed
from kaituan.fulfilment.models import HandOver, SharingOut
from kaituan.fulfilment.refusals import HandOverRefused
from kaituan.fulfilment.sharing import Policy
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.fulfilment.tests.test_cutoff_races import together
from kaituan.fulfilment.tests.test_handover import give, lines_of
from kaituan.ledger.queries import broken_invariants
from kaituan.ordering.models import OrderAdjustment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town():
    town = Town()
    town.paid = town.paid_order(town.zhang, (town.oranges, 3))
    town.other = town.paid_order(town.wang, (town.oranges, 3))
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, 4)
    yield town
    assert broken_invariants() == []


def arrive(town):
    town.share_out(town.oranges)
    confirm_arrival(
        campaign=town.campaign, pickup_point=town.listing.pickup_point, acting_person=None, now=MORNING
    )


def answer_of(task):
    try:
        return task()
    except HandOverRefused as refusal:
        return refusal


def test_two_taps_hand_over_once(town):
    arrive(town)
    first, second = together(lambda: give(town, town.paid), lambda: give(town, town.paid))
    assert first == second
    assert lines_of(town.paid)["A"].handed_quantity == 3


def test_two_keepers_never_hand_over_more_than_there_is(town):
    arrive(town)
    tasks = [
        lambda n=n: answer_of(lambda: give(town, town.paid, quantities={"A": 2}, key=f"keeper{n}"))
        for n in range(3)
    ]
    refused = [answer for answer in together(*tasks) if isinstance(answer, HandOverRefused)]
    assert (len(refused), lines_of(town.paid)["A"].handed_quantity) == (2, 2)


def test_the_member_who_comes_in_the_last_moment_and_the_clock(town):
    arrive(town)
    over = MORNING + timedelta(hours=72)
    together(
        lambda: answer_of(lambda: give(town, town.paid, now=over)),
        lambda: give_up_unclaimed(now=over),
        lambda: give_up_unclaimed(now=over),
    )
    line = lines_of(town.paid)["A"]
    assert (line.handed_quantity, line.handed_over_at) == (3, over)
    row = HandOver.objects.get(order_line=line)
    assert (row.pickup_leader is None) == (row.method == "unclaimed") == (line.pickup_leader_id is None)


def test_two_operators_share_out_once(town):
    first, second = together(
        lambda: town.share_out(town.oranges, Policy.FIRST_COME, now=EVENING),
        lambda: town.share_out(town.oranges, Policy.PRO_RATA, now=EVENING),
    )
    assert first == second == SharingOut.objects.get()
    shares = sorted(lines_of(order)["A"].allocated_quantity for order in (town.paid, town.other))
    assert shares == ([1, 3] if first.policy == Policy.FIRST_COME else [2, 2])
    assert -sum(OrderAdjustment.objects.values_list("amount_fen", flat=True)) == 2 * 3990
