"""Writing a campaign and cloning the last."""

from datetime import date, timedelta

import pytest

from kaituan.campaigns import services
from kaituan.campaigns.models import Campaign
from kaituan.campaigns.refusals import BadTerms, MoveNotAllowed, RateRefused, VersionChanged
from kaituan.campaigns.services import OfferTerms
from kaituan.catalogue.models import StockPool
from kaituan.catalogue.services import archive_product
from kaituan.notices.models import OutboxMessage
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def fields_of(refused):
    return [problem.field for problem in refused.value.problems]


def test_offers_take_codes_names_and_prices_from_the_selection_pool(town):
    campaign = town.draft()
    rows = campaign.offers.values_list(
        "code", "title", "sale_unit", "price_fen", "price_quantity", "private_quantity"
    )
    assert list(rows) == [
        ("A", "赣南脐橙 5斤装", "5斤", 3990, 1, None),
        ("B", "红富士苹果", "斤", 498, 500, 50_000),
    ]
    assert campaign.offers.first().pool_links.get().pool == town.stock
    assert (campaign.status, campaign.version, campaign.plan_version) == ("draft", 1, "")


def test_a_draft_holds_no_stock_and_tells_nobody(town):
    pools = StockPool.objects.count()
    town.draft()
    assert StockPool.objects.count() == pools
    assert not OutboxMessage.objects.exists()


def test_every_problem_is_named_with_its_field_and_nothing_is_kept(town):
    offers = [
        OfferTerms(variant_id=town.oranges.pk, code="A", price_fen=-1, quota_quantity=2, minimum_quantity=3),
        OfferTerms(variant_id=town.apples.pk, code="a", per_person_quantity=0),
        OfferTerms(
            variant_id=town.apples.pk,
            code="B B",
            draws=((town.stock.pk, 0),),
            private_quantity=1,
            minimum_quantity=-1,
        ),
    ]
    with pytest.raises(BadTerms) as refused:
        town.draft(
            offers=offers,
            title="团" * 101,
            closes_at=NOON,
            payment_minutes=1,
            extend_hours=0,
            claim_window_hours=0,
            minimum_fen=-1,
            minimum_policy="hope",
        )
    assert fields_of(refused) == [
        "title",
        "closes_at",
        "payment_minutes",
        "extend_hours",
        "claim_window_hours",
        "minimum_fen",
        "minimum_policy",
        "offers.0.price_fen",
        "offers.0.minimum_quantity",
        "offers.1.code",
        "offers.1.per_person_quantity",
        "offers.2.code",
        "offers.2.minimum_quantity",
        "offers.2.private_quantity",
        "offers.2.draws",
    ]
    assert not Campaign.objects.exists()


def test_only_goods_of_the_selection_pool_and_only_shared_stock(town):
    archive_product(product=town.apples.product, acting_person=None, now=NOON)
    with pytest.raises(BadTerms) as refused:
        town.draft()
    assert fields_of(refused) == ["offers.1.variant_id"]
    private = make.pool(town.oranges, 5, is_shared=False)
    with pytest.raises(BadTerms) as refused:
        town.draft(offers=[OfferTerms(variant_id=town.oranges.pk, draws=((private.pk, 1),))])
    assert fields_of(refused) == ["offers.0.draws"]


def test_a_bundle_draws_on_several_pools(town):
    apples = make.pool(town.apples, 100_000)
    basket = make.variant(make.product("水果篮"), sale_price_fen=9900)
    offer = OfferTerms(variant_id=basket.pk, draws=((town.stock.pk, 2), (apples.pk, 1500)))
    links = town.draft(offers=[offer]).offers.get().pool_links.order_by("pool_id")
    assert list(links.values_list("pool_id", "steps_per_step")) == [(town.stock.pk, 2), (apples.pk, 1500)]


