"""A commission plan as a form: every rule of the document has its fields, and every refusal stands at one of them.

Rates are typed in per cent, amounts in yuan. What is left empty is not named in the document, so that a plan
that is read into the form and out again says the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.catalogue.models import Category
from kaituan.commission.plan import Plan, PlanRefused, read_plan
from kaituan.console.tier_form import PercentField
from kaituan.console.words import told
from kaituan.web.forms import YuanField

FIRST: dict[str, Any] = {
    "version": "",
    "tiers": ["host", "captain", "partner"],
    "sale": {"base": "paid", "rates_bp": {"host": 800, "captain": 1000, "partner": 1200}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}
"""What the form proposes before there is any plan."""
SPARE_ROWS = 2
MOST_ROWS = 60
MOST_TIERS = 12
PARTS = ("service", "differential", "peer", "team_ladder", "dividend")
"""Parts that a plan has or has not."""
SEPARATORS = re.compile(r"[\s,，、;；/]+")


@dataclass(frozen=True, slots=True)
class RateRow:
    """One line of a table of the form. head: the category, or the bracket's threshold."""

    head: BoundField
    rates: Sequence[BoundField]

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in (self.head, *self.rates) for error in field.errors]


class PlanForm(forms.Form):
    """All of a plan. document: what the fields show at first; data: what was typed instead."""

    version = forms.CharField(label=gettext_lazy("Version"), max_length=60)
    effective_from = forms.DateTimeField(
        label=gettext_lazy("Takes effect"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(label=gettext_lazy("Why?"), max_length=200)
    tiers = forms.CharField(
        label=gettext_lazy("Tiers, from the lowest to the highest"),
        max_length=300,
        help_text=gettext_lazy("Separated by commas. host, captain and partner have Chinese names."),
    )
    base = forms.ChoiceField(
        label=gettext_lazy("Reckoned on"),
        choices=[("paid", gettext_lazy("what the buyer paid")), ("margin", gettext_lazy("the margin"))],
    )
    service = forms.BooleanField(label=gettext_lazy("Pay for handing over"), required=False)
    service_rate = PercentField(label=gettext_lazy("Of what was paid, %"), required=False)
    service_yuan = YuanField(label=gettext_lazy("And for each line"), required=False)
    differential = forms.BooleanField(label=gettext_lazy("Pay the tier difference"), required=False)
    peer = forms.BooleanField(label=gettext_lazy("Pay the peer bonus"), required=False)
    team_ladder = forms.BooleanField(label=gettext_lazy("Pay the team ladder"), required=False)
    dividend = forms.BooleanField(label=gettext_lazy("Pay the dividend"), required=False)
    pool = PercentField(label=gettext_lazy("Share of all turnover, %"), required=False)
    weight = forms.ChoiceField(
        label=gettext_lazy("Divided by"),
        choices=[
            ("territory", gettext_lazy("turnover of each one's territory")),
            ("equal", gettext_lazy("equal shares")),
        ],
    )
    line_cap = PercentField(
        label=gettext_lazy("At most, of a line, %"),
        required=False,
        help_text=gettext_lazy("Sale, tier difference and peer bonus together; empty: no limit."),
    )
    paid_depth = forms.IntegerField(
        label=gettext_lazy("Referral steps that are paid"),
        min_value=0,
        max_value=99,
        required=False,
        help_text=gettext_lazy("0: nobody above the seller. The law allows 2 at most."),
    )
    category_rows = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MOST_ROWS)
    bracket_rows = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MOST_ROWS)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, document: Mapping[str, Any], version: str = ""
    ) -> None:
        shown = {**as_typed(document), "version": version}
        super().__init__(data, initial=shown)
        said = shown if data is None else data
        self.tier_names = tier_names(str(said.get("tiers", "")))[:MOST_TIERS]
        self._categories = range(_count(said.get("category_rows")))
        self._brackets = range(_count(said.get("bracket_rows")))
        codes = [str(said.get(f"category-{row}", "")) for row in self._categories]
        self._add_fields(_category_choices(codes))

    def _add_fields(self, categories: list[tuple[str, str]]) -> None:
        named = {tier: told("tier", tier) for tier in self.tier_names}
        for tier, name in named.items():
            self._add(f"sale-{tier}", PercentField, _("Sale commission · %(tier)s") % {"tier": name})
            self._add(f"peer-{tier}", PercentField, _("Peer bonus · %(tier)s") % {"tier": name})
            self._add(f"dividend-{tier}", forms.BooleanField, _("Dividend · %(tier)s") % {"tier": name})
        for row in self._categories:
            self._add(f"category-{row}", forms.ChoiceField, _("Category"), choices=categories)
            for tier, name in named.items():
                label = _("Rate of the category · %(tier)s") % {"tier": name}
                self._add(f"category-{row}-{tier}", PercentField, label)
        for row in self._brackets:
            self._add(f"from-{row}", YuanField, _("From a turnover of"))
            self._add(f"rate-{row}", PercentField, _("Rate, %"))

    def _add(self, name: str, kind: type[forms.Field], label: str, **options: Any) -> None:
        """One of the fields that stand in tables: named to who does not see the table's heads."""
        field = self.fields[name] = kind(label=label, required=False, **options)
        field.widget.attrs["aria-label"] = label

    # What the page shows, table by table.

    def sale_rates(self) -> list[tuple[str, BoundField]]:
        return [(tier, self[f"sale-{tier}"]) for tier in self.tier_names]

    def peer_rates(self) -> list[tuple[str, BoundField]]:
        return [(tier, self[f"peer-{tier}"]) for tier in self.tier_names]

    def dividend_tiers(self) -> list[tuple[str, BoundField]]:
        return [(tier, self[f"dividend-{tier}"]) for tier in self.tier_names]

    def categories(self) -> list[RateRow]:
        return [
            RateRow(self[f"category-{row}"], [self[f"category-{row}-{tier}"] for tier in self.tier_names])
            for row in self._categories
        ]

    def brackets(self) -> list[RateRow]:
        return [RateRow(self[f"from-{row}"], [self[f"rate-{row}"]]) for row in self._brackets]

    # What was typed, as a document.

    def clean_tiers(self) -> str:
        names = tier_names(self.cleaned_data["tiers"])
        if not 1 <= len(names) <= MOST_TIERS:
            raise forms.ValidationError(
                _("Name at least one tier and at most %(most)s.") % {"most": MOST_TIERS}
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise forms.ValidationError(_("%(tier)s stands twice.") % {"tier": ", ".join(twice)})
        if any(len(name) > 30 for name in names):
            raise forms.ValidationError(_("A tier's name has at most 30 characters."))
        return ", ".join(names)

    def clean(self) -> dict[str, Any]:
        self._check_categories()
        self._check_brackets()
        if self._given("dividend") and self._given("pool") is None and "pool" not in self.errors:
            self.add_error("pool", _("Say how much."))
        return self.cleaned_data

    def _check_categories(self) -> None:
        seen: set[str] = set()
        for row in self._categories:
            code = self._given(f"category-{row}")
            if not code and any(
                self._given(f"category-{row}-{tier}") is not None for tier in self.tier_names
            ):
                self.add_error(f"category-{row}", _("Choose the category of these rates."))
            elif code and code in seen:
                self.add_error(f"category-{row}", _("This category has rates already."))
            seen.add(code or "")

    def _check_brackets(self) -> None:
        if not self._given("team_ladder"):
            return
        before: int | None = None
        for row in self._brackets:
            threshold, rate = self._given(f"from-{row}"), self._given(f"rate-{row}")
            if {f"from-{row}", f"rate-{row}"} & set(self.errors) or (threshold is None and rate is None):
                continue
            if threshold is None or rate is None:
                self.add_error(f"from-{row}" if threshold is None else f"rate-{row}", _("Say how much."))
            elif before is None and threshold != 0:
                self.add_error(f"from-{row}", _("The first bracket begins at 0."))
            elif before is not None and threshold <= before:
                self.add_error(f"from-{row}", _("Each bracket begins above the one before."))
            before = threshold if threshold is not None else before
        if before is None and self._brackets and f"from-{self._brackets[0]}" not in self.errors:
            self.add_error(f"from-{self._brackets[0]}", _("Say how much."))

    def _given(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    def document(self) -> dict[str, Any]:
        """The plan that valid fields describe, as the contract writes it."""
        document: dict[str, Any] = {
            "version": self._given("version") or "",
            "tiers": list(self.tier_names),
            "sale": {"base": self._given("base"), "rates_bp": self._rates("sale-")},
        }
        categories = {
            self._given(f"category-{row}"): self._rates(f"category-{row}-")
            for row in self._categories
            if self._given(f"category-{row}")
        }
        if categories:
            document["sale"]["category_rates_bp"] = categories
        document |= {part: self._part(part) for part in PARTS if self._given(part)}
        guards = {"line_cap_bp": self._given("line_cap"), "paid_depth": self._given("paid_depth")}
        document["guards"] = {name: value for name, value in guards.items() if value is not None}
        return document

    def _part(self, part: str) -> dict[str, Any]:
        if part == "service":
            fee = {"rate_bp": self._given("service_rate"), "fen_per_line": self._given("service_yuan")}
            return {name: value for name, value in fee.items() if value is not None}
        if part == "peer":
            return {"rates_bp": self._rates("peer-")}
        if part == "team_ladder":
            pairs = [(self._given(f"from-{row}"), self._given(f"rate-{row}")) for row in self._brackets]
            return {"brackets": [list(pair) for pair in pairs if None not in pair]}
        if part == "dividend":
            return {
                "pool_bp": self._given("pool"),
                "tiers": [tier for tier in self.tier_names if self._given(f"dividend-{tier}")],
                "weight": self._given("weight"),
            }
        return {}

    def _rates(self, prefix: str) -> dict[str, int]:
        return {
            tier: value for tier in self.tier_names if (value := self._given(f"{prefix}{tier}")) is not None
        }

    def plan(self) -> Plan | None:
        """The plan of valid fields; None, with the reason at the form, where the document is none after all."""
        try:
            return read_plan(self.document())
        except PlanRefused as refusal:
            for problem in refusal.problems:
                self.add_error(None, problem)
            return None


def as_typed(document: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields when they show a document; fields that it does not name stay empty."""
    return dict(_typed(document))


def _typed(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tiers = list(document["tiers"])
    sale, guards = document["sale"], document.get("guards") or {}
    yield "tiers", ", ".join(tiers)
    yield "base", sale.get("base", "paid")
    yield from _typed_rates("sale-", sale.get("rates_bp") or {})
    categories = sale.get("category_rates_bp") or {}
    for row, (code, rates) in enumerate(categories.items()):
        yield f"category-{row}", code
        yield from _typed_rates(f"category-{row}-", rates)
    yield "category_rows", str(len(categories) + SPARE_ROWS)
    yield from ((part, "on") for part in PARTS if document.get(part) is not None)
    service = document.get("service") or {}
    yield from _named("service_rate", service.get("rate_bp"))
    yield from _named("service_yuan", service.get("fen_per_line"))
    yield from _typed_rates("peer-", (document.get("peer") or {}).get("rates_bp") or {})
    brackets = (document.get("team_ladder") or {}).get("brackets") or []
    for row, (threshold, rate) in enumerate(brackets):
        yield from _named(f"from-{row}", threshold)
        yield from _named(f"rate-{row}", rate)
    yield "bracket_rows", str(len(brackets) + SPARE_ROWS)
    dividend = document.get("dividend") or {}
    yield from _named("pool", dividend.get("pool_bp"))
    yield from ((f"dividend-{tier}", "on") for tier in dividend.get("tiers", ()))
    yield "weight", dividend.get("weight", "territory")
    yield from _named("line_cap", guards.get("line_cap_bp"))
    if guards.get("paid_depth") is not None:
        yield "paid_depth", str(guards["paid_depth"])


def _typed_rates(prefix: str, rates: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for tier, rate in rates.items():
        yield from _named(f"{prefix}{tier}", rate)


def _named(name: str, value: int | None) -> Iterator[tuple[str, str]]:
    """1250 -> 12.50: basis points as per cent, fen as yuan."""
    if value is not None:
        yield name, f"{value // 100}.{value % 100:02d}"


def tier_names(text: str) -> list[str]:
    return [name for name in SEPARATORS.split(text) if name]


def more_rows(data: Mapping[str, str], table: str) -> dict[str, str]:
    """What was typed, with a few more empty rows in `category` or `bracket`."""
    name = f"{table}_rows"
    return {**data, name: str(min(MOST_ROWS, _count(data.get(name)) + SPARE_ROWS))}


def _count(text: Any) -> int:
    digits = str(text or "0")
    return min(MOST_ROWS, int(digits)) if digits.isascii() and digits.isdecimal() and len(digits) < 4 else 0


def _category_choices(codes: Sequence[str]) -> list[tuple[str, str]]:
    """The catalogue's categories, and those that the plan names though nothing is sorted under them any more."""
    known = list(Category.objects.filter(archived_at__isnull=True).values_list("code", "name"))
    named = {code for code, _name in known}
    gone = [(code, code) for code in dict.fromkeys(codes) if code and code not in named and len(code) <= 40]
    return [("", "–"), *known, *gone]
