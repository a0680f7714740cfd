"""What closed periods paid: commission rows, statements, withdrawals, what suppliers are owed."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from kaituan.catalogue.models import Supplier
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ledger.models import Entry, Period
from kaituan.people.models import Leader, PayeeAccount, Person, public_id_field


class SettlementRun(models.Model):
    """One closed period, settled: under which plan, by which engine. Exists once all of it is posted."""

    append_only: ClassVar[bool] = True

    period = models.OneToOneField(Period, on_delete=models.PROTECT, related_name="settlement_run")
    plan_version = models.CharField(max_length=60)
    engine = models.CharField(max_length=10)
    line_count = models.PositiveIntegerField()
    row_count = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    settled_at = models.DateTimeField()
    settled_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"run of {self.period_id}"


class SettledLine(models.Model):
    """A completed line, counted by the period it was completed in, under its category of then.

    Later refunds are reckoned by the same category, however the catalogue is sorted by that time.
    """

    append_only: ClassVar[bool] = True

    line_id = models.BigIntegerField(primary_key=True)
    """ordering.OrderLine."""
    period = models.ForeignKey(
        Period, on_delete=models.PROTECT, related_name="settled_lines", db_constraint=False
    )
    """Written for one locked period in one statement; checking it once per line would cost more than that."""
    category = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"line {self.line_id} in {self.period_id}"


class CommissionRow(models.Model):
    """One amount of one rule for one leader in one period: per line, or per period when `line_id` is null.

    Period and leader are not checked row by row, which took longer than all the rest: the same transaction
    writes a Statement for each pair of them, and that has its foreign keys. The unique index serves both.
    """

    append_only: ClassVar[bool] = True

    period = models.ForeignKey(
        Period, on_delete=models.PROTECT, related_name="rows", db_constraint=False, db_index=False
    )
    leader = models.ForeignKey(
        Leader, on_delete=models.PROTECT, related_name="commission_rows", db_constraint=False, db_index=False
    )
    CORRECTION: ClassVar[str] = "correction"
    """The rule of a row that no plan gave: a dispute was found right."""

    rule = models.CharField(max_length=14)
    """Of the plan, or CORRECTION."""
    line_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    amount_fen = models.BigIntegerField()
    """Signed: a later refund writes the difference."""
    plan_version = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "leader", "rule", "line_id"],
                name="one_amount_per_period_leader_rule_and_line",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=~Q(amount_fen=0), name="amounts_of_0_are_not_written"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.amount_fen} for {self.leader_id}"


class Statement(models.Model):
    """What one leader was paid for one period; opens to its rows."""

    append_only: ClassVar[bool] = True

    public_id = public_id_field()
    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="statements")
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="statements")
    total_fen = models.BigIntegerField()
    row_count = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["period", "leader"], name="one_statement_per_leader_and_period"),
        ]

    def __str__(self) -> str:
        return self.public_id


class Withdrawal(models.Model):
    """A leader asks for money earned: requested, approved, paid; or taken back, refused, or failed and given back."""

    class Status(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        PAID = "paid"
        REFUSED = "refused"
        FAILED = "failed"
        """The payout bounced; the amount is back in the leader's balance."""
        TAKEN_BACK = "taken_back"
        """The leader thought better of it before it was approved."""

    public_id = public_id_field()
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="withdrawals")
    amount_fen = models.BigIntegerField()
    """Taken from what is payable."""
    payee = models.ForeignKey(PayeeAccount, null=True, on_delete=models.PROTECT, related_name="withdrawals")
    """Where it is paid to, as it stood when asked for; null: asked for before accounts were kept."""
    netted_fen = models.BigIntegerField(default=0)
    """Kept back for members' money the leader holds."""
    tax_fen = models.BigIntegerField(default=0)
    tax_rule = models.CharField(max_length=60, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    idempotency_key = models.CharField(max_length=80, unique=True)
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    paid_at = models.DateTimeField(null=True, blank=True)
    payout_reference = models.CharField(max_length=80, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0)
                & Q(netted_fen__gte=0)
                & Q(tax_fen__gte=0)
                & Q(amount_fen__gte=F("netted_fen") + F("tax_fen")),
                name="a_withdrawal_pays_no_more_than_it_takes",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False)
                | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="paid_if_and_only_if_paid_at",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def payout_fen(self) -> int:
        """What reaches the leader."""
        return self.amount_fen - self.netted_fen - self.tax_fen


class WithdrawalEvent(models.Model):
    """What became of a withdrawal: from, to, who, why. Written with the change, never changed."""

    append_only: ClassVar[bool] = True

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="events")
    from_status = models.CharField(max_length=10, blank=True, default="")
    to_status = models.CharField(max_length=10)
    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True, default="")
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.withdrawal_id}: {self.to_status}"


