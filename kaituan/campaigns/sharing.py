"""What a leader carries into the chat: the link of a listing, and the text that begins a chain.

The text is in Chinese whatever the leader's own language: it is written for the group, and the chain reader
(`ordering/chain`) reads its heading back, so its shape is a contract with the reader (tests/test_share_text.py).
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.money.fen import format_yuan
from kaituan.money.quantities import format_units

WEEKDAYS = "一二三四五六日"
LISTING_PATH = "/g/{public_id}/"
"""The listing's page in the storefront."""


@dataclass(frozen=True, slots=True)
class SharedOffer:
    """One product as the group is told of it. limit: how much one person may have, as text; empty for no limit."""

    code: str
    title: str
    unit: str
    price_fen: int
    limit: str = ""
    emoji: str = ""
    tile_hue: int = 30
    picture_path: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """A listing as the group is told of it: the one source of the text and of the poster."""

    title: str
    leader_name: str
    point_name: str
    closes_at: datetime
    pickup_on: date
    pickup_hours: str
    url: str
    offers: tuple[SharedOffer, ...]


def listing_url(*, listing: Listing, base_url: str) -> str:
    """The link of a listing. base_url: `https://example.org`, with or without a slash at its end."""
    return base_url.rstrip("/") + LISTING_PATH.format(public_id=listing.public_id)


def shared_listing(*, listing: Listing, base_url: str) -> Shared:
    """What there is to tell of a listing; stopped offers are left out. Three statements at most."""
    campaign: Campaign = listing.campaign
    offers = campaign.offers.filter(stopped_at__isnull=True).select_related("variant__product")
    return Shared(
        title=campaign.title,
        leader_name=listing.leader.person.name,
        point_name=listing.pickup_point.name,
        closes_at=campaign.closes_at,
        pickup_on=campaign.pickup_on,
        pickup_hours=campaign.pickup_hours,
        url=listing_url(listing=listing, base_url=base_url),
        offers=tuple(_shared_offer(offer) for offer in offers),
    )


def _shared_offer(offer: Offer) -> SharedOffer:
    product = offer.variant.product
    limit = ""
    if offer.per_person_quantity is not None:
        units = format_units(offer.per_person_quantity, steps_per_unit=offer.price_quantity)
        limit = f"{units}份" if offer.sale_unit[:1].isdigit() else f"{units}{offer.sale_unit}"
    return SharedOffer(
        code=offer.code,
        title=offer.title,
        unit=offer.sale_unit,
        price_fen=offer.price_fen,
        limit=limit,
        emoji=product.emoji,
        tile_hue=product.tile_hue,
        picture_path=product.picture.name or "",
    )


def share_text(shared: Shared) -> str:
    """The text that begins a chain in the chat: title, products with letters, prices and units, pickup, cut-off,
    link and an example. Members answer below it with `1. name A2`."""
    lines = ["#接龙", f"【{shared.title}】"]
    lines += [_product_line(offer) for offer in shared.offers]
    lines += [
        f"截单：{moment_text(shared.closes_at)}",
        f"提货：{pickup_text(shared)}",
        f"点链接下单：{shared.url}",
        _example(shared.offers),
    ]
    return "\n".join(lines) + "\n"


def _product_line(offer: SharedOffer) -> str:
    limit = f"（每人限{offer.limit}）" if offer.limit else ""
    return f"【{offer.code}】{offer.title} {short_yuan(offer.price_fen)}元/{offer.unit}{limit}"


def _example(offers: tuple[SharedOffer, ...]) -> str:
    """How to answer, with the first codes: more than one, so that everybody sees how to name two products."""
    items = " ".join(f"{offer.code}{quantity}" for offer, quantity in zip(offers, (2, 1), strict=False))
    return f"例 1. 名字 {items}"


def short_yuan(amount_fen: int) -> str:
    """As prices are written in a chat: 39.9, not 39.90; 25, not 25.00."""
    text = format_yuan(amount_fen)
    return text.rstrip("0").rstrip(".")


def day_text(day: date) -> str:
    """10月2日（周五）"""
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def moment_text(moment: datetime) -> str:
    """10月1日（周四）22:00, local time."""
    local = timezone.localtime(moment)
    return f"{day_text(local.date())}{local:%H:%M}"


def pickup_text(shared: Shared) -> str:
    """10月2日（周五）16:00-19:00 翠成馨园"""
    return f"{day_text(shared.pickup_on)}{shared.pickup_hours} {shared.point_name}".rstrip()
