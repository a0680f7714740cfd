"""Closing periods, statements, withdrawals."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.console.doors import acting, cashier
from kaituan.ledger.models import Period
from kaituan.settlement.access import statement_for_staff, withdrawal_for_cashier
from kaituan.settlement.models import SettlementRun, Statement, Withdrawal
from kaituan.settlement.queries import statement_rows, statement_totals
from kaituan.settlement.runs import SettlementRefused, close_and_settle
from kaituan.settlement.withdrawals import (
    WithdrawalRefused,
    approve_withdrawals,
    mark_paid,
    payout_failed,
    refuse_withdrawal,
)
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@cashier
def periods(request: HttpRequest) -> HttpResponse:
    """Close the open period now and settle it; runs that were made, each with its statements."""
    now = clock.now()
    if request.method == "POST":
        try:
            run = close_and_settle(ends_at=now, now=now, acting_person=acting(request))
        except SettlementRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Settled: %(rows)s amounts.") % {"rows": run.row_count})
        return redirect("console:settlement")
    runs = SettlementRun.objects.select_related("period").order_by("-period__starts_at")
    shown = _shown_run(runs, request.GET.get("run", ""))
    context = {
        "now": now,
        "place": "settlement",
        "open": Period.objects.filter(status=Period.Status.OPEN).first(),
        "runs": runs[:60],
        "run": shown,
        "statements": Statement.objects.filter(period__settlement_run=shown)
        .select_related("leader__person")
        .order_by("-total_fen")
        if shown
        else [],
    }
    return render(request, "console/settlement.html", context)


def _shown_run(runs: QuerySet[SettlementRun], run_id: str) -> SettlementRun | None:
    """The run that was chosen, else the latest one."""
    chosen = runs.filter(pk=int(run_id)).first() if run_id.isdecimal() and len(run_id) < 16 else None
    return chosen or runs.first()


@require_GET
@cashier
def statement(request: HttpRequest, statement: str) -> HttpResponse:
    row = statement_for_staff(request.user, statement, now=clock.now())
    context = {
        "now": clock.now(),
        "place": "settlement",
        "statement": row,
        "totals": statement_totals(statement=row),
        "rows": statement_rows(statement=row, limit=1000),
    }
    return render(request, "console/statement.html", context)


@require_http_methods(["GET", "POST"])
@cashier
def withdrawals(request: HttpRequest) -> HttpResponse:
    """Approve in a batch, then mark what the bank has paid."""
    refusal = ""
    if request.method == "POST":
        try:
            _decide(request)
        except WithdrawalRefused as refused:
            refusal = str(refused)
        else:
            return redirect("console:withdrawals")
    rows = Withdrawal.objects.select_related("leader__person")
    context = {
        "now": clock.now(),
        "place": "withdrawals",
        "requested": rows.filter(status="requested").order_by("requested_at"),
        "approved": rows.filter(status="approved").order_by("requested_at"),
        "done": rows.exclude(status__in=["requested", "approved"]).order_by("-pk")[:60],
        "refusal": refusal,
        "typed": request.POST,
    }
    return render(request, "console/withdrawals.html", context, status=422 if refusal else 200)


def _decide(request: HttpRequest) -> None:
    now, person, data = clock.now(), acting(request), request.POST
    if "approve" in data:
        rows = [
            withdrawal_for_cashier(request.user, public_id, now=now)
            for public_id in data.getlist("withdrawal")
        ]
        approve_withdrawals(withdrawal_ids=[row.pk for row in rows], acting_person=person, now=now)
        messages.success(request, _("%(count)s approved.") % {"count": len(rows)})
        return
    row = withdrawal_for_cashier(request.user, data.get("withdrawal", ""), now=now)
    if "paid" in data:
        mark_paid(
            withdrawal=row, payout_reference=data.get("reference", "")[:80], acting_person=person, now=now
        )
        messages.success(request, _("Paid."))
    elif "refuse" in data:
        refuse_withdrawal(withdrawal=row, reason=data.get("reason", "")[:200], acting_person=person, now=now)
        messages.success(request, _("Refused: the leader is told why."))
    elif "failed" in data:
        payout_failed(withdrawal=row, reason=data.get("reason", "")[:200], acting_person=person, now=now)
        messages.success(request, _("The amount is back in the leader's balance."))
