"""A campaign in a group, a member who is signed in, and the other kinds of visitor."""

import pytest
from django.test import Client

from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON


@pytest.fixture
def noon():
    with clock.standing_at(NOON):
        yield NOON


@pytest.fixture
def town(db, noon):
    make.station()
    make.open_books()
    make.plan()

    class Town:
        campaign = make.campaign()
        listing = make.listing(campaign)
        pool = make.pool(quantity=10)
        oranges = make.offer(campaign, pool)
        zhang = make.member(listing.group, "张敏", room="3-502")
        account = make.account(zhang.person)
        stranger = make.account(make.person("陌生人"))
        leader_account = make.account(listing.leader.person)

    return Town


@pytest.fixture
def zhang_client(town):
    client = Client()
    client.force_login(town.account)
    return client


@pytest.fixture
def stranger_client(town):
    client = Client()
    client.force_login(town.stranger)
    return client
