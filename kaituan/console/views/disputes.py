"""Amounts that leaders do not agree with: what they said, the way of the amount, and the answer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.console.doors import acting, office
from kaituan.settlement.access import dispute_for_staff
from kaituan.settlement.disputes import DisputeRefused, answer_dispute
from kaituan.settlement.models import Dispute
from kaituan.web import clock
from kaituan.web.statements import amount_way

ANSWERED = 40


@require_GET
@office
def waiting(request: HttpRequest) -> HttpResponse:
    rows = Dispute.objects.select_related("statement__leader__person", "statement__period", "row")
    context = {
        "now": clock.now(),
        "place": "disputes",
        "open": rows.filter(answered_at__isnull=True).order_by("opened_at"),
        "answered": rows.filter(answered_at__isnull=False).order_by("-answered_at")[:ANSWERED],
    }
    return render(request, "console/disputes.html", context)


@require_http_methods(["GET", "POST"])
@office
def dispute(request: HttpRequest, dispute: str) -> HttpResponse:
    """One case with its amount and line; answered once."""
    now = clock.now()
    row = dispute_for_staff(request.user, dispute, now=now)
    refusal = ""
    if request.method == "POST":
        try:
            answer_dispute(
                dispute=row, answer=request.POST.get("answer", ""), acting_person=acting(request), now=now
            )
        except DisputeRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Answered: the leader is told."))
            return redirect("console:disputes")
    context = {
        "now": now,
        "place": "disputes",
        "dispute": row,
        "way": amount_way(row.row) if row.row else None,
        "refusal": refusal,
        "typed": request.POST.get("answer", ""),
    }
    return render(request, "console/dispute.html", context, status=422 if refusal else 200)
