"""Group buys: all of them, one in full, and every change after opening with a preview first."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kaituan.campaigns.models import Campaign, Offer
from kaituan.campaigns.refusals import CampaignRefused, ChangeRefused
from kaituan.console.doors import acting, operator
from kaituan.fulfilment.access import campaign_for_operator
from kaituan.fulfilment.cutoff import cut_off
from kaituan.fulfilment.queries import progress
from kaituan.fulfilment.refusals import FulfilmentRefused
from kaituan.fulfilment.sharing import variants_to_share
from kaituan.money.fen import MoneyError, parse_yuan
from kaituan.ordering.queries import figures_of
from kaituan.payments import campaign_changes as changes
from kaituan.web import clock


@require_GET
@operator
def listing(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    rows = Campaign.objects.select_related("created_by").order_by("-closes_at", "-pk")
    if search:
        rows = rows.filter(title__icontains=search)
    if status in Campaign.Status.values:
        rows = rows.filter(status=status)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {"now": clock.now(), "place": "campaigns", "page": page, "search": search, "status": status}
    return render(request, "console/campaigns.html", context)


@require_GET
@operator
def page(request: HttpRequest, campaign: str) -> HttpResponse:
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    listings = list(row.listings.select_related("leader__person", "group", "pickup_point").order_by("pk"))
    figures = figures_of(listings=listings)
    closed = row.status == Campaign.Status.CLOSED
    context = {
        "now": now,
        "place": "campaigns",
        "campaign": row,
        "listings": [(listing, figures[listing.pk]) for listing in listings],
        "offers": row.offers.select_related("variant__product"),
        "events": row.events.select_related("actor").order_by("-pk")[:30],
        "progress": progress(campaign_ids=[row.pk]),
        "points": {listing.pickup_point_id: listing.pickup_point for listing in listings},
        "snapshots": row.snapshots.order_by("number"),
        "to_share": variants_to_share(campaign=row) if closed else [],
        "takes_orders": row.status in ("open", "scheduled"),
        "total": {
            "orders": sum(f.order_count for f in figures.values()),
            "due_fen": sum(f.due_fen for f in figures.values()),
            "kept_fen": sum(f.kept_fen for f in figures.values()),
        },
    }
    return render(request, "console/campaign.html", context)


@require_POST
@operator
def cut_off_now(request: HttpRequest, campaign: str) -> HttpResponse:
    """Close before the time: the snapshot is taken at this instant."""
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    try:
        cut_off(campaign=row, now=now, acting_person=acting(request))
    except FulfilmentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Cut off: the snapshot and the purchase orders are made."))
    return redirect("console:campaign", campaign=row.public_id)


@require_POST
@operator
def change(request: HttpRequest, campaign: str) -> HttpResponse:
    """Every change twice: first a look at whom it touches and what it costs, then the change itself."""
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    kind = request.POST.get("kind", "")
    try:
        preview, do = _change(kind, row, request.POST)
        if "confirm" in request.POST:
            do(expected_version=_number(request.POST["confirm"]), acting_person=acting(request), now=now)
            messages.success(request, _("Changed; everybody it touches is told."))
            return redirect("console:campaign", campaign=row.public_id)
    except (CampaignRefused, MoneyError, ValueError) as refusal:
        return _look(request, row, refusal=_sentence(refusal))
    return _look(request, row, preview=preview)


def _look(
    request: HttpRequest, row: Campaign, *, preview: changes.ChangePreview | None = None, refusal: str = ""
) -> HttpResponse:
    """What the change would do, or why it cannot be; what was typed stays and can be typed anew."""
    typed = {
        name: str(value)
        for name, value in request.POST.items()
        if name not in ("csrfmiddlewaretoken", "confirm")
    }
    context = {
        "now": clock.now(),
        "place": "campaigns",
        "campaign": row,
        "preview": preview,
        "refusal": refusal,
        "typed": typed,
        "offer": row.offers.filter(pk=_number(typed.get("offer", ""))).first(),
    }
    return render(request, "console/change.html", context, status=422 if refusal else 200)


def _number(text: str) -> int:
    """A row's id out of a form; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _sentence(refusal: Exception) -> str:
    if isinstance(refusal, MoneyError):
        return _("Write the amount in yuan, such as 39.90.")
    if isinstance(refusal, CampaignRefused):
        return str(refusal)
    return _("Enter a date such as 2026-10-02.")


def _change(kind: str, row: Campaign, data: Any) -> tuple[changes.ChangePreview, Callable[..., object]]:
    """The preview of a change, and the change with its terms bound."""
    if kind == "price":
        offer = _offer(row, data)
        price_fen = parse_yuan(data.get("price", ""))
        funder = "supplier" if data.get("funder") == "supplier" else "platform"
        return changes.preview_price_change(
            offer=offer, price_fen=price_fen
        ), lambda **how: changes.do_price_change(offer=offer, price_fen=price_fen, funder=funder, **how)
    if kind == "stop":
        offer = _offer(row, data)
        cancels = "cancels_ordered" in data
        return changes.preview_stop_offer(
            offer=offer, cancels_ordered=cancels
        ), lambda **how: changes.do_stop_offer(offer=offer, cancels_ordered=cancels, **how)
    if kind == "move":
        on = date.fromisoformat(data.get("pickup_on", ""))
        return changes.preview_pickup_move(campaign=row, pickup_on=on), lambda **how: changes.do_pickup_move(
            campaign=row, pickup_on=on, **how
        )
    if kind == "cancel":
        return changes.preview_cancel_campaign(campaign=row), lambda **how: changes.do_cancel_campaign(
            campaign=row, reason=data.get("reason", "")[:200], **how
        )
    raise ChangeRefused(_("Choose what to change."))


def _offer(row: Campaign, data: Any) -> Offer:
    return get_object_or_404(Offer, campaign=row, pk=_number(data.get("offer", "")))
