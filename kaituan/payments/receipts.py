"""Money that comes in: recorded once, put to its order, or kept in suspense until it is matched or returned."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.ledger.models import AccountKind
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce, announce_many
from kaituan.ordering.core import StockChange, StockRefused, move_stock
from kaituan.ordering.locks import lock_orders, share_campaign
from kaituan.ordering.models import Order
from kaituan.ordering.services import OrderRefused, move_order, require_open
from kaituan.payments.models import (
    LEADER_CHANNELS,
    Allocation,
    Channel,
    Payment,
    PaymentIntent,
    PaymentReturn,
)
from kaituan.payments.postings import money_account, post_orders, suspense_account
from kaituan.payments.refunds import refund_order
from kaituan.payments.refusals import AlreadyDone, NothingToPay, PaymentRefused
from kaituan.people.models import Leader, Person

UNDO_RECEIPT_WITHIN = timedelta(minutes=30)


@transaction.atomic
def open_intent(*, order: Order, channel: str, now: datetime) -> PaymentIntent:
    """The open intent for what is unpaid, made if there is none; intents of other amounts are voided.

    Raises NothingToPay.
    """
    [order] = lock_orders(order_ids=[order.pk])
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    open_intents = order.intents.filter(status=PaymentIntent.Status.OPEN)
    fitting = open_intents.filter(channel=channel, amount_fen=order.unpaid_fen).first()
    if fitting is not None:
        return fitting
    open_intents.update(status=PaymentIntent.Status.VOID)
    return PaymentIntent.objects.create(
        order=order, channel=channel, amount_fen=order.unpaid_fen, created_at=now, expires_at=order.pay_by
    )


@dataclass(frozen=True, slots=True)
class Success:
    """A gateway's word that money arrived for an intent."""

    intent: PaymentIntent
    external_reference: str
    amount_fen: int


def gateway_succeeded(
    *, intent: PaymentIntent, external_reference: str, amount_fen: int, now: datetime
) -> Payment:
    """The gateway says that money arrived for an intent; saying it again changes nothing.

    A payment for an order that was released takes the stock again if it can. What cannot be used goes back by
    itself.
    """
    [payment] = gateway_succeeded_many(successes=[Success(intent, external_reference, amount_fen)], now=now)
    return payment


@transaction.atomic
def gateway_succeeded_many(*, successes: Sequence[Success], now: datetime) -> list[Payment]:
    """As `gateway_succeeded` for a gateway's whole list, in a fixed number of statements; an order twice in it
    is paid in turn. Answers one payment each."""
    said = [(success.intent.channel, success.external_reference) for success in successes]
    news = [
        _receipt(
            channel=success.intent.channel, external_reference=success.external_reference,
            amount_fen=success.amount_fen, now=now, intent=success.intent, payer=success.intent.order.person,
        )
        for success in successes
    ]  # fmt: skip
    recorded = {(row.channel, row.external_reference): row for row in _record(news)}
    fresh = [
        (success, recorded[key])
        for key, success in dict(zip(said, successes, strict=True)).items()
        if key in recorded
    ]
    for campaign_id in sorted({success.intent.order.campaign_id for success, _payment in fresh}):
        share_campaign(campaign_id=campaign_id)
    locked = lock_orders(order_ids=[success.intent.order_id for success, _payment in fresh])
    orders = {order.pk: order for order in locked}
    for turn in _turns(fresh, order_id=lambda row: row[0].intent.order_id):
        _take_successes(turn, orders, now=now)
    known = Payment.objects.filter(external_reference__in=[reference for _channel, reference in said])
    found = {(row.channel, row.external_reference): row for row in known} | recorded
    return [found[key] for key in said]


def _take_successes(
    rows: Sequence[tuple[Success, Payment]], orders: Mapping[int, Order], *, now: datetime
) -> None:
    """Put receipts of different locked orders to them; what an order does not need goes back."""
    intents = [success.intent for success, _payment in rows]
    for success, _payment in rows:
        success.intent.status, success.intent.succeeded_at = PaymentIntent.Status.SUCCEEDED, now
        success.intent.gateway_reference = success.external_reference
    PaymentIntent.objects.bulk_update(intents, ["status", "succeeded_at", "gateway_reference"])
    parts = []
    for success, payment in rows:
        order = orders[success.intent.order_id]
        if (
            order.status == Order.Status.RELEASED
            and payment.amount_fen >= order.list_fen + order.adjustment_fen
        ):
            _take_stock_again(order=order, now=now)
        parts.append(_Part(payment, order, min(payment.amount_fen, order.unpaid_fen)))
    _allocate_many(parts, now=now)
    for _success, payment in rows:
        _to_suspense(payment=payment, now=now)
        if payment.unmatched_fen:
            return_payment(
                payment=payment, reason=_("The order no longer needs it."), acting_person=None, now=now
            )
            payment.refresh_from_db()


