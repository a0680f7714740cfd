"""From draft to cut-off."""

from datetime import date, timedelta

import pytest

from kaituan.campaigns import services, states
from kaituan.campaigns.models import Campaign
from kaituan.campaigns.refusals import BadTerms, MoveNotAllowed, VersionChanged
from kaituan.campaigns.services import OfferTerms
from kaituan.catalogue.services import set_price, supply_pool
from kaituan.notices.models import OutboxMessage
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON, PLAN

pytestmark = pytest.mark.django_db


def topics():
    return list(OutboxMessage.objects.order_by("pk").values_list("topic", flat=True))


def test_publishing_freezes_costs_and_plan_and_makes_private_pools(town):
    campaign = town.publish(town.draft())
    oranges, apples = campaign.offers.all()
    # 112.00 a box of 4; 120.00 a basket of 20 kg, sold by 斤.
    assert (oranges.cost_fen, apples.cost_fen) == (2800, 300)
    pool = apples.pool_links.get().pool
    assert (pool.supplied_quantity, pool.available_quantity, pool.is_shared) == (50_000, 50_000, False)
    assert (campaign.status, campaign.plan_version, campaign.version) == ("open", PLAN, 2)
    assert topics() == ["campaign_opened"]
    set_price(
        variant=town.oranges, sale_price_fen=1, purchase_price_fen=1, source="", acting_person=None, now=NOON
    )
    oranges.refresh_from_db()
    assert oranges.cost_fen == 2800


def test_a_second_click_publishes_nothing_more(town):
    campaign = town.draft()
    town.publish(campaign)
    again = town.publish(campaign, version=1)
    assert (again.version, again.offers.last().pool_links.count()) == (2, 1)
    assert topics() == ["campaign_opened"]
    with pytest.raises(VersionChanged):
        town.publish(campaign, version=7)
    with pytest.raises(MoveNotAllowed):
        town.publish(campaign, version=2)


def test_all_that_is_missing_is_said_at_once(town):
    pineapple = make.variant(make.product("凤梨"))
    campaign = town.draft(
        offers=[OfferTerms(variant_id=pineapple.pk), OfferTerms(variant_id=town.oranges.pk)],
        title=" ",
        pickup_on=date(2026, 9, 30),
    )
    supply_pool(pool=town.stock, change=-100, key="k", reason="", acting_person=None, now=NOON)
    pineapple.archived_at = NOON
    pineapple.save()
    with pytest.raises(BadTerms) as refused:
        town.publish(campaign, now=NOON + timedelta(hours=10))
    assert [problem.field for problem in refused.value.problems] == [
        "title",
        "closes_at",
        "pickup_on",
        "offers.0.variant_id",
        "offers.0.private_quantity",
        "offers.1.draws",
    ]
    assert "凤梨" in str(refused.value)
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_nothing_to_offer_and_no_plan_are_refused(town):
    with pytest.raises(BadTerms):
        town.publish(town.draft(offers=[]))
    with pytest.raises(BadTerms):
        services.publish(
            campaign=town.draft(), plan_version="", expected_version=1, acting_person=None, now=NOON
        )


@pytest.mark.parametrize("price_fen", [-1, 100_000_001, 2**63 - 1])
def test_a_price_is_one_that_can_be_counted_with(town, price_fen):
    with pytest.raises(BadTerms):
        town.draft(offers=[OfferTerms(variant_id=town.oranges.pk, price_fen=price_fen)])


def test_a_leader_does_not_sell_below_cost(town):
    campaign = town.draft(offers=[OfferTerms(variant_id=town.oranges.pk, price_fen=2799)])
    with pytest.raises(BadTerms) as refused:
        town.publish(campaign)
    assert [problem.field for problem in refused.value.problems] == ["offers.0.price_fen"]


