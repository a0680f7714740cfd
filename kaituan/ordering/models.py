"""Orders and their lines, what changed them, and the chat text they came from."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.people.models import Member, Person, new_public_id, public_id_field


class Order(models.Model):
    """One member's order in one listing. What it may become next: `states.py`."""

    never_deleted: ClassVar[bool] = True

    class Status(models.TextChoices):
        PENDING = "pending"
        """Placed, stock reserved until `pay_by`; not paid in full and nobody stands in for the money."""
        CONFIRMED = "confirmed"
        """Paid in full, or guaranteed by the leader; goes into the cut-off."""
        CANCELLED = "cancelled"
        """Taken back by the member, the leader or the operator; stock given back, money too."""
        RELEASED = "released"
        """Not paid in time; stock given back."""

    class Source(models.TextChoices):
        TAP = "tap"
        CHAIN = "chain"
        KEY_IN = "key_in"
        API = "api"

    class Settles(models.TextChoices):
        PREPAID = "prepaid"
        """Paid online or from the balance before `pay_by`."""
        LEADER = "leader"
        """The leader takes the money (cash, transfer, 收款码) and stands in for it."""

    # This table is written in a rush: an index that another one implies is left out, and what it refers to is
    # proved by place_orders for all orders of a call at once, not by the database row by row (docs/adr/0010).
    public_id = models.CharField(max_length=16, default=new_public_id, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="orders", db_constraint=False
    )
    """The listing's campaign."""
    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, related_name="orders", db_index=False, db_constraint=False
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="orders", db_index=False, db_constraint=False
    )
    """Looked for by person: a member has one."""
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="orders", db_index=False, db_constraint=False
    )
    """The member's person: limits hold per person over all groups."""
    follow_number = models.PositiveIntegerField()
    chat_number = models.PositiveIntegerField(null=True, blank=True)
    """The number that stood before the line in the chat."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    settles = models.CharField(max_length=8, choices=Settles.choices, default=Settles.PREPAID)
    source = models.CharField(max_length=8, choices=Source.choices)
    actor_id = models.BigIntegerField()
    """Person who placed it: the member, or the leader or helper for them."""
    idempotency_key = models.CharField(max_length=64)
    campaign_version = models.PositiveIntegerField()
    plan_version = models.CharField(max_length=60)
    note = models.CharField(max_length=500, blank=True, default="")
    claims_paid = models.BooleanField(default=False)
    """The chat said 已付: a claim that the leader confirms or not."""
    list_fen = models.BigIntegerField()
    """Sum of the lines' amounts."""
    adjustment_fen = models.BigIntegerField(default=0)
    """Sum of the order's adjustments, signed."""
    paid_fen = models.BigIntegerField(default=0)
    """Sum of allocations: money received for this order. A copy for speed; `doctor` compares."""
    refunded_fen = models.BigIntegerField(default=0)
    """Sum of refunds decided for this order. A copy for speed; `doctor` compares."""
    placed_at = models.DateTimeField()
    pay_by = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Unlike unique=True it brings no second index for LIKE.
            models.UniqueConstraint(fields=["public_id"], name="an_order_is_named_once"),
            models.UniqueConstraint(
                fields=["actor_id", "idempotency_key"], name="a_key_places_one_order_for_its_actor"
            ),
            models.UniqueConstraint(
                fields=["listing", "follow_number"], name="follow_numbers_are_unique_in_a_listing"
            ),
            models.CheckConstraint(
                condition=Q(paid_fen__gte=0) & Q(refunded_fen__gte=0) & Q(list_fen__gte=0),
                name="order_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(list_fen__gte=-models.F("adjustment_fen")), name="due_is_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | Q(cancelled_at__isnull=False),
                name="cancelled_orders_say_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="released") | Q(released_at__isnull=False),
                name="released_orders_say_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(confirmed_at__isnull=False),
                name="confirmed_orders_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-placed_at"]),
            models.Index(fields=["pay_by"], condition=Q(status="pending"), name="orders_waiting_for_money"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def due_fen(self) -> int:
        """What the order costs now: 0 once cancelled or released."""
        if self.status in (self.Status.CANCELLED, self.Status.RELEASED):
            return 0
        return self.list_fen + self.adjustment_fen

    @property
    def kept_fen(self) -> int:
        """Money received and not given back. Each remedy lowers what is due; a refund follows."""
        return self.paid_fen - self.refunded_fen

    @property
    def unpaid_fen(self) -> int:
        return max(0, self.due_fen - self.kept_fen)


class OrderLine(models.Model):
    """One offer in one order. Ordered, allocated and handed-over are separate facts, in base steps."""

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="lines", db_index=False, db_constraint=False
    )
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="lines", db_constraint=False)
    quantity = models.BigIntegerField()
    """Ordered, as of now; 0 = taken back."""
    amount_fen = models.BigIntegerField()
    """List amount of `quantity`, before adjustments."""
    cost_fen = models.BigIntegerField(default=0)
    """Purchase cost of `quantity`, frozen when ordered."""
    sale_rate_bp = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, default="")
    allocated_quantity = models.BigIntegerField(null=True, blank=True)
    """After sharing out; null = not shared out yet."""
    allocated_weight_g = models.BigIntegerField(null=True, blank=True)
    handed_quantity = models.BigIntegerField(default=0)
    """Handed over so far: the sum of standing hand-overs."""
    handed_over_at = models.DateTimeField(null=True, blank=True)
    """When the last part was handed over (or given up as unclaimed)."""
    pickup_leader_id = models.BigIntegerField(null=True, blank=True)
    """people.Leader who handed it over, and earns the service fee."""
    completed_at = models.DateTimeField(null=True, blank=True)
    """When its claim window closed: what settlement counts by. Never moves once set."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "offer"], name="an_offer_stands_once_in_an_order"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0) & Q(amount_fen__gte=0) & Q(cost_fen__gte=0),
                name="line_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(allocated_quantity__isnull=True)
                | (Q(allocated_quantity__gte=0) & Q(allocated_quantity__lte=models.F("quantity"))),
                name="nobody_is_allocated_more_than_ordered",
            ),
            models.CheckConstraint(
                condition=Q(handed_quantity__gte=0) & Q(handed_quantity__lte=models.F("quantity")),
                name="nobody_is_handed_more_than_ordered",
            ),
            models.CheckConstraint(
                condition=Q(completed_at__isnull=True) | Q(handed_over_at__isnull=False),
                name="completed_only_after_the_hand_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["completed_at"], condition=Q(completed_at__isnull=False), name="completed_lines"
            ),
            models.Index(
                fields=["handed_over_at"],
                condition=Q(completed_at__isnull=True, handed_over_at__isnull=False),
                name="lines_in_their_claim_window",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.offer_id}"


class OrderAdjustment(models.Model):
    """A signed amount on an order or line: discount, delivery, weight difference ..."""

    class Kind(models.TextChoices):
        DISCOUNT = "discount", pgettext_lazy("adjustment", "Discount")
        DELIVERY = "delivery", pgettext_lazy("adjustment", "Delivery")
        WEIGHT = "weight", pgettext_lazy("adjustment", "Weight")
        COUPON = "coupon", pgettext_lazy("adjustment", "Coupon")
        SHORTAGE = "shortage", pgettext_lazy("adjustment", "Shortage")
        """Ordered and not delivered."""
        CLAIM = "claim", pgettext_lazy("adjustment", "Claim")
        """A granted claim."""
        PRICE_CUT = "price_cut", pgettext_lazy("adjustment", "Price Cut")
        """The price was lowered after ordering."""

    REMEDIES = (Kind.WEIGHT, Kind.SHORTAGE, Kind.CLAIM, Kind.PRICE_CUT)
    """Kinds that give something back on a line: the `refunds` of the commission rules, at `created_at`."""

    append_only: ClassVar[bool] = True

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="adjustments")
    line = models.ForeignKey(
        OrderLine, null=True, blank=True, on_delete=models.PROTECT, related_name="adjustments"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    funder = models.CharField(max_length=12, default="platform")
    """Who bears it: platform, supplier, leader, member."""
    rule_version = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    """For remedies stamped inside the open period (`ledger.periods.stamp`)."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount_fen=0), name="an_adjustment_changes_something"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"


