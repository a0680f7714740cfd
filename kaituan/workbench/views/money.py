"""What was earned and why, what is held and owed, what goes out."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import Refund
from kaituan.payments.queries import refunds_to_hand_back
from kaituan.people.access import leader_of
from kaituan.people.models import new_public_id
from kaituan.people.payees import current_payee
from kaituan.settlement.access import own_row, own_statement, own_statements, own_withdrawal, own_withdrawals
from kaituan.settlement.corrections import asked
from kaituan.settlement.disputes import DisputeRefused, open_dispute
from kaituan.settlement.exports import statement_workbook
from kaituan.settlement.minimum import next_minimum
from kaituan.settlement.models import CommissionRow, Statement
from kaituan.settlement.queries import leader_balance, statement_totals
from kaituan.settlement.withdrawals import (
    WithdrawalRefused,
    expected_parts,
    request_withdrawal,
    take_back_withdrawal,
)
from kaituan.web import clock
from kaituan.web.formats import money_text
from kaituan.web.requests import SignedInRequest
from kaituan.web.statements import ROWS, Rows, amount_way, printed_statement
from kaituan.workbench.forms import RemitForm, WithdrawForm

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
@login_required
def overview(request: SignedInRequest) -> HttpResponse:
    leader = leader_of(request.user)
    now = clock.now()
    context = {
        "now": now,
        "place": "money",
        "balance": leader_balance(leader=leader, now=now),
        "statements": own_statements(request.user)[:24],
        "withdrawals": own_withdrawals(request.user).select_related("payee")[:12],
        "payee": current_payee(leader=leader),
        "remittances": leader.remittances.order_by("-pk")[:12],
        "to_hand_back": refunds_to_hand_back(leader=leader),
    }
    return render(request, "workbench/money.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def remit(request: SignedInRequest) -> HttpResponse:
    leader = leader_of(request.user)
    held_fen = payments.leader_held_fen(leader=leader)
    form = RemitForm(request.POST or None, initial={"amount": max(0, held_fen)})
    if request.method == "POST" and form.is_valid():
        try:
            payments.announce_remittance(
                leader=leader, amount_fen=form.cleaned_data["amount"], reference=form.cleaned_data["reference"],
                now=clock.now(),
            )  # fmt: skip
        except payments.PaymentRefused as refusal:
            form.add_error("amount", str(refusal))
        else:
            messages.success(request, _("Thank you. It is confirmed as soon as the money is seen."))
            return redirect("workbench:money")
    context = {"now": clock.now(), "form": form, "held_fen": held_fen}
    return render(request, "workbench/remit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@login_required
def withdraw(request: SignedInRequest) -> HttpResponse:
    leader = leader_of(request.user)
    now = clock.now()
    balance = leader_balance(leader=leader, now=now)
    form = WithdrawForm(
        request.POST or None, initial={"amount": balance.withdrawable_fen, "key": new_public_id()}
    )
    if request.method == "POST" and form.is_valid():
        try:
            request_withdrawal(
                leader=leader, amount_fen=form.cleaned_data["amount"], idempotency_key=form.cleaned_data["key"],
                acting_person=request.user.person, now=now,
            )  # fmt: skip
        except WithdrawalRefused as refusal:
            form.add_error("amount", str(refusal))
        else:
            messages.success(request, _("Asked for. You are told when it is paid."))
            return redirect("workbench:money")
    context = {
        "now": now,
        "form": form,
        "balance": balance,
        "next_minimum": next_minimum(after=now),
        "payee": current_payee(leader=leader),
        # Who was refused sees what was typed, whatever the balance says.
        "may_ask": balance.may_withdraw or form.is_bound,
        "parts": expected_parts(leader=leader, amount_fen=balance.withdrawable_fen, balance=balance, now=now)
        if balance.may_withdraw
        else None,
    }
    return render(request, "workbench/withdraw.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def take_back(request: SignedInRequest, withdrawal: str) -> HttpResponse:
    """The leader thinks better of a withdrawal that nobody has approved yet."""
    row = own_withdrawal(request.user, withdrawal)
    try:
        row = take_back_withdrawal(withdrawal=row, acting_person=request.user.person, now=clock.now())
    except WithdrawalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        amount = {"amount": money_text(row.amount_fen)}
        messages.success(request, _("Taken back: you can withdraw the %(amount)s again.") % amount)
    return redirect("workbench:money")


@require_POST
@login_required
def hand_back(request: SignedInRequest, refund: str) -> HttpResponse:
    """The member has the money back in the hand."""
    leader = leader_of(request.user)
    row = Refund.objects.filter(public_id=refund, payment__held_by=leader).first()
    if row is None:
        raise Http404
    try:
        payments.hand_back(refund=row, acting_person=request.user.person, now=clock.now())
    except payments.PaymentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Noted: the money is given back."))
    return redirect("workbench:money")


@require_http_methods(["GET", "POST"])
@login_required
def statement(request: SignedInRequest, statement: str) -> HttpResponse:
    """One period: sums per rule, each opening to its lines, and what was asked about them. A POST says that something
    is missing from the whole."""
    row = own_statement(request.user, statement)
    refusal = _dispute(request, row, None) if request.method == "POST" else ""
    if request.method == "POST" and not refusal:
        return redirect("workbench:statement", statement=row.public_id)
    totals = statement_totals(statement=row)
    chosen = next((total for total in totals if total.rule == request.GET.get("rule")), None)
    rows = Rows(row, rule=chosen.rule, count=chosen.row_count) if chosen else Rows(row)
    context = {
        "now": clock.now(),
        "statement": row,
        "totals": totals,
        "rule": chosen.rule if chosen else "",
        "page": Paginator(rows, ROWS).get_page(request.GET.get("page")),
        "disputes": asked(row.disputes.select_related("row", "statement").order_by("-opened_at")),
        "refusal": refusal,
        "typed": request.POST.get("words", ""),
    }
    return render(request, "workbench/statement.html", context, status=422 if refusal else 200)


def _dispute(request: SignedInRequest, sheet: Statement, row: CommissionRow | None) -> str:
    """Open a case with what was typed; the reason where it cannot be."""
    try:
        open_dispute(
            statement=sheet, row=row, words=request.POST.get("words", ""), acting_person=request.user.person,
            now=clock.now(),
        )  # fmt: skip
    except DisputeRefused as refused:
        return str(refused)
    messages.success(request, _("Thank you. It is looked at, and you are told."))
    return ""


@require_GET
@login_required
def statement_print(request: SignedInRequest, statement: str) -> HttpResponse:
    row = own_statement(request.user, statement)
    return render(request, "web/statement_print.html", printed_statement(row, now=clock.now()))


@require_GET
@login_required
def statement_excel(request: SignedInRequest, statement: str) -> HttpResponse:
    row = own_statement(request.user, statement)
    answer = HttpResponse(statement_workbook(statement=row), content_type=EXCEL)
    answer["Content-Disposition"] = f'attachment; filename="statement-{row.public_id}.xlsx"'
    return answer


@require_http_methods(["GET", "POST"])
@login_required
def row(request: SignedInRequest, statement: str, row: int) -> HttpResponse:
    """One amount: order, rule, rate, amount; and a button for who thinks it is wrong."""
    sheet = own_statement(request.user, statement)
    found = own_row(request.user, sheet, row)
    refusal = _dispute(request, sheet, found) if request.method == "POST" else ""
    if request.method == "POST" and not refusal:
        return redirect("workbench:statement-row", statement=sheet.public_id, row=found.pk)
    context = {
        "now": clock.now(),
        "statement": sheet,
        "row": found,
        **amount_way(found, order_href=_own_order(found)),
        "disputes": asked(found.disputes.select_related("row", "statement").order_by("-opened_at")),
        "refusal": refusal,
        "typed": request.POST.get("words", ""),
    }
    return render(request, "workbench/statement_row.html", context, status=422 if refusal else 200)


def _own_order(row: CommissionRow) -> str:
    """The address of the line's order, for who sold it; empty where somebody below did."""
    order = (
        Order.objects.filter(lines=row.line_id, listing__leader=row.leader_id).first()
        if row.line_id
        else None
    )
    return reverse("workbench:order", args=[order.public_id]) if order else ""
