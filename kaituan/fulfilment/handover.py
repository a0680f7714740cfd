"""Handing goods over at the pickup point: all or part of it, undone within minutes if it was a mistake, and
the rule for what nobody fetches."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from kaituan.fulfilment.locks import lock_lines
from kaituan.fulfilment.models import Arrival, HandOver
from kaituan.fulfilment.refusals import HandOverRefused, StillUnpaid
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce, announce_many
from kaituan.ordering.models import Order, OrderLine
from kaituan.people.models import Leader, Person, Station

Method = HandOver.Method
UNDO_MINUTES = 15
"""Long enough to notice at the door, short enough that nobody has eaten it."""
UNCLAIMED_BATCH = 500


@transaction.atomic
def hand_over(
    *, lines_quantities: Mapping[int, int], method: str, leader: Leader, acting_person: Person, now: datetime,
    key: str, despite_unpaid: bool = False,
) -> list[HandOver]:  # fmt: skip
    """Give goods to members: line id -> base steps (> 0), at one pickup point. All or nothing.

    leader: who does the work and earns the service fee; acting_person: who tapped (the leader or a helper).
    key: made with the form, so that a second tap hands over nothing. despite_unpaid: the leader knows that
    money is missing and takes it later. When all that a line was allocated is handed, its claim window begins.
    Raises StillUnpaid, HandOverRefused.
    """
    if not lines_quantities or any(quantity <= 0 for quantity in lines_quantities.values()):
        raise HandOverRefused(_("Say what is handed over: at least one of the goods."))
    lines = lock_lines(line_ids=lines_quantities)
    replayed = _replayed(key=key, lines=lines)
    if replayed:
        return replayed
    if len(lines) != len(lines_quantities):
        raise HandOverRefused(_("One of the goods does not belong to an order here."))
    _check_arrived(lines=lines)
    for line in lines:
        _check_line(line=line, quantity=lines_quantities[line.pk])
    if not despite_unpaid:
        _check_paid(lines=lines)
    given = _give(
        lines_quantities=[(line, lines_quantities[line.pk]) for line in lines], method=method, leader=leader,
        acting_person=acting_person, now=now, key=lambda line: f"{key}:{line.pk}",
    )  # fmt: skip
    announce_many(
        topic="goods_handed_over",
        messages=[
            (f"order:{order_id}", {"hand_over_ids": [row.pk for row in given if row.order_line.order_id == order_id]})
            for order_id in sorted({line.order_id for line in lines})
        ],
        now=now,
    )  # fmt: skip
    return given


def _replayed(*, key: str, lines: Sequence[OrderLine]) -> list[HandOver]:
    """What the same key handed over before."""
    keys = [f"{key}:{line.pk}" for line in lines]
    return list(
        HandOver.objects.filter(idempotency_key__in=keys)
        .select_related("order_line")
        .order_by("order_line_id")
    )


def _check_arrived(*, lines: Sequence[OrderLine]) -> None:
    places = set(
        Order.objects.filter(pk__in={line.order_id for line in lines}).values_list(
            "campaign_id", "listing__pickup_point_id"
        )
    )
    if len({pickup_point_id for _campaign, pickup_point_id in places}) > 1:
        raise HandOverRefused(_("These orders are picked up at different places."))
    for campaign_id, pickup_point_id in places:
        if not Arrival.objects.filter(campaign_id=campaign_id, pickup_point_id=pickup_point_id).exists():
            raise HandOverRefused(_("Confirm first that the goods have arrived."))


def _check_line(*, line: OrderLine, quantity: int) -> None:
    number = line.order.follow_number
    if line.order.status != Order.Status.CONFIRMED:
        raise HandOverRefused(_("Order #%(number)s does not stand any more.") % {"number": number})
    left = (line.allocated_quantity or 0) - line.handed_quantity
    if quantity > left:
        raise HandOverRefused(
            _("Order #%(number)s: of %(goods)s there is less left to hand over.")
            % {"number": number, "goods": line.offer.title}
        )


def _check_paid(*, lines: Sequence[OrderLine]) -> None:
    orders = {line.order_id: line.order for line in lines}
    unpaid_fen = {order.pk: order.unpaid_fen for order in orders.values() if order.unpaid_fen}
    if unpaid_fen:
        total = format_yuan(sum(unpaid_fen.values()))
        raise StillUnpaid(_("Take ¥%(amount)s first.") % {"amount": total}, unpaid_fen=unpaid_fen)


def _give(
    *, lines_quantities: Sequence[tuple[OrderLine, int]], method: str, leader: Leader | None,
    acting_person: Person | None, now: datetime, key: Callable[[OrderLine], str],
) -> list[HandOver]:  # fmt: skip
    """Write hand-overs of locked lines; where it was the last part, say when and by whom."""
    rows = HandOver.objects.bulk_create(
        HandOver(
            order_line=line, quantity=quantity, method=method, handed_by=acting_person, pickup_leader=leader,
            handed_at=now, idempotency_key=key(line),
        )
        for line, quantity in lines_quantities
    )  # fmt: skip
    for line, quantity in lines_quantities:
        line.handed_quantity += quantity
        if line.handed_quantity == line.allocated_quantity:
            line.handed_over_at = now
            line.pickup_leader_id = leader.pk if leader else None
    OrderLine.objects.bulk_update(
        [line for line, _quantity in lines_quantities],
        ["handed_quantity", "handed_over_at", "pickup_leader_id"],
    )
    return rows


@transaction.atomic
def undo_hand_over(*, hand_overs: Sequence[HandOver], acting_person: Person, now: datetime) -> list[HandOver]:
    """Take hand-overs back, all or none: they were the wrong member's. Undoing twice changes nothing.

    Raises HandOverRefused after UNDO_MINUTES, when the line has completed, or when the member has claimed that
    something is wrong with it: who has money back for goods does not get the goods again.
    """
    lines = {line.pk: line for line in lock_lines(line_ids=[row.order_line_id for row in hand_overs])}
    rows = list(
        HandOver.objects.select_for_update().filter(pk__in=[row.pk for row in hand_overs]).order_by("pk")
    )
    undone = []
    for row in rows:
        line = lines[row.order_line_id]
        if row.undone_at is not None:
            continue
        too_late = now > row.handed_at + timedelta(minutes=UNDO_MINUTES)
        if too_late or line.completed_at is not None or row.method == Method.UNCLAIMED:
            raise HandOverRefused(
                _("A hand-over can be undone for %(minutes)d minutes. Use a claim instead.")
                % {"minutes": UNDO_MINUTES}
            )
        if line.claims.filter(status__in=["open", "granted"]).exists():
            raise HandOverRefused(
                _("The member has made a claim on it: the hand-over stands, decide the claim.")
            )
        row.undone_at, row.undone_by = now, acting_person
        row.save(update_fields=["undone_at", "undone_by"])
        line.handed_quantity -= row.quantity
        line.handed_over_at = line.pickup_leader_id = None
        line.save(update_fields=["handed_quantity", "handed_over_at", "pickup_leader_id"])
        undone.append(row)
    for order_id in sorted({lines[row.order_line_id].order_id for row in undone}):
        announce(topic="hand_over_undone", subject=f"order:{order_id}", payload={}, now=now)
    return undone


def give_up_unclaimed(*, now: datetime, limit: int = UNCLAIMED_BATCH) -> int:
    """Complete what nobody fetched: after `Station.unclaimed_after_hours` from the arrival, what is left of a
    line counts as handed over. Nobody handed it over, so nobody earns a service fee for it; where a part was
    handed over before, that leader's work stands. Returns how many lines; safe to run twice and in two workers.
    """
    hours = Station.objects.get().unclaimed_after_hours
    arrived_before = now - timedelta(hours=hours)
    lines = _left_over_lines().filter(
        order__campaign__arrivals__pickup_point=F("order__listing__pickup_point"),
        order__campaign__arrivals__arrived_at__lte=arrived_before,
    )
    line_ids = list(lines.order_by("pk").values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        given_up = [line for line in lock_lines(line_ids=line_ids) if _give_up(line=line, now=now)]
        announce_many(
            topic="goods_unclaimed",
            messages=[(f"order:{order_id}", {}) for order_id in sorted({line.order_id for line in given_up})],
            now=now,
        )
    return len(given_up)


def _left_over_lines() -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(
        order__status=Order.Status.CONFIRMED,
        handed_over_at__isnull=True,
        allocated_quantity__gt=F("handed_quantity"),
    )


def _give_up(*, line: OrderLine, now: datetime) -> bool:
    """Looks again under the lock: the member may have come in this very moment."""
    left = (line.allocated_quantity or 0) - line.handed_quantity
    if line.order.status != Order.Status.CONFIRMED or line.handed_over_at is not None or left <= 0:
        return False
    earlier = line.hand_overs.filter(undone_at__isnull=True).select_related("pickup_leader").last()
    _give(
        lines_quantities=[(line, left)], method=Method.UNCLAIMED,
        leader=earlier.pickup_leader if earlier else None, acting_person=None, now=now,
        key=lambda line: f"unclaimed:{line.pk}",
    )  # fmt: skip
    return True
