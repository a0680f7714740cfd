"""Tier rules: what is in force as a form, who would change under what is typed, and then publishing it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.access import plan_publisher
from kaituan.commission.models import TierEvaluation, TierRuleSet
from kaituan.commission.queries import plan_in_force
from kaituan.commission.services import CommissionRefused
from kaituan.commission.tier_words import check_words
from kaituan.commission.tiers import (
    Move,
    accept_rules,
    preview_tiers,
    publish_tier_rules,
    rules_in_force,
)
from kaituan.console.doors import cashier
from kaituan.console.plan_form import FIRST
from kaituan.console.tier_form import PublishForm, tier_forms, typed_document
from kaituan.people.access import has_role
from kaituan.web import clock

SHOWN = 200


@require_http_methods(["GET", "POST"])
@cashier
def tiers(request: HttpRequest) -> HttpResponse:
    """The rules as a form. Publishing needs that exactly these rules were looked at before."""
    now = clock.now()
    current = rules_in_force(at=now)
    plan = plan_in_force(at=now)
    data = request.POST if request.method == "POST" else None
    context: dict[str, Any] = {
        "now": now,
        "place": "plans",
        "current": current,
        "forms": tier_forms(
            (plan.document if plan else FIRST)["tiers"], current.document if current else {}, data
        ),
        "form": PublishForm(data),
        "may_publish": has_role(request.user, [], now=now),
        "problems": [],
        "moves": None,
    }
    if data is not None and _look_or_publish(request, context):
        return redirect("console:tiers")
    context |= {
        "versions": TierRuleSet.objects.select_related("published_by").order_by("-effective_from")[:20],
        "evaluations": TierEvaluation.objects.select_related("rule_set").order_by("-on_date")[:14],
    }
    refused = bool(
        context["problems"]
        or context["form"].errors
        or any(part.errors for row in context["forms"] for part in (row.promotion, row.keeping))
    )
    return render(request, "console/tiers.html", context, status=422 if refused else 200)


def _look_or_publish(request: HttpRequest, context: dict[str, Any]) -> bool:
    """Show who would change; or publish what was looked at. True once it is published."""
    form, now = context["form"], context["now"]
    publishes = "publish" in request.POST
    person = plan_publisher(request.user, now=now) if publishes else None
    try:
        document = typed_document(context["forms"])
        rules = accept_rules(document)
    except ValidationError:
        context["problems"] = [_("Some figures cannot be read: see below.")]
        return False
    except CommissionRefused as refusal:
        context["problems"] = [str(refusal)]
        return False
    if not form.is_valid():
        return False
    effective_from = form.cleaned_data["effective_from"] or now
    seen = _digest(document)
    if publishes and request.POST.get("seen") == seen:
        try:
            publish_tier_rules(
                document=document, effective_from=effective_from, reason=form.cleaned_data["reason"],
                acting_person=person, now=now,
            )  # fmt: skip
        except CommissionRefused as refusal:
            context["problems"] = [str(refusal)]
        else:
            messages.success(request, _("Published: leaders are looked at by these rules every day."))
            return True
    elif publishes:
        context["problems"] = [_("The rules were changed since you looked: look again, then publish.")]
    moves = preview_tiers(rules=rules, effective_from=effective_from, now=now)
    context |= {
        "seen": seen,
        "moves": [_row(move) for move in moves[:SHOWN]],
        "rising": sum(move.decision.kind == "promoted" for move in moves),
        "falling": sum(move.decision.kind == "demoted" for move in moves),
    }
    return False


def _row(move: Move) -> dict[str, Any]:
    """A move as the table shows it: with the conditions that decided it."""
    rises = move.decision.kind == "promoted"
    wanted = [check for check in move.decision.judgement.checks if check.is_met == rises]
    return {
        "person": move.leader.person,
        "old": move.old_tier,
        "new": move.decision.tier,
        "rises": rises,
        "on": move.decision.on,
        "days": move.decision.judgement.window_days,
        "why": [check_words(check) for check in wanted],
    }


def _digest(document: Mapping[str, Any]) -> str:
    """Says which rules were looked at, so that no others are published by the same press."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]
