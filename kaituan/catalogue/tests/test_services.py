"""Keeping the catalogue: what may change, what stands, and what history is kept."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from kaituan.catalogue import queries, services
from kaituan.catalogue.models import StockSupply, VariantPrice
from kaituan.catalogue.refusals import (
    InvalidFields,
    PictureRefused,
    PoolTooLow,
    PriceRefused,
    StillInUse,
)
from kaituan.catalogue.services import CategoryFields, ProductFields, SupplierFields, VariantFields
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
BY = {"acting_person": None, "now": NOON}
DAY = timedelta(days=1)


def price(variant, sale_fen, purchase_fen=100, *, at=NOON):
    return services.set_price(
        variant=variant,
        sale_price_fen=sale_fen,
        purchase_price_fen=purchase_fen,
        source="改价",
        acting_person=None,
        now=at,
    )


def new_variant(**fields):
    return make.variant(sale_price_fen=4990, **fields)


class TestKeeping:
    def test_a_supplier_product_and_variant_are_made_with_a_first_price(self):
        supplier = services.create_supplier(fields=SupplierFields(name="绿野果蔬", lead_days=2), **BY)
        category = services.create_category(
            fields=CategoryFields(code="fruit", name="水果"), acting_person=None
        )
        fields = ProductFields(
            supplier_id=supplier.pk, category_id=category.pk, name=" 赣南脐橙 ", aliases=("脐橙", "脐橙", " ")
        )
        product = services.create_product(fields=fields, **BY)
        variant = services.create_variant(
            product=product,
            fields=VariantFields(
                sku="CHENG-5", sale_unit="5斤", purchase_unit="箱", steps_per_purchase_unit=4
            ),
            sale_price_fen=3990,
            purchase_price_fen=11200,
            source="手工",
            **BY,
        )
        assert (product.name, product.aliases) == ("赣南脐橙", ["脐橙"])
        assert queries.current_price(variant=variant, now=NOON).purchase_price_fen == 11200
        assert queries.current_price(variant=variant, now=NOON - DAY) is None

    def test_each_wrong_field_is_named(self):
        with pytest.raises(InvalidFields) as refused:
            services.create_supplier(fields=SupplierFields(name="", phone="1" * 30), **BY)
        assert set(refused.value.errors) == {"name", "phone"}

    def test_a_name_that_is_taken_is_refused(self):
        make.supplier("绿野果蔬")
        with pytest.raises(InvalidFields) as refused:
            services.create_supplier(fields=SupplierFields(name="绿野果蔬"), **BY)
        assert set(refused.value.errors) == {"name"}

    def test_archiving_a_supplier_takes_its_goods_out_of_use_once(self):
        variant = make.variant()
        supplier = variant.product.supplier
        services.archive_supplier(supplier=supplier, **BY)
        services.archive_supplier(supplier=supplier, acting_person=None, now=NOON + DAY)
        variant.refresh_from_db()
        supplier.refresh_from_db()
        assert (supplier.archived_at, variant.archived_at) == (NOON, NOON)
        assert queries.selection_pool(now=NOON) == []

    def test_a_category_in_use_keeps_its_code_and_stays(self):
        category = make.product().category
        with pytest.raises(StillInUse):
            services.edit_category(
                category=category, fields=CategoryFields(code="other", name="水果"), acting_person=None
            )
        with pytest.raises(StillInUse):
            services.archive_category(category=category, **BY)
        services.edit_category(
            category=category, fields=CategoryFields(code=category.code, name="鲜果"), acting_person=None
        )
        category.refresh_from_db()
        assert category.name == "鲜果"

    def test_units_stay_once_stock_is_counted_in_them(self):
        variant = make.variant()
        same = {"sku": variant.sku, "sale_unit": "斤", "purchase_unit": "筐"}
        services.edit_variant(
            variant=variant, fields=VariantFields(**same, steps_per_sale_unit=500), acting_person=None
        )
        make.pool(variant)
        with pytest.raises(StillInUse):
            services.edit_variant(variant=variant, fields=VariantFields(**same), acting_person=None)
        renamed = VariantFields(**{**same, "sku": "NEW-1"}, steps_per_sale_unit=500)
        assert services.edit_variant(variant=variant, fields=renamed, acting_person=None).sku == "NEW-1"

    def test_supplier_staff_stand_once_and_end(self):
        supplier, person = make.supplier(), make.person("供应商小陈")
        staff = services.add_supplier_staff(supplier=supplier, person=person, **BY)
        assert services.add_supplier_staff(supplier=supplier, person=person, **BY) == staff
        services.end_supplier_staff(staff=staff, acting_person=None, now=NOON + DAY)
        assert supplier.staff.get().effective_until == NOON + DAY


class TestPrices:
    def test_the_price_in_force_is_the_latest_that_has_begun(self):
        variant = new_variant()
        price(variant, 4500)
        services.set_price(
            variant=variant,
            sale_price_fen=4000,
            purchase_price_fen=100,
            source="下周",
            effective_from=NOON + 7 * DAY,
            **BY,
        )
        prices = [
            queries.current_price(variant=variant, now=NOON + days * DAY).sale_price_fen
            for days in (-1, 0, 6, 7)
        ]
        assert prices == [4990, 4500, 4500, 4000]

    def test_the_same_price_again_writes_nothing_and_the_past_is_never_rewritten(self):
        variant = new_variant()
        first = price(variant, 4500)
        assert price(variant, 4500, at=NOON + DAY) == first
        with pytest.raises(PriceRefused):
            services.set_price(
                variant=variant,
                sale_price_fen=1,
                purchase_price_fen=1,
                source="",
                effective_from=NOON - DAY,
                **BY,
            )
        with pytest.raises(PriceRefused):
            price(variant, 4400)
        with pytest.raises(PriceRefused):
            price(variant, -1, at=NOON + DAY)
        assert VariantPrice.objects.filter(variant=variant).count() == 2

    def test_a_discount_is_shown_against_the_lowest_price_of_thirty_days(self):
        """Raising a price on day 20 to cut it on day 25 makes no discount."""
        variant = new_variant()
        price(variant, 3990, at=NOON + DAY)
        price(variant, 9990, at=NOON + 20 * DAY)
        price(variant, 4500, at=NOON + 25 * DAY)
        lowest = [
            queries.lowest_price_fen(variant=variant, now=NOON + days * DAY) for days in (0, 1, 25, 49, 51)
        ]
        # Until day 50 the 39.90 held at some moment of the last 30 days; on day 51 only 99.90 and 45.00 did.
        assert lowest == [4990, 3990, 3990, 3990, 4500]
        assert [
            row.sale_price_fen for row in queries.price_history(variant=variant, now=NOON + 25 * DAY)
        ] == [
            4990,
            3990,
            9990,
            4500,
        ]

    def test_many_variants_are_priced_by_one_statement(self, django_assert_num_queries):
        variants = [new_variant() for _ in range(3)]
        ids = [variant.pk for variant in variants]
        with django_assert_num_queries(1):
            assert set(queries.current_prices(variant_ids=ids, now=NOON)) == set(ids)
        with django_assert_num_queries(1):
            assert queries.lowest_prices_fen(variant_ids=ids, now=NOON) == dict.fromkeys(ids, 4990)
        assert queries.current_prices(variant_ids=ids, now=NOON - 60 * DAY) == {}


class TestStock:
    def supply(self, pool, change, key="k1"):
        return services.supply_pool(pool=pool, change=change, key=key, reason="到货", **BY)

    def test_supplying_raises_both_counts_once_per_key(self):
        pool = services.create_pool(variant=make.variant(), quantity=10, label="北京仓", **BY)
        self.supply(pool, 5)
        pool = self.supply(pool, 5)
        assert (pool.supplied_quantity, pool.available_quantity) == (15, 15)
        assert sum(StockSupply.objects.filter(pool=pool).values_list("change_quantity", flat=True)) == 15

    def test_no_more_is_taken_out_than_is_unsold(self):
        campaign = make.campaign()
        pool = make.pool(quantity=10)
        listing = make.listing(campaign)
        make.place(listing, make.member(listing.group), (make.offer(campaign, pool), 7))
        with pytest.raises(PoolTooLow):
            self.supply(pool, -4)
        pool = self.supply(pool, -3)
        assert (pool.supplied_quantity, pool.available_quantity) == (7, 0)


def picture(size=(40, 30), mode="RGB", kind="JPEG", **options):
    written = io.BytesIO()
    Image.new(mode, size, "orange").save(written, kind, **options)
    return written.getvalue()


class TestPictures:
    def test_a_picture_is_written_anew_without_where_and_when_it_was_taken(self, settings, tmp_path):
        settings.MEDIA_ROOT = tmp_path
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010F] = "SecretPhone"
        product = services.set_product_picture(
            product=make.product(), data=picture(exif=exif.tobytes()), acting_person=None
        )
        with Image.open(product.picture.path) as stored:
            assert (stored.format, stored.size) == ("JPEG", (30, 40))
            assert not stored.getexif()
        assert b"SecretPhone" not in (tmp_path / product.picture.name).read_bytes()

    def test_what_is_large_gets_smaller_and_what_is_transparent_gets_white(self):
        from kaituan.catalogue.pictures import clean_picture

        clear = io.BytesIO()
        Image.new("RGBA", (3000, 1500), (0, 0, 0, 0)).save(clear, "PNG")
        with Image.open(io.BytesIO(clean_picture(clear.getvalue()))) as cleaned:
            assert cleaned.size == (1600, 800)
            assert cleaned.getpixel((5, 5)) == (255, 255, 255)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"<svg onload=alert(1)>",
            picture(kind="GIF"),
            picture()[:200],
            b"\xff\xd8\xff" + b"\0" * 99,
            b"x" * (8 * 2**20 + 1),
        ],
        ids=["empty", "svg", "gif", "cut", "pretends", "large"],
    )
    def test_anything_else_is_refused_and_changes_nothing(self, data):
        product = make.product()
        with pytest.raises(PictureRefused):
            services.set_product_picture(product=product, data=data, acting_person=None)
        product.refresh_from_db()
        assert not product.picture

    def test_a_picture_that_unpacks_to_a_billion_pixels_is_refused_unread(self):
        bomb = io.BytesIO()
        Image.new("1", (9_000, 9_000)).save(bomb, "PNG")
        assert len(bomb.getvalue()) < 100_000
        with pytest.raises(PictureRefused):
            services.set_product_picture(product=make.product(), data=bomb.getvalue(), acting_person=None)

    def test_the_old_file_goes_when_the_new_one_is_committed(
        self, settings, tmp_path, django_capture_on_commit_callbacks
    ):
        settings.MEDIA_ROOT = tmp_path
        product = make.product()
        services.set_product_picture(product=product, data=picture(), acting_person=None)
        old = product.picture.name
        with django_capture_on_commit_callbacks(execute=True):
            services.set_product_picture(product=product, data=picture(kind="PNG"), acting_person=None)
        assert not (tmp_path / old).exists()
        assert (tmp_path / product.picture.name).exists()
        with django_capture_on_commit_callbacks(execute=True):
            services.set_product_picture(product=product, data=None, acting_person=None)
        assert list(tmp_path.rglob("*.jpg")) == []


class TestSelectionPool:
    def test_it_is_searched_by_names_category_and_number_with_the_price_of_today(
        self, django_assert_num_queries
    ):
        orange = make.variant(make.product(aliases=["橙子"]), sale_price_fen=3990)
        make.pool(orange, 8)
        make.pool(orange, 5)
        make.pool(orange, 99, is_shared=False)
        milk = make.variant(
            make.product("鲜牛奶", category=make.category("dairy", "乳品")), name="950ml", sale_price_fen=1590
        )

        def found(search="", **filters):
            with django_assert_num_queries(1):
                return [
                    item.variant_id for item in queries.selection_pool(now=NOON, search=search, **filters)
                ]

        assert found() == [orange.pk, milk.pk]
        assert found("橙子") == found("赣南 水果") == found(orange.sku.lower()) == [orange.pk]
        assert found(category_code="dairy") == [milk.pk]
        assert found("橙子 牛奶") == []
        first, second = queries.selection_pool(now=NOON)
        assert (first.sale_price_fen, first.available_quantity, first.title) == (3990, 13, "赣南脐橙")
        assert (second.available_quantity, second.title) == (None, "鲜牛奶 950ml")
        assert not [name for name in queries.PoolItem.__slots__ if "purchase" in name or "cost" in name]

    def test_what_is_archived_unpriced_or_taken_out_is_not_in_it(self):
        variant = make.variant()
        services.set_in_selection_pool(products=[variant.product], is_in=False, **BY)
        assert queries.selection_pool(now=NOON) == []
        assert services.set_in_selection_pool(products=[variant.product], is_in=True, **BY) == 1
        assert queries.selection_pool(now=NOON - 60 * DAY) == []
        services.archive_variant(variant=variant, **BY)
        assert queries.selection_pool(now=NOON) == []
