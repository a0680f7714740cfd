"""Who may see and change the catalogue. A supplier's staff see their own goods and what they are paid for them,
never what members pay."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from kaituan.catalogue.models import Product, Supplier, Variant
from kaituan.catalogue.queries import current_prices
from kaituan.catalogue.refusals import CatalogueAccessDenied
from kaituan.people.models import Person, StaffRole

CATALOGUE_ROLES = (StaffRole.Role.ADMIN, StaffRole.Role.OPERATOR)


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


def holds_at(now: datetime) -> Q:
    """Rows of a dated role that hold at `now`."""
    return Q(effective_from__lte=now) & (Q(effective_until__isnull=True) | Q(effective_until__gt=now))


def may_keep_catalogue(*, person: Person | None, now: datetime) -> bool:
    if person is None:
        return False
    return person.staff_roles.filter(holds_at(now), role__in=CATALOGUE_ROLES).exists()


def require_catalogue_keeper(*, person: Person | None, now: datetime) -> None:
    if not may_keep_catalogue(person=person, now=now):
        raise CatalogueAccessDenied(_("Only the operator's staff may change the catalogue."))


def suppliers_of(*, person: Person | None, now: datetime) -> QuerySet[Supplier]:
    """The suppliers that a person may act for at `now`."""
    if person is None:
        return Supplier.objects.none()
    ids = person.supplier_roles.filter(holds_at(now)).values("supplier_id")
    return Supplier.objects.filter(pk__in=ids).order_by("name")


def get_own_supplier(*, person: Person | None, public_id: str, now: datetime) -> Supplier:
    """The supplier, for its own staff and for the catalogue's keepers; refused for everybody else.

    The refusal says the same whether the supplier exists or not.
    """
    supplier = Supplier.objects.filter(public_id=public_id).first()
    if supplier is not None and (
        suppliers_of(person=person, now=now).filter(pk=supplier.pk).exists()
        or may_keep_catalogue(person=person, now=now)
    ):
        return supplier
    raise CatalogueAccessDenied(_("You do not act for this supplier."))


def supplier_items(
    *, person: Person | None, supplier: Supplier, now: datetime, search: str = ""
) -> list[SupplierItem]:
    """The supplier's own goods with the purchase prices in force. Raises CatalogueAccessDenied."""
    get_own_supplier(person=person, public_id=supplier.public_id, now=now)
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


def get_product(*, person: Person | None, public_id: str, now: datetime) -> Product:
    """A product to change, for the catalogue's keepers only."""
    require_catalogue_keeper(person=person, now=now)
    product = Product.objects.filter(public_id=public_id).select_related("supplier", "category").first()
    if product is None:
        raise CatalogueAccessDenied(_("There is no such product."))
    return product
