"""Paying: choose how, then the gateway's own page (here the sandbox's), then back to the order."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen
from kaituan.ledger.services import AccountRef, BalanceTooLow
from kaituan.ordering.access import order_of_member
from kaituan.payments import services
from kaituan.payments.gateways.registry import GATEWAYS, gateway_for
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import Channel, PaymentIntent
from kaituan.people.models import new_public_id
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@login_required
def choose(request: SignedInRequest, order: str) -> HttpResponse:
    row = order_of_member(request.user, order)
    now = clock.now()
    person = request.user.person
    own_fen = balance_fen(AccountRef(AccountKind.BALANCE_PRINCIPAL, f"person:{person.pk}"))
    refusal = ""
    if request.method == "POST":
        try:
            if request.POST.get("channel") == Channel.BALANCE:
                key = f"{row.public_id}:{request.POST.get('key', '')[:40]}"
                services.pay_from_balance(order=row, acting_person=person, key=key, now=now)
                return HttpResponseRedirect(reverse("storefront:order", args=[row.public_id]), status=303)
            channel = request.POST.get("channel", "")
            if channel not in GATEWAYS:
                raise services.PaymentRefused(_("Choose how you would like to pay."))
            intent = services.open_intent(order=row, channel=channel, now=now)
            return HttpResponseRedirect(gateway_for(channel=channel).checkout_path(intent=intent), status=303)
        except (services.NothingToPay, services.AlreadyDone):
            return redirect("storefront:order", order=row.public_id)
        except services.PaymentRefused as refused:
            refusal = str(refused)
        except BalanceTooLow:
            refusal = _("Your balance is not enough for this order.")
    if row.unpaid_fen == 0:
        return redirect("storefront:order", order=row.public_id)
    context = {
        "now": now,
        "order": row,
        "channels": list(GATEWAYS),
        "balance_fen": own_fen,
        "balance_is_enough": own_fen >= row.unpaid_fen,
        "key": new_public_id(),
        "refusal": refusal,
    }
    return render(request, "storefront/pay.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "POST"])
@login_required
def sandbox(request: HttpRequest, intent: str) -> HttpResponse:
    """What a gateway's own page would be: says plainly that no money moves."""
    found = (
        PaymentIntent.objects.select_related("order")
        .filter(public_id=intent, channel=Channel.SANDBOX)
        .first()
    )
    if found is None or Channel.SANDBOX not in GATEWAYS:
        # Where real money is taken there is no such page, not even for an intent of an earlier day.
        raise Http404
    order = order_of_member(request.user, found.order.public_id)
    now = clock.now()
    if request.method == "POST":
        reference = SandboxGateway().pay(intent=found, now=now)
        services.gateway_succeeded(
            intent=found, external_reference=reference, amount_fen=found.amount_fen, now=now
        )
        order.refresh_from_db()
        if order.unpaid_fen == 0 and order.due_fen:
            messages.success(request, _("Paid. Your number is %(number)s.") % {"number": order.follow_number})
        else:
            messages.warning(
                request, _("The order no longer needed this payment: the money goes back by itself.")
            )
        return HttpResponseRedirect(reverse("storefront:order", args=[order.public_id]), status=303)
    return render(request, "storefront/sandbox.html", {"now": now, "intent": found, "order": order})
