"""What the operator types."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kaituan.console.tier_form import PercentField
from kaituan.web.forms import YuanField

MOST_CORRECTED_FEN = 10_000_000
"""A correction is about lines of one statement; more is a slip of the finger."""


class DecideForm(forms.Form):
    amount = YuanField(label=_("Give back"), min_fen=1)
    liability = forms.ChoiceField(
        label=_("Who bears it?"), choices=[("supplier", _("The supplier")), ("platform", _("The platform"))]
    )
    answer = forms.CharField(label=_("A word to the member"), max_length=500, required=False)


class CorrectionForm(forms.Form):
    """A leader was right: so much more is paid."""

    amount = YuanField(label=_("Pay more"), min_fen=1, max_fen=MOST_CORRECTED_FEN)
    answer = forms.CharField(
        label=_("Answer"),
        help_text=_("The leader reads it, and it stands on the statement as the reason."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )


class ReceiptForm(forms.Form):
    """Money seen in the bank that names no order."""

    reference = forms.CharField(label=_("Number of the transfer"), max_length=80)
    amount = YuanField(label=_("Amount"), min_fen=1)
    remark = forms.CharField(label=_("What the payer wrote"), max_length=120, required=False)


class TierForm(forms.Form):
    tier = forms.CharField(label=_("Tier"), max_length=30, required=False)
    reason = forms.CharField(label=_("Why?"), max_length=200)


class HelpRateForm(forms.Form):
    """What is promised to leaders who help to sell; without a rate they earn by the plan."""

    rate = PercentField(label=_("Rate for help-sellers"), required=False)
    reason = forms.CharField(label=_("Why?"), max_length=200, required=False)


class OneRateForm(forms.Form):
    """What is promised to one leader for one group buy."""

    rate = PercentField(label=_("Rate, %"))


class MinimumForm(forms.Form):
    """The least that leaders may withdraw at once."""

    minimum = YuanField(label=_("At least"), help_text=_("0: any amount."))
    effective_from = forms.DateTimeField(
        label=_("Takes effect"),
        help_text=_("Empty: at once."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        required=False,
    )
    reason = forms.CharField(label=_("Why?"), max_length=200)


class PriceListForm(forms.Form):
    file = forms.FileField(
        label=_("Price list (Excel)"), widget=forms.ClearableFileInput({"accept": ".xlsx"})
    )
