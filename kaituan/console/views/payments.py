"""Money that needs a hand: receipts without an order, refunds that failed, what leaders send."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.console.doors import acting, cashier
from kaituan.console.forms import ReceiptForm
from kaituan.ordering.models import Order
from kaituan.payments import services
from kaituan.payments.models import Payment, PaymentReturn, Refund, Remittance
from kaituan.payments.queries import (
    announced_remittances,
    failed_refunds,
    returns_by_hand,
    unmatched_payments,
)
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@cashier
def overview(request: HttpRequest) -> HttpResponse:
    form = ReceiptForm(request.POST if "record" in request.POST else None)
    if request.method == "POST":
        try:
            if _act(request, form):
                return redirect("console:payments")
        except services.PaymentRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("console:payments")
    search = request.GET.get("q", "").strip()
    context = {
        "now": clock.now(),
        "place": "payments",
        "unmatched": unmatched_payments()[:200],
        "failed": failed_refunds()[:200],
        "by_hand": returns_by_hand()[:200],
        "form": form,
        "search": search,
        "found": _orders_to_match(search),
    }
    return render(request, "console/payments.html", context, status=422 if form.errors else 200)


def _orders_to_match(search: str) -> list[Order]:
    if not search:
        return []
    orders = Order.objects.filter(status="pending").select_related("member", "campaign", "listing__group")
    named = orders.filter(member__display_name__icontains=search)
    return [
        order
        for order in (named | orders.filter(public_id=search)).order_by("-placed_at")[:20]
        if order.unpaid_fen
    ]


def _act(request: HttpRequest, form: ReceiptForm) -> bool:
    """Do what the pressed button says. False if the form has to be shown again."""
    now, person, data = clock.now(), acting(request), request.POST
    if "record" in data:
        if not form.is_valid():
            return False
        services.record_unmatched(
            channel="bank", external_reference=form.cleaned_data["reference"], amount_fen=form.cleaned_data["amount"],
            now=now, recorded_by=person, remark=form.cleaned_data["remark"],
        )  # fmt: skip
        messages.success(request, _("Recorded: match it to an order, or send it back."))
    elif "match" in data:
        services.match_payment(
            payment=get_object_or_404(Payment, public_id=data["match"]),
            order=get_object_or_404(Order, public_id=data.get("order", "")), acting_person=person, now=now,
        )  # fmt: skip
        messages.success(request, _("Matched."))
    elif "return" in data:
        services.return_payment(
            payment=get_object_or_404(Payment, public_id=data["return"]), reason=data.get("reason", "")[:120],
            acting_person=person, now=now,
        )  # fmt: skip
        messages.success(request, _("It goes back."))
    elif "returned" in data:
        services.mark_returned_by_hand(
            row=get_object_or_404(PaymentReturn, public_id=data["returned"]), acting_person=person, now=now
        )
    elif "to_balance" in data:
        services.refund_to_balance(
            refund=get_object_or_404(Refund, public_id=data["to_balance"]), acting_person=person, now=now
        )
        messages.success(request, _("The refund is in the member's balance now."))
    return True


@require_http_methods(["GET", "POST"])
@cashier
def remittances(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        row = get_object_or_404(Remittance, public_id=request.POST.get("remittance", ""))
        try:
            if "refuse" in request.POST:
                services.refuse_remittance(
                    remittance=row, acting_person=acting(request), now=clock.now(),
                    reason=request.POST.get("reason", "")[:200],
                )  # fmt: skip
            else:
                services.confirm_remittance(remittance=row, acting_person=acting(request), now=clock.now())
                messages.success(request, _("Confirmed: the leader is told."))
        except services.PaymentRefused as refusal:
            messages.error(request, str(refusal))
        return redirect("console:remittances")
    context = {
        "now": clock.now(),
        "place": "remittances",
        "waiting": announced_remittances()[:200],
        "decided": Remittance.objects.exclude(status="announced")
        .select_related("leader__person")
        .order_by("-pk")[:50],
    }
    return render(request, "console/remittances.html", context)
