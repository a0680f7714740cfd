"""Tier rules as a form: for each tier what promotes and what keeps, typed in yuan, per cent and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kaituan.commission.tier_rules import FIGURES
from kaituan.web.forms import YuanField


class PercentField(forms.DecimalField):
    """People type per cent with at most two decimals, the program gets int basis points; `initial` too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min_value=0,
            max_value=100,
            decimal_places=2,
            widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        percent = super().clean(value)
        return None if percent is None else int(percent * 100)

    def prepare_value(self, value: Any) -> Any:
        return f"{value // 100}.{value % 100:02d}" if isinstance(value, int) else value


class ConditionsForm(forms.Form):
    """One rule: limits that are left empty are not asked for; with none at all there is no rule."""

    need = forms.ChoiceField(
        label=_("Needs"), choices=[("all", _("all of them")), ("any", _("any one of them"))], initial="all"
    )
    window_days = forms.IntegerField(label=_("In the last days"), min_value=1, max_value=366, initial=30)
    own_turnover_fen = YuanField(label=_("Own turnover, at least"), required=False)
    team_turnover_fen = YuanField(label=_("Team turnover, at least"), required=False)
    group_members = forms.IntegerField(
        label=_("Members in own groups, at least"), min_value=0, max_value=1_000_000, required=False
    )
    groups_owned = forms.IntegerField(
        label=_("Groups owned, at least"), min_value=0, max_value=1_000_000, required=False
    )
    claim_rate_bp = PercentField(label=_("Lines with a granted claim, at most %"), required=False)
    on_time_rate_bp = PercentField(label=_("Handed over on time, at least %"), required=False)

    def document(self) -> dict[str, Any] | None:
        """The rule as the document writes it; None for no rule."""
        limits = {name: value for name in FIGURES if (value := self.cleaned_data[name]) is not None}
        if not limits:
            return None
        return {
            "need": self.cleaned_data["need"],
            "window_days": self.cleaned_data["window_days"],
            **limits,
        }


class PublishForm(forms.Form):
    """When the rules take effect (empty: now) and why they change."""

    effective_from = forms.DateTimeField(
        label=_("Takes effect (empty: at once)"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(label=_("Why?"), max_length=200)


@dataclass(frozen=True, slots=True)
class TierForms:
    """One tier in the form."""

    tier: str
    promotion: ConditionsForm
    keeping: ConditionsForm

    @property
    def are_valid(self) -> bool:
        """Both are asked, so that both show their errors."""
        promotion, keeping = self.promotion.is_valid(), self.keeping.is_valid()
        return promotion and keeping


def tier_forms(
    tiers: Sequence[str], document: Mapping[str, Any], data: Mapping[str, Any] | None
) -> list[TierForms]:
    """The forms of all tiers: bound to what was typed, or showing what is published."""
    published = {rule["tier"]: rule for rule in document.get("tiers", ())}

    def form(place: int, tier: str, part: str) -> ConditionsForm:
        initial = published.get(tier, {}).get(part) or {}
        # Tiers may have any name, fields may not: they are counted.
        return ConditionsForm(data, prefix=f"{part}-{place}", initial=initial)

    return [
        TierForms(tier, form(place, tier, "promotion"), form(place, tier, "keeping"))
        for place, tier in enumerate(tiers)
    ]


def typed_document(forms_of_tiers: Sequence[TierForms]) -> dict[str, Any]:
    """The rules that valid forms describe. Raises ValidationError where forms are not valid."""
    valid = [tier.are_valid for tier in forms_of_tiers]
    if not all(valid):
        raise ValidationError("invalid")
    rules = []
    for forms_of_tier in forms_of_tiers:
        rule: dict[str, Any] = {"tier": forms_of_tier.tier}
        for part in ("promotion", "keeping"):
            conditions = getattr(forms_of_tier, part).document()
            if conditions:
                rule[part] = conditions
        rules.append(rule)
    return {"tiers": rules}
