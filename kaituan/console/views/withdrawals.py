"""Withdrawals: approved in batches, paid, refused, come back; and leaders to whom nothing is paid for now."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kaituan.console.doors import acting, cashier
from kaituan.people.models import Leader
from kaituan.settlement.access import withdrawal_for_cashier
from kaituan.settlement.minimum import minimum_in_force
from kaituan.settlement.models import Withdrawal, WithdrawalFreeze
from kaituan.settlement.payout_checks import withdrawal_notes
from kaituan.settlement.queries import WAITING
from kaituan.settlement.withdrawals import (
    WithdrawalRefused,
    approve_withdrawals,
    freeze_withdrawals,
    lift_freeze,
    mark_paid,
    payout_failed,
    refuse_withdrawal,
)
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@cashier
def withdrawals(request: HttpRequest) -> HttpResponse:
    """Approve in a batch, then mark what the bank has paid."""
    now, refusal = clock.now(), ""
    if request.method == "POST":
        try:
            _decide(request)
        except WithdrawalRefused as refused:
            refusal = str(refused)
        else:
            return redirect("console:withdrawals")
    rows = Withdrawal.objects.select_related("leader__person", "payee")
    requested = list(rows.filter(status="requested").order_by("requested_at"))
    approved = list(rows.filter(status="approved").order_by("requested_at"))
    notes = withdrawal_notes(withdrawals=[*requested, *approved], now=now)
    frozen = WithdrawalFreeze.objects.filter(lifted_at__isnull=True)
    context = {
        "now": now,
        "place": "withdrawals",
        "minimum_fen": minimum_in_force(at=now),
        "requested": [(row, notes[row.pk]) for row in requested],
        "requested_sums": _sums(requested),
        "approved": [(row, notes[row.pk]) for row in approved],
        "approved_sums": _sums(approved),
        "done": rows.exclude(status__in=WAITING).order_by("-pk")[:60],
        "frozen": frozen.select_related("leader__person", "frozen_by").order_by("-frozen_at"),
        "refusal": refusal,
        "typed": request.POST,
    }
    return render(request, "console/withdrawals.html", context, status=422 if refusal else 200)


def _sums(rows: Sequence[Withdrawal]) -> dict[str, int]:
    """What a batch comes to, in fen, column by column."""
    columns = ("amount_fen", "netted_fen", "tax_fen", "payout_fen")
    return {name: sum(getattr(row, name) for row in rows) for name in columns}


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


@require_POST
@cashier
def freeze(request: HttpRequest) -> HttpResponse:
    """Stop what is paid out to a leader, or let it go on; both with a reason."""
    leader = get_object_or_404(Leader, person__public_id=request.POST.get("leader", ""))
    lifts = "lift" in request.POST
    try:
        (lift_freeze if lifts else freeze_withdrawals)(
            leader=leader, reason=request.POST.get("reason", "")[:200], acting_person=acting(request),
            now=clock.now(),
        )  # fmt: skip
    except WithdrawalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Payouts go on.") if lifts else _("Payouts are stopped."))
    return redirect("console:withdrawals")
