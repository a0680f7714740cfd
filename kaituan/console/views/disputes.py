"""Amounts that leaders do not agree with: what they said, the way of the amount, and the answer; or more pay, which
somebody else confirms."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.console.doors import acting, may_cash, office
from kaituan.console.forms import CorrectionForm
from kaituan.settlement.access import cashier, dispute_for_staff
from kaituan.settlement.corrections import (
    asked,
    confirm_correction,
    decline_correction,
    propose_correction,
)
from kaituan.settlement.disputes import DisputeRefused, answer_dispute
from kaituan.settlement.models import Correction, Dispute
from kaituan.web import clock
from kaituan.web.statements import amount_way

ANSWERED = 40


@require_GET
@office
def waiting(request: HttpRequest) -> HttpResponse:
    rows = Dispute.objects.select_related("statement__leader__person", "statement__period", "row")
    proposed = Correction.objects.filter(confirmed_at__isnull=True, declined_at__isnull=True)
    context = {
        "now": clock.now(),
        "place": "disputes",
        "open": rows.filter(answered_at__isnull=True).order_by("opened_at"),
        "proposed": set(proposed.values_list("dispute_id", flat=True)),
        "answered": asked(rows.filter(answered_at__isnull=False).order_by("-answered_at")[:ANSWERED]),
    }
    return render(request, "console/disputes.html", context)


@require_http_methods(["GET", "POST"])
@office
def dispute(request: HttpRequest, dispute: str) -> HttpResponse:
    """One case with its amount and line; answered once, in words or with more pay."""
    now = clock.now()
    row = dispute_for_staff(request.user, dispute, now=now)
    form = CorrectionForm(request.POST if "propose" in request.POST else None)
    refusal = ""
    if request.method == "POST":
        try:
            if done := _do(request, row, row.standing_correction, form):
                messages.success(request, done)
                return redirect("console:disputes")
        except DisputeRefused as refused:
            refusal = str(refused)
    correction = row.standing_correction
    bound = {row.statement.leader.person_id, correction.proposed_by_id if correction else None}
    context = {
        "now": now,
        "place": "disputes",
        "dispute": row,
        "way": amount_way(row.row) if row.row else None,
        "form": form,
        "correction": correction,
        "asked": asked([row])[0],
        "declined": row.corrections.filter(declined_at__isnull=False).select_related("declined_by").last(),
        "may_cash": may_cash(request),
        "may_confirm": may_cash(request) and acting(request).pk not in bound,
        "refusal": refusal,
        "typed": request.POST,
    }
    return render(request, "console/dispute.html", context, status=422 if refusal or form.errors else 200)


def _do(request: HttpRequest, row: Dispute, correction: Correction | None, form: CorrectionForm) -> str:
    """What was pressed, and what to say of it; empty where the form says what is wrong."""
    now, person, data = clock.now(), acting(request), request.POST
    if "propose" in data:
        if not form.is_valid():
            return ""
        propose_correction(
            dispute=row, amount_fen=form.cleaned_data["amount"], answer=form.cleaned_data["answer"],
            acting_person=person, now=now,
        )  # fmt: skip
        return _("Proposed: somebody else confirms it.")
    if "confirm" in data or "decline" in data:
        if correction is None:
            raise DisputeRefused(_("There is no correction to decide on any more."))
        if "decline" in data:
            decline_correction(
                correction=correction, reason=data.get("reason", ""), acting_person=person, now=now
            )
            return _("Declined: who proposed it is told why.")
        cashier(request.user, now=now)
        confirm_correction(correction=correction, acting_person=person, now=now)
        return _("Confirmed: it is paid with the next statement, and the leader is told.")
    answer_dispute(dispute=row, answer=data.get("answer", ""), acting_person=person, now=now)
    return _("Answered: the leader is told.")
