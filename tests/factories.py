"""The smallest valid rows, with names. Every function writes one row (and what it cannot stand without)."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kaituan.campaigns.models import Campaign, Listing, Offer, OfferPool
from kaituan.catalogue.models import Category, Product, StockPool, Supplier, Variant, VariantPrice
from kaituan.commission.models import PlanVersion
from kaituan.ledger.models import Period
from kaituan.ordering.core import Answer, LineRequest, OrderRequest, place_orders
from kaituan.ordering.models import Order
from kaituan.people.models import (
    Account,
    Group,
    Leader,
    LeaderTier,
    Member,
    PayeeAccount,
    Person,
    PickupPoint,
    Station,
)

NOON = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)
"""Noon in Beijing on the first day of every test's story."""
PLAN = "2026-10-a"
PLAN_DOCUMENT: dict[str, Any] = {
    "version": PLAN,
    "tiers": ["host", "captain", "partner"],
    "sale": {"base": "paid", "rates_bp": {"host": 1000, "captain": 1300, "partner": 1500}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
}
_serial = itertools.count(1)


def station(**fields: Any) -> Station:
    return Station.objects.first() or Station.objects.create(**{"name": "北京站", **fields})


def open_books(starts_at: datetime = NOON - timedelta(days=60)) -> Period:
    return Period.objects.first() or Period.objects.create(starts_at=starts_at)


def plan(**fields: Any) -> PlanVersion:
    return PlanVersion.objects.filter(
        version=fields.get("version", PLAN)
    ).first() or PlanVersion.objects.create(
        **{
            "version": PLAN,
            "document": PLAN_DOCUMENT,
            "effective_from": NOON - timedelta(days=30),
            "published_at": NOON - timedelta(days=30),
            "reason": "开业",
            **fields,
        }
    )


def person(name: str = "张敏", **fields: Any) -> Person:
    return Person.objects.create(**{"name": name, "created_at": NOON, **fields})


def account(of: Person | None = None, **fields: Any) -> Account:
    return Account.objects.create_user(
        **{"person": of or person(), "phone": f"138{next(_serial):08d}", **fields}
    )


def leader(
    name: str = "王姐", *, tier: str = "host", referrer: Leader | None = None, **fields: Any
) -> Leader:
    row = Leader.objects.create(
        **{"person": person(name), "joined_at": NOON - timedelta(days=90), "referrer": referrer, **fields}
    )
    if tier:
        LeaderTier.objects.create(
            leader=row, tier=tier, effective_from=NOON - timedelta(days=90), reason="加入"
        )
    return row


def payee_account(of: Leader, **fields: Any) -> PayeeAccount:
    """Where a leader is paid to, entered long ago and checked."""
    checked = (
        {}
        if "checked_at" in fields
        else {"checked_by": person("出纳"), "checked_at": NOON - timedelta(days=80)}
    )
    return PayeeAccount.objects.create(
        **{
            "leader": of,
            "kind": "card",
            "holder_name": of.person.name,
            "account_number": f"6200000{next(_serial):08d}",
            "bank_name": "工商银行",
            "set_by": of.person,
            "set_at": NOON - timedelta(days=80),
            **checked,
            **fields,
        }
    )


def pickup_point(name: str = "翠成馨园", **fields: Any) -> PickupPoint:
    return PickupPoint.objects.create(**{"name": name, "district": "朝阳区", **fields})


def group(owner: Leader | None = None, name: str = "翠成馨园一群", **fields: Any) -> Group:
    return Group.objects.create(
        **{
            "owner": owner or leader(),
            "name": name,
            "pickup_point": fields.get("pickup_point") or pickup_point(),
            "created_at": NOON,
            **fields,
        }
    )


def member(in_group: Group, name: str = "张敏", *, of: Person | None = None, **fields: Any) -> Member:
    return Member.objects.create(
        **{
            "group": in_group,
            "person": of or person(name),
            "display_name": name,
            "joined_at": NOON,
            **fields,
        }
    )


def supplier(name: str = "", **fields: Any) -> Supplier:
    return Supplier.objects.create(
        **{"name": name or f"绿野果蔬{next(_serial)}", "created_at": NOON, **fields}
    )


def category(code: str = "fruit", name: str = "水果") -> Category:
    return Category.objects.get_or_create(code=code, defaults={"name": name})[0]


def product(name: str = "赣南脐橙", **fields: Any) -> Product:
    return Product.objects.create(
        **{
            "supplier": fields.get("supplier") or supplier(),
            "category": fields.get("category") or category(),
            "name": name,
            "emoji": "🍊",
            "created_at": NOON,
            **fields,
        }
    )


def variant(
    of: Product | None = None, *, sale_price_fen: int = 3990, purchase_price_fen: int = 2800, **fields: Any
) -> Variant:
    row = Variant.objects.create(
        **{
            "product": of or product(),
            "sku": f"SKU{next(_serial):05d}",
            "sale_unit": "5斤",
            "purchase_unit": "箱",
            **fields,
        }
    )
    VariantPrice.objects.create(
        variant=row,
        effective_from=NOON - timedelta(days=30),
        sale_price_fen=sale_price_fen,
        purchase_price_fen=purchase_price_fen,
        source="价目表",
    )
    return row


def pool(of: Variant | None = None, quantity: int = 100, **fields: Any) -> StockPool:
    return StockPool.objects.create(
        **{
            "variant": of or variant(),
            "label": "北京仓",
            "supplied_quantity": quantity,
            "available_quantity": quantity,
            **fields,
        }
    )


def campaign(**fields: Any) -> Campaign:
    """Open from an hour before noon until 22:00 the same day, pickup on the next."""
    return Campaign.objects.create(
        **{
            "title": "周五水果团",
            "created_by": fields.get("created_by") or person("王姐"),
            "status": Campaign.Status.OPEN,
            "created_at": NOON - timedelta(hours=2),
            "opens_at": NOON - timedelta(hours=1),
            "closes_at": NOON + timedelta(hours=10),
            "pickup_on": date(2026, 10, 2),
            "plan_version": PLAN,
            **fields,
        }
    )


def offer(in_campaign: Campaign, *pools: StockPool, **fields: Any) -> Offer:
    """An offer drawing one pool step per step on each pool; a pool of 100 of its own if none is given."""
    pools = pools or (pool(),)
    row = Offer.objects.create(
        **{
            "campaign": in_campaign,
            "variant": pools[0].variant,
            "code": chr(ord("A") + in_campaign.offers.count()),
            "title": pools[0].variant.product.name,
            "position": in_campaign.offers.count(),
            "sale_unit": pools[0].variant.sale_unit,
            "price_fen": 3990,
            "cost_fen": 2800,
            **fields,
        }
    )
    for row_pool in pools:
        OfferPool.objects.create(offer=row, pool=row_pool)
    return row


def listing(of: Campaign, in_group: Group | None = None, **fields: Any) -> Listing:
    in_group = in_group or group()
    return Listing.objects.create(
        **{
            "campaign": of,
            "leader": in_group.owner,
            "group": in_group,
            "pickup_point": in_group.pickup_point,
            "created_at": NOON,
            **fields,
        }
    )


def request(in_listing: Listing, by: Member, *lines: tuple[Offer, int], **fields: Any) -> OrderRequest:
    return OrderRequest(
        **{
            "listing_id": in_listing.pk,
            "member_id": by.pk,
            "actor_id": by.person_id,
            "key": f"key-{next(_serial)}",
            "source": "tap",
            "lines": [LineRequest(offer_id=row.pk, quantity=quantity) for row, quantity in lines],
            **fields,
        }
    )


def place(
    in_listing: Listing, by: Member, *lines: tuple[Offer, int], now: datetime = NOON, **fields: Any
) -> Order:
    """An order placed through the order core."""
    [answer] = place_one(in_listing, by, *lines, now=now, **fields)
    assert answer.order_id is not None, answer
    return Order.objects.get(pk=answer.order_id)


def place_one(
    in_listing: Listing, by: Member, *lines: tuple[Offer, int], now: datetime = NOON, **fields: Any
) -> list[Answer]:
    return place_orders(
        now=now,
        campaign_id=in_listing.campaign_id,
        version=None,
        requests=[request(in_listing, by, *lines, **fields)],
    )
