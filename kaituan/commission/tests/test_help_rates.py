"""What a campaign promises to its sellers (帮卖): held against its own goods at every door through which a promise can
become too dear, and kept."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from kaituan.campaigns.drafts import edit_draft, offer_terms_of, open_draft
from kaituan.campaigns.listings import create_listing, withdraw_listing
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.refusals import ChangeRefused, RateRefused
from kaituan.campaigns.terms import OfferTerms, Terms, terms_of
from kaituan.catalogue.services import set_price
from kaituan.commission import services
from kaituan.commission.models import PlanVersion
from kaituan.commission.opening import promise_help_rate, publish_and_list
from kaituan.commission.promises import RateUnlawful, judge_promise
from kaituan.payments.campaign_changes import do_price_change, do_stop_offer, preview_price_change
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
CAPPED = {**make.PLAN_DOCUMENT, "guards": {"line_cap_bp": 2500, "paid_depth": 2}}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def plan():
    return make.plan(document=CAPPED)


@pytest.fixture
def operator():
    person = make.person("刘运营")
    StaffRole.objects.create(person=person, role="operator", effective_from=NOON - timedelta(days=9))
    return person


@pytest.fixture
def oranges():
    """39.90 yuan, which cost 28: a margin of 29.8 %."""
    row = make.variant(name="5斤装", purchase_price_fen=11_200, steps_per_purchase_unit=4)
    make.pool(row, 100)
    return row


@pytest.fixture
def eggs():
    """20 yuan, which cost 17.60: a margin of 12 %."""
    row = make.variant(make.product("鲜鸡蛋"), name="30枚", sale_price_fen=2_000, purchase_price_fen=1_760)
    make.pool(row, 100)
    return row


@pytest.fixture
def draft(operator, oranges):
    def write(**terms):
        return open_draft(
            terms=Terms(
                title="周五水果团", opens_at=NOON, closes_at=NOON + timedelta(hours=10), pickup_on=date(2026, 10, 2),
                **terms,
            ),
            offers=[OfferTerms(variant_id=oranges.pk)],
            acting_person=operator,
            now=NOON,
        )  # fmt: skip

    return write


@pytest.fixture
def running(draft, operator):
    """An open campaign; with a rate, promised to helpers from the beginning."""

    def publish_new(rate=None):
        return publish(draft(help_sell_rate_bp=rate), operator)

    return publish_new


def publish(campaign, operator):
    publish_and_list(
        campaign=campaign, groups=[], expected_version=campaign.version, acting_person=operator, now=NOON
    )
    return Campaign.objects.get(pk=campaign.pk)


def promise(campaign, rate, by, reason="旺季冲量"):
    return promise_help_rate(campaign=campaign, sale_rate_bp=rate, reason=reason, acting_person=by, now=LATER)


def list_for(name, campaign, *, by=None, rate=None):
    group = make.group(make.leader(name))
    return create_listing(
        campaign=campaign, group=group, leader=group.owner, acting_person=by or group.owner.person, now=NOON,
        sale_rate_bp=rate,
    )  # fmt: skip


def lower(campaign, yuan, by):
    offer = campaign.offers.get()
    return do_price_change(
        offer=offer, price_fen=yuan * 100, expected_version=campaign.version, acting_person=by, now=LATER
    )


def state(campaign):
    """What a refusal must leave alone."""
    row = Campaign.objects.get(pk=campaign.pk)
    return (
        row.status, row.version, row.help_sell_rate_bp, list(row.offers.values_list("price_fen", flat=True)),
        row.listings.count(), row.events.count(),
    )  # fmt: skip


class TestPublishing:
    def test_a_promise_past_the_margin_is_refused_with_the_worst_case(self, draft, operator):
        campaign = draft(help_sell_rate_bp=2_900)
        before = state(campaign)
        with pytest.raises(
            RateUnlawful, match=r"A rate of 29%.*赣南脐橙.*¥39\.90.*past its margin of ¥11\.90"
        ) as refusal:
            publish(campaign, operator)
        worst = refusal.value.report.worst_case
        assert (worst.paid_fen, worst.cost_fen, worst.sale_fen, worst.service_fen) == (
            3_990,
            2_800,
            1_157,
            59,
        )
        assert state(campaign) == before
        assert publish(draft(help_sell_rate_bp=2_000), operator).status == "open"

    def test_goods_that_were_put_in_later_count(self, draft, operator, oranges, eggs):
        """Twelve per cent of margin cannot pay 15 of commission, though oranges can."""
        campaign = draft(help_sell_rate_bp=1_500)
        terms = [*(offer_terms_of(offer) for offer in campaign.offers.all()), OfferTerms(variant_id=eggs.pk)]
        campaign = edit_draft(
            campaign=campaign, terms=terms_of(campaign), offers=terms, expected_version=campaign.version,
            acting_person=operator, now=NOON,
        )  # fmt: skip
        with pytest.raises(RateUnlawful, match=r"鲜鸡蛋.*past its margin"):
            publish(campaign, operator)
        assert publish(draft(help_sell_rate_bp=1_500), operator).status == "open"

    def test_a_dearer_purchase_counts_until_the_costs_are_frozen(self, draft, operator, oranges):
        early = publish(draft(help_sell_rate_bp=2_000), operator)
        late = draft(help_sell_rate_bp=2_000)
        set_price(
            variant=oranges,
            sale_price_fen=3_990,
            purchase_price_fen=13_200,
            source="涨价函",
            acting_person=operator,
            now=NOON,
        )
        with pytest.raises(RateUnlawful, match=r"past its margin of ¥6\.90"):
            publish(late, operator)
        assert judge_promise(campaign=early, sale_rate_bp=2_000).allowed, (
            "its cost was frozen when it was promised"
        )

    def test_a_plan_that_came_between_counts(self, draft, operator):
        campaign = draft(help_sell_rate_bp=2_000)
        make.plan(
            version="2026-10-b", effective_from=NOON - timedelta(minutes=1),
            document={**CAPPED, "version": "2026-10-b", "guards": {"line_cap_bp": 1_900, "paid_depth": 2}},
        )  # fmt: skip
        with pytest.raises(RateUnlawful, match=r"promise ¥7\.98 \(20%\), past its limit of ¥7\.58"):
            publish(campaign, operator)

    def test_a_rate_that_was_promised_to_one_leader_on_the_draft_counts(self, draft, operator):
        campaign = draft()
        list_for("刘哥", campaign, by=operator, rate=2_900)
        with pytest.raises(RateUnlawful):
            publish(campaign, operator)


class TestPromisingHelpers:
    def test_past_the_line_cap_is_refused_on_an_open_campaign_too(self, running, operator):
        campaign = running()
        before = state(campaign)
        with pytest.raises(RateUnlawful, match="past its limit"):
            promise(campaign, 2_600, operator)
        assert state(campaign) == before

    def test_who_lists_later_gets_the_rate_and_who_was_earlier_keeps_theirs(self, running, operator):
        campaign = running()
        first = list_for("早到", campaign)
        assert promise(campaign, 1_500, operator).version == campaign.version, "orders stand as they were"
        promise(campaign, 1_500, operator)
        assert list_for("后到", campaign).sale_rate_bp == 1_500
        assert Listing.objects.get(pk=first.pk).sale_rate_bp is None
        event = campaign.events.get(kind="help_rate_promised")
        assert (event.actor, event.reason, event.details) == (
            operator, "旺季冲量", {"before_bp": None, "sale_rate_bp": 1_500},
        )  # fmt: skip
        promise(campaign, None, operator)
        campaign.refresh_from_db()
        assert campaign.help_sell_rate_bp is None

    def test_only_the_operator_with_a_reason_a_rate_in_range_while_orders_are_taken(self, running, operator):
        campaign = running()
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

    def test_goods_that_are_sold_no_more_do_not_count(self, draft, operator, oranges, eggs):
        campaign = draft()
        terms = [OfferTerms(variant_id=variant.pk) for variant in (oranges, eggs)]
        campaign = edit_draft(
            campaign=campaign, terms=terms_of(campaign), offers=terms, expected_version=campaign.version,
            acting_person=operator, now=NOON,
        )  # fmt: skip
        campaign = publish(campaign, operator)
        with pytest.raises(RateUnlawful, match="鲜鸡蛋"):
            promise(campaign, 1_500, operator)
        do_stop_offer(
            offer=campaign.offers.get(variant=eggs), cancels_ordered=False, expected_version=campaign.version,
            acting_person=operator, now=LATER,
        )  # fmt: skip
        assert promise(campaign, 1_500, operator).help_sell_rate_bp == 1_500


class TestListingAtARate:
    def test_it_is_judged_where_the_listing_is_made(self, running, operator):
        campaign = running()
        before = state(campaign)
        with pytest.raises(RateUnlawful, match="past its margin"):
            list_for("刘哥", campaign, by=operator, rate=2_900)
        with pytest.raises(RateRefused):
            list_for("刘哥", campaign, by=operator, rate=0)
        with pytest.raises(RateRefused, match="Only the operator"):
            list_for("刘哥", campaign, rate=1_200)
        assert state(campaign) == before
        assert list_for("刘哥", campaign, by=operator, rate=1_200).sale_rate_bp == 1_200


class TestLoweringAPrice:
    """At 32 yuan a line of oranges leaves 4: room for nothing of 15 %, which is 4.80."""

    def test_below_what_helpers_were_promised_is_refused_in_the_preview_and_in_the_change(
        self, running, operator
    ):
        campaign = running(1_500)
        before = state(campaign)
        refusals = (
            lambda: preview_price_change(offer=campaign.offers.get(), price_fen=3_200),
            lambda: lower(campaign, 32, operator),
        )
        for refused in refusals:
            with pytest.raises(
                RateUnlawful, match=r"rate of 15% that was promised.*¥32\.00 may cost ¥5\.32"
            ) as refusal:
                refused()
            assert refusal.value.report.worst_case.margin_fen == 400
            assert state(campaign) == before

    def test_the_dearest_promise_counts_to_whomever_it_was_made(self, running, operator):
        campaign = running()
        listing = list_for("刘哥", campaign, by=operator, rate=2_000)
        withdraw_listing(listing=listing, acting_person=operator, now=NOON)
        with pytest.raises(RateUnlawful, match="20%"):
            lower(campaign, 35, operator)

    def test_far_enough_above_it_passes(self, running, operator):
        campaign = running(1_500)
        lower(campaign, 37, operator)
        assert state(campaign)[3] == [3_700]

    def test_where_nobody_was_promised_a_rate_the_old_rules_stay(self, running, operator):
        lower(running(), 32, operator)
        campaign = running()
        with pytest.raises(ChangeRefused, match="costs us"):
            lower(campaign, 27, make.leader("赵姐").person)

    def test_a_higher_price_makes_no_promise_dearer(self, running, operator):
        """Even one that should never have been made may get better."""
        campaign = running(1_500)
        campaign.offers.update(price_fen=3_100)
        lower(campaign, 32, operator)
        assert state(campaign)[3] == [3_200]


class TestPublishingAPlan:
    def dividend(self, pool_bp):
        return {
            **CAPPED, "version": "2026-11-a",
            "dividend": {"pool_bp": pool_bp, "tiers": ["partner"], "weight": "equal"},
        }  # fmt: skip

    def publish(self, operator, pool_bp):
        return services.publish_plan(
            document=self.dividend(pool_bp), effective_from=NOON + timedelta(days=1), reason="分红试行",
            acting_person=operator, now=LATER,
        )  # fmt: skip

    def test_what_it_pays_on_top_may_not_eat_what_a_running_campaign_promised(self, running, operator):
        """20 % of 39.90 and the hand-over fee leave 3.32 of the margin: a pool of 9 % takes 3.59."""
        services.switch_pay(rule="dividend", is_on=True, reason="法务已审", acting_person=operator, now=NOON)
        campaign = running(2_000)
        with pytest.raises(services.PromiseBroken, match=r"周五水果团 promised its sellers 20%.*赣南脐橙"):
            self.publish(operator, 900)
        assert not PlanVersion.objects.filter(version="2026-11-a").exists()
        Campaign.objects.filter(pk=campaign.pk).update(status="closed", closed_at=NOON)
        assert self.publish(operator, 900).version == "2026-11-a"

    def test_what_it_will_pay_on_top_counts_for_promises_that_are_made_later(self, running, operator):
        services.switch_pay(rule="dividend", is_on=True, reason="法务已审", acting_person=operator, now=NOON)
        self.publish(operator, 900)
        campaign = running()
        with pytest.raises(RateUnlawful, match="past its margin"):
            promise(campaign, 2_000, operator)
        assert promise(campaign, 1_500, operator).help_sell_rate_bp == 1_500

    def test_one_that_leaves_room_is_published(self, running, operator):
        services.switch_pay(rule="dividend", is_on=True, reason="法务已审", acting_person=operator, now=NOON)
        running(2_000)
        assert self.publish(operator, 100).version == "2026-11-a"


def test_more_than_split_payment_carries_is_told_and_not_refused(running, operator):
    make.plan(
        version="free",
        effective_from=NOON - timedelta(days=1),
        document={**make.PLAN_DOCUMENT, "version": "free", "guards": {"paid_depth": 2}},
    )
    campaign = running()
    Campaign.objects.filter(pk=campaign.pk).update(plan_version="free")
    campaign.offers.update(cost_fen=1_000)
    campaign.refresh_from_db()
    report = judge_promise(campaign=campaign, sale_rate_bp=3_500)
    assert [finding.code for finding in report.findings] == ["split_ceiling"]
    assert report.allowed
    assert promise(campaign, 3_500, operator).help_sell_rate_bp == 3_500
