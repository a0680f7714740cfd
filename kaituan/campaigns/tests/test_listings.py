"""Several leaders sell one campaign, each in their own groups."""

from datetime import timedelta

import pytest

from kaituan.campaigns import queries, services
from kaituan.campaigns.refusals import ListingRefused, RateRefused
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.core import Outcome
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_leader_lists_a_campaign_once_in_each_own_group(town):
    campaign = town.open()
    listing = town.list(campaign)
    assert town.list(campaign) == listing
    assert (listing.leader, listing.pickup_point, listing.sale_rate_bp) == (
        town.leader,
        town.group.pickup_point,
        None,
    )
    second = town.list(campaign, make.group(town.leader, "二群"))
    assert second.pk != listing.pk
    assert OutboxMessage.objects.filter(topic="listing_created").count() == 2


def test_somebody_elses_group_an_archived_one_and_a_closed_point_are_refused(town):
    campaign = town.open()
    theirs = make.group(make.leader("刘哥"), "别人的群")
    with pytest.raises(ListingRefused):
        town.list(campaign, theirs, leader=town.leader)
    with pytest.raises(ListingRefused):
        town.list(campaign, make.group(town.leader, archived_at=NOON))
    with pytest.raises(ListingRefused):
        town.list(campaign, pickup_point=make.pickup_point("关了", closed_at=NOON))


def test_a_draft_is_listed_by_who_writes_it_only(town):
    campaign = town.draft()
    assert town.list(campaign).campaign == campaign
    with pytest.raises(ListingRefused):
        town.list(campaign, make.group(make.leader("刘哥")))


def test_what_is_over_or_not_open_to_helpers_is_not_listed(town):
    with pytest.raises(ListingRefused):
        town.list(town.open(open_to_helpers=False), make.group(make.leader("刘哥")))
    campaign = town.open()
    with pytest.raises(ListingRefused):
        town.list(campaign, now=campaign.closes_at)
    services.close_campaign(campaign=campaign, acting_person=None, now=campaign.closes_at)
    with pytest.raises(ListingRefused):
        town.list(campaign)


def test_a_helper_gets_the_promised_rate_and_the_opener_the_plans(town):
    campaign = town.publish(town.draft(help_sell_rate_bp=800, by=town.operator))
    assert town.list(campaign, make.group(make.leader("刘哥"))).sale_rate_bp == 800
    own = town.open()
    assert town.list(own).sale_rate_bp is None


@pytest.mark.parametrize("rate", [0, -1, 5001, 10_001])
def test_a_rate_out_of_range_is_refused(town, rate):
    with pytest.raises(RateRefused):
        town.list(town.open(), acting_person=town.operator, sale_rate_bp=rate)


def test_nobody_promises_a_rate_to_oneself(town):
    campaign = town.open()
    with pytest.raises(RateRefused):
        town.list(campaign, sale_rate_bp=5000)
    assert town.list(campaign, acting_person=town.operator, sale_rate_bp=1200).sale_rate_bp == 1200


def test_a_withdrawn_listing_takes_no_orders_keeps_its_own_and_can_come_back(town):
    campaign = town.open()
    listing = town.list(campaign)
    member = make.member(town.group)
    oranges = campaign.offers.first()
    order = make.place(listing, member, (oranges, 1))
    by = {"listing": listing, "acting_person": town.leader.person, "now": NOON}
    services.withdraw_listing(**by)
    assert services.withdraw_listing(**{**by, "now": NOON + timedelta(hours=1)}).withdrawn_at == NOON
    [answer] = make.place_one(listing, member, (oranges, 1))
    assert answer.outcome == Outcome.NOT_LISTED
    order.refresh_from_db()
    assert order.status == "pending"
    assert town.list(campaign).pk == listing.pk
    [answer] = make.place_one(listing, member, (oranges, 1))
    assert (answer.outcome, answer.follow_number) == (Outcome.PLACED, 2)


