"""Forms: the error stands beside its field, what was typed is kept, money comes out as fen."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation

from kaituan.web.forms import YuanField


class Claim(forms.Form):
    amount = YuanField(label="Amount", min_fen=1, max_fen=5_000, help_text="Yuan")
    note = forms.CharField(required=False)
    tick = forms.BooleanField(required=False)

    def clean(self):
        if self.cleaned_data.get("note") == "no":
            raise ValidationError("Not like this.")


def test_the_error_stands_beside_its_field_and_the_input_is_kept():
    drawn = str(Claim({"amount": "12.505"}))
    field = drawn[drawn.index('for="id_amount"') :]
    assert 'value="12.505"' in field
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in field
    assert 'id="id_amount_error"' in field


def test_the_summary_leads_to_the_field_and_counts():
    drawn = str(Claim({"amount": "x", "note": "no"}))
    assert 'href="#id_amount"' in drawn
    assert "2 things need another look" in drawn or "有 2 处" in drawn
    assert "Not like this." in drawn


def test_a_fresh_form_shows_no_errors():
    assert "error-summary" not in str(Claim())


@pytest.mark.parametrize(
    ("typed", "fen"), [("12.5", 1250), ("¥12.50", 1250), ("１２．５", 1250), ("50", 5000), ("0.01", 1)]
)
def test_yuan_become_fen(typed: str, fen: int):
    form = Claim({"amount": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount"] == fen


@pytest.mark.parametrize("typed", ["", "0", "50.01", "1e3", "NaN", "12.505", "-3", "十二", "9" * 40])
def test_what_is_no_allowed_amount_is_refused(typed: str):
    assert "amount" in Claim({"amount": typed}).errors


def test_an_initial_amount_is_shown_in_yuan():
    assert 'value="12.50"' in str(Claim(initial={"amount": 1250}))


def test_an_unchanged_amount_has_not_changed():
    assert not Claim({"amount": "12.5"}, initial={"amount": 1250}).has_changed()
    assert Claim({"amount": "12.6"}, initial={"amount": 1250}).has_changed()


def test_django_speaks_our_plainer_chinese():
    with translation.override("zh-hans"):
        assert Claim({}).errors["amount"] == ["这里还没有填。"]
