"""One order of one's own: where it stands, what it costs and why; changing and cancelling it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.aftersales.models import Claim
from kaituan.fulfilment.arrivals import pickup_code
from kaituan.money.quantities import format_units
from kaituan.ordering.access import order_of_member
from kaituan.ordering.core import StockRefused
from kaituan.ordering.models import Order
from kaituan.ordering.queries import order_detail
from kaituan.ordering.refusals import stock_refusal_text
from kaituan.ordering.services import OrderRefused
from kaituan.ordering.states import LIVE
from kaituan.payments import services as payments
from kaituan.storefront.baskets import field_name, read_basket
from kaituan.storefront.offers import offer_rows
from kaituan.storefront.stages import stages_of
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


def _may_change(order: Order, now: Any) -> bool:
    return order.status in LIVE and now < order.campaign.closes_at and order.campaign.closed_at is None


@require_GET
@login_required
def order_page(request: HttpRequest, order: str) -> HttpResponse:
    row = order_of_member(request.user, order)
    now = clock.now()
    row.stage = stages_of([row], now=now)[row.pk]  # type: ignore[attr-defined]
    context = {
        "now": now,
        "order": row,
        "campaign": row.campaign,
        "detail": order_detail(order=row),
        "refunds": row.refunds.order_by("pk"),
        "claims": Claim.objects.filter(line__order=row).select_related("line__offer").order_by("-pk"),
        "code": _code(row, now),
        "may_change": _may_change(row, now),
        "days_steps": _day(row, now),
    }
    return render(request, "storefront/order.html", context)


def _code(order: Order, now: Any) -> str:
    """The code to show at the pickup point, from the moment the goods are there until all is handed over."""
    waiting = order.status == Order.Status.CONFIRMED and order.lines.filter(
        quantity__gt=0, handed_over_at__isnull=True
    )
    return pickup_code(order=order, now=now) if waiting and _arrivals(order).exists() else ""


def _day(order: Order, now: Any) -> list[tuple[str, str]]:
    """The order's way on the thread: what is behind it, where it is, what is to come."""
    lines = [line for line in order.lines.all() if line.quantity]
    facts = [
        (pgettext("step", "Ordered"), True),
        (pgettext("step", "Paid"), order.unpaid_fen == 0),
        (pgettext("step", "Cut off"), order.campaign.closed_at is not None),
        (pgettext("step", "Arrived"), any(arrival.arrived_at <= now for arrival in _arrivals(order))),
        (
            pgettext("step", "Handed over"),
            bool(lines) and all(line.handed_over_at or line.completed_at for line in lines),
        ),
        (pgettext("step", "Completed"), bool(lines) and all(line.completed_at for line in lines)),
    ]
    steps, here = [], False
    for words, done in facts:
        state = "done" if done else "" if here else "now"
        here = here or not done
        steps.append((words, state))
    return steps


def _arrivals(order: Order) -> Any:
    return order.campaign.arrivals.filter(pickup_point_id=order.listing.pickup_point_id)


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: SignedInRequest, order: str) -> HttpResponse:
    """Change quantities until the cut-off; the difference is paid or refunded."""
    row = order_of_member(request.user, order)
    now = clock.now()
    if not _may_change(row, now):
        messages.error(request, _("This order can no longer be changed."))
        return redirect("storefront:order", order=row.public_id)
    offers = list(row.campaign.offers.all())
    lines = {line.offer_id: line for line in row.lines.all()}
    offers = [o for o in offers if o.stopped_at is None or (o.pk in lines and lines[o.pk].quantity)]
    data, errors, refusal = {}, {}, ""
    if request.method == "POST":
        data = {field_name(o): request.POST.get(field_name(o), "0") for o in offers}
        basket = read_basket(data, offers)
        errors = dict(basket.errors)
        if not errors:
            quantities = {o.pk: basket.quantities.get(o.pk, 0) for o in offers}
            try:
                changed = payments.amend_order(
                    order=row, quantities=quantities, acting_person=request.user.person, now=now
                )
            except StockRefused as short:
                refusal = stock_refusal_text(refusal=short)
            except OrderRefused as refused:
                refusal = str(refused)
            else:
                name = "pay" if changed.unpaid_fen and changed.settles == "prepaid" else "order"
                return HttpResponseRedirect(reverse(f"storefront:{name}", args=[row.public_id]), status=303)
    else:
        data = {field_name(offers_line.offer): _units(offers_line) for offers_line in lines.values()}
    shown = offer_rows(campaign=row.campaign, data=data, errors=errors, limited=False)
    rows = [shown[o.pk] for o in offers]
    context = {"now": now, "order": row, "campaign": row.campaign, "products": rows, "refusal": refusal}
    return render(request, "storefront/edit.html", context, status=422 if refusal or errors else 200)


def _units(line: Any) -> str:
    return format_units(line.quantity, steps_per_unit=line.offer.price_quantity)


@require_POST
@login_required
def cancel(request: SignedInRequest, order: str) -> HttpResponse:
    row = order_of_member(request.user, order)
    try:
        payments.cancel_order(order=row, acting_person=request.user.person, now=clock.now())
    except OrderRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The order is cancelled. What you paid goes back the way it came."))
    return redirect("storefront:order", order=row.public_id)