def test_an_operator_is_only_warned_of_selling_below_cost_and_anybody_of_a_tight_pickup_date(town):
    StaffRole.objects.create(person=town.leader.person, role="operator", effective_from=NOON)
    campaign = town.draft(
        offers=[OfferTerms(variant_id=town.oranges.pk, price_fen=2799)], pickup_on=date(2026, 10, 1)
    )
    check = services.check_draft(campaign=campaign, now=NOON)
    assert check.problems == ()
    assert [warning.field for warning in check.warnings] == ["offers.0.price_fen", "pickup_on"]
    town.publish(campaign)


def test_a_later_opening_is_scheduled_and_opens_when_its_time_comes_without_a_new_version(town):
    campaign = town.publish(town.draft(opens_at=NOON + timedelta(hours=1)))
    assert (campaign.status, campaign.version) == ("scheduled", 2)
    assert services.open_due(now=NOON) == 0
    assert services.open_due(now=NOON + timedelta(hours=1)) == 1
    assert services.open_due(now=NOON + timedelta(hours=1)) == 0
    campaign.refresh_from_db()
    assert (campaign.status, campaign.version) == ("open", 2)
    assert topics() == ["campaign_published", "campaign_opened"]
    assert list(campaign.events.values_list("kind", flat=True)) == [
        "campaign_drafted",
        "campaign_published",
        "campaign_opened",
    ]


def test_the_cut_off_closes_even_what_no_job_has_opened_and_only_once(town):
    campaign = town.publish(town.draft(opens_at=NOON + timedelta(hours=1)))
    later = NOON + timedelta(hours=10)
    assert services.open_due(now=later) == 0
    closed = services.close_campaign(campaign=campaign, acting_person=None, now=later)
    assert (closed.status, closed.closed_at, closed.version) == ("closed", later, 3)
    with pytest.raises(MoveNotAllowed):
        services.close_campaign(campaign=campaign, acting_person=None, now=later)


def test_a_window_is_extended_once_and_the_pickup_date_moves_along(town):
    campaign = town.open(minimum_policy="extend_once", extend_hours=12)
    later = NOON + timedelta(hours=10, minutes=1)
    extended = services.extend_once(campaign=campaign, now=later)
    assert extended.closes_at == later + timedelta(hours=12)
    assert (extended.pickup_on, extended.extended_at, extended.version) == (date(2026, 10, 3), later, 3)
    assert OutboxMessage.objects.last().payload["pickup_on"] == "2026-10-03"
    with pytest.raises(MoveNotAllowed):
        services.extend_once(campaign=campaign, now=later)


def test_minimums_are_judged_by_what_stands(town):
    campaign = town.open(
        offers=town.offers(minimum_quantity=5), minimum_fen=10_000, minimum_policy="extend_once"
    )
    oranges = campaign.offers.first()
    listing = town.list(campaign)
    make.place(listing, make.member(town.group), (oranges, 4), settles="leader")
    verdict = services.unmet_minimums(campaign=campaign, turnover_by_offer={oranges.pk: 15_960})
    assert (verdict.extends, verdict.short_offer_ids) == (True, (oranges.pk,))
    services.extend_once(campaign=campaign, now=NOON)
    campaign.refresh_from_db()
    verdict = services.unmet_minimums(campaign=campaign, turnover_by_offer={oranges.pk: 15_960})
    assert verdict.refunds_all
    make.place(listing, make.member(town.group, "李阿姨"), (oranges, 1), settles="leader")
    assert services.unmet_minimums(campaign=campaign, turnover_by_offer={oranges.pk: 19_950}).is_met


@pytest.mark.parametrize("from_status", Campaign.Status.values)
@pytest.mark.parametrize("to_status", Campaign.Status.values)
def test_the_table_of_moves(from_status, to_status):
    allowed = {
        "draft": {"scheduled", "open", "cancelled"},
        "scheduled": {"open", "closed", "cancelled"},
        "open": {"closed", "cancelled"},
        "closed": set(),
        "cancelled": set(),
    }
    assert states.may_become(from_status=from_status, to_status=to_status) == (
        to_status in allowed[from_status]
    )
