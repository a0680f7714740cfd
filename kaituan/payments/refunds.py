"""Money that goes back: decided with its reason, posted, and sent along the way it came."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from kaituan.ledger.models import AccountKind
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.notices.services import announce
from kaituan.ordering.locks import lock_orders
from kaituan.ordering.models import Order
from kaituan.payments.gateways.protocol import GatewayRefund, GatewayRefused, GatewayUnreachable
from kaituan.payments.gateways.registry import gateway_for
from kaituan.payments.models import LEADER_CHANNELS, Channel, Payment, PaymentReturn, Refund
from kaituan.payments.postings import REFUND_DUE, money_account, next_key, post_order, post_orders
from kaituan.payments.refusals import AlreadyDone, PaymentRefused
from kaituan.people.models import Person


@transaction.atomic
def settle_differences(*, order_ids: Iterable[int], reason: str, now: datetime) -> list[Refund]:
    """Refund what each order has been paid beyond what is due, and bring the books up to date.

    Called after whatever lowered what is due, in the same transaction. Calling it again does nothing.
    """
    refunds = []
    settled = []
    for order in lock_orders(order_ids=order_ids):
        over_fen = order.kept_fen - order.due_fen
        if over_fen > 0:
            refunds += refund_order(order=order, amount_fen=over_fen, reason=reason, now=now)
        else:
            settled.append(order)
    post_orders(orders=settled, kind=f"order_{reason}", now=now)
    return refunds


def refund_order(
    *, order: Order, amount_fen: int, reason: str, now: datetime, only_payment: Payment | None = None,
    send_at_once: bool = False,
) -> list[Refund]:  # fmt: skip
    """Give back `amount_fen` of a locked order along its payments, the latest first."""
    refunds = []
    left_fen = amount_fen
    for payment, refundable_fen in _refundable(order=order, only_payment=only_payment):
        part_fen = min(left_fen, refundable_fen)
        if part_fen <= 0:
            continue
        order.refunded_fen += part_fen
        order.save(update_fields=["refunded_fen"])
        refund = Refund.objects.create(
            order=order, payment=payment, channel=payment.channel, reason=reason, amount_fen=part_fen,
            idempotency_key=f"{order.pk}:{payment.pk}:{order.refunded_fen}", refunded_at=now,
        )  # fmt: skip
        post_order(order=order, kind=f"refund_{reason}", now=now, cash=REFUND_DUE)
        if payment.channel == Channel.BALANCE or send_at_once:
            _mark_sent(refund=refund, now=now)
        announce(topic="refund_decided", subject=f"refund:{refund.pk}", payload={}, now=now)
        refunds.append(refund)
        left_fen -= part_fen
    if left_fen:
        raise PaymentRefused(_("More was to be refunded than was paid."))
    return refunds


def _refundable(*, order: Order, only_payment: Payment | None) -> list[tuple[Payment, int]]:
    """Payments of an order with what is left of each, the latest first."""
    refunded = dict(order.refunds.values_list("payment_id").annotate(Sum("amount_fen")))
    allocations = order.allocations.values_list("payment_id").annotate(Sum("amount_fen"))
    allocated = dict(allocations)
    payments = Payment.objects.filter(pk__in=allocated).order_by("-received_at", "-pk")
    return [
        (payment, allocated[payment.pk] - refunded.get(payment.pk, 0))
        for payment in payments
        if only_payment is None or payment.pk == only_payment.pk
    ]


def send_due_refunds(*, now: datetime, limit: int = 100) -> int:
    """Ask the gateways for every refund and return that is due. Safe to run in two workers."""
    sent = 0
    due = Refund.objects.filter(status=Refund.Status.DUE).exclude(
        channel__in=[*LEADER_CHANNELS, Channel.BANK]
    )
    for refund_id in due.order_by("pk").values_list("pk", flat=True)[:limit]:
        sent += send_refund(refund_id=refund_id, now=now)
    returns = PaymentReturn.objects.filter(status=PaymentReturn.Status.DUE)
    gateway_returns = returns.exclude(payment__channel__in=[*LEADER_CHANNELS, Channel.BANK])
    for return_id in gateway_returns.order_by("pk").values_list("pk", flat=True)[:limit]:
        sent += send_return(return_id=return_id, now=now)
    return sent


@transaction.atomic
def send_refund(*, refund_id: int, now: datetime) -> bool:
    """Send one due refund by its gateway. The gateway knows the reference, so a crash in between repeats
    nothing. True when it is sent."""
    refund = (
        Refund.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("payment")
        .filter(pk=refund_id, status=Refund.Status.DUE)
        .first()
    )
    if refund is None:
        return False
    request = GatewayRefund(
        reference=f"R{refund.public_id}",
        payment_reference=refund.payment.external_reference,
        amount_fen=refund.amount_fen,
    )
    try:
        gateway_for(channel=refund.channel).refund(refund=request, now=now)
    except GatewayUnreachable:
        return False
    except GatewayRefused as refusal:
        refund.status, refund.failure = Refund.Status.FAILED, str(refusal)[:200]
        refund.save(update_fields=["status", "failure"])
        announce(topic="refund_failed", subject=f"refund:{refund.pk}", payload={}, now=now)
        return False
    _mark_sent(refund=refund, now=now)
    return True


@transaction.atomic
def send_return(*, return_id: int, now: datetime) -> bool:
    """As `send_refund`, for money that never belonged to an order."""
    row = (
        PaymentReturn.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("payment")
        .filter(pk=return_id, status=PaymentReturn.Status.DUE)
        .first()
    )
    if row is None:
        return False
    request = GatewayRefund(
        reference=f"B{row.public_id}",
        payment_reference=row.payment.external_reference,
        amount_fen=row.amount_fen,
    )
    try:
        gateway_for(channel=row.payment.channel).refund(refund=request, now=now)
    except GatewayUnreachable:
        return False
    except GatewayRefused as refusal:
        row.status, row.failure = PaymentReturn.Status.FAILED, str(refusal)[:200]
        row.save(update_fields=["status", "failure"])
        return False
    _mark_returned(row=row, now=now)
    return True


@transaction.atomic
def hand_back(*, refund: Refund, acting_person: Person, now: datetime) -> Refund:
    """The leader gave the member the money back by hand. Raises AlreadyDone, PaymentRefused."""
    lock_orders(order_ids=[refund.order_id])
    refund = Refund.objects.select_for_update(of=("self",)).select_related("payment").get(pk=refund.pk)
    if refund.channel not in LEADER_CHANNELS:
        raise PaymentRefused(_("This refund goes back by itself."))
    if refund.status == Refund.Status.SENT:
        raise AlreadyDone(_("This refund is already given back."))
    _mark_sent(refund=refund, now=now)
    return refund


@transaction.atomic
def refund_to_balance(*, refund: Refund, acting_person: Person, now: datetime) -> Refund:
    """A refund that cannot go back the way it came becomes the member's balance. Raises AlreadyDone, and
    PaymentRefused for one that a gateway was or is being asked for: the member would have the money twice."""
    lock_orders(order_ids=[refund.order_id])
    rows = Refund.objects.select_for_update(skip_locked=True, of=("self",)).select_related("order", "payment")
    found = rows.filter(pk=refund.pk).first()
    if found is None or (
        found.status == Refund.Status.DUE and found.channel not in (*LEADER_CHANNELS, Channel.BANK)
    ):
        raise PaymentRefused(_("This refund goes back by itself."))
    refund = found
    if refund.status == Refund.Status.SENT:
        raise AlreadyDone(_("This refund is already given back."))
    refund.channel = Channel.BALANCE
    refund.save(update_fields=["channel"])
    _mark_sent(refund=refund, now=now)
    return refund


@transaction.atomic
def mark_returned_by_hand(*, row: PaymentReturn, acting_person: Person, now: datetime) -> None:
    """The cashier sent a bank transfer back. Raises AlreadyDone."""
    row = PaymentReturn.objects.select_for_update(of=("self",)).select_related("payment").get(pk=row.pk)
    if row.status == PaymentReturn.Status.SENT:
        raise AlreadyDone(_("This money is already sent back."))
    _mark_returned(row=row, now=now)


def _mark_sent(*, refund: Refund, now: datetime) -> None:
    refund.status, refund.sent_at, refund.failure = Refund.Status.SENT, now, ""
    refund.save(update_fields=["status", "sent_at", "failure"])
    cash = money_account(
        channel=refund.channel, leader_id=refund.payment.held_by_id, person_id=refund.order.person_id
    )
    [order] = lock_orders(order_ids=[refund.order_id])
    post_entry(
        key=next_key(order=order), kind="refund_sent", reference=f"order:{refund.order_id}", occurred_at=now,
        moves=[Move(REFUND_DUE, cash, refund.amount_fen)],
    )  # fmt: skip


def _mark_returned(*, row: PaymentReturn, now: datetime) -> None:
    row.status, row.sent_at, row.failure = PaymentReturn.Status.SENT, now, ""
    row.save(update_fields=["status", "sent_at", "failure"])
    cash = money_account(channel=row.payment.channel, leader_id=row.payment.held_by_id)
    post_entry(
        key=f"return_sent:{row.pk}", kind="payment_returned", reference=f"payment:{row.payment_id}",
        occurred_at=now, moves=[Move(AccountRef(AccountKind.REFUND_DUE), cash, row.amount_fen)],
    )  # fmt: skip
