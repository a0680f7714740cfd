"""Money that comes in: recorded once, put to its order, or kept in suspense until it is matched or returned."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.ledger.models import AccountKind
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce
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
from kaituan.payments.postings import money_account, post_order, suspense_account
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


@transaction.atomic
def gateway_succeeded(
    *, intent: PaymentIntent, external_reference: str, amount_fen: int, now: datetime
) -> Payment:
    """The gateway says that money arrived for an intent; saying it again changes nothing.

    A payment for an order that was released takes the stock again if it can. What cannot be used goes back by
    itself.
    """
    payment = _record(
        channel=intent.channel, external_reference=external_reference, amount_fen=amount_fen, now=now,
        intent=intent, payer=intent.order.person,
    )  # fmt: skip
    if payment is None:
        return Payment.objects.get(channel=intent.channel, external_reference=external_reference)
    share_campaign(campaign_id=intent.order.campaign_id)
    [order] = lock_orders(order_ids=[intent.order_id])
    PaymentIntent.objects.filter(pk=intent.pk).update(
        status=PaymentIntent.Status.SUCCEEDED, succeeded_at=now, gateway_reference=external_reference
    )
    if order.status == Order.Status.RELEASED:
        _take_stock_again(order=order, now=now)
    _allocate(payment=payment, order=order, amount_fen=min(amount_fen, order.unpaid_fen), now=now)
    _to_suspense(payment=payment, now=now)
    if payment.unmatched_fen:
        return_payment(
            payment=payment, reason=_("The order no longer needs it."), acting_person=None, now=now
        )
    return payment


@transaction.atomic
def pay_from_balance(*, order: Order, acting_person: Person, key: str, now: datetime) -> Payment:
    """Pay all that is unpaid from the member's balance. Raises NothingToPay, BalanceTooLow."""
    [order] = lock_orders(order_ids=[order.pk])
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    amount_fen = order.unpaid_fen
    payment = _record(
        channel=Channel.BALANCE, external_reference=key, amount_fen=amount_fen, now=now, payer=order.person,
        recorded_by=acting_person,
    )  # fmt: skip
    if payment is None:
        raise AlreadyDone(_("This payment is already recorded."))
    _allocate(payment=payment, order=order, amount_fen=amount_fen, now=now)
    return payment


@transaction.atomic
def leader_receives(
    *, order: Order, leader: Leader, channel: str, amount_fen: int, key: str, acting_person: Person,
    now: datetime,
) -> Payment:  # fmt: skip
    """The leader took money for an order (cash, transfer, 收款码) and owes it from now on.

    key: made with the form, so that a second click records nothing. Raises PaymentRefused for an amount that is
    not between 1 fen and what is unpaid, NothingToPay.
    """
    if channel not in LEADER_CHANNELS:
        raise PaymentRefused(_("A leader takes cash, a transfer or a payment code."))
    [order] = lock_orders(order_ids=[order.pk])
    known = Payment.objects.filter(channel=channel, external_reference=key).first()
    if known is not None:
        return known
    if order.unpaid_fen == 0:
        raise NothingToPay(_("There is nothing left to pay for this order."))
    if not 0 < amount_fen <= order.unpaid_fen:
        raise PaymentRefused(
            _("Enter an amount between 0.01 and %(unpaid)s yuan.") % {"unpaid": format_yuan(order.unpaid_fen)}
        )
    payment = _record(
        channel=channel, external_reference=key, amount_fen=amount_fen, now=now, payer=order.person,
        recorded_by=acting_person, held_by=leader,
    )  # fmt: skip
    assert payment is not None
    _allocate(payment=payment, order=order, amount_fen=amount_fen, now=now)
    return payment


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
    payment = _record(
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


def _record(
    *, channel: str, external_reference: str, amount_fen: int, now: datetime,
    intent: PaymentIntent | None = None, payer: Person | None = None, recorded_by: Person | None = None,
    held_by: Leader | None = None, remark: str = "",
) -> Payment | None:  # fmt: skip
    """The new receipt, or None if this reference is known. A twin in another transaction is waited for."""
    if amount_fen <= 0:
        raise PaymentRefused(_("A payment is more than 0."))
    payment = Payment(
        channel=channel, external_reference=external_reference, amount_fen=amount_fen, received_at=now,
        intent=intent, payer_person=payer, recorded_by=recorded_by, held_by=held_by, remark=remark,
    )  # fmt: skip
    Payment.objects.bulk_create([payment], ignore_conflicts=True)
    # With ON CONFLICT the database returns no id; the random public id tells whether the row is ours.
    return Payment.objects.filter(public_id=payment.public_id).first()


def _allocate(
    *, payment: Payment, order: Order, amount_fen: int, now: datetime, from_suspense: bool = False
) -> Allocation | None:
    """Put part of a payment to a locked order, confirm the order once it is paid, and post it."""
    if amount_fen <= 0:
        return None
    allocation = Allocation.objects.create(
        payment=payment, order=order, amount_fen=amount_fen, allocated_at=now
    )
    payment.allocated_fen += amount_fen
    payment.save(update_fields=["allocated_fen"])
    order.paid_fen += amount_fen
    order.save(update_fields=["paid_fen"])
    if from_suspense:
        cash = suspense_account(payment_id=payment.pk)
    else:
        cash = money_account(
            channel=payment.channel, leader_id=payment.held_by_id, person_id=payment.payer_person_id
        )
    post_order(order=order, kind="payment_received", now=now, cash=cash)
    confirm_if_paid(order=order, now=now)
    announce(topic="order_paid", subject=f"order:{order.pk}", payload={"amount_fen": amount_fen}, now=now)
    return allocation


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
