"""Looking at the day's work: what is to be sent, received, shared out, handed over. Nothing here changes a row."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Prefetch, Q, QuerySet

from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.list_order import ORDERS
from kaituan.fulfilment.models import HandOver, PickupCode, PurchaseOrder
from kaituan.fulfilment.postings import received_fen
from kaituan.ordering.models import Order, OrderLine

Status = PurchaseOrder.Status
Method = HandOver.Method
FOUND_AT_MOST = 50


def purchase_orders(*statuses: str) -> QuerySet[PurchaseOrder]:
    """Purchase orders in some states (all, if none is named), what arrives first on top."""
    rows = PurchaseOrder.objects.filter(status__in=statuses or Status.values)
    return rows.select_related("supplier", "snapshot__campaign").order_by(
        "arrives_on", "supplier__name", "pk"
    )


def to_send() -> QuerySet[PurchaseOrder]:
    return purchase_orders(Status.DRAFT)


def to_receive(*, until: date) -> QuerySet[PurchaseOrder]:
    """What should have arrived by the end of a day and is not counted in full."""
    return purchase_orders(Status.SENT, Status.SEEN, Status.CONFIRMED).filter(arrives_on__lte=until)


def owed_fen(*, purchase_order: PurchaseOrder) -> int:
    """What its supplier is owed for what was received."""
    return sum(received_fen(line) for line in purchase_order.lines.all())


UNSHARED = """
    FROM fulfilment_purchaseorder po
    JOIN fulfilment_snapshot snapshot ON snapshot.id = po.snapshot_id
    JOIN fulfilment_purchaseorderline line ON line.purchase_order_id = po.id AND line.ordered_quantity > 0
    WHERE po.status = 'received' AND NOT EXISTS (
        SELECT 1 FROM fulfilment_sharingout sharing
        WHERE sharing.campaign_id = snapshot.campaign_id AND sharing.variant_id = line.variant_id)
"""


def to_share_out() -> QuerySet[Campaign]:
    """Campaigns with goods that are received and not shared out."""
    ids = _ids(f"SELECT DISTINCT snapshot.campaign_id {UNSHARED}")
    return Campaign.objects.filter(pk__in=ids).order_by("pickup_on", "pk")


def final_purchase_orders() -> QuerySet[PurchaseOrder]:
    """Received, and all of it shared out: the count can no longer be corrected, so that it can be paid."""
    unshared = _ids(f"SELECT DISTINCT po.id {UNSHARED}")
    return purchase_orders(Status.RECEIVED).exclude(pk__in=unshared)


def _ids(sql: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [row_id for (row_id,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has come at one pickup point. Counts of orders with goods there; `arrived_at` is the
    campaign's arrival there, and it is done when nothing is left to hand over."""

    campaign_id: int
    pickup_point_id: int
    pickup_point: str
    orders: int
    waiting_for_goods: int
    """Something of them is not shared out yet."""
    handed_over: int
    """All of them is handed over, given up as unclaimed, or did not come."""
    unpaid: int
    arrived_at: datetime | None

    @property
    def ready_to_arrive(self) -> bool:
        return self.arrived_at is None and self.waiting_for_goods == 0

    @property
    def left(self) -> int:
        return self.orders - self.handed_over


PROGRESS = """
    SELECT o.campaign_id, point.id, point.name, count(*),
        count(*) FILTER (WHERE goods.waiting),
        count(*) FILTER (WHERE goods.handed),
        count(*) FILTER (WHERE o.list_fen + o.adjustment_fen > o.paid_fen - o.refunded_fen),
        min(arrival.arrived_at)
    FROM ordering_order o
    JOIN campaigns_listing listing ON listing.id = o.listing_id
    JOIN people_pickuppoint point ON point.id = listing.pickup_point_id
    JOIN LATERAL (
        SELECT bool_or(line.allocated_quantity IS NULL) AS waiting,
            bool_and(line.handed_over_at IS NOT NULL) AS handed
        FROM ordering_orderline line WHERE line.order_id = o.id AND line.quantity > 0
    ) goods ON goods.waiting IS NOT NULL
    LEFT JOIN fulfilment_arrival arrival
        ON arrival.campaign_id = o.campaign_id AND arrival.pickup_point_id = point.id
    WHERE o.campaign_id = ANY(%s) AND o.status = 'confirmed'
    GROUP BY o.campaign_id, point.id, point.name
    ORDER BY o.campaign_id, point.id
"""


def progress(*, campaign_ids: list[int]) -> list[Progress]:
    """Per campaign and pickup point, in list order. Arrived and done are facts of lines, not states."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, [campaign_ids])
        return [Progress(*row) for row in cursor.fetchall()]


def with_goods(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders in list order, each with what is needed at the counter; `order.goods` are its standing lines."""
    lines = (
        OrderLine.objects.filter(quantity__gt=0)
        .select_related("offer__variant")
        .order_by("offer__position", "offer_id")
    )
    return (
        orders.select_related("member", "campaign", "listing__group", "listing__pickup_point")
        .prefetch_related(Prefetch("lines", queryset=lines, to_attr="goods"))
        .order_by("campaign__pickup_on", "campaign_id", *ORDERS)
    )


def waiting_at_counter(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Of the orders of a counter (`access.counter_of(...).orders`), those with goods still to be handed over."""
    open_lines = OrderLine.objects.filter(
        allocated_quantity__gt=0, handed_over_at__isnull=True, quantity__gt=0
    )
    return orders.filter(pk__in=open_lines.values("order_id"))


def find_orders(*, orders: QuerySet[Order], method: str, text: str) -> list[Order]:
    """Among a counter's orders, those that a code, follow number, door or name means; waiting ones only, with
    their goods. A code finds all orders of its member. Where several match, the leader looks and chooses."""
    text = text.strip().lstrip("#＃")
    meant = _meant(orders, method, text) if text else None
    if meant is None:
        return []
    return list(with_goods(waiting_at_counter(orders).filter(meant))[:FOUND_AT_MOST])


def _meant(orders: QuerySet[Order], method: str, text: str) -> Q | None:
    if method == Method.FOLLOW_NUMBER:
        return Q(follow_number=int(text)) if text.isdecimal() and len(text) <= 6 else None
    if method == Method.DOOR:
        return Q(member__room__icontains=text)
    if method == Method.NAME:
        return Q(member__display_name__icontains=text)
    if method == Method.CODE:
        holders = PickupCode.objects.filter(code=text, listing_id__in=orders.values("listing_id"))
        pairs = list(holders.values_list("listing_id", "member_id"))
        return reduce(or_, (Q(listing_id=listing, member_id=member) for listing, member in pairs), Q(pk=None))
    return None


def undoable_hand_overs(*, order: Order, since: datetime) -> QuerySet[HandOver]:
    """Standing hand-overs of an order at or after a time, the latest first."""
    rows = HandOver.objects.filter(order_line__order=order, undone_at__isnull=True, handed_at__gte=since)
    return rows.exclude(method=Method.UNCLAIMED).select_related("order_line__offer").order_by("-pk")
