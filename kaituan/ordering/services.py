"""Changing orders that stand: amounts, quantities, states. Placing them is `core.py`; money is `payments/`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign, Offer
from kaituan.ledger import periods
from kaituan.money.fen import line_amount_fen
from kaituan.notices import live
from kaituan.notices.services import announce
from kaituan.ordering.core import StockChange, move_stock
from kaituan.ordering.locks import lock_orders, share_campaign
from kaituan.ordering.models import Order, OrderAdjustment, OrderEvent, OrderLine
from kaituan.ordering.states import LIVE, may_become
from kaituan.people.models import Person


class OrderRefused(Exception):
    """The change cannot be made; the message says why and what to do, in the reader's language."""


class OrderingClosed(OrderRefused):
    """The campaign's window has ended (or not begun)."""


@dataclass(frozen=True, slots=True)
class LineAdjustment:
    """A signed amount on one line. funder: platform, supplier, leader or member."""

    line_id: int
    kind: str
    amount_fen: int
    funder: str = "platform"
    rule_version: str = ""


@transaction.atomic
def adjust_lines(*, adjustments: Sequence[LineAdjustment], now: datetime) -> list[OrderAdjustment]:
    """Write adjustments and lower or raise what their orders cost. Afterwards the caller settles the money
    (`payments.services.settle_differences`) in the same transaction.

    Remedies are stamped inside the open period. Raises OrderRefused when a line's net amount would fall below 0.
    """
    adjustments = [a for a in adjustments if a.amount_fen]
    if not adjustments:
        return []
    lines = {line.pk: line for line in OrderLine.objects.filter(pk__in={a.line_id for a in adjustments})}
    orders = {order.pk: order for order in lock_orders(order_ids=(line.order_id for line in lines.values()))}
    net_fen = net_amounts_fen(line_ids=lines)
    stamped_at = periods.stamp(now=now)
    rows = []
    for adjustment in adjustments:
        line = lines[adjustment.line_id]
        net_fen[line.pk] += adjustment.amount_fen
        if net_fen[line.pk] < 0:
            raise OrderRefused(_("A line cannot be given back more than it cost."))
        orders[line.order_id].adjustment_fen += adjustment.amount_fen
        rows.append(
            OrderAdjustment(
                order_id=line.order_id,
                line=line,
                kind=adjustment.kind,
                amount_fen=adjustment.amount_fen,
                funder=adjustment.funder,
                rule_version=adjustment.rule_version,
                created_at=stamped_at if adjustment.kind in OrderAdjustment.REMEDIES else now,
            )
        )
    Order.objects.bulk_update(orders.values(), ["adjustment_fen"])
    return OrderAdjustment.objects.bulk_create(rows)


def net_amounts_fen(*, line_ids: Iterable[int]) -> dict[int, int]:
    """Line id -> its amount with all its adjustments."""
    net = dict(OrderLine.objects.filter(pk__in=list(line_ids)).values_list("pk", "amount_fen"))
    rows = OrderAdjustment.objects.filter(line_id__in=net).values_list("line_id", "amount_fen")
    for line_id, amount_fen in rows:
        assert line_id is not None
        net[line_id] += amount_fen
    return net


def move_order(
    *, order: Order, to_status: str, now: datetime, acting_person: Person | None, reason: str = "",
    kind: str = "", details: Mapping[str, object] | None = None,
) -> None:  # fmt: skip
    """Set a locked order's status and its time, and write the event. Does not touch stock or money.

    Raises OrderRefused when `states.MOVES` has no such move.
    """
    from_status = order.status
    if not may_become(from_status=from_status, to_status=to_status):
        raise OrderRefused(_("Order #%(number)s can no longer be changed.") % {"number": order.follow_number})
    order.status = to_status
    fields = ["status"]
    stamp_field = {"confirmed": "confirmed_at", "cancelled": "cancelled_at", "released": "released_at"}.get(
        to_status
    )
    if stamp_field:
        setattr(order, stamp_field, now)
        fields.append(stamp_field)
    if to_status == Order.Status.CONFIRMED:
        order.pay_by = order.released_at = None
        fields += ["pay_by", "released_at"]
    order.save(update_fields=fields)
    record_event(
        order=order, kind=kind or to_status, from_status=from_status, now=now, acting_person=acting_person,
        reason=reason, details=details,
    )  # fmt: skip


def record_event(
    *, order: Order, kind: str, now: datetime, acting_person: Person | None, from_status: str = "",
    reason: str = "", details: Mapping[str, object] | None = None,
) -> None:  # fmt: skip
    OrderEvent.objects.create(
        order=order,
        kind=kind,
        from_status=from_status,
        to_status=order.status if from_status else "",
        actor_id=acting_person.pk if acting_person else None,
        reason=reason,
        details=dict(details or {}),
        happened_at=now,
    )


@transaction.atomic
def withdraw_orders(
    *, order_ids: Iterable[int], to_status: str, now: datetime, acting_person: Person | None, reason: str = ""
) -> list[Order]:
    """Cancel or release live orders of any campaigns and give their stock back; others are left alone.

    The caller settles the money afterwards. Returns the orders that were withdrawn.
    """
    orders = [order for order in lock_orders(order_ids=order_ids) if order.status in LIVE]
    if not orders:
        return []
    persons = {order.pk: order.person_id for order in orders}
    lines = OrderLine.objects.filter(order_id__in=persons, quantity__gt=0).order_by("pk")
    move_stock(
        changes=[
            StockChange(person_id=persons[line.order_id], offer_id=line.offer_id, change=-line.quantity)
            for line in lines
        ]
    )
    for order in orders:
        move_order(order=order, to_status=to_status, now=now, acting_person=acting_person, reason=reason)
        announce(topic=f"order_{to_status}", subject=f"order:{order.pk}", payload={}, now=now)
    live.changed(*(chain_place(order) for order in orders))
    return orders


