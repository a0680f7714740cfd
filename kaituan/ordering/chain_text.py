"""The way back: a listing's present chain as text for the chat."""

from decimal import Decimal

from kaituan.campaigns.models import Listing
from kaituan.ordering.chain import ChainEntry, write_chain
from kaituan.ordering.models import Order
from kaituan.ordering.pasting import chain_products
from kaituan.ordering.queries import item_of, live_orders


def chain_text(*, listing: Listing) -> str:
    """Goods, prices and every live order by follow number; pasted again, it reads to the same orders.

    Names as the group knows them, never a room or a phone: the whole chat reads this.
    """
    campaign = listing.campaign
    offers = list(campaign.offers.select_related("variant__product").order_by("position", "pk"))
    return write_chain(
        title=campaign.title,
        products=chain_products(offers),
        entries=[_entry(order) for order in live_orders(listing)],
    )


def _entry(order: Order) -> ChainEntry:
    return ChainEntry(
        seq=order.follow_number,
        name=order.member.display_name,
        lines=tuple((line.offer.code, _quantity(item_of(line).quantity)) for line in order.lines.all()),
        note=order.note,
    )


def _quantity(units: str) -> int | Decimal:
    quantity = Decimal(units)
    return int(quantity) if quantity == quantity.to_integral_value() else quantity
