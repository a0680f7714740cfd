"""Reading the catalogue: prices as they held and hold, and what leaders may choose from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from kaituan.catalogue.models import Product, StockPool, Variant, VariantPrice

DISCOUNT_DAYS = 30
"""A discount is shown against the lowest price of so many days, as honest traders (and several laws) do."""


@dataclass(frozen=True, slots=True)
class PoolItem:
    """A variant that a leader may put into a campaign. No purchase price: that is the supplier's affair.

    sale_price_fen: suggested, per sale unit. available_quantity: base steps unsold in shared pools, or None
    when there is no shared pool and a campaign has to say how much there is.
    """

    variant_id: int
    sku: str
    product_id: int
    product_public_id: str
    product_name: str
    variant_name: str
    category_code: str
    category_name: str
    sale_unit: str
    steps_per_sale_unit: int
    sale_price_fen: int
    available_quantity: int | None
    emoji: str
    tile_hue: int
    picture_url: str
    origin: str

    @property
    def title(self) -> str:
        """What an offer of it is called until somebody calls it otherwise."""
        return offer_title(product_name=self.product_name, variant_name=self.variant_name)


def offer_title(*, product_name: str, variant_name: str) -> str:
    """`赣南脐橙 大果`: the product with the name of its size, if that says anything new."""
    if not variant_name or variant_name in product_name:
        return product_name
    return f"{product_name} {variant_name}"[:100]


def prices_in_force(*, now: datetime) -> QuerySet[VariantPrice]:
    """To be used as a subquery of a variant: its price at `now` first."""
    return VariantPrice.objects.filter(effective_from__lte=now).order_by("-effective_from")


def current_price(*, variant: Variant, now: datetime) -> VariantPrice | None:
    """The price in force at `now`; None before the first."""
    return prices_in_force(now=now).filter(variant=variant).first()


def current_prices(*, variant_ids: Iterable[int], now: datetime) -> dict[int, VariantPrice]:
    """Variant id -> its price at `now`; variants without one are left out. One statement."""
    rows = (
        VariantPrice.objects.filter(variant_id__in=list(variant_ids), effective_from__lte=now)
        .order_by("variant_id", "-effective_from")
        .distinct("variant_id")
    )
    return {row.variant_id: row for row in rows}


def price_history(*, variant: Variant, now: datetime, days: int = DISCOUNT_DAYS) -> list[VariantPrice]:
    """The prices that held at some moment of the last `days` days, oldest first."""
    since = now - timedelta(days=days)
    before = prices_in_force(now=since).filter(variant=variant).first()
    within = VariantPrice.objects.filter(variant=variant, effective_from__gt=since, effective_from__lte=now)
    return ([before] if before else []) + list(within.order_by("effective_from"))


def lowest_prices_fen(
    *, variant_ids: Iterable[int], now: datetime, days: int = DISCOUNT_DAYS
) -> dict[int, int]:
    """Variant id -> the lowest sale price (per sale unit) that held at any moment of the last `days` days.

    What an honest discount is computed from: whoever raised a price yesterday cannot strike it through today.
    Variants without a price in that time are left out. One statement.
    """
    since = now - timedelta(days=days)
    in_force_at_start = (
        prices_in_force(now=since).filter(variant=OuterRef("variant")).values("effective_from")[:1]
    )
    rows = (
        VariantPrice.objects.filter(variant_id__in=list(variant_ids), effective_from__lte=now)
        .annotate(first_counted=Subquery(in_force_at_start))
        .filter(Q(effective_from__gt=since) | Q(effective_from=F("first_counted")))
        .order_by("variant_id", "sale_price_fen")
        .distinct("variant_id")
    )
    return {row.variant_id: row.sale_price_fen for row in rows}


def lowest_price_fen(*, variant: Variant, now: datetime, days: int = DISCOUNT_DAYS) -> int | None:
    return lowest_prices_fen(variant_ids=[variant.pk], now=now, days=days).get(variant.pk)


def selection_pool(
    *,
    now: datetime,
    search: str = "",
    category_code: str = "",
    variant_ids: Iterable[int] | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[PoolItem]:
    """What leaders may choose from, by category and name. Every word of `search` must be found somewhere in the
    name, the other names, the category, the origin or the number. One statement."""
    available = (
        StockPool.objects.filter(variant=OuterRef("pk"), is_shared=True)
        .values("variant")
        .annotate(total=Sum("available_quantity"))
        .values("total")
    )
    rows = (
        Variant.objects.filter(
            archived_at__isnull=True,
            product__archived_at__isnull=True,
            product__in_selection_pool=True,
            product__supplier__archived_at__isnull=True,
        )
        .select_related("product__category")
        .annotate(
            sale_price_fen=Subquery(
                prices_in_force(now=now).filter(variant=OuterRef("pk")).values("sale_price_fen")[:1]
            ),
            available=Subquery(available, output_field=BigIntegerField()),
            other_names=Cast("product__aliases", TextField()),
        )
        .filter(sale_price_fen__isnull=False)
    )
    if category_code:
        rows = rows.filter(product__category__code=category_code)
    if variant_ids is not None:
        rows = rows.filter(pk__in=list(variant_ids))
    for word in search.split()[:8]:
        rows = rows.filter(
            Q(product__name__icontains=word)
            | Q(name__icontains=word)
            | Q(other_names__icontains=word)
            | Q(product__category__name__icontains=word)
            | Q(product__origin__icontains=word)
            | Q(sku__icontains=word)
        )
    ordered = rows.order_by(
        "product__category__position", "product__category_id", "product__name", "product_id", "pk"
    )
    return [_pool_item(row) for row in ordered[offset : offset + limit]]


def shared_pools(*, variant_ids: Iterable[int]) -> dict[int, list[StockPool]]:
    """Variant id -> the pools that any campaign may draw on, fullest first."""
    found: dict[int, list[StockPool]] = {}
    rows = StockPool.objects.filter(variant_id__in=list(variant_ids), is_shared=True)
    for pool in rows.order_by("variant_id", "-available_quantity", "pk"):
        found.setdefault(pool.variant_id, []).append(pool)
    return found


def supplied_totals() -> dict[str, int]:
    """Base steps over all pools, for `doctor`: what was supplied and what is unsold."""
    return StockPool.objects.aggregate(
        supplied=Coalesce(Sum("supplied_quantity"), 0), available=Coalesce(Sum("available_quantity"), 0)
    )


def _pool_item(variant: Variant) -> PoolItem:
    product: Product = variant.product
    return PoolItem(
        variant_id=variant.pk,
        sku=variant.sku,
        product_id=product.pk,
        product_public_id=product.public_id,
        product_name=product.name,
        variant_name=variant.name,
        category_code=product.category.code,
        category_name=product.category.name,
        sale_unit=variant.sale_unit,
        steps_per_sale_unit=variant.steps_per_sale_unit,
        sale_price_fen=variant.sale_price_fen,  # type: ignore[attr-defined]
        available_quantity=variant.available,  # type: ignore[attr-defined]
        emoji=product.emoji,
        tile_hue=product.tile_hue,
        picture_url=product.picture.url if product.picture else "",
        origin=product.origin,
    )
