"""What people are told between the cut-off and the hand-over, and what else follows from events.

Each function handles one outbox message; it may run twice and tells once. Wired in `worker/handlers.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.campaigns.sharing import LISTING_PATH
from kaituan.catalogue.models import SupplierStaff
from kaituan.fulfilment.models import Arrival, HandOver, PurchaseOrder, Snapshot
from kaituan.fulfilment.purchasing import follow_pickup_date
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import Telling, tell, tell_many
from kaituan.ordering.models import Order, OrderAdjustment, OrderLine
from kaituan.people.groups import holds_at
from kaituan.people.models import PickupKeeper, StaffRole
from kaituan.people.queries import station

Data = Mapping[str, Any]
REMIND_BEFORE = timedelta(hours=24)
"""So long before goods count as unclaimed, their members are reminded."""


def row_id(message: OutboxMessage) -> int:
    """The id in a message's subject, `type:id`."""
    return int(message.subject.partition(":")[2])


def campaign_was_closed(message: OutboxMessage) -> None:
    """Each leader learns of their own orders, whoever opened the campaign of all of them."""
    campaign = Campaign.objects.get(pk=row_id(message))
    facts = {"campaign_id": campaign.pk, "pickup_on": campaign.pickup_on}
    told: dict[int, Data] = {
        person_id: {**facts, "orders": orders, "amount_fen": amount_fen}
        for person_id, orders, amount_fen in _sold_by_leader(campaign=campaign)
    }
    payload = message.payload
    told[campaign.created_by_id] = {
        **facts, "orders": payload["orders"], "amount_fen": payload["amount_fen"],
    }  # fmt: skip
    _tell(message, "campaign_closed", told)


def _sold_by_leader(*, campaign: Campaign) -> Iterable[tuple[int, int, int]]:
    standing = Order.objects.filter(campaign=campaign, status=Order.Status.CONFIRMED)
    return (
        standing.values_list("listing__leader__person_id")
        .annotate(orders=Count("pk"), due=Sum(F("list_fen") + F("adjustment_fen")))
        .order_by("listing__leader__person_id")
    )


def minimum_was_not_met(message: OutboxMessage) -> None:
    """Everybody who ordered it, and the leaders who sold it."""
    offer = Offer.objects.get(pk=row_id(message))
    leaders = Listing.objects.filter(campaign_id=offer.campaign_id).values_list(
        "leader__person_id", flat=True
    )
    persons = {*message.payload["person_ids"], *leaders}
    data = {"campaign_id": offer.campaign_id, "offer_id": offer.pk}
    _tell(message, "minimum_not_met", dict.fromkeys(persons, data))


def pickup_date_was_moved(message: OutboxMessage) -> None:
    """Purchase orders follow the campaign's date. Tells nobody: whoever moved it does."""
    follow_pickup_date(campaign_id=row_id(message), now=message.created_at)


def purchase_order_went_out(message: OutboxMessage) -> None:
    """Sent or moved to another day (`kind` is the event's own topic): the supplier's staff."""
    order = PurchaseOrder.objects.get(pk=row_id(message))
    data = {"number": order.number, "purchase_order_id": order.pk, "arrives_on": order.arrives_on}
    _tell(message, message.topic, dict.fromkeys(_supplier_staff(order.supplier_id, message.created_at), data))


def purchase_order_was_confirmed(message: OutboxMessage) -> None:
    order = PurchaseOrder.objects.get(pk=row_id(message))
    data = {"number": order.number, "purchase_order_id": order.pk, "supplier_id": order.supplier_id}
    _tell(message, "purchase_order_confirmed", dict.fromkeys(_operators(message.created_at), data))


def campaign_changed_after_cut_off(message: OutboxMessage) -> None:
    """A delta snapshot: the staff of suppliers whose purchase order went out before it."""
    snapshot = Snapshot.objects.get(pk=message.payload["snapshot_id"])
    orders = PurchaseOrder.objects.filter(
        snapshot__campaign_id=snapshot.campaign_id,
        supplier__in=snapshot.lines.values("supplier"),
    ).exclude(status__in=[PurchaseOrder.Status.DRAFT, PurchaseOrder.Status.RECEIVED])
    for order in orders:
        data = {"number": order.number, "purchase_order_id": order.pk, "snapshot": snapshot.number}
        staff = _supplier_staff(order.supplier_id, message.created_at)
        _tell(message, "purchase_order_changed", dict.fromkeys(staff, data), about=f"{order.pk}")


def line_went_short(message: OutboxMessage) -> None:
    line = OrderLine.objects.select_related("order__listing").get(pk=message.payload["line_id"])
    taken_off = line.adjustments.filter(kind=OrderAdjustment.Kind.SHORTAGE).aggregate(fen=Sum("amount_fen"))
    data = {
        "campaign_id": line.order.campaign_id,
        "follow_number": line.order.follow_number,
        "offer_id": line.offer_id,
        "amount_fen": -(taken_off["fen"] or 0),
        "order_id": line.order_id,
    }
    told = {line.order.person_id: data}
    _tell(message, "shortage", told, about=f"{line.pk}", link=_page_of(line.order))


