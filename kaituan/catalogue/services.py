"""Keeping the catalogue: suppliers, categories, products, variants, their prices and their stock."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from kaituan.catalogue.locks import lock_pools
from kaituan.catalogue.models import (
    Category,
    Product,
    StockPool,
    StockSupply,
    Supplier,
    SupplierStaff,
    Variant,
    VariantPrice,
)
from kaituan.catalogue.pictures import clean_picture
from kaituan.catalogue.queries import current_price
from kaituan.catalogue.refusals import (
    InvalidFields,
    PoolTooLow,
    PriceRefused,
    StillInUse,
)
from kaituan.money.fen import MAX_FEN
from kaituan.people.models import Person

MAX_ALIASES = 20


@dataclass(frozen=True, slots=True)
class SupplierFields:
    name: str
    contact_name: str = ""
    phone: str = ""
    lead_days: int = 1


@dataclass(frozen=True, slots=True)
class CategoryFields:
    code: str
    name: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class ProductFields:
    """aliases: other names that members write in the chat. tile_hue: 0-359."""

    supplier_id: int
    category_id: int
    name: str
    description: str = ""
    origin: str = ""
    storage: str = ""
    aliases: tuple[str, ...] = ()
    emoji: str = ""
    tile_hue: int = 30
    in_selection_pool: bool = True


@dataclass(frozen=True, slots=True)
class VariantFields:
    """Units as in `models.Variant`: steps are base steps, a piece or a gram."""

    sku: str
    sale_unit: str
    purchase_unit: str
    name: str = ""
    base_step: str = Variant.BaseStep.PIECE
    steps_per_sale_unit: int = 1
    steps_per_purchase_unit: int = 1
    net_weight_g: int = 0


UNIT_FIELDS = frozenset({"base_step", "steps_per_sale_unit", "steps_per_purchase_unit"})


@transaction.atomic
def create_supplier(*, fields: SupplierFields, acting_person: Person | None, now: datetime) -> Supplier:
    return _store(Supplier(**asdict(fields), created_at=now))


@transaction.atomic
def edit_supplier(*, supplier: Supplier, fields: SupplierFields, acting_person: Person | None) -> Supplier:
    return _store(supplier, **asdict(fields))


@transaction.atomic
def archive_supplier(*, supplier: Supplier, acting_person: Person | None, now: datetime) -> Supplier:
    """Take a supplier and all its products out of use; what was ordered stands. Twice is once."""
    if supplier.archived_at is None:
        for product in supplier.products.filter(archived_at__isnull=True):
            archive_product(product=product, acting_person=acting_person, now=now)
        _store(supplier, archived_at=now)
    return supplier


@transaction.atomic
def add_supplier_staff(
    *, supplier: Supplier, person: Person, acting_person: Person | None, now: datetime
) -> SupplierStaff:
    """Let a person act for a supplier in the portal from now on."""
    standing = supplier.staff.filter(person=person, effective_until__isnull=True).first()
    return standing or SupplierStaff.objects.create(supplier=supplier, person=person, effective_from=now)


@transaction.atomic
def end_supplier_staff(*, staff: SupplierStaff, acting_person: Person | None, now: datetime) -> SupplierStaff:
    if staff.effective_until is None:
        _store(staff, effective_until=now)
    return staff


@transaction.atomic
def create_category(*, fields: CategoryFields, acting_person: Person | None) -> Category:
    return _store(Category(**asdict(fields)))


@transaction.atomic
def edit_category(*, category: Category, fields: CategoryFields, acting_person: Person | None) -> Category:
    """Raises StillInUse when the code changes that products carry: commission plans name it."""
    if fields.code != category.code and category.products.exists():
        raise StillInUse(_("Products carry this category's code and commission plans name it: it stays."))
    return _store(category, **asdict(fields))


@transaction.atomic
def archive_category(*, category: Category, acting_person: Person | None, now: datetime) -> Category:
    if category.products.filter(archived_at__isnull=True).exists():
        raise StillInUse(_("Move the products of this category to another one first."))
    return _store(category, archived_at=category.archived_at or now)


@transaction.atomic
def create_product(*, fields: ProductFields, acting_person: Person | None, now: datetime) -> Product:
    return _store(Product(**_product_values(fields), created_at=now))


@transaction.atomic
def edit_product(*, product: Product, fields: ProductFields, acting_person: Person | None) -> Product:
    """Raises StillInUse when it would go to another supplier: what was bought was bought from the first."""
    if fields.supplier_id != product.supplier_id and product.variants.exists():
        raise StillInUse(_("A product stays with its supplier: make a new one for the other."))
    return _store(product, **_product_values(fields))


@transaction.atomic
def archive_product(*, product: Product, acting_person: Person | None, now: datetime) -> Product:
    """Take a product and its variants out of use; open campaigns go on. Twice is once."""
    product.variants.filter(archived_at__isnull=True).update(archived_at=now)
    return _store(product, archived_at=product.archived_at or now, in_selection_pool=False)


@transaction.atomic
def set_in_selection_pool(
    *, products: Iterable[Product], is_in: bool, acting_person: Person | None, now: datetime
) -> int:
    """Put products where leaders choose from, or take them out; says how many changed."""
    chosen = Product.objects.filter(pk__in=[product.pk for product in products], archived_at__isnull=True)
    return chosen.exclude(in_selection_pool=is_in).update(in_selection_pool=is_in)


@transaction.atomic
def set_product_picture(*, product: Product, data: bytes | None, acting_person: Person | None) -> Product:
    """Give a product its picture, or take it away (None). Raises PictureRefused.

    What is stored is written anew by us under a name nobody can guess or choose.
    """
    old_name = product.picture.name
    storage = product.picture.storage
    if data is None:
        product.picture = ""
    else:
        product.picture.save(f"{uuid.uuid4().hex}.jpg", ContentFile(clean_picture(data)), save=False)
    product.save(update_fields=["picture"])
    if old_name:
        transaction.on_commit(lambda: storage.delete(old_name))
    return product


@transaction.atomic
def create_variant(
    *,
    product: Product,
    fields: VariantFields,
    sale_price_fen: int,
    purchase_price_fen: int,
    source: str,
    acting_person: Person | None,
    now: datetime,
) -> Variant:
    """A product in one more size, with its first price. Raises InvalidFields, PriceRefused."""
    if product.archived_at is not None:
        raise StillInUse(_("This product is archived."))
    variant = _store(Variant(product=product, **_variant_values(fields)))
    set_price(
        variant=variant,
        sale_price_fen=sale_price_fen,
        purchase_price_fen=purchase_price_fen,
        source=source,
        acting_person=acting_person,
        now=now,
    )
    return variant


@transaction.atomic
def edit_variant(*, variant: Variant, fields: VariantFields, acting_person: Person | None) -> Variant:
    """Raises StillInUse when units would change under stock or a price history that is counted in them."""
    values = _variant_values(fields)
    changed = {name for name in UNIT_FIELDS if getattr(variant, name) != values[name]}
    if changed and variant.pools.exists():
        raise StillInUse(_("There is stock counted in these units: make a new variant instead."))
    return _store(variant, **values)


@transaction.atomic
def archive_variant(*, variant: Variant, acting_person: Person | None, now: datetime) -> Variant:
    return _store(variant, archived_at=variant.archived_at or now)


@transaction.atomic
def set_price(
    *,
    variant: Variant,
    sale_price_fen: int,
    purchase_price_fen: int,
    source: str,
    acting_person: Person | None,
    now: datetime,
    effective_from: datetime | None = None,
) -> VariantPrice:
    """Let a price hold from `effective_from` (default: now) on, until the next one.

    sale_price_fen per sale unit, purchase_price_fen per purchase unit. The same price again changes nothing.
    Raises PriceRefused for a time that has passed or is taken, and for amounts that are no price.
    """
    starts = effective_from or now
    if starts < now:
        raise PriceRefused(
            _("A price cannot hold from a time that has passed: discounts are shown against it.")
        )
    for amount_fen in (sale_price_fen, purchase_price_fen):
        if not 0 <= amount_fen <= MAX_FEN:
            raise PriceRefused(_("A price is 0 or more."))
    # Two people pricing one variant take turns, so that "the same again" is judged by what really holds.
    Variant.objects.select_for_update(of=("self",), no_key=True).get(pk=variant.pk)
    standing = current_price(variant=variant, now=starts)
    wanted = (sale_price_fen, purchase_price_fen)
    if standing and (standing.sale_price_fen, standing.purchase_price_fen) == wanted:
        return standing
    if standing and standing.effective_from == starts:
        raise PriceRefused(_("Another price was set for this very moment: choose a later one."))
    return VariantPrice.objects.create(
        variant=variant,
        effective_from=starts,
        sale_price_fen=sale_price_fen,
        purchase_price_fen=purchase_price_fen,
        source=source[:120],
    )


@transaction.atomic
def create_pool(
    *,
    variant: Variant,
    quantity: int,
    label: str,
    acting_person: Person | None,
    now: datetime,
    is_shared: bool = True,
    reason: str = "",
) -> StockPool:
    """A pool holding `quantity` base steps. Shared: any campaign may draw on it; else it is one offer's own."""
    if quantity < 0:
        raise InvalidFields({"quantity": _("A quantity is 0 or more.")})
    pool = _store(
        StockPool(
            variant=variant,
            label=label,
            is_shared=is_shared,
            supplied_quantity=quantity,
            available_quantity=quantity,
        )
    )
    if quantity:
        _record_supply(
            pool=pool, change=quantity, key=f"pool:{pool.pk}", reason=reason or label,
            acting_person=acting_person, now=now,
        )  # fmt: skip
    return pool