def _turns[Row](rows: Sequence[Row], *, order_id: Callable[[Row], int]) -> list[list[Row]]:
    """The rows in their order, in groups of which each has an order once at most."""
    turns: list[list[Row]] = []
    seen: Counter[int] = Counter()
    for row in rows:
        number = seen[order_id(row)]
        if number == len(turns):
            turns.append([])
        turns[number].append(row)
        seen[order_id(row)] += 1
    return turns


@transaction.atomic
def pay_from_balance(*, order: Order, acting_person: Person, key: str, now: datetime) -> Payment:
    """Pay all that is unpaid from the member's balance. Raises NothingToPay, BalanceTooLow."""
    [order] = lock_orders(order_ids=[order.pk])
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    amount_fen = order.unpaid_fen
    payment = _record_one(
        channel=Channel.BALANCE, external_reference=key, amount_fen=amount_fen, now=now, payer=order.person,
        recorded_by=acting_person,
    )  # fmt: skip
    if payment is None:
        raise AlreadyDone(_("This payment is already recorded."))
    _allocate(payment=payment, order=order, amount_fen=amount_fen, now=now)
    return payment


@dataclass(frozen=True, slots=True)
class Taken:
    """Money that a leader took for an order. key: made with the form, so that a second click records nothing."""

    order: Order
    channel: str
    amount_fen: int
    key: str


def leader_receives(
    *, order: Order, leader: Leader, channel: str, amount_fen: int, key: str, acting_person: Person,
    now: datetime,
) -> Payment:  # fmt: skip
    """The leader took money for an order (cash, transfer, 收款码) and owes it from now on.

    key: made with the form, so that a second click records nothing. Raises PaymentRefused for an amount that is
    not between 1 fen and what is unpaid, NothingToPay.
    """
    [payment] = leader_receives_many(
        taken=[Taken(order, channel, amount_fen, key)], leader=leader, acting_person=acting_person, now=now
    )
    return payment


@transaction.atomic
def leader_receives_many(
    *, taken: Sequence[Taken], leader: Leader, acting_person: Person, now: datetime
) -> list[Payment]:
    """As `leader_receives` for money of several orders, all or nothing, in a fixed number of statements.

    Answers one payment each. Raises PaymentRefused, NothingToPay, as for one; an order may stand once in it.
    """
    if any(row.channel not in LEADER_CHANNELS for row in taken):
        raise PaymentRefused(_("A leader takes cash, a transfer or a payment code."))
    orders = {order.pk: order for order in lock_orders(order_ids=[row.order.pk for row in taken])}
    if len(orders) != len(taken):
        raise PaymentRefused(_("Money for one order is taken once at a time."))
    known = {
        (row.channel, row.external_reference): row
        for row in Payment.objects.filter(external_reference__in=[row.key for row in taken])
    }
    new = [row for row in taken if (row.channel, row.key) not in known]
    for row in new:
        _check_taken(orders[row.order.pk], amount_fen=row.amount_fen)
    receipts = [
        _receipt(
            channel=row.channel, external_reference=row.key, amount_fen=row.amount_fen, now=now,
            payer=row.order.person, recorded_by=acting_person, held_by=leader,
        )
        for row in new
    ]  # fmt: skip
    recorded = {(row.channel, row.external_reference): row for row in _record(receipts)}
    _allocate_many(
        [_Part(recorded[row.channel, row.key], orders[row.order.pk], row.amount_fen) for row in new], now=now
    )
    found = known | recorded
    return [found[row.channel, row.key] for row in taken]


def _check_taken(order: Order, *, amount_fen: int) -> None:
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    if not 0 < amount_fen <= order.unpaid_fen:
        raise PaymentRefused(
            _("Enter an amount between 0.01 and %(unpaid)s yuan.") % {"unpaid": format_yuan(order.unpaid_fen)}
        )