def test_a_draft_is_edited_as_a_whole_and_only_as_it_was_seen(town):
    campaign = town.draft()
    edit = {
        "campaign": campaign,
        "terms": town.terms(title="周六水果团", minimum_fen=50_000),
        "offers": town.offers(code="橙", quota_quantity=40)[:1],
        "acting_person": town.leader.person,
        "now": NOON,
    }
    edited = services.edit_draft(expected_version=1, **edit)
    assert (edited.title, edited.version, edited.minimum_fen) == ("周六水果团", 2, 50_000)
    assert list(edited.offers.values_list("code", "quota_quantity")) == [("橙", 40)]
    with pytest.raises(VersionChanged):
        services.edit_draft(expected_version=1, **edit)
    town.publish(edited)
    with pytest.raises(MoveNotAllowed):
        services.edit_draft(expected_version=3, **edit)


def test_only_the_operator_promises_a_rate_for_help_selling(town):
    with pytest.raises(RateRefused):
        town.draft(help_sell_rate_bp=800)
    assert town.draft(help_sell_rate_bp=800, by=town.operator).help_sell_rate_bp == 800
    with pytest.raises(BadTerms) as refused:
        town.draft(help_sell_rate_bp=5001, by=town.operator)
    assert fields_of(refused) == ["help_sell_rate_bp"]


def test_a_draft_is_thrown_away_once_and_a_published_one_is_not(town):
    by = {"acting_person": town.leader.person, "now": NOON}
    campaign = services.discard_draft(campaign=town.draft(), **by)
    assert services.discard_draft(campaign=campaign, **by).status == "cancelled"
    with pytest.raises(MoveNotAllowed):
        services.discard_draft(campaign=town.open(), **by)


class TestClone:
    def clone(self, town, source, now, **options):
        return services.clone_campaign(source=source, acting_person=town.leader.person, now=now, **options)

    def test_the_last_one_comes_back_a_week_later_at_the_same_hours(self, town):
        source = town.open(offers=town.offers(quota_quantity=30, per_person_quantity=2))
        clone = self.clone(town, source, NOON + timedelta(days=2)).campaign
        assert (clone.opens_at, clone.closes_at) == (
            source.opens_at + timedelta(days=7),
            source.closes_at + timedelta(days=7),
        )
        assert (clone.pickup_on, clone.cloned_from, clone.status) == (date(2026, 10, 9), source, "draft")

        def kept(campaign):
            return list(
                campaign.offers.values_list(
                    "code", "title", "price_fen", "quota_quantity", "per_person_quantity", "private_quantity"
                )
            )

        assert kept(clone) == kept(source)
        town.publish(clone, now=NOON + timedelta(days=2))
        pools = [offer.pool_links.get().pool for offer in clone.offers.all()]
        assert pools[0] == town.stock
        assert pools[1].supplied_quantity == 50_000
        assert pools[1] != source.offers.last().pool_links.get().pool

    def test_after_a_pause_it_skips_to_the_next_week_whose_cut_off_is_still_to_come(self, town):
        source = town.open()
        later = NOON + timedelta(days=21, hours=3)
        clone = self.clone(town, source, later).campaign
        assert (clone.opens_at, clone.closes_at) == (later, source.closes_at + timedelta(days=21))
        by_hand = self.clone(town, source, later, shift_days=30).campaign
        assert by_hand.closes_at == source.closes_at + timedelta(days=30)

    def test_goods_that_are_gone_and_offers_that_were_stopped_stay_behind(self, town):
        source = town.open()
        archive_product(product=town.apples.product, acting_person=None, now=NOON)
        clone = self.clone(town, source, NOON)
        assert clone.left_out == ("红富士苹果",)
        assert clone.campaign.offers.count() == 1
        source.offers.update(stopped_at=NOON)
        assert self.clone(town, source, NOON).campaign.offers.count() == 0

    def test_a_promised_rate_is_not_repeated_by_who_may_not_promise_it(self, town):
        source = town.draft(help_sell_rate_bp=800, by=town.operator)
        assert self.clone(town, source, NOON).campaign.help_sell_rate_bp is None
        again = services.clone_campaign(source=source, acting_person=town.operator, now=NOON)
        assert again.campaign.help_sell_rate_bp == 800