def chain_place(order: Order) -> str:
    """What serving processes are told when an order's place in the live chain looks different."""
    return f"{live.CHAIN}:{order.listing_id}:{order.follow_number}"


@transaction.atomic
def change_quantities(
    *, order: Order, quantities: Mapping[int, int], now: datetime, acting_person: Person | None,
    reason: str = "", kind: str = "amended", until_cut_off: bool = True,
) -> Order:  # fmt: skip
    """Set the quantities (offer id -> base steps, 0 = taken back) of a live order; offers not named stay.

    What was ordered keeps its price, what is added costs today's. The follow number stays. The caller settles
    the money. Raises OrderingClosed after the cut-off, StockRefused when there is not enough, OrderRefused when
    nothing would be left (cancel instead) or an offer is not of this campaign or was stopped.
    """
    campaign = share_campaign(campaign_id=order.campaign_id)
    if until_cut_off:
        require_open(campaign=campaign, now=now)
    [order] = lock_orders(order_ids=[order.pk])
    if order.status not in LIVE:
        raise OrderRefused(_("Order #%(number)s can no longer be changed.") % {"number": order.follow_number})
    lines = {line.offer_id: line for line in order.lines.select_related("offer")}
    before = {offer_id: line.quantity for offer_id, line in lines.items() if line.quantity}
    after = {**before, **quantities}
    if any(quantity < 0 for quantity in after.values()) or not any(after.values()):
        raise OrderRefused(_("Nothing would be left of the order: cancel it instead."))
    changes = {o: after[o] - before.get(o, 0) for o in after if after[o] != before.get(o, 0)}
    if not changes:
        return order
    offers = {offer.pk: offer for offer in Offer.objects.filter(pk__in=changes, campaign=campaign)}
    for offer_id, change in changes.items():
        offer = offers.get(offer_id)
        if offer is None or (change > 0 and offer.stopped_at is not None):
            raise OrderRefused(_("One of the goods is no longer on sale."))
    move_stock(
        changes=[
            StockChange(person_id=order.person_id, offer_id=o, change=c) for o, c in sorted(changes.items())
        ]
    )
    for offer_id in sorted(changes):
        _set_line_quantity(
            order=order, offer=offers[offer_id], line=lines.get(offer_id), quantity=after[offer_id], now=now
        )
    order.list_fen = sum(order.lines.values_list("amount_fen", flat=True))
    order.adjustment_fen = sum(order.adjustments.values_list("amount_fen", flat=True))
    order.campaign_version = campaign.version
    order.save(update_fields=["list_fen", "adjustment_fen", "campaign_version"])
    record_event(
        order=order, kind=kind, now=now, acting_person=acting_person, reason=reason,
        details={"before": {str(o): q for o, q in before.items()}, "after": {str(o): q for o, q in after.items()}},
    )  # fmt: skip
    announce(topic="order_amended", subject=f"order:{order.pk}", payload={}, now=now)
    live.changed(chain_place(order))
    return order


def require_open(*, campaign: Campaign, now: datetime) -> None:
    """Raise OrderingClosed unless orders may be placed and changed at `now`."""
    open_states = (Campaign.Status.OPEN, Campaign.Status.SCHEDULED)
    if campaign.status not in open_states or not campaign.opens_at <= now < campaign.closes_at:
        raise OrderingClosed(_("Ordering has ended: the group buy is cut off."))


def _set_line_quantity(
    *, order: Order, offer: Offer, line: OrderLine | None, quantity: int, now: datetime
) -> None:
    """Price the new quantity: kept units at what they cost, added ones at today's price."""
    if line is None:
        line = OrderLine(
            order=order, offer=offer, quantity=0, amount_fen=0, sale_rate_bp=order.listing.sale_rate_bp
        )
    old = line.quantity
    if quantity >= old:
        line.amount_fen += line_amount_fen(
            price_fen=offer.price_fen, price_quantity=offer.price_quantity, quantity=quantity - old
        )
        line.cost_fen += line_amount_fen(
            price_fen=offer.cost_fen, price_quantity=offer.price_quantity, quantity=quantity - old
        )
    else:
        line.amount_fen = line.amount_fen * quantity // old
        line.cost_fen = line.cost_fen * quantity // old
    line.quantity = quantity
    line.save()
    if quantity < old:
        _shrink_adjustments(line=line, quantity=quantity, old_quantity=old, now=now)


def _shrink_adjustments(*, line: OrderLine, quantity: int, old_quantity: int, now: datetime) -> None:
    """A discount of 3 on three pieces is one of 2 on two: write back the part of what was taken off."""
    per_kind: dict[tuple[str, str], int] = defaultdict(int)
    for kind, funder, amount_fen in line.adjustments.values_list("kind", "funder", "amount_fen"):
        per_kind[kind, funder] += amount_fen
    stamped_at = periods.stamp(now=now) if per_kind else now
    for (kind, funder), amount_fen in per_kind.items():
        # Rounded away from the member's loss: the discount that stays is at least its share.
        left_fen = -(-amount_fen * quantity // old_quantity)
        if left_fen != amount_fen:
            OrderAdjustment.objects.create(
                order=line.order, line=line, kind=kind, amount_fen=left_fen - amount_fen, funder=funder,
                created_at=stamped_at,
            )  # fmt: skip