@transaction.atomic
def undo_leader_receipt(*, payment: Payment, acting_person: Person, now: datetime) -> None:
    """The leader noted money by mistake: within half an hour it is as if it had not been.

    Raises PaymentRefused later, or for money that is no leader's.
    """
    if payment.channel not in LEADER_CHANNELS or now > payment.received_at + UNDO_RECEIPT_WITHIN:
        raise PaymentRefused(_("Only a receipt of the last 30 minutes can be undone."))
    for allocation in payment.allocations.select_related("order").order_by("order_id"):
        [order] = lock_orders(order_ids=[allocation.order_id])
        if order.refunds.filter(payment=payment).exists():
            raise AlreadyDone(_("This receipt is already undone or refunded."))
        refund_order(
            order=order, amount_fen=allocation.amount_fen, reason="receipt_undone", now=now,
            only_payment=payment, send_at_once=True,
        )  # fmt: skip
        if order.status == Order.Status.CONFIRMED and order.settles == Order.Settles.PREPAID:
            move_order(
                order=order, to_status=Order.Status.PENDING, now=now, acting_person=acting_person,
                kind="receipt_undone",
            )  # fmt: skip


@transaction.atomic
def record_unmatched(
    *, channel: str, external_reference: str, amount_fen: int, now: datetime,
    recorded_by: Person | None = None, remark: str = "",
) -> Payment:  # fmt: skip
    """Money that names no order (a bank transfer, a gateway's stray message): kept in suspense."""
    payment = _record_one(
        channel=channel, external_reference=external_reference, amount_fen=amount_fen, now=now,
        recorded_by=recorded_by, remark=remark,
    )  # fmt: skip
    if payment is None:
        return Payment.objects.get(channel=channel, external_reference=external_reference)
    _to_suspense(payment=payment, now=now)
    announce(topic="payment_unmatched", subject=f"payment:{payment.pk}", payload={}, now=now)
    return payment


@transaction.atomic
def match_payment(*, payment: Payment, order: Order, acting_person: Person, now: datetime) -> Allocation:
    """Put unmatched money to an order, up to what the order still needs; the rest stays unmatched.

    Raises NothingToPay, AlreadyDone.
    """
    [order] = lock_orders(order_ids=[order.pk])
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.unmatched_fen == 0:
        raise AlreadyDone(_("Nothing of this payment is unmatched."))
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    allocation = _allocate(
        payment=payment, order=order, amount_fen=min(payment.unmatched_fen, order.unpaid_fen), now=now,
        from_suspense=True,
    )  # fmt: skip
    assert allocation is not None
    return allocation


@transaction.atomic
def return_payment(
    *, payment: Payment, reason: str, acting_person: Person | None, now: datetime
) -> PaymentReturn:
    """Send unmatched money back where it came from; the gateway is asked after commit. Raises AlreadyDone."""
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    amount_fen = payment.unmatched_fen
    if amount_fen == 0:
        raise AlreadyDone(_("Nothing of this payment is unmatched."))
    payment.returned_fen += amount_fen
    payment.save(update_fields=["returned_fen"])
    row = PaymentReturn.objects.create(
        payment=payment, amount_fen=amount_fen, reason=reason, decided_at=now, decided_by=acting_person
    )
    post_entry(
        key=f"return:{row.pk}", kind="payment_return_decided", reference=f"payment:{payment.pk}", occurred_at=now,
        moves=[Move(suspense_account(payment_id=payment.pk), AccountRef(AccountKind.REFUND_DUE), amount_fen)],
    )  # fmt: skip
    announce(topic="return_due", subject=f"return:{row.pk}", payload={}, now=now)
    return row


def _receipt(
    *, channel: str, external_reference: str, amount_fen: int, now: datetime,
    intent: PaymentIntent | None = None, payer: Person | None = None, recorded_by: Person | None = None,
    held_by: Leader | None = None, remark: str = "",
) -> Payment:  # fmt: skip
    """A receipt that is not written yet."""
    if amount_fen <= 0:
        raise PaymentRefused(_("A payment is more than 0."))
    return Payment(
        channel=channel, external_reference=external_reference, amount_fen=amount_fen, received_at=now,
        intent=intent, payer_person=payer, recorded_by=recorded_by, held_by=held_by, remark=remark,
    )  # fmt: skip


