"""What people are told about their orders and money. Each function handles one outbox message, and tells once."""

from collections.abc import Iterable
from typing import Any

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.sharing import LISTING_PATH
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import Telling, tell, tell_many
from kaituan.ordering.models import Order, OrderEvent
from kaituan.payments.models import LEADER_CHANNELS, Payment, PaymentReturn, Refund, Remittance
from kaituan.people.models import StaffRole
from kaituan.people.queries import staff_person_ids

MONEY_ROLES = (StaffRole.Role.CASHIER, StaffRole.Role.ADMIN)


def orders_were_placed(message: OutboxMessage) -> None:
    """Each member: that it is in, until when to pay, or that somebody else ordered for them."""
    orders = Order.objects.filter(pk__in=message.payload["orders"]).select_related("listing", "campaign")
    tell_many(tellings=[_told_when_placed(message, order) for order in orders], now=message.created_at)


def _told_when_placed(message: OutboxMessage, order: Order) -> Telling:
    data = _facts(order) | {"due_fen": order.due_fen}
    kind = "order_placed"
    if order.actor_id != order.person_id:
        kind = "order_keyed_in"
        data["leader_id"] = order.listing.leader_id
    elif order.status == Order.Status.PENDING and order.pay_by is not None and order.unpaid_fen:
        kind = "order_to_pay"
        data |= {"amount_fen": order.unpaid_fen, "pay_by_at": order.pay_by}
    return _to_member(order, kind=kind, data=data, dedupe_key=f"order_placed:{message.pk}:{order.pk}")


def order_was_withdrawn(message: OutboxMessage) -> None:
    """Cancelled or released (`kind` is the event's own topic): the member, unless they did it themselves or
    the whole campaign was called off, of which everybody is told at once."""
    order = _order(message)
    if _done_by_member(message, order) or order.campaign.status == Campaign.Status.CANCELLED:
        return
    _tell_member(message, order, kind=message.topic, data=_facts(order))


def order_was_amended(message: OutboxMessage) -> None:
    """The member, when it was not they who changed it."""
    order = _order(message)
    if not _done_by_member(message, order):
        _tell_member(message, order, kind="order_amended", data=_facts(order) | {"due_fen": order.due_fen})


def order_was_paid(message: OutboxMessage) -> None:
    order = _order(message)
    data = _facts(order) | {"amount_fen": message.payload["amount_fen"]}
    _tell_member(message, order, kind="payment_received", data=data)


def refund_was_decided(message: OutboxMessage) -> None:
    """The member; and the leader who has to give cash back by hand."""
    refund = Refund.objects.select_related("order__listing", "payment__held_by").get(pk=_row_id(message))
    order = refund.order
    data = _facts(order) | {"amount_fen": refund.amount_fen}
    at_once = refund.sent_at is not None and refund.sent_at <= message.created_at
    _tell_member(message, order, kind="refund_sent" if at_once else "refund_due", data=data)
    leader = refund.payment.held_by
    if refund.channel in LEADER_CHANNELS and leader is not None and not at_once:
        tell(
            person_id=leader.person_id,
            kind="refund_to_hand_back",
            data=data,
            dedupe_key=f"refund_to_hand_back:{refund.pk}",
            now=message.created_at,
        )


def refund_has_failed(message: OutboxMessage) -> None:
    """Somebody has to find the money another way."""
    refund = Refund.objects.select_related("order__listing").get(pk=_row_id(message))
    _tell_cashiers(
        message, kind="refund_failed", data=_facts(refund.order) | {"amount_fen": refund.amount_fen}
    )


def payment_came_unmatched(message: OutboxMessage) -> None:
    payment = Payment.objects.get(pk=_row_id(message))
    _tell_cashiers(message, kind="payment_unmatched", data={"amount_fen": payment.amount_fen})


def payment_goes_back(message: OutboxMessage) -> None:
    """Whoever paid, if we know them."""
    row = PaymentReturn.objects.select_related("payment").get(pk=_row_id(message))
    if row.payment.payer_person_id is not None:
        tell(
            person_id=row.payment.payer_person_id,
            kind="payment_returned",
            data={"amount_fen": row.amount_fen},
            dedupe_key=f"payment_returned:{row.pk}",
            now=message.created_at,
        )


def remittance_was_announced(message: OutboxMessage) -> None:
    row = Remittance.objects.get(pk=_row_id(message))
    data = {"leader_id": row.leader_id, "amount_fen": row.amount_fen}
    _tell_cashiers(message, kind="remittance_announced", data=data)


def remittance_was_decided(message: OutboxMessage) -> None:
    """Confirmed or refused: the leader."""
    row = Remittance.objects.select_related("leader").get(pk=_row_id(message))
    tell(
        person_id=row.leader.person_id,
        kind=f"remittance_{row.status}",
        data={"amount_fen": row.amount_fen},
        dedupe_key=f"remittance_decided:{row.pk}",
        now=message.created_at,
    )


def _order(message: OutboxMessage) -> Order:
    return Order.objects.select_related("listing", "campaign").get(pk=_row_id(message))


def _done_by_member(message: OutboxMessage, order: Order) -> bool:
    """Whether the change that was announced at this instant was the member's own."""
    event = OrderEvent.objects.filter(order=order, happened_at=message.created_at).order_by("-pk").first()
    return event is not None and event.actor_id == order.person_id


def _facts(order: Order) -> dict[str, Any]:
    return {
        "campaign_id": order.campaign_id,
        "order_id": order.pk,
        "follow_number": order.follow_number,
    }


def _tell_member(message: OutboxMessage, order: Order, *, kind: str, data: dict[str, Any]) -> None:
    told = _to_member(order, kind=kind, data=data, dedupe_key=f"{kind}:{message.pk}")
    tell_many(tellings=[told], now=message.created_at)


def _to_member(order: Order, *, kind: str, data: dict[str, Any], dedupe_key: str) -> Telling:
    link = LISTING_PATH.format(public_id=order.listing.public_id)
    return Telling(person_id=order.person_id, kind=kind, data=data, link=link, dedupe_key=dedupe_key)


def _tell_cashiers(message: OutboxMessage, *, kind: str, data: dict[str, Any]) -> None:
    person_ids: Iterable[int] = staff_person_ids(roles=MONEY_ROLES, at=message.created_at)
    tell_many(
        tellings=[
            Telling(person_id=person_id, kind=kind, data=data, dedupe_key=f"{kind}:{message.pk}:{person_id}")
            for person_id in person_ids
        ],
        now=message.created_at,
    )


def _row_id(message: OutboxMessage) -> int:
    """The id in a message's subject, `type:id`."""
    return int(message.subject.partition(":")[2])