def goods_have_arrived(message: OutboxMessage) -> None:
    """Every member with goods there, each order with its number; and the leaders who hand them over."""
    arrival = Arrival.objects.get(pk=row_id(message))
    facts = {"campaign_id": arrival.campaign_id, "pickup_point_id": arrival.pickup_point_id}
    orders = list(_orders_with_goods(arrival=arrival))
    tell_many(
        tellings=[
            Telling(
                person_id=order.person_id,
                kind="arrived",
                dedupe_key=f"arrived:{arrival.pk}:{order.pk}",
                data={**facts, "follow_number": order.follow_number, "order_id": order.pk},
                link=_page_of(order),
            )
            for order in orders
        ],
        now=message.created_at,
    )
    data = {**facts, "orders": len(orders)}
    _tell(message, "arrived_for_leader", dict.fromkeys(_keepers(arrival, message.created_at), data))


def goods_were_handed_over(message: OutboxMessage) -> None:
    """Once a line is handed over in full its claim window runs: the member learns until when."""
    order = Order.objects.select_related("campaign", "listing").get(pk=row_id(message))
    handed = HandOver.objects.filter(pk__in=message.payload["hand_over_ids"], undone_at__isnull=True)
    done = OrderLine.objects.filter(pk__in=handed.values("order_line"), handed_over_at__isnull=False)
    latest = done.order_by("-handed_over_at").first()
    if latest is None or latest.handed_over_at is None:
        return
    data = {
        "campaign_id": order.campaign_id,
        "follow_number": order.follow_number,
        "claims_until_at": latest.handed_over_at + timedelta(hours=order.campaign.claim_window_hours),
        "order_id": order.pk,
    }
    # Named for the moment, not the message: the first part's message, handled late, tells nothing new.
    tell(
        person_id=order.person_id,
        kind="handed_over",
        dedupe_key=f"handed_over:{order.pk}:{latest.handed_over_at.timestamp()}",
        data=data,
        link=_page_of(order),
        now=message.created_at,
    )


def order_at_the_counter_changed(message: OutboxMessage) -> None:
    """A hand-over was undone, or goods were given up as unclaimed (`kind` is the event's own topic)."""
    order = Order.objects.select_related("listing").get(pk=row_id(message))
    data = {
        "campaign_id": order.campaign_id,
        "follow_number": order.follow_number,
        "order_id": order.pk,
    }
    _tell(message, message.topic, {order.person_id: data}, link=_page_of(order))


def remind_unclaimed(*, now: datetime) -> int:
    """Tell members whose goods will soon count as unclaimed, once for each order; says how many were told.

    For the clock; safe to run as often as one likes and in two workers.
    """
    hours = timedelta(hours=station().unclaimed_after_hours)
    arrivals = Arrival.objects.filter(arrived_at__gt=now - hours, arrived_at__lte=now - hours + REMIND_BEFORE)
    told = 0
    for arrival in arrivals.order_by("pk"):
        waiting = _orders_with_goods(arrival=arrival).filter(
            pk__in=OrderLine.objects.filter(
                allocated_quantity__gt=F("handed_quantity"), handed_over_at__isnull=True
            ).values("order_id")
        )
        told += tell_many(
            tellings=[
                Telling(
                    person_id=order.person_id,
                    kind="unclaimed_soon",
                    dedupe_key=f"unclaimed_soon:{arrival.pk}:{order.pk}",
                    data={
                        "campaign_id": arrival.campaign_id,
                        "pickup_point_id": arrival.pickup_point_id,
                        "follow_number": order.follow_number,
                        "unclaimed_at": arrival.arrived_at + hours,
                        "order_id": order.pk,
                    },
                    link=_page_of(order),
                )
                for order in waiting
            ],
            now=now,
        )
    return told


def _orders_with_goods(*, arrival: Arrival) -> QuerySet[Order]:
    """Standing orders of an arrival of which something came, in list order."""
    return (
        Order.objects.filter(
            campaign_id=arrival.campaign_id,
            listing__pickup_point_id=arrival.pickup_point_id,
            status=Order.Status.CONFIRMED,
            lines__allocated_quantity__gt=0,
        )
        .select_related("listing")
        .distinct()
        .order_by("listing_id", "follow_number")
    )


def _page_of(order: Order) -> str:
    """Where the member finds the order."""
    return LISTING_PATH.format(public_id=order.listing.public_id)


def _keepers(arrival: Arrival, at: datetime) -> set[int]:
    """Persons who hand over there: the point's keepers, and the leaders whose orders lie there."""
    keepers = PickupKeeper.objects.filter(holds_at(at), pickup_point_id=arrival.pickup_point_id)
    leaders = Listing.objects.filter(
        campaign_id=arrival.campaign_id, pickup_point_id=arrival.pickup_point_id, orders__status="confirmed"
    )
    return {
        *keepers.values_list("leader__person_id", flat=True),
        *leaders.values_list("leader__person_id", flat=True),
    }


def _supplier_staff(supplier_id: int, at: datetime) -> list[int]:
    rows = SupplierStaff.objects.filter(holds_at(at), supplier_id=supplier_id)
    return list(rows.values_list("person_id", flat=True).distinct())


def _operators(at: datetime) -> list[int]:
    roles = StaffRole.objects.filter(holds_at(at), role=StaffRole.Role.OPERATOR)
    return list(roles.values_list("person_id", flat=True).distinct())


def _tell(
    message: OutboxMessage, kind: str, told: Mapping[int, Data], *, about: str = "", link: str = ""
) -> None:
    """Tell persons (id -> data) of one message. about: sets several tellings of one message apart."""
    tellings = [
        Telling(
            person_id=person_id,
            kind=kind,
            dedupe_key=f"{kind}:{message.pk}:{about}:{person_id}",
            data=data,
            link=link,
        )
        for person_id, data in told.items()
    ]
    if tellings:
        tell_many(tellings=tellings, now=message.created_at)
