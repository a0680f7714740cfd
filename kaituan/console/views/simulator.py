"""What would this period have paid under these two plans? Published versions, or a draft from the plan form."""

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.models import PlanVersion
from kaituan.commission.plan import Plan, PlanRefused, read_plan
from kaituan.commission.queries import plan_in_force, read_version
from kaituan.console.doors import cashier
from kaituan.console.plan_form import FIRST, PlanForm
from kaituan.console.words import told
from kaituan.ledger.models import Period
from kaituan.settlement.engines.records import InputError
from kaituan.settlement.runs import SettlementRefused
from kaituan.settlement.simulator import BUCKETS_FEN, RULES, Comparison, Side, Span, simulate, spans
from kaituan.web import clock

DRAFT = "*draft"
"""Names the draft among the versions; no version begins with a star."""
PERIODS = 24


@require_http_methods(["GET", "POST"])
@cashier
def simulator(request: HttpRequest) -> HttpResponse:
    """GET names two versions; POST brings a draft, as the plan form sends it. Nothing is written by either."""
    now = clock.now()
    asked = request.POST if request.method == "POST" else request.GET
    choices = spans(Period.objects.order_by("-starts_at")[:PERIODS])
    versions = list(PlanVersion.objects.order_by("-effective_from").values_list("version", flat=True))
    context: dict[str, Any] = {
        "now": now,
        "place": "plans",
        "spans": choices,
        "versions": versions,
        "span": _span(choices, asked.get("period", "")),
        "draft": DRAFT,
        "typed": _typed(request) if request.method == "POST" else {},
        "problems": [],
        "seen": None,
    }
    current = plan_in_force(at=now)
    otherwise = current.version if current else (versions[0] if versions else "")
    context["first"] = asked.get("first") or otherwise
    context["second"] = asked.get("second") or (DRAFT if request.method == "POST" else otherwise)
    if versions and context["span"] and (request.method == "POST" or "second" in asked):
        _simulate(context)
    return render(request, "console/simulator.html", context, status=422 if context["problems"] else 200)


def _span(choices: list[Span], asked: str) -> Span | None:
    """What is asked for; else the last month, the last closed period, or the open one while there is no other."""
    chosen = [span for span in choices if span.key == asked]
    closed = [span for span in choices if span.ends_at]
    return next(iter([*chosen, *closed, *choices]), None)


def _typed(request: HttpRequest) -> dict[str, str]:
    """The fields of the plan form, to be sent along when another period is chosen."""
    own = {"csrfmiddlewaretoken", "period", "first", "second", "try", "look", "publish", "seen"}
    return {name: str(value) for name, value in request.POST.items() if name not in own}


def _simulate(context: dict[str, Any]) -> None:
    try:
        first = _plan(context["first"], context)
        second = _plan(context["second"], context)
        # The time it takes is a figure of the page, not a time of the business.
        started = time.monotonic()
        span = context["span"]
        seen = simulate(
            period=span.period, until=span.ends_at, first=first, second=second, now=context["now"]
        )
    except PlanRefused as refusal:
        context["problems"] = list(refusal.problems)
    except (SettlementRefused, InputError) as refusal:
        context["problems"] = [str(refusal)]
    else:
        context |= {"seen": seen, "seconds": f"{time.monotonic() - started:.1f}", **_shown(seen)}


def _plan(name: str, context: Mapping[str, Any]) -> Plan:
    """A published version, or the draft that was typed. Raises PlanRefused."""
    if name != DRAFT:
        if name not in context["versions"]:
            raise PlanRefused([_("There is no plan %(name)s: choose another.") % {"name": name}])
        return read_version(name)
    current = plan_in_force(at=context["now"])
    typed = {"version": _("draft"), **{name: said for name, said in context["typed"].items() if said.strip()}}
    form = PlanForm(typed, document=current.document if current else FIRST)
    # A draft need not say yet from when on and why.
    form.fields["effective_from"].required = form.fields["reason"].required = False
    if not form.is_valid():
        raise PlanRefused(
            [
                f"{form[name].label}: {error}" if name != NON_FIELD_ERRORS else str(error)
                for name, errors in form.errors.items()
                for error in errors
            ]
        )
    return read_plan(form.document())


def _shown(seen: Comparison) -> dict[str, Any]:
    """The comparison as the page's tables and charts want it."""
    sides = (seen.first, seen.second)
    return {
        "sides": [
            {"side": side, "named": side.plan.version, "buckets": _bucket_rows(side)} for side in sides
        ],
        "rules": [(told("rule", rule), *(side.by_rule[rule] for side in sides)) for rule in RULES],
        "difference_fen": seen.second.total_fen - seen.first.total_fen,
        "movers": [
            (_("Who gains most"), seen.gains),
            (_("Who loses most"), seen.losses),
        ],
    }


def _bucket_rows(side: Side) -> list[tuple[str, int, str, bool]]:
    """Bars of the distribution: amounts in whole yuan, how many leaders; each that is not empty says so."""
    starts = [fen // 100 for fen in BUCKETS_FEN]
    labels = [f"{low}–{high}" for low, high in pairwise(starts)]
    labels = [f"< {starts[1]}", *labels[1:], f"≥ {starts[-1]}"]
    return [(label, count, str(count), count > 0) for label, count in zip(labels, side.buckets, strict=True)]
