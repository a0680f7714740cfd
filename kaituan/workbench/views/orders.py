"""One order as its leader sees it: who, what, paid or not; taking the money, changing, cancelling."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.explanations import preview_order
from kaituan.money.fen import MoneyError, parse_yuan
from kaituan.ordering.access import order_for_leader
from kaituan.ordering.models import Order
from kaituan.ordering.queries import order_detail
from kaituan.ordering.services import OrderRefused
from kaituan.ordering.states import LIVE
from kaituan.payments import services as payments
from kaituan.payments.models import LEADER_CHANNELS
from kaituan.payments.receipts import UNDO_RECEIPT_WITHIN
from kaituan.people.models import new_public_id
from kaituan.settlement.queries import settled_of_order
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@login_required
def page(request: SignedInRequest, order: str) -> HttpResponse:
    now = clock.now()
    row = order_for_leader(request.user, order, now=now)
    refusal = ""
    if request.method == "POST":
        try:
            message = _act(request, row)
        except (payments.PaymentRefused, OrderRefused) as refused:
            refusal = str(refused)
        else:
            messages.success(request, message)
            return redirect("workbench:order", order=row.public_id)
    receipts = row.allocations.select_related("payment").order_by("pk")
    context = {
        "now": now,
        "order": row,
        "listing": row.listing,
        "campaign": row.campaign,
        "detail": order_detail(order=row),
        "receipts": [
            (a, a.payment.channel in LEADER_CHANNELS and now <= a.payment.received_at + UNDO_RECEIPT_WITHIN)
            for a in receipts
        ],
        "refunds": row.refunds.order_by("pk"),
        "may_change": row.status in ("pending", "confirmed") and now < row.campaign.closes_at,
        "key": new_public_id(),
        "refusal": refusal,
        "typed": request.POST.get("amount", ""),
        **_earned(request, row, now),
    }
    return render(request, "workbench/order.html", context, status=422 if refusal else 200)


def _earned(request: SignedInRequest, order: Order, now: datetime) -> dict[str, Any]:
    """What the order pays its seller: as settled, or as it would be. Nobody else's business: helpers see nothing."""
    leader = order.listing.leader
    if leader.person_id != request.user.person.pk:
        return {}
    settled = settled_of_order(order=order, leader=leader)
    return {
        "settled": settled,
        "will_earn": preview_order(order=order, now=now) if not settled and order.status in LIVE else None,
    }


def _act(request: SignedInRequest, order: Order) -> str:
    now, person = clock.now(), request.user.person
    if "receive" in request.POST:
        try:
            amount_fen = parse_yuan(request.POST.get("amount", ""))
        except MoneyError as error:
            raise payments.PaymentRefused(_("Write the amount in yuan, such as 39.90.")) from error
        payments.leader_receives(
            order=order, leader=order.listing.leader, channel=request.POST.get("channel", ""),
            amount_fen=amount_fen, key=f"{order.public_id}:{request.POST.get('key', '')[:40]}",
            acting_person=person, now=now,
        )  # fmt: skip
        return _("The money is noted.")
    if "undo" in request.POST:
        allocation = order.allocations.filter(payment__public_id=request.POST["undo"]).first()
        if allocation is None:
            raise payments.PaymentRefused(_("This receipt does not belong to the order."))
        payments.undo_leader_receipt(payment=allocation.payment, acting_person=person, now=now)
        return _("The receipt is undone.")
    if "cancel" in request.POST:
        payments.cancel_order(
            order=order, acting_person=person, now=now, reason=request.POST.get("reason", "")[:200]
        )
        return _("The order is cancelled.")
    raise payments.PaymentRefused(_("Choose what to do."))