class OrderEvent(models.Model):
    """What happened to an order: from, to, who, why. Written with the change, never changed."""

    append_only: ClassVar[bool] = True

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    from_status = models.CharField(max_length=10, blank=True, default="")
    to_status = models.CharField(max_length=10, blank=True, default="")
    actor_id = models.BigIntegerField(null=True, blank=True)
    """people.Person; null = the clock."""
    reason = models.CharField(max_length=200, blank=True, default="")
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"


class PersonOfferQuantity(models.Model):
    """How much of a limited offer one person has on live lines, over all groups; `doctor` counts it anew.

    Changed only by who holds the offer's row, so it needs no more than one index and no references of its own."""

    pk = models.CompositePrimaryKey("offer", "person")
    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    quantity = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=0), name="a_counter_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} has {self.quantity} of {self.offer_id}"


class ChainPaste(models.Model):
    """Chat text that was pasted and what was decided about it. The text is deleted after some weeks."""

    public_id = public_id_field()
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="pastes")
    text = models.TextField()
    """Empty once `expires_at` has passed."""
    pasted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    pasted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decisions = models.JSONField(default=dict)
    """Entry key -> what the leader chose for it."""
    booked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.public_id


class ChainLink(models.Model):
    """Which order stands for which chain entry, so that the grown chain books only what is new."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="chain_links")
    entry_key = models.CharField(max_length=120)
    """Identity of the member in the chain: number, name, room as the reader joined them."""
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="chain_links")
    fingerprint = models.CharField(max_length=64)
    """What was booked from the entry: changes when the entry's items change."""
    paste = models.ForeignKey(ChainPaste, on_delete=models.PROTECT, related_name="links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "entry_key"], name="a_chain_entry_is_one_order"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_key} -> {self.order_id}"
