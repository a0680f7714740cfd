"""What a campaign promises to helpers (帮卖): judged by its own goods wherever it is set, and kept."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from kaituan.campaigns.drafts import open_draft
from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.refusals import RateRefused
from kaituan.campaigns.terms import OfferTerms, Terms
from kaituan.commission.opening import RateUnlawful, list_at_rate, promise_help_rate, publish_and_list
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def plan():
    return make.plan(document={**make.PLAN_DOCUMENT, "guards": {"line_cap_bp": 2500, "paid_depth": 2}})


@pytest.fixture
def operator():
    person = make.person("刘运营")
    StaffRole.objects.create(person=person, role="operator", effective_from=NOON - timedelta(days=9))
    return person


def draft(operator, **terms):
    """Oranges at 39.90 yuan, which cost 28: a margin of 29.8 %."""
    oranges = make.variant(name="5斤装", purchase_price_fen=11_200, steps_per_purchase_unit=4)
    make.pool(oranges, 100)
    return open_draft(
        terms=Terms(
            title="周五水果团",
            opens_at=NOON,
            closes_at=NOON + timedelta(hours=10),
            pickup_on=date(2026, 10, 2),
            **terms,
        ),
        offers=[OfferTerms(variant_id=oranges.pk)],
        acting_person=operator,
        now=NOON,
    )


def publish(campaign, operator):
    publish_and_list(
        campaign=campaign, groups=[], expected_version=campaign.version, acting_person=operator, now=NOON
    )
    return Campaign.objects.get(pk=campaign.pk)


def promise(campaign, rate, by, reason="旺季冲量"):
    return promise_help_rate(
        campaign=campaign, sale_rate_bp=rate, reason=reason, acting_person=by, now=NOON + timedelta(hours=1)
    )


def test_a_draft_whose_promise_passes_the_margin_is_not_published(operator):
    campaign = draft(operator, help_sell_rate_bp=2_900)
    with pytest.raises(RateUnlawful, match=r"赣南脐橙.*past its margin") as refusal:
        publish(campaign, operator)
    assert refusal.value.report.worst_case.passes_margin
    assert Campaign.objects.get(pk=campaign.pk).status == "draft"
    assert publish(draft(operator, help_sell_rate_bp=2_000), operator).status == "open"


def test_a_promise_past_the_line_cap_is_refused_on_an_open_campaign_too(operator):
    campaign = publish(draft(operator), operator)
    with pytest.raises(RateUnlawful, match="past its limit"):
        promise(campaign, 2_600, operator)
    campaign.refresh_from_db()
    assert campaign.help_sell_rate_bp is None


def test_helpers_who_list_later_get_the_rate_and_earlier_ones_keep_theirs(operator):
    campaign = publish(draft(operator), operator)
    early, late = make.group(make.leader("早到")), make.group(make.leader("后到"))

    def list_in(group):
        return create_listing(
            campaign=campaign, group=group, leader=group.owner, acting_person=group.owner.person, now=NOON
        )

    first = list_in(early)
    assert promise(campaign, 1_500, operator).version == campaign.version, "orders stand as they were"
    promise(campaign, 1_500, operator)
    assert list_in(late).sale_rate_bp == 1_500
    assert Listing.objects.get(pk=first.pk).sale_rate_bp is None
    event = campaign.events.get(kind="help_rate_promised")
    assert (event.actor, event.reason, event.details) == (
        operator, "旺季冲量", {"before_bp": None, "sale_rate_bp": 1_500},
    )  # fmt: skip
    promise(campaign, None, operator)
    campaign.refresh_from_db()
    assert campaign.help_sell_rate_bp is None


def test_only_the_operator_promises_with_a_reason_a_rate_in_range_while_orders_are_taken(operator):
    campaign = publish(draft(operator), operator)
    with pytest.raises(RateRefused, match="Only the operator"):
        promise(campaign, 900, make.leader("赵姐").person)
    with pytest.raises(RateRefused, match="Say why"):
        promise(campaign, 900, operator, reason=" ")
    for rate in (0, 5_001):
        with pytest.raises(RateRefused, match="at most 50"):
            promise(campaign, rate, operator)
    Campaign.objects.filter(pk=campaign.pk).update(status="closed", closed_at=NOON)
    with pytest.raises(RateRefused, match="takes no orders"):
        promise(campaign, 900, operator)


def test_a_rate_for_one_leader_is_judged_like_one_for_all(operator):
    campaign = publish(draft(operator), operator)
    group = make.group(make.leader("刘哥"))

    def at(rate):
        return list_at_rate(
            campaign=campaign, group=group, leader=group.owner, sale_rate_bp=rate, acting_person=operator, now=NOON
        )  # fmt: skip

    with pytest.raises(RateUnlawful):
        at(2_900)
    with pytest.raises(RateRefused):
        at(0)
    assert not Listing.objects.exists()
    assert at(1_200).sale_rate_bp == 1_200
