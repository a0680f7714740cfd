"""A supplier's price list: read, shown as what it would change, then applied exactly as shown."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.catalogue.models import Category, PriceListImport, Product, Supplier, Variant, VariantPrice
from kaituan.catalogue.price_list_file import COLUMNS, ReadRow, read_price_list, write_price_list
from kaituan.catalogue.queries import current_prices
from kaituan.catalogue.refusals import CatalogueRefused, PreviewStale
from kaituan.catalogue.services import (
    ProductFields,
    VariantFields,
    create_product,
    create_variant,
    set_price,
)
from kaituan.money.fen import format_yuan
from kaituan.people.models import Person


class Effect(StrEnum):
    """What a row of the list would do."""

    NEW_PRODUCT = "new_product"
    NEW_VARIANT = "new_variant"
    """One more size of a product that we have."""
    PRICE = "price"
    """Another price than now."""
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    """Names something that we do not have, and does not say enough to make it. Left alone."""
    ERROR = "error"
    """Cannot be read or cannot stand. Left alone."""


CHANGING = (Effect.NEW_PRODUCT, Effect.NEW_VARIANT, Effect.PRICE)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row of the preview, as it is stored. Prices in fen; None = not known, or not changed by this row.

    number: of the row in Excel. message: why the row is an error or unknown, one sentence.
    """

    number: int
    effect: str
    sku: str
    name: str
    variant_name: str
    message: str = ""
    variant_id: int | None = None
    product_id: int | None = None
    category_id: int | None = None
    sale_unit: str = ""
    base_step: str = ""
    steps_per_sale_unit: int = 1
    purchase_unit: str = ""
    steps_per_purchase_unit: int = 1
    old_purchase_fen: int | None = None
    new_purchase_fen: int | None = None
    old_sale_fen: int | None = None
    new_sale_fen: int | None = None
    origin: str = ""
    storage: str = ""
    aliases: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying changed. Zeroes when it had been applied before."""

    new_products: int = 0
    new_variants: int = 0
    prices: int = 0


@transaction.atomic
def preview_price_list(
    *, supplier: Supplier, data: bytes, file_name: str, acting_person: Person, now: datetime
) -> PriceListImport:
    """Read a workbook and store what it would change; changes nothing in the catalogue.

    Raises PriceListUnreadable when the file as a whole is no price list.
    """
    rows = _Judge(supplier=supplier, now=now).judge(read_price_list(data))
    return PriceListImport.objects.create(
        supplier=supplier,
        file_name=file_name.replace("/", " ").replace("\\", " ")[-200:],
        content_sha256=hashlib.sha256(data).hexdigest(),
        uploaded_at=now,
        uploaded_by=acting_person,
        rows=[asdict(row) for row in rows],
    )


def preview_rows(*, price_list: PriceListImport) -> list[PreviewRow]:
    return [PreviewRow(**row) for row in price_list.rows]


def effect_counts(*, price_list: PriceListImport) -> dict[str, int]:
    """How many rows would do what; every effect is named."""
    counts = Counter(row["effect"] for row in price_list.rows)
    return {effect.value: counts[effect] for effect in Effect}


def not_in_list(*, price_list: PriceListImport) -> list[Variant]:
    """The supplier's variants in use that the list does not name. Nothing happens to them."""
    named = {row["variant_id"] for row in price_list.rows if row["variant_id"]}
    in_use = Variant.objects.filter(
        product__supplier=price_list.supplier, archived_at__isnull=True, product__archived_at__isnull=True
    )
    return list(in_use.exclude(pk__in=named).select_related("product").order_by("product__name", "pk"))


