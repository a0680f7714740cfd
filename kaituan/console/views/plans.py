"""Commission plans: what is in force as a form, what a new version would change, what the guard says of it."""

import hashlib
import json
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.commission.finding_words import finding_words
from kaituan.commission.guard import PAY_ON_OTHERS_SALES, GuardReport
from kaituan.commission.models import PlanVersion
from kaituan.commission.plan import Plan, PlanRefused, diff, read_plan, read_plan_json
from kaituan.commission.queries import (
    changes_between,
    judge_plan,
    plan_in_force,
    read_version,
    switch_history,
    switches_on,
)
from kaituan.commission.services import CommissionRefused, PlanUnlawful, publish_plan, switch_pay
from kaituan.console.doors import acting, admin, cashier
from kaituan.console.plan_form import FIRST, PlanForm, more_rows
from kaituan.console.plan_words import Words, noticed, words_of
from kaituan.people.access import NotYours
from kaituan.web import clock

VERSIONS = 20
FIELD_OF = {
    "paid_depth": "paid_depth",
    "line_cap": "line_cap",
    "falling_brackets": "team_ladder",
    "margin": "base",
}
"""Finding -> the field it is about, besides pay on other people's sales."""


@require_http_methods(["GET", "POST"])
@admin
def plans(request: HttpRequest) -> HttpResponse:
    """The plan in force as a form: change it, look what that does, then publish it under a new version."""
    now = clock.now()
    current = plan_in_force(at=now)
    begun = _begun(request.GET.get("from", ""), current)
    document: dict[str, Any] = begun.document if begun else FIRST
    context: dict[str, Any] = {
        "form": PlanForm(document=document),
        "start": begun.version if begun and begun != current else "",
        "problems": [],
    }
    if request.method == "POST" and _act(request, document, context):
        return redirect("console:plans")
    refused = bool(context["problems"] or context["form"].errors)
    versions = list(
        PlanVersion.objects.select_related("published_by").order_by("-effective_from")[: VERSIONS + 1]
    )
    decisions = switch_history()
    switched_on = {switch.rule for switch in switches_on(at=now)}
    context |= {
        "now": now,
        "place": "plans",
        "current": current,
        "versions": _with_changes(versions),
        "decisions": decisions,
        "switched_on": switched_on,
        "switches": [
            {
                "rule": rule,
                "is_on": rule in switched_on,
                "latest": next((row for row in decisions if row.rule == rule), None),
            }
            for rule in PAY_ON_OTHERS_SALES
        ],
    }
    return render(request, "console/plans.html", context, status=422 if refused else 200)


def _begun(version: str, current: PlanVersion | None) -> PlanVersion | None:
    """The version that the form begins with: the one in force, or another that was asked for."""
    return get_object_or_404(PlanVersion, version=version) if version else current


def _act(request: HttpRequest, document: dict[str, Any], context: dict[str, Any]) -> bool:
    """What was pressed. True where the page begins anew; else `context` says what is what."""
    if "switch" in request.POST:
        return _switch(request, context)
    if "import" in request.POST:
        _import(request.POST["import"], context)
        return False
    if request.POST.get("more") in ("category", "bracket"):
        typed = more_rows(request.POST.dict(), request.POST["more"])
        # Bound, so that what was typed stays; but nobody asked yet whether it is right.
        context["form"] = PlanForm(document=document, data=typed)
        context["form"].full_clean()
        context["form"].errors.clear()
        return False
    return _new_version(request, document, context)


def _import(text: str, context: dict[str, Any]) -> None:
    """A document into the form; what is no plan is refused with every problem, and stays typed."""
    try:
        plan = read_plan_json(text)
    except PlanRefused as refusal:
        context["problems"] = list(refusal.problems)
        context["imported"] = text[:20_000]
        return
    read = plan.model_dump(mode="json", exclude_none=True)
    context["form"] = PlanForm(document=read, version=plan.version)


def _new_version(request: HttpRequest, document: dict[str, Any], context: dict[str, Any]) -> bool:
    """Look at the typed plan, or publish it. True once it is published."""
    form = context["form"] = PlanForm(request.POST, document=document)
    plan = form.plan() if form.is_valid() else None
    if plan is None:
        return False
    effective_from = form.cleaned_data["effective_from"]
    seen = _digest(plan, effective_from)
    if "publish" in request.POST:
        if request.POST.get("seen") != seen:
            context["problems"] = [_("The plan was changed since you looked: look again, then publish.")]
        elif _publish(request, plan, form):
            messages.success(request, _("Published: new group buys promise this plan from its date on."))
            return True
    report = judge_plan(plan=plan, at=clock.now())
    _mark(form, report)
    context |= {
        "looked": True,
        "seen": seen if report.allowed else "",
        "changes": _words(diff(_before(effective_from), plan)),
        "findings": [noticed(finding) for finding in report.findings],
        "worst": report.worst_case,
        "worst_goods": report.goods,
    }
    return False


def _publish(request: HttpRequest, plan: Plan, form: PlanForm) -> bool:
    try:
        publish_plan(
            document=plan.model_dump(mode="json", exclude_none=True),
            effective_from=form.cleaned_data["effective_from"], reason=form.cleaned_data["reason"],
            acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except PlanUnlawful:
        # The look that follows says what the guard refuses, at the fields that it is about.
        return False
    except CommissionRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _before(effective_from: datetime) -> Plan:
    """The plan that the new one takes the place of; the proposal for the first one before there is any."""
    before = plan_in_force(at=effective_from)
    return read_version(before.version) if before else read_plan({**FIRST, "version": "-"})


def _mark(form: PlanForm, report: GuardReport) -> None:
    """Each refusal of the guard at the field that it is about."""
    for finding in report.findings:
        if finding.severity == "refused":
            kind, _dot, rule = finding.code.partition(".")
            form.add_error(rule if kind == "others_sales" else FIELD_OF.get(kind), finding_words(finding))


def _words(changes: list[Any]) -> list[Words]:
    return [words for change in changes for words in words_of(change)]


def _with_changes(versions: list[PlanVersion]) -> list[tuple[PlanVersion, list[Words]]]:
    """Each version with what it changed of the one before; of the first one there is nothing to tell."""
    rows = []
    for row, before in zip_longest(versions, versions[1:]):
        changes = changes_between(old=before.version, new=row.version) if before else []
        rows.append((row, _words(changes)))
    return rows[:VERSIONS]


def _digest(plan: Plan, effective_from: datetime) -> str:
    """Says which plan was looked at, so that no other is published by the same press."""
    said = json.dumps([plan.model_dump(mode="json"), effective_from.isoformat()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


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


@require_GET
@cashier
def document(request: HttpRequest) -> HttpResponse:
    """?version=…: a published plan as the document that another station can read."""
    row = PlanVersion.objects.filter(version=request.GET.get("version", "")).first()
    if row is None:
        raise NotYours
    answer = JsonResponse(row.document, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = 'attachment; filename="plan.json"'
    return answer
