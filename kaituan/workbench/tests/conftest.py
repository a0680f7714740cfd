"""A leader's town with everybody who may knock: the owner, a helper, another leader, a member, nobody."""

from datetime import timedelta

import pytest
from django.test import Client

from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.ledger.queries import broken_invariants
from kaituan.people.models import GroupHelper
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON


@pytest.fixture
def noon():
    with clock.standing_at(NOON):
        yield NOON


@pytest.fixture
def evening():
    """The evening on which goods are handed over; takes the place of noon."""
    with clock.standing_at(EVENING):
        yield EVENING


@pytest.fixture
def town(db, noon):
    make.plan()
    town = Town(pickup_hours="16:00–19:00")
    town.campaign.created_by = town.leader.person
    town.campaign.save(update_fields=["created_by"])
    town.hua = make.person("小华")
    GroupHelper.objects.create(
        group=town.listing.group, person=town.hua, effective_from=NOON - timedelta(days=1)
    )
    yield town
    assert broken_invariants() == []


def signed_in(person) -> Client:
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(make.account(person))
    return client


@pytest.fixture
def owner(town):
    return signed_in(town.leader.person)


@pytest.fixture
def helper(town):
    return signed_in(town.hua)


@pytest.fixture
def stranger(town):
    """Another leader, with a group of their own that sells the same campaign."""
    return signed_in(town.elsewhere.leader.person)


@pytest.fixture
def buyer(town):
    return signed_in(town.zhang.person)


@pytest.fixture
def nobody():
    return Client(headers={"accept-language": "zh-CN"})


@pytest.fixture
def arrived(town):
    """Zhang paid 3 oranges and 2 eggs, Wang owes 1 orange; all of it came, in the morning."""
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
    with clock.standing_at(EVENING):
        yield town


def text_of(answer) -> str:
    return answer.content.decode()