class TestQueries:
    def test_a_leaders_listings_and_what_else_there_is_to_sell(self, town):
        campaign = town.publish(town.draft(by=town.operator))
        closed_to_helpers = town.publish(town.draft(by=town.operator, open_to_helpers=False))
        listing = town.list(campaign)
        assert list(queries.listings_of_leader(leader=town.leader)) == [listing]
        other = make.leader("刘哥")
        groups = [make.group(other, "一群"), make.group(other, "二群")]
        assert list(queries.campaigns_to_help_sell(leader=other, now=NOON)) == [campaign]
        town.list(campaign, groups[0])
        assert list(queries.groups_without_listing(campaign=campaign, leader=other)) == [groups[1]]
        assert list(queries.campaigns_to_help_sell(leader=other, now=NOON)) == [campaign]
        town.list(campaign, groups[1])
        assert list(queries.campaigns_to_help_sell(leader=other, now=NOON)) == []
        assert list(queries.campaigns_to_help_sell(leader=other, now=campaign.closes_at)) == []
        assert closed_to_helpers.status == "open"

    def test_the_last_campaign_and_those_due_for_the_cut_off(self, town):
        first = town.open()
        later = town.open(opens_at=NOON + timedelta(hours=1))
        town.draft(opens_at=NOON + timedelta(hours=2))
        assert queries.last_campaign(person=town.leader.person) == later
        assert queries.last_campaign(person=town.operator) is None
        assert queries.due_for_cut_off(now=NOON) == []
        assert queries.due_for_cut_off(now=first.closes_at) == [first.pk, later.pk]

    def test_a_page_is_one_dict_per_version(self, town, django_assert_num_queries):
        campaign = town.open(offers=town.offers(price_fen=3490))
        page = queries.campaign_page(campaign=campaign)
        with django_assert_num_queries(0):
            assert queries.campaign_page(campaign=campaign) == page
        oranges, apples = page["offers"]
        # Oranges were 39.90 for the last 30 days; apples are sold for 4.98 instead of 5.80.
        assert (oranges["price_fen"], oranges["was_fen"]) == (3490, 3990)
        assert (apples["price_fen"], apples["price_quantity"], apples["was_fen"]) == (498, 500, 580)
        assert "cost" not in repr(page)
        campaign.version += 1
        campaign.title = "改名"
        assert queries.campaign_page(campaign=campaign)["title"] == "改名"

    def test_no_discount_is_shown_that_is_none(self, town):
        page = queries.campaign_page(campaign=town.open(offers=town.offers(price_fen=3990)))
        assert page["offers"][0]["was_fen"] is None

    def test_what_is_left_is_the_least_of_quota_and_pools(self, town, django_assert_num_queries):
        apples = make.pool(town.apples, 10_000)
        basket = make.variant(make.product("水果篮"))
        campaign = town.open(
            offers=[
                services.OfferTerms(variant_id=town.oranges.pk, quota_quantity=3),
                services.OfferTerms(variant_id=basket.pk, draws=((town.stock.pk, 2), (apples.pk, 1500))),
                services.OfferTerms(variant_id=town.apples.pk),
            ]
        )
        first, second, third = campaign.offers.all()
        make.place(town.list(campaign), make.member(town.group), (first, 2), (second, 1))
        with django_assert_num_queries(1):
            stocks = queries.offer_stocks(campaign_id=campaign.pk)
        assert [stocks[offer.pk].left_quantity for offer in (first, second, third)] == [1, 5, 8_500]
        assert stocks[first.pk].sold_quantity == 2

    def test_progress_towards_each_minimum(self, town):
        campaign = town.open(offers=town.offers(minimum_quantity=5), minimum_fen=10_000)
        oranges = campaign.offers.first()
        make.place(town.list(campaign), make.member(town.group), (oranges, 2))
        whole, offer = queries.progress(campaign=campaign, turnover_fen=7_980)
        assert (whole.offer_id, whole.missing) == (None, 2_020)
        assert (offer.offer_id, offer.reached, offer.wanted, offer.missing) == (oranges.pk, 2, 5, 3)
        assert queries.next_free_code(campaign) == "C"

    def test_ordering_is_a_question_of_the_clock(self, town):
        campaign = town.publish(town.draft(opens_at=NOON + timedelta(hours=1)))
        hours = [0, 1, 9.99, 10]
        taking = [queries.is_taking_orders(campaign, now=NOON + timedelta(hours=h)) for h in hours]
        assert taking == [False, True, True, False]