@transaction.atomic
def apply_price_list(*, price_list: PriceListImport, acting_person: Person, now: datetime) -> Applied:
    """Do exactly what the preview says. Rows that are errors or unknown are left alone; a second time does nothing.

    Raises PreviewStale when the catalogue has changed since: then upload the list again.
    """
    price_list = PriceListImport.objects.select_for_update(of=("self",)).get(pk=price_list.pk)
    if price_list.applied_at is not None:
        return Applied()
    rows = [row for row in preview_rows(price_list=price_list) if row.effect in CHANGING]
    variants = _lock_variants(row.variant_id for row in rows)
    prices = current_prices(variant_ids=variants, now=now)
    made: dict[str, Product] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        source = f"{price_list.file_name[-100:]} #{row.number}"
        try:
            if row.effect == Effect.PRICE:
                _apply_price(row, variants, prices, source, acting_person, now)
            else:
                _apply_new(row, price_list.supplier, made, source, acting_person, now)
        except PreviewStale:
            raise
        except CatalogueRefused as refused:
            # Somebody took the number, archived the product ...: not what was shown.
            raise _stale(row) from refused
        counts[row.effect] += 1
    price_list.applied_at = now
    price_list.save(update_fields=["applied_at"])
    return Applied(
        new_products=counts[Effect.NEW_PRODUCT],
        new_variants=counts[Effect.NEW_VARIANT],
        prices=counts[Effect.PRICE],
    )


def _lock_variants(variant_ids: Iterable[int | None]) -> dict[int, Variant]:
    wanted = [variant_id for variant_id in variant_ids if variant_id]
    locked = Variant.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted).order_by("pk")
    return {variant.pk: variant for variant in locked}


def _apply_price(
    row: PreviewRow,
    variants: dict[int, Variant],
    prices: dict[int, VariantPrice],
    source: str,
    acting_person: Person,
    now: datetime,
) -> None:
    assert row.variant_id is not None
    assert row.new_purchase_fen is not None
    standing = prices.get(row.variant_id)
    held = (standing.sale_price_fen, standing.purchase_price_fen) if standing else (None, None)
    variant = variants.get(row.variant_id)
    if variant is None or variant.archived_at is not None or held != (row.old_sale_fen, row.old_purchase_fen):
        raise _stale(row)
    sale_fen = row.new_sale_fen if row.new_sale_fen is not None else row.old_sale_fen
    assert sale_fen is not None
    set_price(
        variant=variant,
        sale_price_fen=sale_fen,
        purchase_price_fen=row.new_purchase_fen,
        source=source,
        acting_person=acting_person,
        now=now,
    )


def _apply_new(
    row: PreviewRow,
    supplier: Supplier,
    made: dict[str, Product],
    source: str,
    acting_person: Person,
    now: datetime,
) -> None:
    """Make the product (once for all its sizes in the list) and the variant."""
    assert row.new_purchase_fen is not None
    assert row.new_sale_fen is not None
    standing = Product.objects.filter(supplier=supplier, name=row.name, archived_at__isnull=True).first()
    if row.product_id is None and row.name not in made:
        if standing is not None or row.category_id is None:
            raise _stale(row)
        fields = ProductFields(
            supplier_id=supplier.pk,
            category_id=row.category_id,
            name=row.name,
            origin=row.origin,
            storage=row.storage,
            aliases=tuple(_split_names(row.aliases)),
            tile_hue=int(hashlib.sha256(row.name.encode()).hexdigest(), 16) % 360,
        )
        made[row.name] = create_product(fields=fields, acting_person=acting_person, now=now)
    product = made.get(row.name) or standing
    if product is None or (row.product_id is not None and product.pk != row.product_id):
        raise _stale(row)
    if product.variants.filter(name=row.variant_name, archived_at__isnull=True).exists():
        raise _stale(row)
    create_variant(
        product=product,
        fields=VariantFields(
            sku=row.sku or f"{supplier.public_id[:6].upper()}-{product.pk}-{product.variants.count() + 1}",
            name=row.variant_name,
            base_step=row.base_step,
            sale_unit=row.sale_unit,
            steps_per_sale_unit=row.steps_per_sale_unit,
            purchase_unit=row.purchase_unit,
            steps_per_purchase_unit=row.steps_per_purchase_unit,
        ),
        sale_price_fen=row.new_sale_fen,
        purchase_price_fen=row.new_purchase_fen,
        source=source,
        acting_person=acting_person,
        now=now,
    )


def _stale(row: PreviewRow) -> PreviewStale:
    return PreviewStale(
        _("The catalogue has changed since this preview (row %(row)d): upload the list again.")
        % {"row": row.number}
    )


def _split_names(text: str) -> list[str]:
    for separator in ("，", ",", "；", ";", "/", "|"):
        text = text.replace(separator, "、")
    return [part.strip()[:30] for part in text.split("、") if part.strip()][:20]


