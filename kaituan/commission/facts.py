"""What the rules need to know of order lines, read for many lines in a handful of queries.

Times are cut to whole seconds, as the contract has them, so that an explanation and a settlement agree.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from kaituan.commission.rules import Holder, LineFacts
from kaituan.money.quantities import format_units
from kaituan.people.models import LeaderTier

LINES_SQL = """
    SELECT l.id, l.order_id, o.follow_number, offer.title, offer.sale_unit, l.quantity, v.steps_per_sale_unit,
        l.amount_fen, l.cost_fen, c.code, l.sale_rate_bp, listing.leader_id, l.pickup_leader_id, o.plan_version,
        l.completed_at
    FROM ordering_orderline l
    JOIN ordering_order o ON o.id = l.order_id
    JOIN campaigns_listing listing ON listing.id = o.listing_id
    JOIN campaigns_offer offer ON offer.id = l.offer_id
    JOIN catalogue_variant v ON v.id = offer.variant_id
    JOIN catalogue_product p ON p.id = v.product_id
    JOIN catalogue_category c ON c.id = p.category_id
    WHERE l.id = ANY(%s)
"""
# What is taken off before or after: a remedy that takes something away is a refund of the contract, at its
# time; everything else (a discount, a remedy that is partly withdrawn) belongs to what was paid.
ADJUSTMENTS_SQL = """
    SELECT line_id, kind IN ('weight', 'shortage', 'claim', 'price_cut') AND amount_fen < 0, amount_fen, created_at
    FROM ordering_orderadjustment WHERE line_id = ANY(%s) ORDER BY id
"""
ABOVE_SQL = """
    WITH RECURSIVE above AS (
        SELECT id AS seller, referrer_id AS ancestor, 1 AS steps FROM people_leader WHERE id = ANY(%s)
        UNION ALL
        SELECT above.seller, leader.referrer_id, above.steps + 1
        FROM above JOIN people_leader leader ON leader.id = above.ancestor
    )
    SELECT seller, ancestor FROM above WHERE ancestor IS NOT NULL ORDER BY seller, steps
"""


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One order line as the rules and the reader see it. Amounts in fen, refunds as (time, fen > 0)."""

    line_id: int
    order_id: int
    follow_number: int
    goods: str
    """`橙子 5斤×2`: offer, unit and number of units."""
    paid_fen: int
    cost_fen: int
    category: str
    sale_rate_bp: int | None
    seller_id: int
    pickup_leader_id: int | None
    plan_version: str
    completed_at: datetime | None
    refunds: tuple[tuple[datetime, int], ...]

    def refunded_before(self, time: datetime) -> int:
        return sum(fen for at, fen in self.refunds if at < time)

    def facts(self, *, until: datetime, category: str | None = None) -> LineFacts:
        """The line as it stands at `until`; category: the one it was settled under, if it was."""
        completed_at = self.completed_at or until
        return LineFacts(
            paid_fen=self.paid_fen,
            cost_fen=self.cost_fen,
            category=self.category if category is None else category,
            net_fen=self.paid_fen - self.refunded_before(until),
            service_net_fen=self.paid_fen - sum(fen for at, fen in self.refunds if at <= completed_at),
            sale_rate_bp=self.sale_rate_bp,
        )


@dataclass(frozen=True, slots=True)
class Forest:
    """Who stands above the sellers of some lines, and which tier they held when."""

    above: Mapping[int, Sequence[int]]
    tiers: Mapping[int, Sequence[tuple[datetime, str]]]

    def holder(self, leader_id: int, at: datetime) -> Holder:
        """The leader with the tier of the latest effective_from <= at."""
        rows = self.tiers.get(leader_id, ())
        place = bisect_right(rows, at, key=lambda row: row[0])
        return Holder(str(leader_id), (rows[place - 1][1] or None) if place else None)

    def ancestors(self, seller_id: int, at: datetime) -> list[Holder]:
        """The referrers above a seller, nearest first."""
        return [self.holder(leader_id, at) for leader_id in self.above.get(seller_id, ())]


def sold_lines(line_ids: Iterable[int]) -> dict[int, SoldLine]:
    """The lines by id, with what was paid for them and given back."""
    wanted = list(line_ids)
    with connection.cursor() as cursor:
        cursor.execute(ADJUSTMENTS_SQL, [wanted])
        added: dict[int, int] = defaultdict(int)
        refunds: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        for line_id, is_refund, amount_fen, created_at in cursor.fetchall():
            if is_refund:
                refunds[line_id].append((whole_second(created_at), -amount_fen))
            else:
                added[line_id] += amount_fen
        cursor.execute(LINES_SQL, [wanted])
        rows = cursor.fetchall()
    return {
        row[0]: SoldLine(
            line_id=row[0],
            order_id=row[1],
            follow_number=row[2],
            goods=goods_words(title=row[3], unit=row[4], quantity=row[5], steps_per_unit=row[6]),
            paid_fen=row[7] + added[row[0]],
            cost_fen=row[8],
            category=row[9],
            sale_rate_bp=row[10],
            seller_id=row[11],
            pickup_leader_id=row[12],
            plan_version=row[13],
            completed_at=whole_second(row[14]) if row[14] else None,
            refunds=tuple(refunds[row[0]]),
        )
        for row in rows
    }


def forest_above(seller_ids: Iterable[int]) -> Forest:
    """The referrers above these sellers up to the root, and the dated tiers of all of them."""
    sellers = sorted(set(seller_ids))
    above: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(ABOVE_SQL, [sellers])
        for seller_id, ancestor_id in cursor.fetchall():
            above[seller_id].append(ancestor_id)
    everybody = {*sellers, *(ancestor for ancestors in above.values() for ancestor in ancestors)}
    tiers: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    rows = LeaderTier.objects.filter(leader_id__in=everybody).order_by("leader_id", "effective_from")
    for leader_id, effective_from, tier in rows.values_list("leader_id", "effective_from", "tier"):
        tiers[leader_id].append((whole_second(effective_from), tier))
    return Forest(above, tiers)


def goods_words(*, title: str, unit: str, quantity: int, steps_per_unit: int) -> str:
    """`橙子 5斤×2`: what was bought, as it stands in the chat."""
    return f"{title} {unit}×{format_units(quantity, steps_per_unit=steps_per_unit)}"


def whole_second(time: datetime) -> datetime:
    """The time with its fraction of a second dropped."""
    return time.replace(microsecond=0)
