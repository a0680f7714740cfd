"""Who may see what of the catalogue."""

from datetime import timedelta

import pytest

from kaituan.catalogue import access
from kaituan.catalogue.access import SupplierItem
from kaituan.catalogue.refusals import CatalogueAccessDenied
from kaituan.catalogue.services import add_supplier_staff, end_supplier_staff
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
        staff = make.person("供应商小陈")
        operator = make.person("运营小李")
        leader = make.leader().person
        stranger = make.person("路人")

    add_supplier_staff(supplier=Town.supplier, person=Town.staff, acting_person=None, now=NOON)
    StaffRole.objects.create(person=Town.operator, role="operator", effective_from=NOON)
    return Town


def test_supplier_staff_see_their_own_goods_with_purchase_prices(town):
    [item] = access.supplier_items(person=town.staff, supplier=town.supplier, now=NOON)
    assert (item.sku, item.purchase_price_fen, item.purchase_unit) == (town.variant.sku, 2800, "箱")


def test_a_supplier_never_sees_a_retail_price(town):
    assert not [name for name in SupplierItem.__slots__ if "sale" in name or "retail" in name]
    [item] = access.supplier_items(person=town.staff, supplier=town.supplier, now=NOON)
    assert "3990" not in repr(item)


def test_not_another_suppliers_goods(town):
    with pytest.raises(CatalogueAccessDenied):
        access.supplier_items(person=town.staff, supplier=town.other, now=NOON)


@pytest.mark.parametrize("who", ["leader", "stranger", None])
def test_leaders_strangers_and_nobody_are_refused(town, who):
    person = getattr(town, who) if who else None
    with pytest.raises(CatalogueAccessDenied):
        access.supplier_items(person=person, supplier=town.supplier, now=NOON)
    with pytest.raises(CatalogueAccessDenied):
        access.get_own_supplier(person=person, public_id="nosuchsupplier", now=NOON)
    with pytest.raises(CatalogueAccessDenied):
        access.get_product(person=person, public_id=town.variant.product.public_id, now=NOON)


def test_the_operator_sees_all_and_may_change_it_while_the_role_holds(town):
    assert access.supplier_items(person=town.operator, supplier=town.other, now=NOON)
    assert access.get_product(person=town.operator, public_id=town.variant.product.public_id, now=NOON)
    with pytest.raises(CatalogueAccessDenied):
        access.require_catalogue_keeper(person=town.operator, now=NOON - timedelta(seconds=1))
    with pytest.raises(CatalogueAccessDenied):
        access.require_catalogue_keeper(person=town.staff, now=NOON)


def test_access_ends_with_the_role(town):
    staff = town.supplier.staff.get()
    end_supplier_staff(staff=staff, acting_person=None, now=NOON + timedelta(days=1))
    assert access.suppliers_of(person=town.staff, now=NOON).exists()
    assert not access.suppliers_of(person=town.staff, now=NOON + timedelta(days=1)).exists()
