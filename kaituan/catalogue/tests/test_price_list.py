"""A supplier's price list: preview, per-row sentences, applied exactly as shown."""

import io
import subprocess
import sys
import zipfile
from datetime import timedelta

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.catalogue import price_list as lists
from kaituan.catalogue import services
from kaituan.catalogue.models import PriceListImport, Product, Variant, VariantPrice
from kaituan.catalogue.price_list_file import MAX_ROWS, read_price_list, write_price_list
from kaituan.catalogue.queries import current_price
from kaituan.catalogue.refusals import PreviewStale, PriceListUnreadable
from kaituan.money.fen import format_yuan
from tests import factories as make
from tests.factories import NOON

HEADING = [
    "货号",
    "品名*",
    "规格",
    "品类",
    "销售单位",
    "计量",
    "单位",
    "装箱数",
    "供货价（元）",
    "建议零售价",
]


def workbook(*rows, heading=HEADING, above=()):
    book = openpyxl.Workbook()
    for row in (*above, heading, *rows):
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.fixture
def shop():
    class Shop:
        supplier = make.supplier("绿野果蔬")
        oranges = make.variant(
            make.product(supplier=supplier, category=make.category()),
            sku="CHENG",
            name="5斤装",
            sale_price_fen=3990,
            purchase_price_fen=2800,
        )
        person = make.person("运营小李")

        def preview(self, *rows, now=NOON, **options):
            return lists.preview_price_list(
                supplier=self.supplier,
                data=workbook(*rows, **options),
                file_name="报价 10月.xlsx",
                acting_person=self.person,
                now=now,
            )

        def apply(self, price_list, now=NOON + timedelta(minutes=5)):
            return lists.apply_price_list(price_list=price_list, acting_person=self.person, now=now)

    return Shop()


def effects(price_list):
    return [row.effect for row in lists.preview_rows(price_list=price_list)]


@pytest.mark.django_db
class TestPreview:
    def test_it_says_what_each_row_would_change_and_changes_nothing(self, shop):
        price_list = shop.preview(
            ["CHENG", None, None, None, None, None, "箱", None, 30.5, None],
            [None, "赣南脐橙", "5斤装", None, None, None, None, None, 28, 39.9],
            [None, "赣南脐橙", "10斤装", None, "10斤", None, "箱", None, 55, 75],
            [None, "红富士苹果", None, "水果", "斤", "克", "筐", 20000, "120.00", "5.8"],
            ["XX-1", None, None, None, None, None, None, None, 9.9, None],
        )
        assert effects(price_list) == ["price", "error", "new_variant", "new_product", "unknown"]
        price, twin, _, apple, unknown = lists.preview_rows(price_list=price_list)
        assert (price.number, price.old_purchase_fen, price.new_purchase_fen) == (2, 2800, 3050)
        assert (price.old_sale_fen, price.new_sale_fen) == (3990, None)
        assert "2" in twin.message
        assert (apple.base_step, apple.steps_per_sale_unit, apple.steps_per_purchase_unit) == (
            "gram",
            500,
            20000,
        )
        assert "商品名称" in unknown.message
        assert Product.objects.count() == 1
        assert current_price(variant=shop.oranges, now=NOON).purchase_price_fen == 2800
        assert lists.effect_counts(price_list=price_list) == {
            "new_product": 1,
            "new_variant": 1,
            "price": 1,
            "unchanged": 0,
            "unknown": 1,
            "error": 1,
        }

    def test_the_same_prices_are_unchanged_and_what_is_missing_is_listed(self, shop):
        other = make.variant(shop.oranges.product, name="10斤装")
        price_list = shop.preview([None, "赣南脐橙", "5斤装", None, None, None, None, None, 28, None])
        assert effects(price_list) == ["unchanged"]
        assert lists.not_in_list(price_list=price_list) == [other]

    @pytest.mark.parametrize(
        ("cells", "says"),
        [
            (["CHENG", None, None, None, None, None, None, None, "面议", None], "采购价"),
            (["CHENG", None, None, None, None, None, None, None, 28.123, None], "采购价"),
            (["CHENG", None, None, None, None, None, None, None, -3, None], "采购价"),
            (["CHENG", None, None, None, None, None, None, None, None, None], ""),
            (["CHENG", None, None, None, None, None, None, None, "=14*2", None], "采购价"),
            (["CHENG", None, None, None, None, None, "件", None, 28, None], "采购单位"),
            (["CHENG", None, None, None, None, None, "箱", 12, 28, None], "每采购单位含"),
            (["CHENG", None, None, None, None, "桶", None, None, 28, None], "计量"),
            ([None, None, "5斤装", None, None, None, None, None, 28, None], ""),
            ([None, "苹果", None, "不存在", "盒", None, "箱", 1, 28, 30], "不存在"),
            (["A" * 41, "苹果", None, "水果", "盒", None, "箱", 1, 28, 30], "货号"),
            (["NEW", "赣南脐橙", "5斤装", None, "5斤", None, "箱", 1, 28, 30], "CHENG"),
        ],
    )
    def test_each_bad_row_gets_one_sentence_and_is_left_alone(self, shop, cells, says):
        price_list = shop.preview(cells, ["CHENG", None, None, None, None, None, None, None, 29, None])
        bad, good = lists.preview_rows(price_list=price_list)
        assert bad.effect == "error"
        assert says in bad.message
        assert bad.message.count("\n") == 0
        assert bad.message
        assert good.effect in ("price", "error")
        shop.apply(price_list)
        assert Product.objects.count() == 1

    def test_another_suppliers_number_is_refused(self, shop):
        make.variant(sku="THEIRS", purchase_price_fen=999)
        price_list = shop.preview(["THEIRS", "苹果", None, "水果", "盒", None, "箱", 1, 1, 30])
        assert effects(price_list) == ["error"]

    def test_letterheads_above_and_names_of_columns_in_other_words_are_understood(self, shop):
        price_list = shop.preview(
            ["  CHENG ", 12.3],
            heading=["Item No", "Price (yuan)"],
            above=[["绿野果蔬有限公司"], [], ["2026年10月报价单"]],
        )
        [row] = lists.preview_rows(price_list=price_list)
        assert (row.number, row.effect, row.new_purchase_fen) == (5, "price", 1230)


