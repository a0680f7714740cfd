"""A supplier's price list is taken over unless a plan would pay more for some goods than they bring in."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.utils import translation

from kaituan.catalogue.models import PriceListImport
from kaituan.catalogue.price_list import Effect, PreviewRow
from kaituan.catalogue.queries import current_price
from kaituan.commission.price_lists import PriceUnbearable, take_over_price_list
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def eggs():
    """20 yuan, which cost 14: 15 % of commission, 1 % and 0.20 for the hand-over leave 2.60."""
    return make.variant(make.product("鲜鸡蛋"), name="30枚", sale_price_fen=2_000, purchase_price_fen=1_400)


def take_over(variant, *, cost_yuan, price_yuan=20, now=LATER):
    standing = current_price(variant=variant, now=now)
    row = PreviewRow(
        number=2, effect=Effect.PRICE, sku=variant.sku, name=variant.product.name,
        variant_name=variant.name, variant_id=variant.pk, old_purchase_fen=standing.purchase_price_fen,
        new_purchase_fen=cost_yuan * 100, old_sale_fen=standing.sale_price_fen, new_sale_fen=price_yuan * 100,
    )  # fmt: skip
    clerk = make.person("刘运营")
    price_list = PriceListImport.objects.create(
        supplier=variant.product.supplier, file_name="十月涨价.xlsx", content_sha256="0" * 64, uploaded_at=now,
        uploaded_by=clerk, rows=[asdict(row)],
    )  # fmt: skip
    return take_over_price_list(price_list=price_list, acting_person=clerk, now=now)


def prices_of(variant, now=LATER):
    row = current_price(variant=variant, now=now)
    return row.sale_price_fen, row.purchase_price_fen


def test_a_dearer_purchase_that_eats_the_commission_is_refused_with_the_worst_case(eggs):
    make.plan()
    with pytest.raises(
        PriceUnbearable, match=r"鲜鸡蛋.*¥20\.00 may cost ¥3\.40.*margin of ¥3.*Raise"
    ) as refusal:
        take_over(eggs, cost_yuan=17)
    assert [finding.code for finding in refusal.value.findings] == ["margin"]
    assert prices_of(eggs) == (2_000, 1_400)
    assert PriceListImport.objects.filter(applied_at__isnull=False).count() == 0


def test_with_a_retail_price_that_bears_it_it_is_taken_over(eggs):
    make.plan()
    assert take_over(eggs, cost_yuan=17, price_yuan=22).prices == 1
    assert prices_of(eggs) == (2_200, 1_700)


def test_a_plan_that_is_to_come_counts_too(eggs):
    make.plan(document={**make.PLAN_DOCUMENT, "sale": {"base": "paid", "rates_bp": {"host": 100}}})
    dearer = {**make.PLAN_DOCUMENT, "version": "2026-11-a"}
    make.plan(version="2026-11-a", document=dearer, effective_from=NOON + timedelta(days=30))
    with pytest.raises(PriceUnbearable):
        take_over(eggs, cost_yuan=17)


def test_goods_that_are_not_offered_and_a_station_without_a_plan_are_not_judged(eggs):
    assert take_over(eggs, cost_yuan=17).prices == 1
    make.plan()
    eggs.product.in_selection_pool = False
    eggs.product.save()
    assert take_over(eggs, cost_yuan=19, now=LATER + timedelta(hours=1)).prices == 1


def test_goods_that_were_too_thin_before_may_get_better_and_not_worse(eggs):
    take_over(eggs, cost_yuan=18)
    make.plan()
    with pytest.raises(PriceUnbearable):
        take_over(eggs, cost_yuan=19, now=LATER + timedelta(hours=1))
    assert take_over(eggs, cost_yuan=17, now=LATER + timedelta(hours=2)).prices == 1
