"""Where the leader is paid to: entered once, shown by its last digits ever after."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.people.access import leader_of
from kaituan.people.models import PayeeAccount
from kaituan.people.payees import current_payee
from kaituan.people.refusals import BankMissing, CheckDigitDoubted, InvalidName, PeopleRefused
from kaituan.people.services import set_payee_account
from kaituan.settlement.access import own_withdrawals
from kaituan.settlement.models import Withdrawal
from kaituan.settlement.queries import WAITING
from kaituan.web import clock
from kaituan.workbench.forms import PayeeForm


@require_http_methods(["GET", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The account that holds, what is still on its way to another, and the form for a new one."""
    leader = leader_of(request.user)
    now, doubted = clock.now(), False
    form = PayeeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_payee_account(leader=leader, acting_person=leader.person, now=now, **form.cleaned_data)
        except PeopleRefused as refusal:
            doubted = isinstance(refusal, CheckDigitDoubted)
            form.add_error(_field(refusal), str(refusal))
        else:
            messages.success(request, _("Saved. It is checked before money is first sent there."))
            return redirect("workbench:withdraw")
    payee = current_payee(leader=leader)
    waiting = list(own_withdrawals(request.user).filter(status__in=WAITING).select_related("payee"))
    context = {
        "now": now,
        "form": form,
        "doubted": doubted,
        "payee": payee,
        "waiting": waiting,
        "elsewhere": _elsewhere(waiting, payee),
    }
    return render(request, "workbench/payee.html", context, status=422 if form.errors else 200)


def _elsewhere(waiting: Iterable[Withdrawal], current: PayeeAccount | None) -> list[tuple[PayeeAccount, int]]:
    """What waits for an account that was refused or is not the latest: how much for each."""
    sums: dict[PayeeAccount, int] = {}
    for row in waiting:
        if row.payee is not None and (row.payee.refused_at or row.payee != current):
            sums[row.payee] = sums.get(row.payee, 0) + row.payout_fen
    return list(sums.items())


def _field(refusal: PeopleRefused) -> str:
    """The field that a refusal speaks of."""
    if isinstance(refusal, InvalidName):
        return "holder_name"
    return "bank_name" if isinstance(refusal, BankMissing) else "account_number"
