"""From the cut-off to the hand-over. Documents name the snapshot they come from and are never edited."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from kaituan.campaigns.models import Campaign, Offer
from kaituan.catalogue.models import Supplier, Variant
from kaituan.ordering.models import OrderLine
from kaituan.people.models import Leader, Person, PickupPoint, public_id_field


class Snapshot(models.Model):
    """What a campaign had sold at its cut-off (number 1), or what changed since (2, 3 ...)."""

    append_only: ClassVar[bool] = True

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveSmallIntegerField()
    campaign_version = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True, default="")
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="snapshots_are_numbered"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} #{self.number}"


class SnapshotLine(models.Model):
    """One order line in a snapshot. A delta snapshot's quantity is signed: the change."""

    append_only: ClassVar[bool] = True

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="snapshot_lines")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="+")
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "order_line"], name="a_line_stands_once_in_a_snapshot"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id}: {self.quantity} of {self.offer_id}"


class PurchaseOrder(models.Model):
    """What one supplier is asked to ship for one snapshot."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        SENT = "sent"
        SEEN = "seen"
        CONFIRMED = "confirmed"
        """The supplier has said how much will come."""
        RECEIVED = "received"
        """Counted at the warehouse; the payable is posted."""

    public_id = public_id_field()
    number = models.CharField(max_length=30, unique=True)
    """Printed: station, date, campaign, supplier."""
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="purchase_orders")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="purchase_orders")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    arrives_on = models.DateField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    received_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "supplier"], name="one_purchase_order_per_supplier_and_snapshot"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderLine(models.Model):
    """One variant to be shipped. Quantities in base steps; the price is per purchase unit."""

    purchase_order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    ordered_quantity = models.BigIntegerField()
    """What members ordered; 0 for a variant that came without being ordered."""
    purchase_units = models.BigIntegerField()
    """Whole purchase units that cover it, rounded up."""
    purchase_price_fen = models.BigIntegerField()
    steps_per_purchase_unit = models.PositiveIntegerField()
    confirmed_quantity = models.BigIntegerField(null=True, blank=True)
    """What the supplier says will come."""
    received_quantity = models.BigIntegerField(null=True, blank=True)
    """What was counted; null = not counted yet. Less, more, none and unordered follow from the numbers."""
    receiving_note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purchase_order", "variant"], name="a_variant_stands_once_in_a_purchase_order"
            ),
            models.CheckConstraint(
                condition=Q(ordered_quantity__gte=0)
                & (Q(received_quantity__isnull=True) | Q(received_quantity__gte=0)),
                name="purchase_quantities_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purchase_order_id}/{self.variant_id}"


class SharingOut(models.Model):
    """How a shortage was shared among the lines of one variant in one campaign."""

    class Policy(models.TextChoices):
        FIRST_COME = "first_come"
        PRO_RATA = "pro_rata"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="sharings")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    policy = models.CharField(max_length=12, choices=Policy.choices)
    available_quantity = models.BigIntegerField()
    ordered_quantity = models.BigIntegerField()
    shared_at = models.DateTimeField()
    shared_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "variant"], name="a_shortage_is_shared_out_once"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} in {self.campaign_id}"


class ShortShare(models.Model):
    """What one line got of one variant, where that is less than it needs: who went short, and by how much.

    A line of a bundle has one for each variant that was short; the smallest counts.
    """

    append_only: ClassVar[bool] = True

    sharing = models.ForeignKey(SharingOut, on_delete=models.PROTECT, related_name="short_shares")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="short_shares")
    quantity = models.BigIntegerField()
    """Base steps of the line's offer."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sharing", "order_line"], name="a_line_is_short_once_of_a_variant"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="a_share_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.order_line_id} gets {self.quantity}"


class Arrival(models.Model):
    """A campaign's goods are ready at a pickup point: members may come from then on."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="arrivals")
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="arrivals")
    arrived_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "pickup_point"], name="goods_arrive_once_at_a_pickup_point"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} at {self.pickup_point_id}"


class PickupCode(models.Model):
    """The short code a member shows at the pickup point: one per member and listing."""

    code = models.CharField(max_length=8)
    listing_id = models.BigIntegerField()
    member_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["listing_id", "member_id"], name="one_code_per_member_and_listing"
            ),
            models.UniqueConstraint(fields=["listing_id", "code"], name="codes_are_unique_in_a_listing"),
        ]

    def __str__(self) -> str:
        return self.code


class HandOver(models.Model):
    """Goods of one line given to the member (a part may be), or completed as unclaimed by the rule."""

    class Method(models.TextChoices):
        CODE = "code"
        FOLLOW_NUMBER = "follow_number"
        DOOR = "door"
        NAME = "name"
        UNCLAIMED = "unclaimed"

    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="hand_overs")
    quantity = models.BigIntegerField()
    method = models.CharField(max_length=14, choices=Method.choices)
    handed_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    pickup_leader = models.ForeignKey(Leader, null=True, on_delete=models.PROTECT, related_name="hand_overs")
    handed_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=80, unique=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_hand_over_gives_something"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.order_line_id}"


class CompletionHold(models.Model):
    """A line that must not complete yet: something about it is still open (a claim)."""

    order_line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="completion_hold")
    held_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.order_line_id} since {self.held_at}"
