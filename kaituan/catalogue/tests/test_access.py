"""Who may see what of the catalogue."""

from datetime import timedelta

import pytest

from kaituan.catalogue import access
from kaituan.catalogue.access import SupplierItem
from kaituan.catalogue.services import add_supplier_staff, end_supplier_staff
from kaituan.people.access import NotYours
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def town():
    class Town:
        variant = make.variant(sale_price_fen=3990, purchase_price_fen=2800)
        supplier = variant.product.supplier
        other = make.variant().product.supplier
        staff = make.account(make.person("供应商小陈"))
        operator = make.account(make.person("运营小李"), is_staff=True)
        leader = make.account(make.leader().person)
        stranger = make.account(make.person("路人"))
        nobody = None

    add_supplier_staff(supplier=Town.supplier, person=Town.staff.person, acting_person=None, now=NOON)
    StaffRole.objects.create(person=Town.operator.person, role="operator", effective_from=NOON)
    return Town


def test_supplier_staff_see_their_own_goods_with_purchase_prices(town):
    [item] = access.supplier_items(town.staff, town.supplier, now=NOON)
    assert (item.sku, item.purchase_price_fen, item.purchase_unit) == (town.variant.sku, 2800, "箱")
    assert access.supplier_items(town.staff, town.supplier, now=NOON, search="苹果") == []


def test_a_supplier_never_sees_a_retail_price(town):
    assert not [name for name in SupplierItem.__slots__ if "sale" in name or "retail" in name]
    [item] = access.supplier_items(town.staff, town.supplier, now=NOON)
    assert "3990" not in repr(item)


def test_not_another_suppliers_goods(town):
    with pytest.raises(NotYours):
        access.supplier_items(town.staff, town.other, now=NOON)


@pytest.mark.parametrize("who", ["leader", "stranger", "nobody"])
def test_leaders_strangers_and_nobody_are_refused(town, who):
    account = getattr(town, who)
    for refused in (
        lambda: access.supplier_items(account, town.supplier, now=NOON),
        lambda: access.own_supplier(account, "nosuchsupplier", now=NOON),
        lambda: access.product_for_keeper(account, town.variant.product.public_id, now=NOON),
        lambda: access.variant_for_keeper(account, town.variant.sku, now=NOON),
        lambda: access.category_for_keeper(account, town.variant.product.category.code, now=NOON),
        lambda: access.require_catalogue_keeper(account, now=NOON),
    ):
        with pytest.raises(NotYours):
            refused()


def test_the_operator_sees_all_and_may_change_it_while_the_role_holds(town):
    assert access.supplier_items(town.operator, town.other, now=NOON)
    product = town.variant.product
    assert access.product_for_keeper(town.operator, product.public_id, now=NOON) == product
    assert access.variant_for_keeper(town.operator, town.variant.sku, now=NOON) == town.variant
    assert access.category_for_keeper(town.operator, "fruit", now=NOON) == product.category
    with pytest.raises(NotYours):
        access.require_catalogue_keeper(town.operator, now=NOON - timedelta(seconds=1))
    with pytest.raises(NotYours):
        access.require_catalogue_keeper(town.staff, now=NOON)


def test_access_ends_with_the_role(town):
    staff = town.supplier.staff.get()
    end_supplier_staff(staff=staff, acting_person=None, now=NOON + timedelta(days=1))
    assert access.suppliers_of(town.staff, now=NOON).exists()
    assert not access.suppliers_of(town.staff, now=NOON + timedelta(days=1)).exists()
