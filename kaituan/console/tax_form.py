"""A rule of withholding as a form: amounts in yuan, rates in per cent, brackets as the law's tables print them."""

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.console.tier_form import PercentField
from kaituan.web.forms import YuanField

BRACKETS = range(10)
PARTS = {
    "per_time": ("flat_up_to_fen", "flat_deduction_fen", "deduction_bp"),
    "cumulative": ("expense_bp", "monthly_deduction_fen", "months"),
}
"""Method -> the terms that it asks for besides its brackets."""


class TaxRuleForm(forms.Form):
    """Either method; the fields of the other stay empty."""

    version = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    effective_from = forms.DateTimeField(
        label=gettext_lazy("Takes effect"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    source = forms.CharField(
        label=gettext_lazy("The law or notice"), max_length=500, widget=forms.Textarea({"rows": 2})
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[
            ("cumulative", gettext_lazy("added up over the year (platform workers)")),
            ("per_time", gettext_lazy("each time or month on its own (labour income)")),
        ],
    )
    expense_bp = PercentField(label=gettext_lazy("Expenses, % of the income"), required=False)
    monthly_deduction_fen = YuanField(label=gettext_lazy("Deduction for each month"), required=False)
    months = forms.ChoiceField(
        label=gettext_lazy("Months that count"),
        choices=[
            ("consecutive", gettext_lazy("those in a row up to now")),
            ("with_income", gettext_lazy("all with income this year")),
        ],
        required=False,
    )
    flat_up_to_fen = YuanField(label=gettext_lazy("Flat deduction up to an income of"), required=False)
    flat_deduction_fen = YuanField(label=gettext_lazy("Flat deduction"), required=False)
    deduction_bp = PercentField(label=gettext_lazy("Above it, deduction in %"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in BRACKETS:
            self._add(f"over-{row}", YuanField, _("Taxable above"))
            self._add(f"rate-{row}", PercentField, _("Rate, %"))
            self._add(f"quick-{row}", YuanField, _("Quick deduction"))

    def _add(self, name: str, kind: type[forms.Field], label: str) -> None:
        field = self.fields[name] = kind(label=label, required=False)
        field.widget.attrs["aria-label"] = label

    def brackets(self) -> list[tuple[BoundField, BoundField, BoundField]]:
        return [(self[f"over-{row}"], self[f"rate-{row}"], self[f"quick-{row}"]) for row in BRACKETS]

    def parts(self) -> list[tuple[str, list[BoundField]]]:
        titles = dict(self.fields["method"].choices)  # type: ignore[attr-defined]
        return [(str(titles[method]), [self[name] for name in names]) for method, names in PARTS.items()]

    def clean(self) -> dict[str, Any]:
        """What the chosen method needs is there, and each bracket is whole."""
        for name in PARTS.get(self.cleaned_data.get("method", ""), ()):
            if self.cleaned_data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("This method needs it."))
        for row in BRACKETS:
            names = [f"{part}-{row}" for part in ("over", "rate", "quick")]
            missing = [
                name for name in names if self.cleaned_data.get(name) is None and name not in self.errors
            ]
            if len(missing) < len(names):
                for name in missing:
                    self.add_error(name, _("Say how much."))
        return self.cleaned_data

    def terms(self) -> dict[str, Any]:
        """The terms of valid fields, as `settlement.tax.read_terms` reads them."""
        given = self.cleaned_data
        rows = [[given[f"{part}-{row}"] for part in ("over", "rate", "quick")] for row in BRACKETS]
        return {
            **{name: given[name] for name in PARTS[given["method"]]},
            "brackets": [row for row in rows if None not in row],
        }
