"""A gateway for trying things out: it keeps books like a real one and moves no money."""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from kaituan.payments.gateways.protocol import GatewayRefund, GatewayRefused
from kaituan.payments.models import Channel, PaymentIntent, SandboxTransaction


class SandboxGateway:
    channel = Channel.SANDBOX

    def checkout_path(self, *, intent: PaymentIntent) -> str:
        return f"/pay/sandbox/{intent.public_id}/"

    def pay(self, *, intent: PaymentIntent, now: datetime) -> str:
        """The buyer says yes. Returns the transaction's reference: the same for the same intent."""
        reference = f"SBX{intent.public_id}"
        SandboxTransaction.objects.get_or_create(
            reference=reference,
            defaults={"kind": "payment", "amount_fen": intent.amount_fen, "happened_at": now},
        )
        return reference

    @transaction.atomic
    def refund(self, *, refund: GatewayRefund, now: datetime) -> None:
        paid = (
            SandboxTransaction.objects.select_for_update()
            .filter(reference=refund.payment_reference, kind="payment")
            .first()
        )
        if paid is None:
            raise GatewayRefused("no such payment")
        if SandboxTransaction.objects.filter(reference=refund.reference).exists():
            return
        refunds = SandboxTransaction.objects.filter(
            original_reference=refund.payment_reference, kind="refund"
        )
        refunded_fen = refunds.aggregate(total=Sum("amount_fen"))["total"] or 0
        if refunded_fen + refund.amount_fen > paid.amount_fen:
            raise GatewayRefused("more than was paid")
        SandboxTransaction.objects.create(
            reference=refund.reference,
            kind="refund",
            original_reference=refund.payment_reference,
            amount_fen=refund.amount_fen,
            happened_at=now,
        )