@pytest.mark.django_db
class TestApply:
    ROWS = (
        ["CHENG", None, None, None, None, None, None, None, 30.5, 42],
        [None, "红富士苹果", "5斤装", "fruit", "5斤", None, "箱", 4, 80, 29.9],
        ["PG-10", "红富士苹果", "10斤装", "水果", "10斤", None, "箱", 2, 76, 55],
        ["CHENG", None, None, None, None, None, None, None, 1, None],
    )

    def test_exactly_what_was_shown_is_done(self, shop):
        price_list = shop.preview(*self.ROWS)
        assert effects(price_list) == ["price", "new_product", "new_variant", "error"]
        applied = shop.apply(price_list)
        assert (applied.new_products, applied.new_variants, applied.prices) == (1, 1, 1)
        price = current_price(variant=shop.oranges, now=NOON + timedelta(hours=1))
        assert (price.purchase_price_fen, price.sale_price_fen) == (3050, 4200)
        assert price.source == "报价 10月.xlsx #2"
        apple = Product.objects.get(name="红富士苹果")
        assert apple.supplier == shop.supplier
        assert set(apple.variants.values_list("name", "steps_per_purchase_unit")) == {
            ("5斤装", 4),
            ("10斤装", 2),
        }
        assert apple.variants.get(sku="PG-10").prices.get().purchase_price_fen == 7600

    def test_a_second_time_does_nothing(self, shop):
        price_list = shop.preview(*self.ROWS)
        shop.apply(price_list)
        counts = (Product.objects.count(), Variant.objects.count(), VariantPrice.objects.count())
        assert shop.apply(price_list) == lists.Applied()
        assert counts == (Product.objects.count(), Variant.objects.count(), VariantPrice.objects.count())
        again = shop.preview(*self.ROWS, now=NOON + timedelta(hours=1))
        assert effects(again) == ["unchanged", "unchanged", "unchanged", "error"]

    @pytest.mark.parametrize("change", ["price", "product", "archive", "number"])
    def test_a_stale_preview_is_refused_as_a_whole(self, shop, change):
        price_list = shop.preview(*self.ROWS)
        if change == "price":
            services.set_price(
                variant=shop.oranges,
                sale_price_fen=1,
                purchase_price_fen=1,
                source="",
                acting_person=None,
                now=NOON + timedelta(minutes=1),
            )
        elif change == "product":
            make.product("红富士苹果", supplier=shop.supplier)
        elif change == "archive":
            services.archive_variant(variant=shop.oranges, acting_person=None, now=NOON)
        else:
            make.variant(sku="PG-10")
        before = (Product.objects.count(), VariantPrice.objects.count())
        with pytest.raises(PreviewStale):
            shop.apply(price_list)
        assert before == (Product.objects.count(), VariantPrice.objects.count())
        assert PriceListImport.objects.get().applied_at is None

    def test_the_template_filled_in_by_nobody_changes_nothing(self, shop):
        loose = make.variant(
            make.product("=苹果", supplier=shop.supplier, aliases=["红富士", "苹果"]),
            base_step="gram",
            steps_per_sale_unit=500,
            purchase_unit="筐",
            steps_per_purchase_unit=20000,
            sale_price_fen=580,
            purchase_price_fen=12000,
        )
        for with_sale_prices in (True, False):
            data = lists.price_list_template(
                supplier=shop.supplier, now=NOON, with_sale_prices=with_sale_prices
            )
            price_list = lists.preview_price_list(
                supplier=shop.supplier, data=data, file_name="t.xlsx", acting_person=shop.person, now=NOON
            )
            assert effects(price_list) == ["unchanged", "unchanged"], price_list.rows
        assert {row.variant_id for row in lists.preview_rows(price_list=price_list)} == {
            shop.oranges.pk,
            loose.pk,
        }

    def test_the_suppliers_template_holds_no_retail_price(self, shop):
        data = lists.price_list_template(supplier=shop.supplier, now=NOON, with_sale_prices=False)
        cells = [
            c
            for row in openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)
            for c in row
        ]
        assert "建议零售价" not in cells
        assert 39.9 not in cells


