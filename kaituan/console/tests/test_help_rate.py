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
    assert "Rate promised to help-sellers 12.5%" in page
    promise(operator_client, campaign, rate="")
    assert promised_bp(campaign) is None


def test_a_rate_that_the_goods_cannot_bear_is_refused_and_named(campaign, operator_client):
    page = promise(operator_client, campaign, rate="35").content.decode()
    assert "赣南脐橙: A line of ¥39.90 may cost" in page
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


def test_a_price_below_what_was_promised_is_refused_where_it_is_looked_at(campaign, operator_client):
    promise(operator_client, campaign, rate="15")
    offer = campaign.offers.get()
    address = reverse("console:change", args=[campaign.public_id])
    answer = operator_client.post(address, {"kind": "price", "offer": offer.pk, "price": "32"})
    assert answer.status_code == 422
    assert "15% that was promised" in answer.content.decode()
    assert "¥32.00 may cost ¥5.32" in answer.content.decode()
    offer.refresh_from_db()
    assert offer.price_fen == 3_990


def test_a_price_at_which_the_plan_pays_more_than_the_goods_bring_in_is_told_before_it_is_set(
    campaign, operator_client
):
    """Nobody was promised more than the plan pays: the operator may mean to lose, and knows it."""
    offer = campaign.offers.get()
    address = reverse("console:change", args=[campaign.public_id])
    typed = {"kind": "price", "offer": offer.pk, "price": "32"}
    look = operator_client.post(address, typed)
    assert look.status_code == 200
    assert "¥32.00 may cost ¥5.32, past its margin of ¥4.00" in look.content.decode()
    fine = operator_client.post(address, {**typed, "price": "38"})
    assert "past its margin" not in fine.content.decode()
    operator_client.post(address, {**typed, "confirm": look.context["preview"].version})
    offer.refresh_from_db()
    assert offer.price_fen == 3_200
    page = operator_client.get(reverse("console:campaign", args=[campaign.public_id])).content.decode()
    assert "Commission by the plan" in page
    assert "past its margin of ¥4.00" in page


def test_the_page_shows_the_worst_case_of_what_is_promised_and_warns_of_the_split(campaign, operator_client):
    campaign.offers.update(cost_fen=1_000)
    page = promise(operator_client, campaign, rate="35").content.decode()
    assert "Promised to sellers: up to 35%" in page
    assert "a line of ¥39.90 · 赣南脐橙" in page
    assert "split payment carries ¥11.97" in page
    assert "13.<small>96" in page, "35 % of 39.90"


class TestOneLeader:
    @pytest.fixture
    def group(self):
        return make.group(make.leader("刘哥"), "望京一群")

    def at(self, client, campaign, group, rate):
        address = reverse("console:promise-one", args=[campaign.public_id])
        return client.post(address, {"group": group.public_id, "rate": rate}, follow=True)

    def test_it_is_listed_in_the_group_at_the_rate_once(self, campaign, operator_client, group):
        for _press in range(2):
            page = self.at(operator_client, campaign, group, "12.5").content.decode()
        assert "刘哥 sells it in 望京一群 and earns 12.5%" in page
        assert list(campaign.listings.filter(group=group).values_list("sale_rate_bp", flat=True)) == [1_250]

    @pytest.mark.parametrize("rate", ["", "much", "0", "51", "29"])
    def test_what_cannot_be_promised_lists_nothing(self, campaign, operator_client, group, rate):
        assert self.at(operator_client, campaign, group, rate).status_code == 200
        assert not campaign.listings.exists()

    def test_it_is_the_operators(self, campaign, cashier_client, outsiders, group):
        for client in (cashier_client, *outsiders.values()):
            assert self.at(client, campaign, group, "9").status_code == 404
        assert not campaign.listings.exists()
