"""What is printed: every list in one order, naming its snapshot, with no more of a person than is needed."""

import io

import pytest

from kaituan.fulfilment.arrivals import confirm_arrival, pickup_code
from kaituan.fulfilment.cutoff import cancel_after_cut_off
from kaituan.fulfilment.documents import (
    amount_text,
    export_pickup_list,
    labels,
    pickup_list,
    purchase_order_sheet,
    snapshot_text,
    sorting_sheet,
)
from kaituan.fulfilment.excel import workbook_bytes
from kaituan.fulfilment.sheets import Column, Kind, Sheet
from kaituan.fulfilment.tests.conftest import CUT_OFF, MORNING
from kaituan.people.models import PersonalDataAccess
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def printed(town):
    """Orders are placed in another order than the one in which they are handed over."""
    town.away = town.order(town.zhao, (town.eggs, 2))
    town.second = town.order(town.wang, (town.eggs, 1), (town.oranges, 2))
    town.third = town.paid_order(town.zhang, (town.oranges, 3))
    town.cut_off()
    town.point = town.listing.pickup_point
    return town


@pytest.fixture
def loose(town):
    """Spinach, sold loose by 斤."""
    variant = make.variant(
        make.product("菠菜", supplier=town.farm), base_step="gram", sale_unit="斤", steps_per_sale_unit=500
    )
    return variant


def test_amounts_are_written_as_people_say_them(town, loose):
    assert amount_text(quantity=2, variant=town.oranges.variant) == "2 × 5斤"
    assert amount_text(quantity=750, variant=loose) == "1.5 斤"


def test_the_purchase_order_knows_purchase_prices_and_nothing_else(printed):
    sheet = purchase_order_sheet(purchase_order=printed.purchase_order(printed.oranges))
    assert sheet.column("goods") == ["赣南脐橙"]
    assert sheet.column("units") == [2]
    assert sheet.column("ordered") == ["5 × 5斤"]
    assert sheet.column("amount") == [20_000]
    assert sheet.totals[7] == 20_000
    assert ("绿野果园" in dict(sheet.facts).values(), "1" in dict(sheet.facts).values()) == (True, True)
    everything = repr(sheet)
    assert not any(hidden in everything for hidden in ("3990", "39.90", "张敏", "王阿姨", "3-502"))


def test_what_changed_after_the_cut_off_stands_beside_what_was_asked(printed):
    cancel_after_cut_off(order=printed.third, acting_person=printed.operator, now=CUT_OFF, reason="退")
    sheet = purchase_order_sheet(purchase_order=printed.purchase_order(printed.oranges))
    assert (sheet.column("ordered"), sheet.column("changed")) == (["5 × 5斤"], ["-3 × 5斤"])
    assert snapshot_text(campaign=printed.campaign) == "1 + 2"


def test_the_sorting_sheet_has_a_row_per_variant_and_a_column_per_place(printed):
    sheet = sorting_sheet(campaign=printed.campaign)
    assert [column.title for column in sheet.columns[2:-1]] == ["翠成馨园", "望湖公园"]
    assert [row[1:] for row in sheet.rows] == [
        ["赣南脐橙", "5 × 5斤", "", "5 × 5斤"],
        ["土鸡蛋", "1 盒", "2 盒", "3 盒"],
    ]
    here_only = sorting_sheet(campaign=printed.campaign, pickup_points=[printed.point])
    assert [column.title for column in here_only.columns[2:-1]] == ["翠成馨园"]


def test_the_sorting_sheet_takes_bundles_apart(printed):
    oranges, eggs = (offer.pool_links.get().pool for offer in (printed.oranges, printed.eggs))
    printed.campaign.status, printed.campaign.closed_at = "open", None
    printed.campaign.save()
    basket = make.offer(printed.campaign, oranges, eggs)
    basket.pool_links.filter(pool=eggs).update(steps_per_step=6)
    printed.order(printed.wang, (basket, 2))
    sheet = sorting_sheet(campaign=printed.campaign, pickup_points=[printed.point])
    assert sheet.column("total") == ["7 × 5斤", "13 盒"]


def test_what_is_short_is_sorted_as_it_was_shared_out(printed):
    printed.send_all()
    printed.receive(printed.oranges, 4)
    printed.share_out(printed.oranges)
    sheet = sorting_sheet(campaign=printed.campaign)
    assert sheet.column("total") == ["4 × 5斤", "3 盒"]
    by_number = {label.follow_number: label for label in labels(campaign=printed.campaign)[:2]}
    assert [item.short for item in by_number[2].items] == [True]


def test_labels_pickup_list_and_sorting_share_one_order(printed):
    found = labels(campaign=printed.campaign)
    assert [(label.pickup_point, label.follow_number) for label in found] == [
        ("翠成馨园", 1),
        ("翠成馨园", 2),
        ("望湖公园", 1),
    ]
    numbers = pickup_list(campaign=printed.campaign, pickup_point=printed.point).column("number")
    assert numbers == [label.follow_number for label in found if label.pickup_point == "翠成馨园"]
    assert [item.title for item in found[0].items] == ["赣南脐橙", "土鸡蛋"]


