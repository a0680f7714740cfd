"""Closing periods; statements of leaders, each amount opening to its way; the income file."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.console.doors import EXCEL, acting, cashier
from kaituan.ledger.models import Period
from kaituan.people.models import Leader
from kaituan.settlement.access import statement_for_staff
from kaituan.settlement.exports import ExportRefused, income_file, statement_workbook
from kaituan.settlement.models import CommissionRow, SettlementRun, Statement
from kaituan.settlement.queries import ReturnPattern, returns_after_period, statement_totals
from kaituan.settlement.runs import SettlementRefused, close_and_settle
from kaituan.web import clock
from kaituan.web.statements import ROWS, Rows, amount_way, printed_statement


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
        "returns": _returns(shown),
        "quarters": _quarters(now),
    }
    return render(request, "console/settlement.html", context)


def _shown_run(runs: QuerySet[SettlementRun], run_id: str) -> SettlementRun | None:
    """The run that was chosen, else the latest one."""
    chosen = runs.filter(pk=int(run_id)).first() if run_id.isdecimal() and len(run_id) < 16 else None
    return chosen or runs.first()


def _returns(run: SettlementRun | None) -> list[tuple[ReturnPattern, Leader]]:
    """Sellers whose lines of the shown period came back soon after its end."""
    patterns = returns_after_period(period=run.period) if run else []
    leaders = Leader.objects.select_related("person").in_bulk([row.leader_id for row in patterns])
    return [(row, leaders[row.leader_id]) for row in patterns]


def _quarters(now: datetime) -> list[tuple[int, int]]:
    """The quarter of today and the seven before, latest first."""
    local = timezone.localtime(now)
    serial = local.year * 4 + (local.month - 1) // 3
    return [(past // 4, past % 4 + 1) for past in range(serial, serial - 8, -1)]


@require_GET
@cashier
def statement(request: HttpRequest, statement: str) -> HttpResponse:
    row = statement_for_staff(request.user, statement, now=clock.now())
    page = Paginator(Rows(row), ROWS).get_page(request.GET.get("page"))
    context = {
        "now": clock.now(),
        "place": "settlement",
        "statement": row,
        "totals": statement_totals(statement=row),
        "page": page,
        "disputes": row.disputes.select_related("row").order_by("-opened_at"),
        "is_frozen": row.leader.withdrawal_freezes.filter(lifted_at__isnull=True).exists(),
    }
    return render(request, "console/statement.html", context)


@require_GET
@cashier
def amount(request: HttpRequest, statement: str, row: int) -> HttpResponse:
    """One amount, step by step."""
    sheet = statement_for_staff(request.user, statement, now=clock.now())
    found = get_object_or_404(CommissionRow, period_id=sheet.period_id, leader_id=sheet.leader_id, pk=row)
    context = {
        "now": clock.now(),
        "place": "settlement",
        "statement": sheet,
        "row": found,
        **amount_way(found),
    }
    return render(request, "console/statement_amount.html", context)


@require_GET
@cashier
def statement_excel(request: HttpRequest, statement: str) -> HttpResponse:
    row = statement_for_staff(request.user, statement, now=clock.now())
    answer = HttpResponse(statement_workbook(statement=row), content_type=EXCEL)
    answer["Content-Disposition"] = f'attachment; filename="statement-{row.public_id}.xlsx"'
    return answer


@require_GET
@cashier
def statement_print(request: HttpRequest, statement: str) -> HttpResponse:
    row = statement_for_staff(request.user, statement, now=clock.now())
    return render(request, "web/statement_print.html", printed_statement(row, now=clock.now()))


@require_POST
@cashier
def income(request: HttpRequest) -> HttpResponse:
    """The quarterly file of leaders' income. Sent by a form: names leave the house, and that is kept."""
    year, quarter = (request.POST.get(name, "") for name in ("year", "quarter"))
    readable = all(text.isascii() and text.isdecimal() and len(text) <= 4 for text in (year, quarter))
    now = clock.now()
    if not readable or not 2000 <= int(year) <= 9998:
        messages.error(request, _("Choose a year and a quarter."))
        return redirect("console:settlement")
    try:
        file = income_file(year=int(year), quarter=int(quarter), acting_person=acting(request), now=now)
    except ExportRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:settlement")
    answer = HttpResponse(file, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="leader-income-{year}Q{quarter}.csv"'
    return answer
