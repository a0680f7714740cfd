"""One group buy: its terms, what is offered, and who sells it where."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from kaituan.catalogue.models import StockPool, Variant
from kaituan.people.models import Group, Leader, Person, PickupPoint, public_id_field


class Campaign(models.Model):
    never_deleted: ClassVar[bool] = True

    class Status(models.TextChoices):
        DRAFT = "draft"
        """Being written; nobody else sees it."""
        SCHEDULED = "scheduled"
        """Published; orders are taken from `opens_at`."""
        OPEN = "open"
        """Taking orders until `closes_at`: the window, not the job, ends ordering."""
        CLOSED = "closed"
        """Cut off: the snapshot is taken. Arrived and done are facts of lines, not states of the campaign."""
        CANCELLED = "cancelled"
        """Called off before the hand-over; everything paid was given back."""

    class MinimumPolicy(models.TextChoices):
        REFUND = "refund"
        """What did not reach its minimum at the cut-off is cancelled and refunded."""
        EXTEND_ONCE = "extend_once"
        """The window is extended once by `extend_hours`; then as refund."""

    public_id = public_id_field()
    title = models.CharField(max_length=100)
    story = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    cloned_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1)
    """Raised by every change that an order depends on; a page with an older version must look again."""
    created_at = models.DateTimeField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    pickup_on = models.DateField()
    pickup_hours = models.CharField(max_length=60, blank=True, default="")
    payment_minutes = models.PositiveIntegerField(default=30)
    prepaid_only = models.BooleanField(default=False)
    """False: a leader may guarantee an order and take the money at the door."""
    minimum_fen = models.BigIntegerField(default=0)
    """Of the whole campaign, over all listings; 0 = none."""
    minimum_policy = models.CharField(
        max_length=12, choices=MinimumPolicy.choices, default=MinimumPolicy.REFUND
    )
    extend_hours = models.PositiveIntegerField(default=24)
    extended_at = models.DateTimeField(null=True, blank=True)
    claim_window_hours = models.PositiveIntegerField(default=48)
    open_to_helpers = models.BooleanField(default=True, db_default=True)
    """Whether leaders who did not open it may list it in their groups (帮卖)."""
    help_sell_rate_bp = models.PositiveIntegerField(null=True, blank=True)
    """Promised to leaders who help sell, set by the operator only; null = by the plan."""
    plan_version = models.CharField(max_length=60)
    """The commission plan whose promises the leaders saw; frozen onto every order."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="a_campaign_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False)
                | (~Q(status="closed") & (Q(closed_at__isnull=True) | Q(status="cancelled"))),
                name="closed_if_and_only_if_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at__isnull=True)),
                name="cancelled_if_and_only_if_cancelled_at",
            ),
        ]
        indexes = [models.Index(fields=["status", "closes_at"])]

    def __str__(self) -> str:
        return self.title


class Offer(models.Model):
    """A variant in a campaign, at its price, with its own limits."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="offers")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="offers")
    code = models.CharField(max_length=12)
    """What members write in the chat: A, B, 1, 2 ..."""
    title = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    sale_unit = models.CharField(max_length=20)
    price_fen = models.BigIntegerField()
    """Per `price_quantity` base steps; lines round half a fen up."""
    price_quantity = models.PositiveIntegerField(default=1)
    cost_fen = models.BigIntegerField(default=0)
    """Purchase price of the same quantity, frozen when the campaign was published."""
    quota_quantity = models.BigIntegerField(null=True, blank=True)
    """Base steps this offer may sell; null = as much as its pools hold."""
    sold_quantity = models.BigIntegerField(default=0)
    """Base steps on live lines of this offer."""
    per_person_quantity = models.BigIntegerField(null=True, blank=True)
    """Base steps one person may have over all groups; null = no limit."""
    minimum_quantity = models.BigIntegerField(default=0)
    private_quantity = models.BigIntegerField(null=True, blank=True)
    """Base steps of a pool of its own, made when the campaign is published; null = draws on shared pools."""
    stopped_at = models.DateTimeField(null=True, blank=True)
    """Stopped: no new orders, what was ordered stands."""

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "code"], name="a_code_means_one_offer"),
            models.CheckConstraint(
                condition=Q(price_fen__gte=0) & Q(price_quantity__gt=0) & Q(cost_fen__gte=0),
                name="an_offer_has_a_price",
            ),
            models.CheckConstraint(condition=Q(sold_quantity__gte=0), name="sold_is_not_negative"),
            models.CheckConstraint(
                condition=Q(quota_quantity__isnull=True) | Q(sold_quantity__lte=F("quota_quantity")),
                name="a_quota_is_never_passed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class OfferPool(models.Model):
    """An offer draws on a pool: `steps_per_step` pool steps per step of the offer (bundles)."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="pool_links")
    pool = models.ForeignKey(StockPool, on_delete=models.PROTECT, related_name="offer_links")
    steps_per_step = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offer", "pool"], name="an_offer_draws_on_a_pool_once"),
            models.CheckConstraint(condition=Q(steps_per_step__gt=0), name="an_offer_draws_something"),
        ]
        # The largest of all is asked for with every call of the order core.
        indexes = [models.Index(fields=["steps_per_step"], name="largest_draws")]

    def __str__(self) -> str:
        return f"{self.offer_id} <- {self.pool_id}"


class Listing(models.Model):
    """One leader selling a campaign in one group, with its own follow numbers."""

    never_deleted: ClassVar[bool] = True

    public_id = public_id_field()
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="listings")
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="listings")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="listings")
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="listings")
    sale_rate_bp = models.PositiveIntegerField(null=True, blank=True)
    """帮卖 rate promised to this seller; null = by the plan. Frozen onto every line."""
    last_follow_number = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "group"], name="a_group_lists_a_campaign_once"),
            models.CheckConstraint(
                condition=Q(sale_rate_bp__isnull=True) | Q(sale_rate_bp__lte=10_000),
                name="a_sale_rate_is_at_most_everything",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class CampaignEvent(models.Model):
    """What happened to a campaign, who did it and why: states and changes of terms."""

    append_only: ClassVar[bool] = True

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=30)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    """Null: the clock."""
    reason = models.CharField(max_length=200, blank=True, default="")
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.campaign_id}"