def _record(receipts: Sequence[Payment]) -> list[Payment]:
    """Those of the receipts that were not known; a twin in another transaction is waited for."""
    Payment.objects.bulk_create(receipts, ignore_conflicts=True)
    # With ON CONFLICT the database returns no id; the random public ids tell which rows are ours.
    ours = Payment.objects.filter(public_id__in=[row.public_id for row in receipts])
    return list(ours.order_by("pk"))


def _record_one(
    *, channel: str, external_reference: str, amount_fen: int, now: datetime,
    payer: Person | None = None, recorded_by: Person | None = None, remark: str = "",
) -> Payment | None:  # fmt: skip
    """The new receipt, or None if this reference is known."""
    receipt = _receipt(
        channel=channel, external_reference=external_reference, amount_fen=amount_fen, now=now, payer=payer,
        recorded_by=recorded_by, remark=remark,
    )  # fmt: skip
    return next(iter(_record([receipt])), None)


@dataclass(frozen=True, slots=True)
class _Part:
    """So much of a payment for a locked order."""

    payment: Payment
    order: Order
    amount_fen: int


def _allocate(
    *, payment: Payment, order: Order, amount_fen: int, now: datetime, from_suspense: bool = False
) -> Allocation | None:
    """Put part of a payment to a locked order, confirm the order once it is paid, and post it."""
    allocations = _allocate_many([_Part(payment, order, amount_fen)], now=now, from_suspense=from_suspense)
    return next(iter(allocations), None)


def _allocate_many(parts: Sequence[_Part], *, now: datetime, from_suspense: bool = False) -> list[Allocation]:
    """As `_allocate`, for parts of which each has another payment and another order; parts of 0 are left out."""
    parts = [part for part in parts if part.amount_fen > 0]
    if not parts:
        return []
    allocations = Allocation.objects.bulk_create(
        Allocation(payment=part.payment, order=part.order, amount_fen=part.amount_fen, allocated_at=now)
        for part in parts
    )
    cash = {}
    for part in parts:
        payment = part.payment
        payment.allocated_fen += part.amount_fen
        part.order.paid_fen += part.amount_fen
        cash[part.order.pk] = (
            suspense_account(payment_id=payment.pk)
            if from_suspense
            else money_account(
                channel=payment.channel, leader_id=payment.held_by_id, person_id=payment.payer_person_id
            )
        )
    Payment.objects.bulk_update([part.payment for part in parts], ["allocated_fen"])
    orders = [part.order for part in parts]
    Order.objects.bulk_update(orders, ["paid_fen"])
    post_orders(orders=orders, kind="payment_received", now=now, cash=cash)
    for order in orders:
        confirm_if_paid(order=order, now=now)
    announce_many(
        topic="order_paid",
        messages=[(f"order:{part.order.pk}", {"amount_fen": part.amount_fen}) for part in parts],
        now=now,
    )
    return allocations


def confirm_if_paid(*, order: Order, now: datetime) -> None:
    """A locked order that waits for money and has it all is confirmed."""
    if order.status == Order.Status.PENDING and order.unpaid_fen == 0:
        move_order(order=order, to_status=Order.Status.CONFIRMED, now=now, acting_person=None, kind="paid")


def _to_suspense(*, payment: Payment, now: datetime) -> None:
    if payment.unmatched_fen == 0:
        return
    cash = money_account(channel=payment.channel, leader_id=payment.held_by_id)
    post_entry(
        key=f"suspense:{payment.pk}", kind="payment_unmatched", reference=f"payment:{payment.pk}", occurred_at=now,
        moves=[Move(cash, suspense_account(payment_id=payment.pk), payment.unmatched_fen)],
    )  # fmt: skip


def _take_stock_again(*, order: Order, now: datetime) -> None:
    """Revive a released order whose money came late, if the window is open and there is stock."""
    try:
        require_open(campaign=order.campaign, now=now)
        move_stock(
            changes=[
                StockChange(person_id=order.person_id, offer_id=line.offer_id, change=line.quantity)
                for line in order.lines.filter(quantity__gt=0).order_by("pk")
            ]
        )
    except (OrderRefused, StockRefused):
        return
    move_order(order=order, to_status=Order.Status.CONFIRMED, now=now, acting_person=None, kind="paid_late")
