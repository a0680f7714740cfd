"""Oranges and eggs, ordered, paid and handed over: everything that can be wrong with them is still to come."""

import pytest
from django.utils import translation

from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.ledger.queries import broken_invariants


@pytest.fixture
def town(db):
    """Zhang paid 3 oranges (119.70) and 2 eggs (24.00); Wang owes 1 orange; all is handed over in the evening."""
    town = Town()
    town.paid = town.paid_order(town.zhang, (town.oranges, 3), (town.eggs, 2))
    town.owing = town.order(town.wang, (town.oranges, 1))
    town.cut_off()
    town.send_all()
    for offer, quantity in ((town.oranges, 4), (town.eggs, 2)):
        town.receive(offer, quantity)
        town.share_out(offer)
    confirm_arrival(
        campaign=town.campaign, pickup_point=town.listing.pickup_point, acting_person=None, now=MORNING
    )
    for order in (town.paid, town.owing):
        hand_over(
            lines_quantities=dict(order.lines.values_list("pk", "quantity")), method="name", leader=town.leader,
            acting_person=town.leader.person, now=EVENING, key=f"k{order.pk}", despite_unpaid=True,
        )  # fmt: skip
    town.line, town.egg_line = town.paid.lines.order_by("pk")
    yield town
    assert broken_invariants() == []


@pytest.fixture(autouse=True)
def in_english():
    """Refusals are compared in the words of the code, whatever the site's language."""
    with translation.override("en"):
        yield
