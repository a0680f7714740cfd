"""What members type."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kaituan.aftersales.models import Claim
from kaituan.aftersales.photos import MAX_PHOTOS
from kaituan.web.forms import YuanField


class JoinForm(forms.Form):
    """The last look before ordering. A member whom the group knows is not asked for a name again."""

    display_name = forms.CharField(
        label=_("Your name in the group"), max_length=60, help_text=_("As your neighbours know you.")
    )
    room = forms.CharField(
        label=_("Building and room"),
        max_length=60,
        required=False,
        help_text=_("Only the person who hands over your goods sees it."),
    )
    settles = forms.ChoiceField(
        label=_("How would you like to pay?"),
        choices=[("prepaid", _("Pay now")), ("leader", _("Pay the leader at pickup"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)
    """Of the campaign whose prices are shown: what is dearer by now is looked at again first."""

    def __init__(self, *args: Any, prepaid_only: bool, known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:
            del self.fields["display_name"], self.fields["room"]
        if prepaid_only:
            self.fields["settles"] = forms.ChoiceField(
                choices=[("prepaid", "")], initial="prepaid", widget=forms.HiddenInput
            )


class Pictures(forms.FileInput):
    """As many as one likes from the album; forms.js shows what was chosen."""

    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Several files of one field; whether they are pictures the claim's service says."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        chosen = data if isinstance(data, list | tuple) else [data]
        return [super(PicturesField, self).clean(file, initial) for file in chosen if file]


class ClaimForm(forms.Form):
    """What was wrong with one line."""

    reason = forms.ChoiceField(
        label=_("What was wrong?"), choices=Claim.Reason.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("Tell us more"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )
    asked = YuanField(label=_("How much should be given back?"), min_fen=1)
    photo = PicturesField(
        label=_("Photos"),
        required=False,
        widget=Pictures({"accept": "image/*", "data-previews": ""}),
        help_text=format_lazy(
            _("Up to {most} pictures help to decide quickly. Where they were taken is removed from them."),
            most=MAX_PHOTOS,
        ),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, most_fen: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.fields["asked"]
        assert isinstance(asked, YuanField)
        asked.max_fen = most_fen