@transaction.atomic
def supply_pool(
    *, pool: StockPool, change: int, key: str, reason: str, acting_person: Person | None, now: datetime
) -> StockPool:
    """Add `change` base steps to a pool, or take so many unsold ones out (negative).

    key: made with the form; the same key again changes nothing. Raises PoolTooLow when less than that is unsold.
    """
    [pool] = lock_pools(pool_ids=[pool.pk])
    if change == 0 or StockSupply.objects.filter(key=key).exists():
        return pool
    if pool.available_quantity + change < 0:
        raise PoolTooLow(
            _("Only %(left)d of %(pool)s are unsold: no more than that can be taken out.")
            % {"left": pool.available_quantity, "pool": pool.label}
        )
    pool.supplied_quantity += change
    pool.available_quantity += change
    pool.save(update_fields=["supplied_quantity", "available_quantity"])
    _record_supply(pool=pool, change=change, key=key, reason=reason, acting_person=acting_person, now=now)
    return pool


def _record_supply(
    *, pool: StockPool, change: int, key: str, reason: str, acting_person: Person | None, now: datetime
) -> None:
    StockSupply.objects.create(
        pool=pool, change_quantity=change, key=key, reason=reason[:120], actor=acting_person, happened_at=now
    )


def _product_values(fields: ProductFields) -> dict[str, object]:
    aliases = list(dict.fromkeys(alias.strip() for alias in fields.aliases if alias.strip()))
    if len(aliases) > MAX_ALIASES or any(len(alias) > 30 for alias in aliases):
        raise InvalidFields({"aliases": _("At most 20 other names of 30 characters each.")})
    if not 0 <= fields.tile_hue <= 359:
        raise InvalidFields({"tile_hue": _("A hue is a number from 0 to 359.")})
    return {**asdict(fields), "name": fields.name.strip(), "aliases": aliases}


def _variant_values(fields: VariantFields) -> dict[str, object]:
    if fields.steps_per_sale_unit < 1 or fields.steps_per_purchase_unit < 1:
        raise InvalidFields({"steps_per_purchase_unit": _("A unit holds at least one piece or gram.")})
    return {**asdict(fields), "sku": fields.sku.strip()}


def _store[Row: models.Model](row: Row, **values: object) -> Row:
    """Set the values and save them, or raise InvalidFields with a sentence for each field that is wrong."""
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        raise InvalidFields({name: " ".join(texts) for name, texts in error.message_dict.items()}) from error
    try:
        with transaction.atomic():
            row.save(update_fields=list(values) if row.pk else None)
    except IntegrityError as error:
        # Somebody took the name between the check and the write.
        raise InvalidFields({"name": _("The name or code is already taken.")}) from error
    return row
