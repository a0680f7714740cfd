"""Commission plans: what is in force, what changes, what the law says of it."""

from copy import deepcopy
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.models import PlanVersion
from kaituan.commission.queries import plan_in_force, switch_history
from kaituan.commission.services import (
    CommissionRefused,
    PlanNotAccepted,
    PlanUnlawful,
    publish_plan,
    switch_pay,
)
from kaituan.console.doors import acting, admin
from kaituan.console.forms import PlanForm
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@admin
def plans(request: HttpRequest) -> HttpResponse:
    """The plan in force as a form: change rates, give a version and a date, publish."""
    now = clock.now()
    current = plan_in_force(at=now)
    document: dict[str, Any] = deepcopy(current.document) if current else _FIRST
    form = PlanForm(request.POST if "publish" in request.POST else None)
    problems: list[str] = []
    if request.method == "POST" and "switch" in request.POST:
        _switch(request)
        return redirect("console:plans")
    if request.method == "POST" and form.is_valid():
        document, problems = _changed(document, request.POST)
        document["version"] = form.cleaned_data["version"]
        if not problems:
            try:
                publish_plan(
                    document=document, effective_from=form.cleaned_data["effective_from"],
                    reason=form.cleaned_data["reason"], acting_person=acting(request), now=now,
                )  # fmt: skip
            except PlanNotAccepted as refusal:
                problems = list(refusal.problems)
            except PlanUnlawful as refusal:
                problems = [f.text for f in refusal.report.findings if f.severity == "refused"]
            except CommissionRefused as refusal:
                problems = [str(refusal)]
            else:
                messages.success(request, _("Published: new group buys promise this plan from its date on."))
                return redirect("console:plans")
    context = {
        "now": now,
        "place": "plans",
        "current": current,
        "document": document,
        "rates": [(tier, document["sale"]["rates_bp"].get(tier, 0)) for tier in document["tiers"]],
        "service": document.get("service") or {"rate_bp": 0, "fen_per_line": 0},
        "form": form,
        "problems": problems,
        "versions": PlanVersion.objects.select_related("published_by").order_by("-effective_from"),
        "switches": switch_history(),
        "rules": ["differential", "peer", "team_ladder", "dividend"],
    }
    return render(request, "console/plans.html", context, status=422 if problems or form.errors else 200)


_FIRST: dict[str, Any] = {
    "version": "",
    "tiers": ["host", "captain", "partner"],
    "sale": {"base": "paid", "rates_bp": {"host": 800, "captain": 1000, "partner": 1200}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}


def _changed(document: dict[str, Any], data: Any) -> tuple[dict[str, Any], list[str]]:
    """The document with the typed rates in it, and what could not be read. Rates are typed in per cent."""
    problems: list[str] = []

    def number(name: str, scale: int) -> int:
        text = data.get(name, "").strip() or "0"
        whole, _dot, part = text.partition(".")
        digits = len(str(scale)) - 1
        if not (whole.isdecimal() and (part == "" or part.isdecimal()) and len(part) <= digits):
            problems.append(_("%(text)s is no number that can stand here.") % {"text": text})
            return 0
        return int(whole) * scale + int(part.ljust(digits, "0") or 0)

    document["sale"]["rates_bp"] = {tier: number(f"rate_{tier}", 100) for tier in document["tiers"]}
    document["service"] = {"rate_bp": number("service_rate", 100), "fen_per_line": number("service_fen", 100)}
    return document, problems


def _switch(request: HttpRequest) -> None:
    try:
        switch_pay(
            rule=request.POST["switch"], is_on=request.POST.get("is_on") == "yes",
            reason=request.POST.get("reason", ""), acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except CommissionRefused as refusal:
        messages.error(request, str(refusal))