def test_a_label_shows_a_masked_name_and_no_room(printed):
    label = labels(campaign=printed.campaign, pickup_point=printed.point)[1]
    assert (label.masked_name, label.snapshot) == ("张*", "1")
    assert "3-502" not in repr(label)
    assert "张敏" not in repr(label)


def test_an_order_of_which_nothing_came_needs_no_label(printed):
    printed.send_all()
    printed.receive(printed.eggs, 0)
    printed.share_out(printed.eggs)
    assert [label.order_id for label in labels(campaign=printed.campaign)] == [
        printed.second.pk,
        printed.third.pk,
    ]
    assert pickup_list(campaign=printed.campaign, pickup_point=printed.elsewhere.pickup_point).rows == []


def test_the_pickup_list_is_masked_until_somebody_takes_it_out_which_is_logged(printed):
    sheet = pickup_list(campaign=printed.campaign, pickup_point=printed.point)
    assert sheet.column("name") == ["王**", "张*"]
    assert sheet.column("room") == ["", ""]
    assert not PersonalDataAccess.objects.exists()
    code = pickup_code(order=printed.third, now=MORNING)
    full = export_pickup_list(
        campaign=printed.campaign, pickup_point=printed.point, acting_person=printed.operator, now=MORNING
    )
    assert full.column("name") == ["王阿姨", "张敏"]
    assert full.column("room") == ["1-101", "3-502"]
    assert full.column("code") == ["", code]
    assert full.column("unpaid") == [2 * 3990 + 1200, None]
    row = PersonalDataAccess.objects.get()
    assert (row.action, row.row_count, row.actor) == ("export_pickup_list", 2, printed.operator)
    assert row.subject == f"campaign:{printed.campaign.pk}/point:{printed.point.pk}"


def test_the_number_of_statements_does_not_grow_with_the_orders(printed, django_assert_max_num_queries):
    for n in range(12):
        make.station()
        printed.campaign.status, printed.campaign.closed_at = "open", None
        printed.campaign.save()
        printed.order(make.member(printed.listing.group, f"邻居{n}"), (printed.oranges, 1))
    with django_assert_max_num_queries(6):
        assert len(pickup_list(campaign=printed.campaign, pickup_point=printed.point).rows) == 14
    with django_assert_max_num_queries(4):
        assert len(labels(campaign=printed.campaign)) == 15
    with django_assert_max_num_queries(6):
        sorting_sheet(campaign=printed.campaign)


class TestExcel:
    def read(self, sheet):
        from openpyxl import load_workbook

        return load_workbook(io.BytesIO(workbook_bytes(sheet))).active

    def test_it_holds_facts_header_rows_and_totals(self, printed):
        page = self.read(purchase_order_sheet(purchase_order=printed.purchase_order(printed.oranges)))
        rows = [[cell for cell in row if cell is not None] for row in page.iter_rows(values_only=True)]
        assert rows[0][0].startswith("Purchase order PO") or "PO261001" in rows[0][0]
        assert rows[3][1] == "1"
        assert "赣南脐橙" in rows[6]
        assert rows[-1][-1] == 200
        assert page.print_title_rows == "$6:$6"

    def test_text_that_looks_like_a_formula_stays_text(self):
        sheet = Sheet(title="x/y", facts=[], columns=[Column("name", "姓名")], rows=[["=HYPERLINK(1)"]])
        cell = self.read(sheet)["A4"]
        assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")

    def test_money_is_yuan_with_two_decimals(self):
        sheet = Sheet(title="t", facts=[], columns=[Column("fen", "元", Kind.MONEY)], rows=[[1999], [None]])
        page = self.read(sheet)
        assert (page["A4"].value, page["A4"].number_format) == (19.99, "#,##0.00")
        assert page["A5"].value is None


def test_pages_do_not_load_openpyxl(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, django; django.setup();"
        "import kaituan.fulfilment.documents, kaituan.fulfilment.excel;"
        "sys.exit('openpyxl' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "kaituan.config.settings", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_a_confirmed_arrival_does_not_change_the_lists(printed):
    printed.send_all()
    for offer, quantity in ((printed.oranges, 8), (printed.eggs, 3)):
        printed.receive(offer, quantity)
        printed.share_out(offer)
    before = pickup_list(campaign=printed.campaign, pickup_point=printed.point)
    confirm_arrival(campaign=printed.campaign, pickup_point=printed.point, acting_person=None, now=MORNING)
    assert pickup_list(campaign=printed.campaign, pickup_point=printed.point) == before


def test_a_control_character_in_a_title_or_name_keeps_no_list_from_being_printed():
    from openpyxl import load_workbook

    sheet = Sheet(
        title="橙\x0b子\x00 [1]", facts=[("团\x01", "周五\x1f")], columns=[Column("name", "名")], rows=[["张\x08敏"]],
    )  # fmt: skip
    page = load_workbook(io.BytesIO(workbook_bytes(sheet))).active
    assert [cell for row in page.iter_rows(values_only=True) for cell in row if cell] == [
        "橙 子  [1]", "团 ", "周五 ", "名", "张 敏",
    ]  # fmt: skip
