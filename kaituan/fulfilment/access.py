"""Who may see and do what between the cut-off and the hand-over. Functions return the row or refuse, with the
same answer whether it does not exist or is somebody else's."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from kaituan.campaigns.models import Campaign, Listing
from kaituan.catalogue.access import suppliers_of
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ordering.models import Order, OrderLine
from kaituan.people.access import NotYours, Visitor, groups_of, keeper_points, person_of, require_staff
from kaituan.people.models import Leader, Person, PickupPoint, StaffRole


def operator(account: Visitor, *, now: datetime) -> Person:
    """The operator who is signed in: cuts off, buys, receives, shares out."""
    return require_staff(account, [StaffRole.Role.OPERATOR], now=now)


def campaign_for_operator(account: Visitor, public_id: str, *, now: datetime) -> Campaign:
    operator(account, now=now)
    return _found(Campaign.objects.filter(public_id=public_id).first())


def purchase_order_for_operator(account: Visitor, public_id: str, *, now: datetime) -> PurchaseOrder:
    operator(account, now=now)
    return _found(_purchase_orders().filter(public_id=public_id).first())


def purchase_orders_for_supplier(account: Visitor, *, now: datetime) -> QuerySet[PurchaseOrder]:
    """What was sent to the suppliers that the visitor acts for; drafts are nobody's business yet."""
    suppliers = suppliers_of(account, now=now)
    return (
        _purchase_orders()
        .filter(supplier__in=suppliers)
        .exclude(status=PurchaseOrder.Status.DRAFT)
        .order_by("-arrives_on", "-pk")
    )


def purchase_order_for_supplier(account: Visitor, public_id: str, *, now: datetime) -> PurchaseOrder:
    return _found(purchase_orders_for_supplier(account, now=now).filter(public_id=public_id).first())


@dataclass(frozen=True, slots=True)
class Counter:
    """Where somebody hands over. points: kept by the visitor, who then earns the fee; groups: those the visitor
    owns or helps in, wherever they are picked up; the group's owner earns the fee."""

    person: Person
    leader: Leader | None
    point_ids: frozenset[int]
    group_ids: frozenset[int]

    @property
    def orders(self) -> QuerySet[Order]:
        """Standing orders that may be handed over here."""
        return Order.objects.filter(self.here, status=Order.Status.CONFIRMED)

    @property
    def here(self) -> Q:
        return Q(listing__pickup_point_id__in=self.point_ids) | Q(listing__group_id__in=self.group_ids)


def counter_of(account: Visitor, *, now: datetime) -> Counter:
    """The visitor's hand-over counter. Refused for who neither keeps a point nor acts in a group."""
    person = person_of(account)
    leader = Leader.objects.filter(person=person).first()
    points = (
        frozenset(keeper_points(account, now=now).values_list("pk", flat=True)) if leader else frozenset()
    )
    groups = frozenset(groups_of(account, now=now).values_list("pk", flat=True))
    if not points and not groups:
        raise NotYours
    return Counter(person=person, leader=leader, point_ids=points, group_ids=groups)


def order_at_counter(counter: Counter, public_id: str) -> Order:
    orders = counter.orders.select_related("listing__leader", "listing__pickup_point", "member", "campaign")
    return _found(orders.filter(public_id=public_id).first())


def handing_leader(counter: Counter, listing: Listing) -> Leader:
    """Who does the work of a hand-over here: the keeper of the point, else the leader who sold it."""
    if counter.leader is not None and listing.pickup_point_id in counter.point_ids:
        return counter.leader
    if listing.group_id in counter.group_ids:
        return listing.leader
    raise NotYours


def point_at_counter(counter: Counter, campaign: Campaign, public_id: str) -> PickupPoint:
    """A pickup point to confirm an arrival at, or to take a pickup list of: one that the visitor keeps, or
    where all of this campaign's orders are of the visitor's groups."""
    points = PickupPoint.objects.filter(public_id=public_id, listings__campaign=campaign)
    strangers = Listing.objects.filter(campaign=campaign, pickup_point=OuterRef("pk")).exclude(
        group_id__in=counter.group_ids
    )
    own = points.filter(Q(pk__in=counter.point_ids) | ~Exists(strangers))
    return _found(own.distinct().first())


def line_of_member(account: Visitor, line_id: int) -> OrderLine:
    """A line of one of the visitor's own orders."""
    lines = OrderLine.objects.filter(pk=line_id, order__person=person_of(account), quantity__gt=0)
    return _found(lines.select_related("order__campaign", "order__listing", "offer").first())


def _purchase_orders() -> QuerySet[PurchaseOrder]:
    return PurchaseOrder.objects.select_related("supplier", "snapshot__campaign")


def _found[Row](row: Row | None) -> Row:
    if row is None:
        raise NotYours
    return row
