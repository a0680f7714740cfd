"""What leaders type."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kaituan.campaigns.models import Offer
from kaituan.campaigns.terms import Terms
from kaituan.money.quantities import QuantityError, format_units, to_base_steps
from kaituan.people.models import Group
from kaituan.web.forms import YuanField

LOCAL = "%Y-%m-%dT%H:%M"


class LocalTimeField(forms.DateTimeField):
    """The browser's own picker of date and time, in the station's time."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
    input_formats = [LOCAL, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class TermsForm(forms.Form):
    """Terms of a draft; the rarer ones keep what they are."""

    title = forms.CharField(label=_("Title"), max_length=100)
    story = forms.CharField(
        label=_("A few words"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3})
    )
    opens_at = LocalTimeField(label=_("Opens"))
    closes_at = LocalTimeField(label=_("Cut-off"))
    pickup_on = forms.DateField(
        label=_("Pickup day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    pickup_hours = forms.CharField(label=_("Pickup hours"), max_length=60, required=False)
    prepaid_only = forms.BooleanField(label=_("Only for who pays when ordering"), required=False)
    minimum_fen = YuanField(label=_("Goes ahead from (yuan, 0 = always)"), required=False)
    minimum_policy = forms.ChoiceField(
        label=_("If that is not reached"),
        choices=[
            ("refund", _("give everybody their money back")),
            ("extend_once", _("give it one more day, once")),
        ],
    )
    groups: "forms.ModelMultipleChoiceField[Group]" = forms.ModelMultipleChoiceField(
        label=_("In which groups?"), queryset=None, widget=forms.CheckboxSelectMultiple
    )

    FIELDS = (
        "title", "story", "opens_at", "closes_at", "pickup_on", "pickup_hours", "prepaid_only", "minimum_fen",
        "minimum_policy",
    )  # fmt: skip

    def __init__(self, data: Any, *, terms: Terms, groups: Any) -> None:
        initial = {name: getattr(terms, name) for name in self.FIELDS}
        for name in ("opens_at", "closes_at"):
            initial[name] = timezone.localtime(initial[name])
        super().__init__(data, initial={**initial, "groups": list(groups)})
        chooser = self.fields["groups"]
        assert isinstance(chooser, forms.ModelMultipleChoiceField)
        chooser.queryset = groups
        chooser.label_from_instance = lambda group: group.name  # type: ignore[method-assign,assignment]

    def changes(self) -> dict[str, Any]:
        values = {name: self.cleaned_data[name] for name in self.FIELDS}
        return {**values, "minimum_fen": values["minimum_fen"] or 0}


class OfferForm(forms.Form):
    """One of the goods of a draft: price, how much, how much each; or out of it."""

    price = YuanField(label=_("Price"), min_fen=1)
    code = forms.CharField(
        label=_("Code in the chat"), max_length=12, help_text=_("What members write for it: A, 1, 2 ...")
    )
    title = forms.CharField(label=_("Name in the chain"), max_length=100)
    quota = forms.DecimalField(label=_("How many in all"), required=False, min_value=0)
    per_person = forms.DecimalField(label=_("At most per person"), required=False, min_value=0)
    remove = forms.BooleanField(label=_("Leave it out"), required=False)

    def __init__(self, data: Any, *, prefix: str, offer: Offer) -> None:
        self.offer = offer
        super().__init__(
            data,
            prefix=prefix,
            initial={
                "price": offer.price_fen,
                "code": offer.code,
                "title": offer.title,
                "quota": self._units(offer.quota_quantity),
                "per_person": self._units(offer.per_person_quantity),
            },
        )

    def _units(self, steps: int | None) -> str:
        return "" if steps is None else format_units(steps, steps_per_unit=self.offer.price_quantity)

    def _steps(self, name: str) -> int | None:
        units = self.cleaned_data.get(name)
        if not units:
            return None
        try:
            return to_base_steps(units, steps_per_unit=self.offer.price_quantity)
        except QuantityError:
            self.add_error(name, _("This cannot be divided so far."))
            return None

    def clean(self) -> None:
        super().clean()
        self.steps = {
            "quota_quantity": self._steps("quota"),
            "per_person_quantity": self._steps("per_person"),
        }

    def changes(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"price_fen": data["price"], "code": data["code"], "title": data["title"], **self.steps}


class MemberForm(forms.Form):
    """Somebody whom the leader adds or renames."""

    name = forms.CharField(label=_("Name in the group"), max_length=60)
    room = forms.CharField(label=_("Building and room"), max_length=60, required=False)
    phone = forms.CharField(
        label=_("Phone number"), max_length=20, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )


class DecideForm(forms.Form):
    """The leader's answer to a claim."""

    amount = YuanField(label=_("Give back"), min_fen=1)
    liability = forms.ChoiceField(
        label=_("Who bears it?"), choices=[("supplier", _("The supplier")), ("platform", _("The platform"))]
    )
    answer = forms.CharField(label=_("A word to the member"), max_length=500, required=False)


class RemitForm(forms.Form):
    amount = YuanField(label=_("Amount"), min_fen=1)
    reference = forms.CharField(label=_("Number of the transfer"), max_length=80)


class PayeeForm(forms.Form):
    """Where to pay to; what is an account is for people.payees to say."""

    kind = forms.ChoiceField(
        label=_("How are you paid?"),
        choices=[("card", _("Bank card")), ("alipay", _("Alipay")), ("wechat", _("WeChat"))],
        widget=forms.RadioSelect,
        initial="card",
    )
    holder_name = forms.CharField(
        label=_("Holder's name"), max_length=60, help_text=_("In full, as the bank or Alipay knows it.")
    )
    account_number = forms.CharField(
        label=_("Account number"),
        max_length=100,
        help_text=_("Card number; for Alipay the phone or e-mail, for WeChat the phone or WeChat ID."),
    )
    number_is_right = forms.BooleanField(label=_("The card number is right"), required=False)
    bank_name = forms.CharField(
        label=_("Bank of the card"), max_length=60, required=False, help_text=_("Of a bank card only.")
    )


class WithdrawForm(forms.Form):
    amount = YuanField(label=_("Amount"), min_fen=1)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
