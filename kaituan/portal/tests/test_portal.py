"""A supplier sees its own orders, payables and goods; no retail price, nobody's name, no other supplier."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from kaituan.fulfilment.models import PurchaseOrder
from kaituan.fulfilment.purchasing import send_all
from kaituan.reporting.tests.town import Town, plain_story
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def browser(account) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def seller_of(supplier, name="供货员") -> Client:
    account = make.account(make.person(name))
    supplier.staff.create(person=account.person, effective_from=NOON - timedelta(days=1))
    return browser(account)


def pages_of(order):
    return [
        reverse("portal:home"),
        reverse("portal:payables"),
        reverse("portal:goods"),
        *(reverse(f"portal:{name}", args=[order.public_id]) for name in ("order", "order-print")),
    ]


@pytest.fixture
def sent():
    """A purchase order that was sent a moment ago."""
    town = Town()
    town.place(0, 0, (3, 2))
    town.pay(0)
    town.place(1, 1, (2, 0))
    town.pay(1)
    town.close()
    send_all(purchase_orders=PurchaseOrder.objects.all(), acting_person=town.boss, now=town.later(hours=1))
    with clock.standing_at(town.now):
        yield PurchaseOrder.objects.get()


def test_no_page_names_a_person_or_a_retail_price():
    town = plain_story()
    order = PurchaseOrder.objects.get()
    seller = seller_of(order.supplier)
    with clock.standing_at(town.now):
        shown = b"".join(seller.get(page).content for page in pages_of(order)).decode()
        excel = seller.get(reverse("portal:order-excel", args=[order.public_id])).content
    book = load_workbook(BytesIO(excel))
    shown += "".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    assert order.number in shown
    assert "28" in shown, "the purchase price is there"
    people = ["张敏", "刘洋", "赵静", "王姐", "李姐", "张*", "刘*", "赵*"]
    retail = ["39.<small>90", "39.90", "3990", "12.<small>87", "12.87", "1287"]
    assert [word for word in people + retail if word in shown] == []


def test_another_supplier_s_order_is_not_there(sent):
    stranger = seller_of(make.supplier("别家"), "别家的人")
    assert stranger.get(reverse("portal:home")).status_code == 200
    assert sent.number.encode() not in stranger.get(reverse("portal:home")).content
    for name in ("order", "order-excel", "order-print"):
        assert stranger.get(reverse(f"portal:{name}", args=[sent.public_id])).status_code == 404
    line = sent.lines.first()
    answer = stranger.post(reverse("portal:order", args=[sent.public_id]), {f"line_{line.pk}": "9"})
    assert answer.status_code == 404
    line.refresh_from_db()
    assert line.confirmed_quantity is None


def test_a_draft_is_not_shown_before_it_is_sent():
    town = Town()
    town.place(0, 0, (1, 0))
    town.pay(0)
    town.close()
    draft = PurchaseOrder.objects.get()
    with clock.standing_at(town.now):
        seller = seller_of(draft.supplier)
        assert draft.number.encode() not in seller.get(reverse("portal:home")).content
        assert seller.get(reverse("portal:order", args=[draft.public_id])).status_code == 404


def test_members_and_leaders_find_no_portal_and_nobody_is_asked_to_sign_in(sent):
    for account in (make.account(), make.account(make.leader("赵姐").person)):
        for page in pages_of(sent):
            assert browser(account).get(page).status_code == 404, page
    for page in pages_of(sent):
        assert Client().get(page)["Location"].startswith("/sign-in/?next="), page


def test_who_no_longer_works_there_sees_nothing(sent):
    seller = seller_of(sent.supplier)
    sent.supplier.staff.update(effective_until=NOON)
    assert seller.get(reverse("portal:order", args=[sent.public_id])).status_code == 404


def test_opening_says_seen_and_confirming_says_how_much_comes(sent):
    seller = seller_of(sent.supplier)
    page = reverse("portal:order", args=[sent.public_id])
    assert seller.get(page).status_code == 200
    sent.refresh_from_db()
    assert sent.status == "seen"
    lines = list(sent.lines.order_by("variant_id"))
    typed = {f"line_{line.pk}": str(line.purchase_units) for line in lines}
    for _press in range(2):
        assert seller.post(page, typed).status_code == 302
    sent.refresh_from_db()
    assert sent.status == "confirmed"
    assert [line.confirmed_quantity for line in sent.lines.order_by("variant_id")] == [
        line.purchase_units * line.steps_per_purchase_unit for line in lines
    ]


@pytest.mark.parametrize("nonsense", ["-1", "many", "1e400", "nan", "0.3333"])
def test_what_is_no_quantity_is_refused_and_stays_in_the_field(sent, nonsense):
    seller = seller_of(sent.supplier)
    page = reverse("portal:order", args=[sent.public_id])
    lines = list(sent.lines.all())
    answer = seller.post(page, {f"line_{line.pk}": nonsense for line in lines})
    assert answer.status_code == 422
    assert f'value="{nonsense}"' in answer.content.decode()
    assert "0 or more" in answer.content.decode()
    assert {line.confirmed_quantity for line in sent.lines.all()} == {None}
