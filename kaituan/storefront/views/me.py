"""The member's own corner: orders, inbox, account, and being forgotten."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen
from kaituan.ledger.services import AccountRef
from kaituan.notices.services import mark_read
from kaituan.ordering.queries import orders_of_person
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import sign_out_everywhere
from kaituan.reporting.inbox import inbox as inbox_of
from kaituan.settlement.persons import delete_person
from kaituan.storefront.stages import stages_of
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_GET
@login_required
def my_orders(request: SignedInRequest) -> HttpResponse:
    orders = orders_of_person(person=request.user.person)
    stages = stages_of(orders, now=clock.now())
    for order in orders:
        order.stage = stages[order.pk]  # type: ignore[attr-defined]
    context = {"now": clock.now(), "place": "me", "orders": orders}
    return render(request, "storefront/me.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def inbox(request: SignedInRequest) -> HttpResponse:
    """What the member was told; opening it marks it as read."""
    person = request.user.person
    if request.method == "POST":
        mark_read(person_id=person.pk, now=clock.now())
        return redirect("storefront:inbox")
    context = {"now": clock.now(), "place": "inbox", "notices": inbox_of(person=person)}
    return render(request, "storefront/inbox.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def account(request: SignedInRequest) -> HttpResponse:
    person = request.user.person
    if request.method == "POST":
        sign_out_everywhere(account=request.user, acting_person=person, now=clock.now())
        logout(request)
        messages.success(request, _("You are signed out on every device."))
        return redirect("storefront:home")
    context = {
        "now": clock.now(),
        "place": "account",
        "person": person,
        "is_leader": hasattr(person, "leader"),
        "balance_fen": balance_fen(AccountRef(AccountKind.BALANCE_PRINCIPAL, f"person:{person.pk}")),
        "memberships": person.memberships.filter(left_at__isnull=True).select_related("group"),
    }
    return render(request, "storefront/account.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: SignedInRequest) -> HttpResponse:
    """Ask to be forgotten: name, phone and rooms go, the books stay."""
    person = request.user.person
    refusal = ""
    if request.method == "POST":
        try:
            delete_person(person=person, acting_person=person, reason=_("own request"), now=clock.now())
        except PeopleRefused as refused:
            refusal = str(refused)
        else:
            logout(request)
            messages.success(request, _("You are forgotten. Thank you for having been here."))
            return redirect("storefront:home")
    context = {"now": clock.now(), "refusal": refusal}
    return render(request, "storefront/delete.html", context, status=422 if refusal else 200)
