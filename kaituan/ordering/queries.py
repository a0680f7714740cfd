"""Reading orders: the public chain, one order in full, a listing at a glance. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum

from kaituan.campaigns.models import Listing
from kaituan.money.quantities import format_units
from kaituan.ordering.models import Order, OrderAdjustment, OrderEvent, OrderLine
from kaituan.ordering.states import LIVE
from kaituan.people.masking import mask_name
from kaituan.people.models import Person


@dataclass(frozen=True, slots=True)
class Item:
    """One line as people read it. quantity: sale units, as text (`2`, `1.5`)."""

    code: str
    title: str
    quantity: str
    unit: str


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One bead of the public chain: a masked name and the items, never a room, phone or amount."""

    follow_number: int
    name: str
    items: tuple[Item, ...]
    placed_at: datetime
    handed_over: bool
    person_id: int


@dataclass(frozen=True, slots=True)
class LineDetail:
    """One line of one order with everything that changed what it costs."""

    line: OrderLine
    item: Item
    net_fen: int
    adjustments: tuple[OrderAdjustment, ...]
    short_quantity: int
    """Base steps ordered and not allocated; 0 until the goods are shared out."""


@dataclass(frozen=True, slots=True)
class OrderDetail:
    order: Order
    lines: tuple[LineDetail, ...]
    events: tuple[OrderEvent, ...]


@dataclass(frozen=True, slots=True)
class ListingFigures:
    """A listing at a glance. Amounts in fen, over live orders."""

    order_count: int
    due_fen: int
    kept_fen: int
    unpaid_count: int
    person_count: int

    @property
    def unpaid_fen(self) -> int:
        return max(0, self.due_fen - self.kept_fen)


def item_of(line: OrderLine) -> Item:
    offer = line.offer
    return Item(
        code=offer.code,
        title=offer.title,
        quantity=format_units(line.quantity, steps_per_unit=offer.price_quantity),
        unit=offer.sale_unit,
    )


def with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with their standing lines, offers and members, in three queries."""
    lines = OrderLine.objects.filter(quantity__gt=0).select_related("offer").order_by("offer__position", "pk")
    return orders.select_related("member").prefetch_related(Prefetch("lines", queryset=lines))


def live_orders(listing: Listing) -> QuerySet[Order]:
    """Orders that hold stock, with their lines, by follow number: the one order of every list."""
    return with_lines(listing.orders.filter(status__in=LIVE)).order_by("follow_number")


def public_chain(*, listing: Listing, after: int = 0, limit: int = 300) -> list[ChainEntry]:
    """The chain as everybody may see it, from the follow number after `after` on."""
    orders = live_orders(listing).filter(follow_number__gt=after)[:limit]
    return [chain_entry(order) for order in orders]


def chain_entry(order: Order) -> ChainEntry:
    lines = order.lines.all()
    return ChainEntry(
        follow_number=order.follow_number,
        name=mask_name(order.member.display_name),
        items=tuple(item_of(line) for line in lines),
        placed_at=order.placed_at,
        handed_over=bool(lines) and all(line.handed_over_at for line in lines),
        person_id=order.person_id,
    )


def order_detail(*, order: Order) -> OrderDetail:
    """Everything about one order, for whoever may see it (`access.py`)."""
    lines = order.lines.select_related("offer__variant__product").prefetch_related("adjustments")
    details = []
    for line in lines.order_by("offer__position", "pk"):
        adjustments = tuple(line.adjustments.all())
        allocated = line.quantity if line.allocated_quantity is None else line.allocated_quantity
        details.append(
            LineDetail(
                line=line,
                item=item_of(line),
                net_fen=line.amount_fen + sum(a.amount_fen for a in adjustments),
                adjustments=adjustments,
                short_quantity=line.quantity - allocated,
            )
        )
    return OrderDetail(order=order, lines=tuple(details), events=tuple(order.events.order_by("pk")))


def orders_of_person(*, person: Person, limit: int = 100) -> list[Order]:
    """The person's own orders, the latest first."""
    orders = with_lines(Order.objects.filter(person=person)).select_related(
        "campaign", "listing__pickup_point"
    )
    return list(orders.order_by("-placed_at")[:limit])


def listing_figures(*, listing: Listing) -> ListingFigures:
    return figures_of(listings=[listing])[listing.pk]


def figures_of(*, listings: Iterable[Listing]) -> dict[int, ListingFigures]:
    """Listing id -> its figures, in one query."""
    ids = [listing.pk for listing in listings]
    rows = (
        Order.objects.filter(listing_id__in=ids, status__in=LIVE)
        .values("listing_id")
        .annotate(
            orders=Count("pk"),
            due=Sum("list_fen") + Sum("adjustment_fen"),
            kept=Sum("paid_fen") - Sum("refunded_fen"),
            unpaid=Count(
                "pk", filter=Q(paid_fen__lt=F("list_fen") + F("adjustment_fen") + F("refunded_fen"))
            ),
            persons=Count("person_id", distinct=True),
        )
    )
    figures = dict.fromkeys(ids, ListingFigures(0, 0, 0, 0, 0))
    for row in rows:
        figures[row["listing_id"]] = ListingFigures(
            row["orders"], row["due"], row["kept"], row["unpaid"], row["persons"]
        )
    return figures


def unpaid_orders(*, listing: Listing) -> list[Order]:
    """Live orders that somebody still has to pay, by follow number."""
    return [order for order in live_orders(listing) if order.unpaid_fen > 0]


def sold_units(*, listings: Sequence[Listing]) -> dict[int, int]:
    """Offer id -> base steps on live orders of these listings."""
    rows = OrderLine.objects.filter(order__listing__in=listings, order__status__in=LIVE)
    return dict(rows.values_list("offer_id").annotate(Sum("quantity")))
