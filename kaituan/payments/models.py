"""Money that came in, what it was for, and what went back."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import pgettext_lazy

from kaituan.ordering.models import Order
from kaituan.people.models import Leader, Person, new_public_id, public_id_field


class Channel(models.TextChoices):
    """How money moved. Leader channels end in the leader's pocket, who then owes it to the platform."""

    SANDBOX = "sandbox", pgettext_lazy("channel", "Sandbox")
    WECHAT_PAY = "wechat_pay", pgettext_lazy("channel", "Wechat Pay")
    ALIPAY = "alipay", pgettext_lazy("channel", "Alipay")
    BALANCE = "balance", pgettext_lazy("channel", "Balance")
    CASH = "cash", pgettext_lazy("channel", "Cash")
    WECHAT_TRANSFER = "wechat_transfer", pgettext_lazy("channel", "Wechat Transfer")
    PAYMENT_CODE = "payment_code", pgettext_lazy("channel", "Payment Code")
    """收款码: the leader's own printed QR code."""
    BANK = "bank", pgettext_lazy("channel", "Bank")


LEADER_CHANNELS = (Channel.CASH, Channel.WECHAT_TRANSFER, Channel.PAYMENT_CODE)


class PaymentIntent(models.Model):
    """A wish to be paid a certain amount for one order through one gateway."""

    class Status(models.TextChoices):
        OPEN = "open"
        SUCCEEDED = "succeeded"
        VOID = "void"
        """Replaced, expired or no longer wanted; money that still arrives is handled as a late payment."""

    public_id = models.CharField(max_length=16, default=new_public_id, editable=False)
    # Written in a rush for an order that the same call has written: docs/adr/0010.
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="intents", db_constraint=False)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    amount_fen = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    gateway_reference = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Unlike unique=True it brings no second index for LIKE: intents are written in a rush.
            models.UniqueConstraint(fields=["public_id"], name="an_intent_is_named_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="an_intent_asks_for_something"),
            models.CheckConstraint(
                condition=Q(status="succeeded", succeeded_at__isnull=False)
                | (~Q(status="succeeded") & Q(succeeded_at__isnull=True)),
                name="succeeded_if_and_only_if_succeeded_at",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Payment(models.Model):
    """Money received: one row per receipt, whatever it turns out to be for."""

    public_id = public_id_field()
    channel = models.CharField(max_length=16, choices=Channel.choices)
    external_reference = models.CharField(max_length=80)
    """The gateway's transaction number; for a leader's receipt, a key made with the form."""
    amount_fen = models.BigIntegerField()
    allocated_fen = models.BigIntegerField(default=0)
    """Sum of its allocations; a copy for speed that `doctor` compares."""
    returned_fen = models.BigIntegerField(default=0)
    """Given back without ever belonging to an order."""
    received_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    """Null: the gateway's own message."""
    held_by = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.PROTECT, related_name="payments_held"
    )
    """The leader who took it, for the leader channels."""
    payer_person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    intent = models.ForeignKey(
        PaymentIntent, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    remark = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "external_reference"], name="a_receipt_is_recorded_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0)
                & Q(allocated_fen__gte=0)
                & Q(returned_fen__gte=0)
                & Q(amount_fen__gte=F("allocated_fen") + F("returned_fen")),
                name="no_more_is_used_than_was_received",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["cash", "wechat_transfer", "payment_code"], held_by__isnull=False)
                | (~Q(channel__in=["cash", "wechat_transfer", "payment_code"]) & Q(held_by__isnull=True)),
                name="leader_money_names_its_leader",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def unmatched_fen(self) -> int:
        """What matches no order yet: stands in suspense."""
        return self.amount_fen - self.allocated_fen - self.returned_fen


class Allocation(models.Model):
    """So much of this payment is for that order. Links many payments to many orders."""

    append_only: ClassVar[bool] = True

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="allocations")
    amount_fen = models.BigIntegerField()
    allocated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="an_allocation_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_fen} for {self.order_id}"


class Refund(models.Model):
    """Money going back to a member for an order, with the reason it hangs on."""

    class Reason(models.TextChoices):
        CANCELLED = "cancelled", pgettext_lazy("refund", "Cancelled")
        AMENDED = "amended", pgettext_lazy("refund", "Amended")
        LATE_PAYMENT = "late_payment", pgettext_lazy("refund", "Late Payment")
        SHORTAGE = "shortage", pgettext_lazy("refund", "Shortage")
        MINIMUM_NOT_MET = "minimum_not_met", pgettext_lazy("refund", "Minimum Not Met")
        CAMPAIGN_CANCELLED = "campaign_cancelled", pgettext_lazy("refund", "Campaign Cancelled")
        CLAIM = "claim", pgettext_lazy("refund", "Claim")
        PRICE_CUT = "price_cut", pgettext_lazy("refund", "Price Cut")
        WEIGHT = "weight", pgettext_lazy("refund", "Weight")
        RECEIPT_UNDONE = "receipt_undone", pgettext_lazy("refund", "Receipt Undone")
        """The leader had noted money that was not received."""

    class Status(models.TextChoices):
        DUE = "due"
        """Decided and posted; not sent yet (a leader's cash waits for the leader's tap)."""
        SENT = "sent"
        FAILED = "failed"
        """The gateway refused; retried, or turned into balance by the operator."""

    public_id = public_id_field()
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    """The receipt it goes back along."""
    channel = models.CharField(max_length=16, choices=Channel.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    amount_fen = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DUE)
    idempotency_key = models.CharField(max_length=80, unique=True)
    refunded_at = models.DateTimeField()
    """When it was decided."""
    sent_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_refund_is_positive"),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False)
                | (~Q(status="sent") & Q(sent_at__isnull=True)),
                name="sent_if_and_only_if_sent_at",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class PaymentReturn(models.Model):
    """Money that belongs to no order, on its way back where it came from."""

    class Status(models.TextChoices):
        DUE = "due"
        SENT = "sent"
        FAILED = "failed"

    public_id = public_id_field()
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="returns")
    amount_fen = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DUE)
    reason = models.CharField(max_length=120)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_return_is_positive"),
        ]

    def __str__(self) -> str:
        return self.public_id


class SandboxTransaction(models.Model):
    """What the sandbox gateway says it did: its own books, to reconcile against. No real money."""

    reference = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8)
    """payment or refund."""
    original_reference = models.CharField(max_length=80, blank=True, default="")
    amount_fen = models.BigIntegerField()
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference


class Remittance(models.Model):
    """A leader hands over money taken from members; the cashier confirms that it arrived."""

    class Status(models.TextChoices):
        ANNOUNCED = "announced"
        CONFIRMED = "confirmed"
        REFUSED = "refused"

    public_id = public_id_field()
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="remittances")
    amount_fen = models.BigIntegerField()
    reference = models.CharField(max_length=80)
    """The transfer's number, as the leader gives it."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ANNOUNCED)
    announced_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_remittance_is_positive"),
            models.UniqueConstraint(fields=["leader", "reference"], name="a_remittance_is_announced_once"),
        ]

    def __str__(self) -> str:
        return self.public_id
