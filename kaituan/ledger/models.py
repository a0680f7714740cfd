"""The books. An entry is one business event; a transfer moves fen between two accounts."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class AccountKind(models.TextChoices):
    """The chart of accounts. A kind with owners has one account for each of them."""

    # Assets: a debit makes them grow.
    CHANNEL_CASH = "channel_cash"
    """Money at a gateway or in the bank; owner `gateway:CODE`."""
    LEADER_HELD = "leader_held"
    """Money of members that a leader took (cash, transfers) and owes the platform; owner `leader:ID`."""
    RECEIVABLE = "receivable"
    """Completed and not paid yet (leader-guaranteed orders); each entry's reference is `order:ID`."""
    # Liabilities: a credit makes them grow.
    PREPAYMENT = "prepayment"
    """Paid by members for lines that are not completed; each entry's reference is `order:ID`, so that no
    order needs an account of its own."""
    SUSPENSE = "suspense"
    """Received, matching no order yet; owner `payment:ID`."""
    BALANCE_PRINCIPAL = "balance_principal"
    """A member's own money kept with the platform; owner `person:ID`."""
    BALANCE_BONUS = "balance_bonus"
    """Money the platform gave a member to spend; owner `person:ID`."""
    REFUND_DUE = "refund_due"
    """Refunds decided and not yet sent; each entry's reference is `order:ID`."""
    SUPPLIER_PAYABLE = "supplier_payable"
    """Owed for goods received; owner `supplier:ID`."""
    COMMISSION_PENDING = "commission_pending"
    """Earned by a leader on lines not settled yet; owner `leader:ID`."""
    COMMISSION_PAYABLE = "commission_payable"
    """Settled and withdrawable; may go negative after refunds; owner `leader:ID`."""
    WITHDRAWAL_DUE = "withdrawal_due"
    """Requested or approved, not paid out yet; owner `withdrawal:ID`."""
    TAX_WITHHELD = "tax_withheld"
    """Withheld from payouts, owed to the tax office."""
    # Income: a credit makes it grow.
    SALES = "sales"
    DELIVERY_INCOME = "delivery_income"
    # Costs: a debit makes them grow.
    COST_OF_GOODS = "cost_of_goods"
    COMMISSION_COST = "commission_cost"
    WEIGHT_DIFFERENCE = "weight_difference"
    CLAIMS_COST = "claims_cost"
    COUPONS_COST = "coupons_cost"
    BONUS_COST = "bonus_cost"
    GATEWAY_FEES = "gateway_fees"


DEBIT_KINDS = frozenset(
    {
        AccountKind.CHANNEL_CASH,
        AccountKind.LEADER_HELD,
        AccountKind.RECEIVABLE,
        AccountKind.COST_OF_GOODS,
        AccountKind.COMMISSION_COST,
        AccountKind.WEIGHT_DIFFERENCE,
        AccountKind.CLAIMS_COST,
        AccountKind.COUPONS_COST,
        AccountKind.BONUS_COST,
        AccountKind.GATEWAY_FEES,
    }
)
"""Kinds whose balance is debits less credits; all others are credits less debits."""

CACHED_KINDS = frozenset(
    {
        AccountKind.BALANCE_PRINCIPAL,
        AccountKind.BALANCE_BONUS,
        AccountKind.COMMISSION_PAYABLE,
        AccountKind.LEADER_HELD,
    }
)
"""Personal kinds whose balance is kept in a row of its own, so that spending can lock it."""


class Account(models.Model):
    kind = models.CharField(max_length=32, choices=AccountKind.choices)
    owner = models.CharField(max_length=64, blank=True, default="")
    """`type:id`, or empty for an account of the platform as a whole."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner"], name="one_account_for_each_kind_and_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}[{self.owner}]" if self.owner else self.kind


class Entry(models.Model):
    append_only: ClassVar[bool] = True

    key = models.CharField(max_length=96, unique=True)
    """Idempotency key: the same business event can be posted once only."""
    kind = models.CharField(max_length=40)
    """What happened, in the words of the app that posted it: `payment_received`, `refund_sent` ..."""
    reference = models.CharField(max_length=64, db_index=True)
    """The business row it stands for, as `type:id`."""
    occurred_at = models.DateTimeField()
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    memo = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["occurred_at"])]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Transfer(models.Model):
    append_only: ClassVar[bool] = True

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="transfers")
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_transfer_moves_a_positive_amount"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="a_transfer_joins_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_fen} fen: {self.debit_id} <- {self.credit_id}"


class CachedBalance(models.Model):
    """The balance of a personal account, rebuilt and compared by `kaituan doctor`. Locked before spending."""

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.PROTECT, related_name="cached_balance"
    )
    balance_fen = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.balance_fen}"


class Period(models.Model):
    """[starts_at, ends_at) of the books. What settlement counts by is stamped inside the open one, its row
    locked FOR SHARE; closing takes the row FOR UPDATE first. So nothing falls between two periods."""

    never_deleted: ClassVar[bool] = True

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        """No new row can fall into it; settlement reads closed periods only."""

    starts_at = models.DateTimeField(unique=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    """Set when it is closed: the next period starts at that very instant."""
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["status"], condition=Q(status="open"), name="one_period_is_open"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_period_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(status="open", ends_at__isnull=True)
                | (~Q(status="open") & Q(ends_at__isnull=False)),
                name="open_if_and_only_if_without_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d}"
