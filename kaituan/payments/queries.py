"""Looking at money: what waits for somebody's hand, and what matches nothing yet."""

from django.db.models import F, QuerySet

from kaituan.payments.models import LEADER_CHANNELS, Payment, PaymentReturn, Refund, Remittance
from kaituan.people.models import Leader


def refunds_to_hand_back(*, leader: Leader) -> list[Refund]:
    """Refunds that the leader gives back by hand, of money the leader took; the oldest first."""
    rows = Refund.objects.filter(
        status=Refund.Status.DUE, channel__in=LEADER_CHANNELS, payment__held_by=leader
    )
    return list(
        rows.select_related("order__member", "order__campaign", "payment").order_by("refunded_at", "pk")
    )


def unmatched_payments() -> QuerySet[Payment]:
    """Receipts of which a part belongs to no order yet."""
    rows = Payment.objects.filter(amount_fen__gt=F("allocated_fen") + F("returned_fen"))
    return rows.order_by("received_at", "pk")


def failed_refunds() -> QuerySet[Refund]:
    """Refunds that a gateway refused: somebody decides what becomes of them."""
    rows = Refund.objects.filter(status=Refund.Status.FAILED)
    return rows.select_related("order__member", "payment").order_by("refunded_at", "pk")


def returns_by_hand() -> QuerySet[PaymentReturn]:
    """Unmatched bank transfers that the cashier has to send back."""
    rows = PaymentReturn.objects.filter(status=PaymentReturn.Status.DUE, payment__channel="bank")
    return rows.select_related("payment").order_by("decided_at", "pk")


def announced_remittances() -> QuerySet[Remittance]:
    """Money that leaders say is on its way."""
    rows = Remittance.objects.filter(status=Remittance.Status.ANNOUNCED)
    return rows.select_related("leader__person").order_by("announced_at", "pk")
