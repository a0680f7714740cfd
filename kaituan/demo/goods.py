"""Suppliers, categories and goods of the town, from the lists in `data/`."""

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from kaituan.catalogue.models import Category, Product, Supplier, Variant, VariantPrice

DATA = Path(__file__).parent / "data"
SOURCE = "开站价目表"


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a list in `data/`."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def build_goods(*, products: int, now: datetime) -> None:
    """Write all suppliers and categories, and the given number of products, taken evenly from the whole list."""
    suppliers = {
        row["code"]: Supplier(
            name=row["name"],
            contact_name=row["contact_name"],
            phone=row["phone"],
            lead_days=int(row["lead_days"]),
            created_at=now,
        )
        for row in rows("suppliers")
    }
    Supplier.objects.bulk_create(suppliers.values())
    categories = {
        row["code"]: Category(code=row["code"], name=row["name"], position=position)
        for position, row in enumerate(rows("categories"))
    }
    Category.objects.bulk_create(categories.values())
    listed = list(rows("products"))
    names = list(dict.fromkeys(row["product"] for row in listed))
    chosen = {names[number * len(names) // products] for number in range(products)}
    _build_products(
        [row for row in listed if row["product"] in chosen],
        suppliers=suppliers,
        categories=categories,
        now=now,
    )


def _build_products(
    listed: list[dict[str, str]],
    *,
    suppliers: dict[str, Supplier],
    categories: dict[str, Category],
    now: datetime,
) -> None:
    made: dict[str, Product] = {}
    for row in listed:
        made.setdefault(
            row["product"],
            Product(
                supplier=suppliers[row["supplier"]],
                category=categories[row["category"]],
                name=row["product"],
                origin=row["origin"],
                storage=STORAGE[row["category"]],
                aliases=row["aliases"].split(";"),
                emoji=row["emoji"],
                tile_hue=int(row["hue"]),
                created_at=now,
            ),
        )
    Product.objects.bulk_create(made.values())
    variants = [_variant(row, made[row["product"]], number) for number, row in enumerate(listed, start=1)]
    Variant.objects.bulk_create(variants)
    VariantPrice.objects.bulk_create(
        VariantPrice(
            variant=variant,
            effective_from=now,
            sale_price_fen=fen(row["price"]),
            purchase_price_fen=fen(row["cost"]) * int(row["pack"]),
            source=SOURCE,
        )
        for row, variant in zip(listed, variants, strict=True)
    )


STORAGE = {
    "fruit": "阴凉通风", "vegetable": "冷藏", "meat": "冷藏", "seafood": "冷冻", "grain": "阴凉干燥",
    "cooked": "冷藏，尽快食用", "dairy": "2-6℃ 冷藏", "bakery": "常温，尽快食用", "household": "常温",
}  # fmt: skip


def _variant(row: dict[str, str], product: Product, number: int) -> Variant:
    steps = int(row["steps"])
    return Variant(
        product=product,
        sku=f"BJ{number:04d}",
        name=row["variant"],
        # Sold loose by 斤, the base step is a gram; everything else is counted.
        base_step=Variant.BaseStep.GRAM if steps > 1 else Variant.BaseStep.PIECE,
        sale_unit=row["unit"],
        steps_per_sale_unit=steps,
        purchase_unit=row["pack_unit"],
        steps_per_purchase_unit=steps * int(row["pack"]),
        net_weight_g=int(row["weight_g"]),
    )


def fen(yuan: str) -> int:
    """The fen of an amount of yuan as the lists write it."""
    return int(Decimal(yuan) * 100)
