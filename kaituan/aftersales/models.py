"""Claims: what a member says was wrong with a line, and what was decided."""

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from kaituan.ordering.models import OrderAdjustment, OrderLine
from kaituan.people.models import Person, public_id_field


class Claim(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("claim", "Open")
        GRANTED = "granted", pgettext_lazy("claim", "Granted")
        REFUSED = "refused", pgettext_lazy("claim", "Refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("claim", "Withdrawn")

    class Reason(models.TextChoices):
        DAMAGED = "damaged", pgettext_lazy("claim", "Damaged")
        MISSING = "missing", pgettext_lazy("claim", "Missing")
        WRONG_GOODS = "wrong_goods", pgettext_lazy("claim", "Wrong Goods")
        QUALITY = "quality", pgettext_lazy("claim", "Quality")
        SHORT_WEIGHT = "short_weight", pgettext_lazy("claim", "Short Weight")
        OTHER = "other", pgettext_lazy("claim", "Other")

    class Liability(models.TextChoices):
        """Who bears a granted claim."""

        SUPPLIER = "supplier"
        PLATFORM = "platform"

    public_id = public_id_field()
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="claims")
    reason = models.CharField(max_length=14, choices=Reason.choices)
    words = models.CharField(max_length=500, blank=True, default="")
    asked_fen = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=80, unique=True)
    granted_fen = models.BigIntegerField(default=0)
    liability = models.CharField(max_length=10, choices=Liability.choices, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    adjustment = models.OneToOneField(
        OrderAdjustment, null=True, blank=True, on_delete=models.PROTECT, related_name="claim"
    )
    """What the grant took off the line; the refund follows from it."""
    answer = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(asked_fen__gt=0) & Q(granted_fen__gte=0), name="claim_amounts_are_positive"
            ),
            models.CheckConstraint(
                condition=Q(status="granted", granted_fen__gt=0) | (~Q(status="granted") & Q(granted_fen=0)),
                name="granted_if_and_only_if_an_amount_is",
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True)
                | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="decided_if_and_only_if_decided_at",
            ),
            models.UniqueConstraint(
                fields=["line"], condition=Q(status="open"), name="one_open_claim_per_line"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ClaimPhoto(models.Model):
    """A picture of what was wrong, re-encoded without its EXIF data."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to="claims/%Y/%m/")
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"photo of {self.claim_id}"
