"""Commission plans and tier rules as they were published: documents with a version, never changed."""

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


class TierRuleSet(models.Model):
    """One published version of the rules by which leaders rise to a tier and keep it."""

    append_only: ClassVar[bool] = True

    number = models.PositiveIntegerField(unique=True)
    """Versions are counted: 1, 2, 3 ..."""
    document = models.JSONField()
    """The rules as `commission.tier_rules.TierRules` writes them."""
    effective_from = models.DateTimeField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["effective_from"], name="one_set_of_tier_rules_takes_effect_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"tier rules {self.number}"


class TierEvaluation(models.Model):
    """One day on which all tiers were looked at. Written with the changes it made, so that it happens once."""

    append_only: ClassVar[bool] = True

    on_date = models.DateField(unique=True)
    """The station's local day; the windows looked at end as it begins."""
    rule_set = models.ForeignKey(TierRuleSet, on_delete=models.PROTECT, related_name="evaluations")
    evaluated_at = models.DateTimeField()
    promoted = models.PositiveIntegerField()
    demoted = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"tiers on {self.on_date}"
