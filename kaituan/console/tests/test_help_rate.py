"""What the operator promises to leaders who help to sell."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.campaigns.models import Campaign
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db):
    """Oranges at 39.90 yuan that cost 28, open for orders."""
    make.plan(document={**make.PLAN_DOCUMENT, "guards": {"paid_depth": 0}})
    row = make.campaign()
    make.offer(row, make.pool(), price_fen=3_990, cost_fen=2_800, title="赣南脐橙")
    with clock.standing_at(NOON + timedelta(minutes=1)):
        yield row


def promise(client, campaign, **typed):
    return client.post(
        reverse("console:promise", args=[campaign.public_id]), {"reason": "旺季", **typed}, follow=True
    )


def promised_bp(campaign):
    return Campaign.objects.get(pk=campaign.pk).help_sell_rate_bp


def test_a_rate_is_promised_shown_and_taken_back(campaign, operator_client):
    page = promise(operator_client, campaign, rate="12.5").content.decode()
    assert promised_bp(campaign) == 1_250
    assert 'value="12.5"' in page
    assert "Rate promised to help-sellers" in page
    promise(operator_client, campaign, rate="")
    assert promised_bp(campaign) is None


def test_a_rate_that_the_goods_cannot_bear_is_refused_and_named(campaign, operator_client):
    page = promise(operator_client, campaign, rate="35").content.decode()
    assert "赣南脐橙: a line of ¥39.90 may cost" in page
    assert promised_bp(campaign) is None


@pytest.mark.parametrize(
    "typed", [{"rate": "much"}, {"rate": "-1"}, {"rate": "51"}, {"rate": "9", "reason": " "}]
)
def test_what_cannot_be_promised_changes_nothing(campaign, operator_client, typed):
    assert promise(operator_client, campaign, **typed).status_code == 200
    assert promised_bp(campaign) is None


def test_it_is_the_operator_s(campaign, cashier_client, outsiders):
    for client in (cashier_client, *outsiders.values()):
        assert promise(client, campaign, rate="9").status_code == 404
    assert promised_bp(campaign) is None
