"""Commission plans as they were published: documents with a version, never changed."""

from typing import ClassVar

from django.db import models

from kaituan.people.models import Person


class PlanVersion(models.Model):
    """One published plan. Campaigns name the version they promise; lines keep it for ever."""

    append_only: ClassVar[bool] = True

    version = models.CharField(max_length=60, unique=True)
    document = models.JSONField()
    """The plan as `commission.plan.Plan` writes it."""
    effective_from = models.DateTimeField()
    """From then on new campaigns take it, and periods that start then run under it."""
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["effective_from"], name="one_plan_takes_effect_at_a_time"),
        ]

    def __str__(self) -> str:
        return self.version


class PaySwitch(models.Model):
    """Pay on other people's sales is off until somebody with the right switches it on and says why."""

    append_only: ClassVar[bool] = True

    rule = models.CharField(max_length=20)
    """differential, peer, team_ladder or dividend."""
    is_on = models.BooleanField()
    reason = models.CharField(max_length=300)
    switched_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    switched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.rule} {'on' if self.is_on else 'off'}"