class _Judge:
    """Says what each row of one supplier's list would do to the catalogue as it is now."""

    def __init__(self, *, supplier: Supplier, now: datetime) -> None:
        self.supplier = supplier
        self.variants = list(
            Variant.objects.filter(product__supplier=supplier).select_related("product").order_by("pk")
        )
        self.prices = current_prices(variant_ids=[v.pk for v in self.variants], now=now)
        self.by_sku = {v.sku.casefold(): v for v in self.variants}
        self.by_name: dict[tuple[str, str], Variant] = {}
        for variant in self.variants:
            if variant.archived_at is None:
                self.by_name[variant.product.name, variant.name] = variant
        products = Product.objects.filter(supplier=supplier, archived_at__isnull=True)
        self.products = {product.name: product for product in products}
        self.categories: dict[str, Category] = {}
        for category in Category.objects.filter(archived_at__isnull=True):
            self.categories[category.name.casefold()] = self.categories[category.code.casefold()] = category
        self.named: dict[tuple[str, ...], int] = {}
        self.announced: set[str] = set()

    def judge(self, rows: list[ReadRow]) -> list[PreviewRow]:
        wanted = [row.sku for row in rows if row.sku]
        foreign = Variant.objects.filter(sku__in=wanted).exclude(product__supplier=self.supplier)
        self.foreign_skus = {sku.casefold() for sku in foreign.values_list("sku", flat=True)}
        return [self._judge_row(row) for row in rows]

    def _judge_row(self, row: ReadRow) -> PreviewRow:
        if row.errors:
            return _left_alone(row, Effect.ERROR, row.errors[0])
        if not row.sku and not row.name:
            return _left_alone(row, Effect.ERROR, _("The row names neither a product nor a number."))
        if row.purchase_price is None:
            return _left_alone(row, Effect.ERROR, _("The row has no purchase price."))
        if row.sku.casefold() in self.foreign_skus:
            return _left_alone(row, Effect.ERROR, _("This number belongs to another supplier's product."))
        variant = (
            self.by_sku.get(row.sku.casefold()) if row.sku else self.by_name.get((row.name, row.variant_name))
        )
        keys = {("variant", str(variant.pk)) if variant else ("new", row.name, row.variant_name)}
        if row.sku:
            keys.add(("sku", row.sku.casefold()))
        earlier = min(self.named.setdefault(key, row.number) for key in keys)
        if earlier != row.number:
            message = _("The same goods stand in row %(row)d already.") % {"row": earlier}
            return _left_alone(row, Effect.ERROR, message)
        return self._known(row, variant) if variant else self._unknown(row)

    def _known(self, row: ReadRow, variant: Variant) -> PreviewRow:
        if variant.archived_at is not None or variant.product.archived_at is not None:
            return _left_alone(row, Effect.UNKNOWN, _("These goods were archived: bring them back first."))
        if conflict := _units_conflict(row, variant):
            return _left_alone(row, Effect.ERROR, conflict)
        price = self.prices.get(variant.pk)
        old_purchase = price.purchase_price_fen if price else None
        old_sale = price.sale_price_fen if price else None
        if old_sale is None and row.sale_price is None:
            return _left_alone(
                row, Effect.ERROR, _("These goods have no retail price yet: the row must give one.")
            )
        same = row.purchase_price == old_purchase and row.sale_price in (None, old_sale)
        return PreviewRow(
            number=row.number,
            effect=Effect.UNCHANGED if same else Effect.PRICE,
            sku=variant.sku,
            name=variant.product.name,
            variant_name=variant.name,
            variant_id=variant.pk,
            product_id=variant.product_id,
            sale_unit=variant.sale_unit,
            purchase_unit=variant.purchase_unit,
            old_purchase_fen=old_purchase,
            new_purchase_fen=row.purchase_price,
            old_sale_fen=old_sale,
            new_sale_fen=row.sale_price,
        )

    def _unknown(self, row: ReadRow) -> PreviewRow:
        twin = self.by_name.get((row.name, row.variant_name))
        if twin is not None:
            message = _("These goods have the number %(sku)s in the catalogue.") % {"sku": twin.sku}
            return _left_alone(row, Effect.ERROR, message)
        product = self.products.get(row.name)
        category = self.categories.get(row.category.casefold()) if row.category else None
        if row.category and category is None:
            message = _("There is no category “%(category)s”.") % {"category": row.category}
            return _left_alone(row, Effect.ERROR, message)
        known_product = product is not None or row.name in self.announced
        missing = [
            COLUMNS[name][0]
            for name, given in (
                ("name", row.name),
                ("category", known_product or category),
                ("sale_unit", row.sale_unit),
                ("purchase_unit", row.purchase_unit),
                ("sale_price", row.sale_price),
            )
            if not given
        ]
        if missing:
            message = _("We do not have these goods; to add them the row must also give: %(columns)s.") % {
                "columns": "、".join(missing)
            }
            return _left_alone(row, Effect.UNKNOWN, message)
        self.announced.add(row.name)
        base_step = row.counted_in or Variant.BaseStep.PIECE
        usual_steps = 500 if base_step == Variant.BaseStep.GRAM else 1
        return PreviewRow(
            number=row.number,
            effect=Effect.NEW_VARIANT if known_product else Effect.NEW_PRODUCT,
            sku=row.sku,
            name=row.name,
            variant_name=row.variant_name,
            product_id=product.pk if product else None,
            category_id=category.pk if category else None,
            sale_unit=row.sale_unit,
            base_step=base_step,
            steps_per_sale_unit=row.steps_per_sale_unit or usual_steps,
            purchase_unit=row.purchase_unit,
            steps_per_purchase_unit=row.steps_per_purchase_unit or usual_steps,
            new_purchase_fen=row.purchase_price,
            new_sale_fen=row.sale_price,
            origin=row.origin,
            storage=row.storage,
            aliases=row.aliases,
        )