class WithdrawalFreeze(models.Model):
    """While it stands, nothing is paid out to the leader: who stopped it, why, and who let it go on."""

    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="withdrawal_freezes")
    reason = models.CharField(max_length=200)
    frozen_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField()
    lifted_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["leader"], condition=Q(lifted_at__isnull=True), name="one_standing_freeze_per_leader"
            ),
        ]

    def __str__(self) -> str:
        return f"freeze of {self.leader_id}"


class WithdrawalMinimum(models.Model):
    """The least that a leader may withdraw at once, from a time on: who set it and why. Never changed."""

    append_only: ClassVar[bool] = True

    minimum_fen = models.BigIntegerField()
    """0: any amount."""
    effective_from = models.DateTimeField(unique=True)
    reason = models.CharField(max_length=200)
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum_fen__gte=0), name="a_withdrawal_minimum_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minimum_fen} fen from {self.effective_from}"


class TaxRule(models.Model):
    """How tax is withheld from payouts, from a time on, in the words and numbers of its source."""

    class Method(models.TextChoices):
        PER_TIME = "per_time"
        """Labour income of one payment or month."""
        CUMULATIVE = "cumulative"
        """Labour income of platform workers, added up over the year."""

    append_only: ClassVar[bool] = True

    version = models.CharField(max_length=60, unique=True)
    effective_from = models.DateTimeField(unique=True)
    method = models.CharField(max_length=10, choices=Method.choices)
    terms = models.JSONField()
    """Deductions in fen, rates in bp, `brackets` as [over_fen, rate_bp, quick_deduction_fen]: `tax.read_terms`."""
    source = models.CharField(max_length=500)

    def __str__(self) -> str:
        return self.version


class Dispute(models.Model):
    """A leader does not agree with an amount: what about it, and what was answered."""

    public_id = public_id_field()
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="disputes")
    row = models.ForeignKey(
        CommissionRow, null=True, blank=True, on_delete=models.PROTECT, related_name="disputes"
    )
    """The amount, with its line; null: the statement as a whole (something is missing from it)."""
    words = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=500, blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "row"],
                condition=Q(answered_at__isnull=True),
                name="one_open_dispute_per_amount",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer="")
                | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="answered_if_and_only_if_answered_at",
            ),
        ]

    @property
    def standing_correction(self) -> "Correction | None":
        """The one that waits or is confirmed; there is one at most."""
        rows = self.corrections.select_related("proposed_by", "confirmed_by")
        return rows.filter(declined_at__isnull=True).first()

    def __str__(self) -> str:
        return self.public_id


class Correction(models.Model):
    """A dispute is found right: so much more is paid, once somebody else has confirmed it.

    From then on it belongs to the period that is open at `confirmed_at`, whose run makes it a CommissionRow of the
    disputed line.
    """

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="corrections")
    amount_fen = models.BigIntegerField()
    words = models.CharField(max_length=500, blank=True)
    """The answer to the leader, and the reason on the statement; empty once the leader was forgotten."""
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """Stamped inside the open period."""
    declined_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    declined_at = models.DateTimeField(null=True, blank=True)
    declined_because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dispute"],
                condition=Q(declined_at__isnull=True),
                name="one_standing_correction_of_a_dispute",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_correction_pays_more"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | (
                    Q(confirmed_at__isnull=False, confirmed_by__isnull=False, declined_at__isnull=True)
                    & ~Q(confirmed_by=F("proposed_by"))
                ),
                name="a_correction_is_confirmed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_fen} for dispute {self.dispute_id}"


class SupplierPayable(models.Model):
    """One amount owed to (or taken back from) a supplier, with what it stands on: one for each entry in the books
    of the supplier's account, so that the statement and the books cannot part."""

    class Kind(models.TextChoices):
        RECEIVED = "received"
        """Received quantity at purchase price; a corrected count writes the difference."""
        CLAIM = "claim"
        """An accepted claim that the supplier bears; negative."""

    append_only: ClassVar[bool] = True

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="payables")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="supplier_payable")
    purchase_order = models.ForeignKey(
        PurchaseOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="payables"
    )
    claim_id = models.BigIntegerField(null=True, blank=True)
    """aftersales.Claim."""
    amount_fen = models.BigIntegerField()
    arose_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["claim_id"], condition=Q(kind="claim"), name="a_claim_is_taken_back_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"


class SupplierPayment(models.Model):
    """Money paid to a supplier, and the payables it settled."""

    public_id = public_id_field()
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="payments")
    amount_fen = models.BigIntegerField()
    reference = models.CharField(max_length=80)
    paid_at = models.DateTimeField()
    paid_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "reference"], name="a_supplier_payment_is_made_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="a_supplier_payment_is_positive"),
        ]

    def __str__(self) -> str:
        return self.public_id


class SupplierPaymentItem(models.Model):
    append_only: ClassVar[bool] = True

    payment = models.ForeignKey(SupplierPayment, on_delete=models.PROTECT, related_name="items")
    payable = models.OneToOneField(SupplierPayable, on_delete=models.PROTECT, related_name="payment_item")

    def __str__(self) -> str:
        return f"{self.payment_id} settles {self.payable_id}"
