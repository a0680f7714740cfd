"""Commission plans: what is in force, what a new version would change, what the guard says of it."""

from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.guard import PAY_ON_OTHERS_SALES, GuardReport
from kaituan.commission.models import PlanVersion
from kaituan.commission.plan import Plan, PlanRefused, diff, read_plan
from kaituan.commission.queries import (
    changes_between,
    judge_plan,
    plan_in_force,
    read_version,
    switch_history,
)
from kaituan.commission.services import (
    CommissionRefused,
    PlanNotAccepted,
    PlanUnlawful,
    publish_plan,
    switch_pay,
)
from kaituan.console.doors import acting, admin
from kaituan.console.forms import PlanForm
from kaituan.console.plan_document import FIRST, as_typed, read_typed
from kaituan.console.words import change_words
from kaituan.web import clock

VERSIONS = 20


@require_http_methods(["GET", "POST"])
@admin
def plans(request: HttpRequest) -> HttpResponse:
    """The plan in force as a form: change it, look what that does, then publish it under a new version."""
    now = clock.now()
    current = plan_in_force(at=now)
    document: dict[str, Any] = current.document if current else FIRST
    context: dict[str, Any] = {
        "typed": as_typed(document),
        "form": PlanForm(),
        "problems": [],
        "report": None,
    }
    if request.method == "POST":
        if "switch" in request.POST:
            if _switch(request, context):
                return redirect("console:plans")
        elif _new_version(request, document, context):
            return redirect("console:plans")
    refused = bool(context["problems"] or context["form"].errors)
    versions = list(
        PlanVersion.objects.select_related("published_by").order_by("-effective_from")[: VERSIONS + 1]
    )
    context |= {
        "now": now,
        "place": "plans",
        "current": current,
        "tiers": document["tiers"],
        "rates": [(tier, context["typed"].get(f"rate_{tier}", "0")) for tier in document["tiers"]],
        "versions": _with_changes(versions),
        "switches": switch_history(),
        "rules": PAY_ON_OTHERS_SALES,
    }
    return render(request, "console/plans.html", context, status=422 if refused else 200)


def _new_version(request: HttpRequest, document: dict[str, Any], context: dict[str, Any]) -> bool:
    """Look at the typed plan, or publish it. True once it is published; else `context` says what is what."""
    form = PlanForm(request.POST)
    context |= {"form": form, "typed": request.POST.dict()}
    wanted, problems = read_typed(document, request.POST)
    context["problems"] = problems
    if not form.is_valid() or problems:
        return False
    wanted["version"] = form.cleaned_data["version"]
    if "publish" not in request.POST:
        _look(wanted, document, context)
        return False
    try:
        publish_plan(
            document=wanted, effective_from=form.cleaned_data["effective_from"],
            reason=form.cleaned_data["reason"], acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except PlanNotAccepted as refusal:
        context["problems"] = list(refusal.problems)
    except PlanUnlawful as refusal:
        context["problems"] = _refusals(refusal.report)
    except CommissionRefused as refusal:
        context["problems"] = [str(refusal)]
    else:
        messages.success(request, _("Published: new group buys promise this plan from its date on."))
        return True
    return False


def _look(wanted: dict[str, Any], document: dict[str, Any], context: dict[str, Any]) -> None:
    """What would change and what the guard finds, without publishing anything."""
    try:
        plan = read_plan(wanted)
    except PlanRefused as refusal:
        context["problems"] = list(refusal.problems)
        return
    report = judge_plan(plan=plan, at=clock.now())
    context["problems"] = _refusals(report)
    context["report"] = report
    context["warnings"] = [finding.text for finding in report.findings if finding.severity != "refused"]
    context["changes"] = [change_words(change) for change in diff(_as_plan(document), plan)]


def _as_plan(document: dict[str, Any]) -> Plan:
    """The plan to compare with: the one in force, or the proposal for the first one."""
    return (
        read_version(document["version"]) if document["version"] else read_plan({**document, "version": "-"})
    )


def _refusals(report: GuardReport) -> list[str]:
    return [finding.text for finding in report.findings if finding.severity == "refused"]


def _with_changes(versions: list[PlanVersion]) -> list[tuple[PlanVersion, list[tuple[str, str, str]]]]:
    """Each version with what it changed of the one before; of the first one there is nothing to tell."""
    rows = []
    for row, before in zip_longest(versions, versions[1:]):
        changes = changes_between(old=before.version, new=row.version) if before else []
        rows.append((row, [change_words(change) for change in changes]))
    return rows[:VERSIONS]


def _switch(request: HttpRequest, context: dict[str, Any]) -> bool:
    try:
        switch_pay(
            rule=request.POST["switch"], is_on=request.POST.get("is_on") == "yes",
            reason=request.POST.get("reason", "")[:300], acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except CommissionRefused as refusal:
        context["problems"] = [str(refusal)]
        context["switched"] = request.POST.dict()
        return False
    messages.success(request, _("Switched; your name and the reason are kept."))
    return True