def pack(parts):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def repack(change):
    with zipfile.ZipFile(
        io.BytesIO(workbook(["CHENG", None, None, None, None, None, None, None, 1]))
    ) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    return pack(parts)


def with_entities(parts):
    name = "xl/worksheets/sheet1.xml"
    parts[name] = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]>' + parts[name]


class TestFiles:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"sku,price\n1,2",
            b"PK\x03\x04rubbish",
            b"\xd0\xcf\x11\xe0" + b"\0" * 600,
            pack({"word/document.xml": "<x/>"}),
            pack({"xl/workbook.xml": "<x/>", "xl/big.bin": b"\0" * (61 * 2**20)}),
            pack({"xl/workbook.xml": "<x/>", **{f"p{i}": "" for i in range(500)}}),
            repack(with_entities),
            repack(lambda parts: parts.update({"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"})),
            repack(lambda parts: parts.pop("xl/worksheets/sheet1.xml")),
            workbook(["只有一列"], heading=["备注"]),
            workbook(),
            b"x" * (5 * 2**20 + 1),
            workbook(*[[f"S{i}", 1] for i in range(MAX_ROWS + 1)], heading=["货号", "单价"]),
        ],
        ids=[
            "empty",
            "csv",
            "torn",
            "xls",
            "word",
            "bomb",
            "parts",
            "entities",
            "cut",
            "no sheet",
            "no price",
            "no rows",
            "large",
            "long",
        ],
    )
    def test_a_file_that_is_no_price_list_is_refused_with_a_sentence(self, data):
        with pytest.raises(PriceListUnreadable) as refused:
            read_price_list(data)
        assert str(refused.value)

    def test_a_cell_far_away_costs_nothing(self):
        book = openpyxl.load_workbook(io.BytesIO(workbook(["CHENG", 1], heading=["货号", "单价"])))
        book.active["XFD1048576"] = "far"
        written = io.BytesIO()
        book.save(written)
        assert [row.sku for row in read_price_list(written.getvalue())] == ["CHENG"]

    @given(
        st.integers(1, 100_000_000),
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30),
    )
    def test_what_is_written_is_read_back_to_the_fen(self, price_fen, name):
        name = " ".join(name.split())
        data = write_price_list(
            title="绿野果蔬",
            rows=[{"sku": "S1", "name": name, "purchase_price": format_yuan(price_fen)}],
            columns=["sku", "name", "purchase_price"],
        )
        [row] = read_price_list(data)
        assert (row.purchase_price, row.name, row.errors) == (price_fen, name, [])

    def test_importing_the_module_does_not_load_openpyxl(self):
        code = (
            "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE']='kaituan.config.settings';"
            "django.setup(); import kaituan.catalogue.price_list; sys.exit('openpyxl' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
