"""How far the next tier is, and what keeps the one that is held."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from kaituan.commission.tier_rules import AT_MOST, Check, Judgement
from kaituan.commission.tier_words import FIGURE_NAMES, value_words
from kaituan.commission.tiers import tier_progress
from kaituan.notices.wording import TERMS
from kaituan.people.access import leader_of
from kaituan.people.queries import tier_at
from kaituan.web import clock
from kaituan.web.formats import money_text


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Each condition as a gauge, by the figures up to now."""
    now = clock.now()
    leader = leader_of(request.user)
    progress = tier_progress(leader=leader, now=now)
    context: dict[str, Any] = {
        "now": now,
        "place": "money",
        "tier": _tier_name(tier_at(leader=leader, at=now)),
        "progress": progress,
    }
    if progress:
        context |= {
            "next_tier": _tier_name(progress.next_tier),
            "promotion": progress.promotion and _conditions(progress.promotion),
            "keeping": progress.keeping and _conditions(progress.keeping),
            "is_due_today": progress.keeping_ends_on == timezone.localdate(now),
        }
    return render(request, "workbench/tier.html", context)


def _tier_name(tier: str) -> str:
    return str(TERMS.get(tier, tier)) if tier else ""


def _conditions(judgement: Judgement) -> list[dict[str, Any]]:
    return [_condition(check) for check in judgement.checks]


def _condition(check: Check) -> dict[str, Any]:
    """A gauge: filled as far as the limit is reached, or for a ceiling as far as it is used up."""
    is_ceiling = check.figure in AT_MOST
    missing = None if check.value is None or is_ceiling else check.limit - check.value
    return {
        "name": FIGURE_NAMES[check.figure],
        "value": _words(check.figure, check.value),
        "limit": _words(check.figure, check.limit),
        "is_ceiling": is_ceiling,
        "is_met": check.is_met,
        "missing": _words(check.figure, missing) if missing and missing > 0 else "",
        "filled": max(0, check.value or 0),
        "full": check.limit,
        "tone": "leaf" if check.is_met else ("brick" if is_ceiling and check.value is not None else "honey"),
    }


def _words(figure: str, value: int | None) -> str:
    """Money with its thousands apart, as on every page; the rest as it stands in the reason of a change."""
    if value is not None and figure.endswith("_fen"):
        return money_text(value)
    return value_words(figure, value)
