"""Helping to sell: what it would pay, in words, before it is put into one's own groups."""

import pytest

from kaituan.campaigns.models import Campaign, Listing
from kaituan.workbench.tests.conftest import text_of
from tests import factories as make

SENTENCE = "橙子 5斤×1，实付 39.90 元，按 %s 得 %s 元"


@pytest.fixture
def town(town):
    """The stranger does not sell it yet; nobody sells anything else."""
    Listing.objects.filter(pk=town.elsewhere.pk).delete()
    town.campaign.offers.filter(pk=town.oranges.pk).update(title="橙子")
    town.page = f"/work/help-sell/{town.campaign.public_id}/"
    town.choice = {"group": town.elsewhere.group.public_id}
    return town


def test_each_of_the_goods_says_what_one_of_it_would_pay(town, stranger):
    assert town.page in text_of(stranger.get("/work/help-sell/"))
    page = text_of(stranger.get(town.page))
    assert SENTENCE % ("10%", "3.99") in page
    assert "4.<small>58" in page, "3.99 for selling, 0.59 for handing over"
    assert "按佣金方案和你今天的级别" in page


def test_what_the_campaign_promises_takes_the_place_of_the_plan(town, stranger):
    Campaign.objects.filter(pk=town.campaign.pk).update(help_sell_rate_bp=1_800)
    page = text_of(stranger.get(town.page))
    assert SENTENCE % ("18%", "7.18") in page
    assert "许诺给帮卖团长" in page


def test_goods_that_are_stopped_are_not_promised_anything(town, stranger):
    town.campaign.offers.filter(pk=town.oranges.pk).update(stopped_at=town.campaign.opens_at)
    assert "橙子 5斤×1" not in text_of(stranger.get(town.page))


def test_two_presses_put_it_into_the_group_once_and_lead_to_sharing_it(town, stranger):
    answers = [stranger.post(town.page, town.choice) for _press in range(2)]
    listing = Listing.objects.get(campaign=town.campaign, group=town.elsewhere.group)
    assert {answer["Location"] for answer in answers} == {f"/work/l/{listing.public_id}/share/"}


def test_a_rate_that_the_goods_cannot_bear_is_refused_with_the_worst_case(town, stranger):
    """Promised before anybody judged it; the leader learns it before she sells by it."""
    Campaign.objects.filter(pk=town.campaign.pk).update(help_sell_rate_bp=4_900)
    answer = stranger.post(town.page, town.choice)
    assert answer.status_code == 422
    assert "不能许诺 49% 的帮卖佣金" in text_of(answer)
    assert not Listing.objects.filter(group=town.elsewhere.group, campaign=town.campaign).exists()


def test_somebody_elses_group_a_draft_and_what_is_over_are_not_found(town, stranger, helper, buyer, nobody):
    assert stranger.post(town.page, {"group": town.listing.group.public_id}).status_code == 404
    for client in (helper, buyer):
        assert client.get(town.page).status_code == 404
        assert client.post(town.page, town.choice).status_code == 404
    assert nobody.get(town.page)["Location"].startswith("/sign-in/")
    draft = make.campaign(status="draft")
    assert stranger.get(f"/work/help-sell/{draft.public_id}/").status_code == 404
    Campaign.objects.filter(pk=town.campaign.pk).update(status="closed", closed_at=town.campaign.closes_at)
    assert stranger.get(town.page).status_code == 404
