"""What is on offer as pages show it, row by row.

The page of a large campaign is made again and again in a rush: its rows are read as values. Models of a thousand
offers with their products and pools would refer to each other, and stay in memory long after the page is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.files.storage import default_storage

from kaituan.campaigns.models import Campaign, Offer
from kaituan.campaigns.queries import OfferStock, offer_stocks
from kaituan.money.quantities import format_units
from kaituan.storefront.baskets import field_of


@dataclass(frozen=True, slots=True)
class OfferRow:
    """left: sale units, None = nothing limits it; most: sale units one person may have, or nothing;
    picture: an address; value: sale units in the basket, as typed; error: what is wrong with them."""

    field: str
    code: str
    title: str
    sale_unit: str
    price_fen: int
    price_quantity: int
    origin: str
    emoji: str
    hue: int
    picture: str
    value: str
    error: str
    left: int | None
    is_gone: bool
    most: str

    @property
    def step(self) -> str:
        return "1" if self.price_quantity == 1 else "0.5"


UNLIMITED = OfferStock(sold_quantity=0, left_quantity=None, is_stopped=False)
COLUMNS = (
    "pk", "code", "title", "sale_unit", "price_fen", "price_quantity", "per_person_quantity",
    "variant__product__origin", "variant__product__emoji", "variant__product__tile_hue",
    "variant__product__picture",
)  # fmt: skip


def offer_rows(
    *, campaign: Campaign, data: Mapping[str, str], errors: Mapping[int, str], limited: bool = True
) -> dict[int, OfferRow]:
    """Offer id -> its row, in the campaign's order.

    data: what is in the basket, by field; errors: by offer id. limited: False leaves out what is left and how much
    one person may have, for somebody who holds a part of it already.
    """
    stocks = offer_stocks(campaign_id=campaign.pk) if limited else {}
    rows = {}
    for (
        offer_id, code, title, sale_unit, price_fen, price_quantity, limit, origin, emoji, hue, picture,
    ) in Offer.objects.filter(campaign=campaign).values_list(*COLUMNS):  # fmt: skip
        stock = stocks.get(offer_id, UNLIMITED)
        left = stock.left_quantity
        field = field_of(offer_id)
        rows[offer_id] = OfferRow(
            field=field,
            code=code,
            title=title,
            sale_unit=sale_unit,
            price_fen=price_fen,
            price_quantity=price_quantity,
            origin=origin,
            emoji=emoji,
            hue=hue,
            picture=default_storage.url(picture) if picture else "",
            value=data.get(field, "0"),
            error=errors.get(offer_id, ""),
            left=None if left is None else left // price_quantity,
            is_gone=stock.is_stopped or left == 0,
            most=format_units(limit, steps_per_unit=price_quantity) if limited and limit else "",
        )
    return rows