def _left_alone(row: ReadRow, effect: Effect, message: str) -> PreviewRow:
    return PreviewRow(
        number=row.number,
        effect=effect,
        sku=row.sku,
        name=row.name,
        variant_name=row.variant_name,
        message=message,
        new_purchase_fen=row.purchase_price,
        new_sale_fen=row.sale_price,
    )


def _units_conflict(row: ReadRow, variant: Variant) -> str:
    """A sentence when the list counts in other units than we do: its price would mean something else."""
    for name, said, ours in (
        ("purchase_unit", row.purchase_unit, variant.purchase_unit),
        ("steps_per_purchase_unit", row.steps_per_purchase_unit, variant.steps_per_purchase_unit),
        ("sale_unit", row.sale_unit, variant.sale_unit),
        ("steps_per_sale_unit", row.steps_per_sale_unit, variant.steps_per_sale_unit),
        ("counted_in", row.counted_in, variant.base_step),
    ):
        if said and said != ours:
            return _(
                "%(column)s is “%(said)s” in the list and “%(ours)s” in the catalogue: agree on one first."
            ) % {
                "column": COLUMNS[name][0],
                "said": said,
                "ours": ours,
            }
    return ""


def price_list_template(*, supplier: Supplier, now: datetime, with_sale_prices: bool) -> bytes:
    """A workbook for the supplier's next list, filled with what we have of them.

    with_sale_prices: False for the supplier's own eyes; retail prices are not theirs to see.
    """
    variants = list(
        Variant.objects.filter(
            product__supplier=supplier, archived_at__isnull=True, product__archived_at__isnull=True
        )
        .select_related("product__category")
        .order_by("product__name", "pk")
    )
    prices = current_prices(variant_ids=[variant.pk for variant in variants], now=now)
    columns = [name for name in COLUMNS if with_sale_prices or name != "sale_price"]
    rows = [_template_row(variant, prices.get(variant.pk)) for variant in variants]
    return write_price_list(title=supplier.name, rows=rows, columns=columns)


def _template_row(variant: Variant, price: VariantPrice | None) -> dict[str, Any]:
    product = variant.product
    return {
        "sku": variant.sku,
        "name": product.name,
        "variant_name": variant.name,
        "category": product.category.name,
        "sale_unit": variant.sale_unit,
        "counted_in": "克" if variant.base_step == Variant.BaseStep.GRAM else "件",
        "steps_per_sale_unit": str(variant.steps_per_sale_unit),
        "purchase_unit": variant.purchase_unit,
        "steps_per_purchase_unit": str(variant.steps_per_purchase_unit),
        "purchase_price": format_yuan(price.purchase_price_fen) if price else "",
        "sale_price": format_yuan(price.sale_price_fen) if price else "",
        "origin": product.origin,
        "storage": product.storage,
        "aliases": "、".join(product.aliases),
    }
