"""One withdrawal: where it is paid to, who has looked at that, and what became of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from kaituan.console.doors import acting, cashier
from kaituan.people.models import PayeeAccount
from kaituan.people.payees import current_payee
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import check_payee_account, refuse_payee_account, view_payee_account
from kaituan.settlement.access import withdrawal_for_cashier
from kaituan.settlement.models import Withdrawal
from kaituan.settlement.payout_checks import withdrawal_notes
from kaituan.settlement.queries import WAITING
from kaituan.settlement.withdrawals import WithdrawalRefused, pay_to_current
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@never_cache
@cashier
def page(request: HttpRequest, withdrawal: str) -> HttpResponse:
    """The account is masked until somebody says what for; who has seen it may say that it is right."""
    now, refusal = clock.now(), ""
    row = withdrawal_for_cashier(request.user, withdrawal, now=now)
    shown: PayeeAccount | None = None
    if request.method == "POST":
        try:
            shown = _do(request, row)
        except (PeopleRefused, WithdrawalRefused) as refused:
            refusal = str(refused)
        else:
            if shown is None:
                return redirect("console:withdrawal", withdrawal=row.public_id)
    current = current_payee(leader=row.leader)
    context = {
        "now": now,
        "place": "withdrawals",
        "row": row,
        "notes": withdrawal_notes(withdrawals=[row], now=now)[row.pk],
        "shown": shown,
        "other": current if current is not None and current.pk != row.payee_id else None,
        "waits": row.status in WAITING,
        "events": row.events.select_related("actor").order_by("pk"),
        "refusal": refusal,
        "typed": request.POST,
    }
    return render(request, "console/withdrawal.html", context, status=422 if refusal else 200)


def _do(request: HttpRequest, row: Withdrawal) -> PayeeAccount | None:
    """What was pressed; the account, where it is to be shown in full."""
    now, person, data = clock.now(), acting(request), request.POST
    if "turn" in data:
        pay_to_current(withdrawal=row, acting_person=person, now=now)
        messages.success(request, _("It goes to the account that the leader has entered last."))
    elif row.payee is not None and "show" in data:
        return view_payee_account(
            payee=row.payee, acting_person=person, reason=data.get("reason", "")[:200], now=now
        )
    elif row.payee is not None and "check" in data:
        check_payee_account(payee=row.payee, acting_person=person, now=now)
        messages.success(request, _("Checked: it may be paid to."))
    elif row.payee is not None and "refuse" in data:
        refuse_payee_account(payee=row.payee, reason=data.get("why", "")[:200], acting_person=person, now=now)
        messages.success(request, _("Not accepted: the leader is told why."))
    return None
