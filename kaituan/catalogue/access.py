"""Who may see and change the catalogue. A supplier's staff see their own goods and what they are paid for them,
never what members pay. Each function returns the row or refuses with `people.access.NotYours`."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from kaituan.catalogue.models import Category, Product, Supplier, Variant
from kaituan.catalogue.queries import current_prices
from kaituan.people.access import NotYours, Visitor, has_role, person_of, require_staff
from kaituan.people.groups import holds_at
from kaituan.people.models import Person, StaffRole

CATALOGUE_ROLES = (StaffRole.Role.OPERATOR,)


@dataclass(frozen=True, slots=True)
class SupplierItem:
    """A variant as its supplier sees it. Has no field for a retail price, so that none can slip through.

    purchase_price_fen: per purchase unit; None before the first price.
    """

    variant_id: int
    sku: str
    product_name: str
    variant_name: str
    purchase_unit: str
    steps_per_purchase_unit: int
    base_step: str
    purchase_price_fen: int | None
    effective_from: datetime | None
    is_archived: bool


def require_catalogue_keeper(account: Visitor, *, now: datetime) -> Person:
    """The person of a visitor who may change the catalogue."""
    return require_staff(account, CATALOGUE_ROLES, now=now)


def suppliers_of(account: Visitor, *, now: datetime) -> QuerySet[Supplier]:
    """The suppliers that the visitor acts for now."""
    held = person_of(account).supplier_roles.filter(holds_at(now)).values("supplier_id")
    return Supplier.objects.filter(pk__in=held).order_by("name")


def own_supplier(account: Visitor, public_id: str, *, now: datetime) -> Supplier:
    """A supplier that the visitor acts for; any supplier for the catalogue's keepers."""
    if has_role(account, CATALOGUE_ROLES, now=now):
        rows = Supplier.objects.filter(public_id=public_id)
    else:
        rows = suppliers_of(account, now=now).filter(public_id=public_id)
    return _one(rows)


def supplier_items(
    account: Visitor, supplier: Supplier, *, now: datetime, search: str = ""
) -> list[SupplierItem]:
    """The supplier's own goods with the purchase prices in force."""
    own_supplier(account, supplier.public_id, now=now)
    variants = Variant.objects.filter(product__supplier=supplier).select_related("product")
    for word in search.split()[:8]:
        variants = variants.filter(
            Q(product__name__icontains=word) | Q(name__icontains=word) | Q(sku__icontains=word)
        )
    rows = list(variants.order_by("product__name", "pk"))
    prices = current_prices(variant_ids=[row.pk for row in rows], now=now)
    return [
        SupplierItem(
            variant_id=row.pk,
            sku=row.sku,
            product_name=row.product.name,
            variant_name=row.name,
            purchase_unit=row.purchase_unit,
            steps_per_purchase_unit=row.steps_per_purchase_unit,
            base_step=row.base_step,
            purchase_price_fen=prices[row.pk].purchase_price_fen if row.pk in prices else None,
            effective_from=prices[row.pk].effective_from if row.pk in prices else None,
            is_archived=row.archived_at is not None or row.product.archived_at is not None,
        )
        for row in rows
    ]


def product_for_keeper(account: Visitor, public_id: str, *, now: datetime) -> Product:
    """A product to change."""
    require_catalogue_keeper(account, now=now)
    return _one(Product.objects.filter(public_id=public_id).select_related("supplier", "category"))


def variant_for_keeper(account: Visitor, sku: str, *, now: datetime) -> Variant:
    """A variant to change."""
    require_catalogue_keeper(account, now=now)
    return _one(Variant.objects.filter(sku=sku).select_related("product__supplier"))


def category_for_keeper(account: Visitor, code: str, *, now: datetime) -> Category:
    """A category to change."""
    require_catalogue_keeper(account, now=now)
    return _one(Category.objects.filter(code=code))


def _one[Row: (Supplier, Product, Variant, Category)](rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise NotYours
    return row
