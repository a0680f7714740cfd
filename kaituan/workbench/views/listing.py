"""One group buy in one group: its day on the thread, sharing it, its orders, the goods' arrival."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from kaituan.campaigns.access import campaign_to_change
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.poster import poster_png
from kaituan.campaigns.sharing import share_text, shared_listing
from kaituan.fulfilment.access import counter_of, point_at_counter
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.documents import export_pickup_list
from kaituan.fulfilment.models import Arrival
from kaituan.fulfilment.refusals import ArrivalRefused
from kaituan.ordering.access import listing_for_leader
from kaituan.ordering.chain_text import chain_text
from kaituan.ordering.models import OrderLine
from kaituan.ordering.queries import listing_figures, live_orders, sold_units, unpaid_orders
from kaituan.payments.campaign_changes import PICKUP_MAY_MOVE
from kaituan.people.access import NotYours
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_GET
@login_required
def day(request: HttpRequest, listing: str) -> HttpResponse:
    now = clock.now()
    row = listing_for_leader(request.user, listing, now=now)
    sold = sold_units(listings=[row])
    offers = list(row.campaign.offers.select_related("variant__product"))
    context = {
        "now": now,
        "listing": row,
        "campaign": row.campaign,
        "figures": listing_figures(listing=row),
        "unpaid_count": len(unpaid_orders(listing=row)),
        "steps": _steps(row, now),
        "sold": [(offer, sold.get(offer.pk, 0)) for offer in offers],
        "takes_orders": row.campaign.status in ("open", "scheduled") and now < row.campaign.closes_at,
        "may_change": may_change(request.user, row, now=now),
        "may_confirm_arrival": _may_confirm(row),
        "arrived": _arrival(row),
    }
    return render(request, "workbench/listing.html", context)


def may_change(account: Any, listing: Listing, *, now: datetime) -> bool:
    """Whether there is anything to change, and the visitor opened it."""
    if listing.campaign.status not in PICKUP_MAY_MOVE:
        return False
    try:
        return bool(campaign_to_change(account, listing.campaign.public_id, now=now))
    except NotYours:
        return False


def _arrival(listing: Listing) -> Arrival | None:
    return Arrival.objects.filter(campaign=listing.campaign, pickup_point=listing.pickup_point).first()


def _may_confirm(listing: Listing) -> bool:
    return listing.campaign.status == Campaign.Status.CLOSED and _arrival(listing) is None


def _steps(listing: Listing, now: Any) -> list[tuple[str, str, str]]:
    """The campaign's day: open, cut-off, arrived, handed over, settled."""
    campaign = listing.campaign
    lines = OrderLine.objects.filter(order__listing=listing, order__status="confirmed", quantity__gt=0)
    total = lines.count()
    handed = lines.filter(handed_over_at__isnull=False).count()
    completed = lines.filter(completed_at__isnull=False).count()
    facts = [
        (pgettext("step", "Opened"), now >= campaign.opens_at, ""),
        (pgettext("step", "Cut off"), campaign.closed_at is not None, ""),
        (pgettext("step", "Arrived"), _arrival(listing) is not None, ""),
        (
            pgettext("step", "Handed over"),
            total > 0 and handed == total,
            f"{handed}/{total}" if total and campaign.closed_at else "",
        ),
        (pgettext("step", "Completed"), total > 0 and completed == total, ""),
    ]
    steps, here = [], False
    for words, done, small in facts:
        steps.append((words, "done" if done else "" if here else "now", small))
        here = here or not done
    return steps


@require_GET
@login_required
def share(request: HttpRequest, listing: str) -> HttpResponse:
    """Text, link and poster to carry into the chat."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    shared = shared_listing(listing=row, base_url=settings.SITE_URL)
    context = {
        "now": clock.now(),
        "listing": row,
        "campaign": row.campaign,
        "text": share_text(shared),
        "url": shared.url,
    }
    return render(request, "workbench/share.html", context)


@require_GET
@login_required
def poster(request: HttpRequest, listing: str) -> HttpResponse:
    row = listing_for_leader(request.user, listing, now=clock.now())
    return HttpResponse(
        poster_png(shared_listing(listing=row, base_url=settings.SITE_URL)), content_type="image/png"
    )


@require_GET
@login_required
def text(request: HttpRequest, listing: str) -> HttpResponse:
    """The present chain as text to copy into the chat."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    context = {"now": clock.now(), "listing": row, "campaign": row.campaign, "text": chain_text(listing=row)}
    return render(request, "workbench/chain_text.html", context)


@require_GET
@login_required
def orders(request: HttpRequest, listing: str) -> HttpResponse:
    """The chain with whole names: tap one to open it."""
    now = clock.now()
    row = listing_for_leader(request.user, listing, now=now)
    found = live_orders(row)
    search = request.GET.get("q", "").strip()
    if search:
        found = found.filter(member__display_name__icontains=search) | found.filter(
            follow_number=int(search) if search.isdecimal() and len(search) < 7 else -1
        )
    context = {"now": now, "listing": row, "campaign": row.campaign, "orders": found, "search": search}
    return render(request, "workbench/orders.html", context)


@require_POST
@login_required
def arrived(request: SignedInRequest, listing: str) -> HttpResponse:
    """The goods are at the pickup point: members are told and get their codes."""
    now = clock.now()
    row = listing_for_leader(request.user, listing, now=now)
    point = point_at_counter(counter_of(request.user, now=now), row.campaign, row.pickup_point.public_id)
    try:
        confirm_arrival(campaign=row.campaign, pickup_point=point, acting_person=request.user.person, now=now)
    except ArrivalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Everybody with goods here is told."))
    return redirect("workbench:listing", listing=row.public_id)


@require_POST
@login_required
def pickup_sheet(request: SignedInRequest, listing: str) -> HttpResponse:
    """The pickup list of this point with names and rooms, to print; taking it is logged."""
    now = clock.now()
    row = listing_for_leader(request.user, listing, now=now)
    point = point_at_counter(counter_of(request.user, now=now), row.campaign, row.pickup_point.public_id)
    sheet = export_pickup_list(
        campaign=row.campaign, pickup_point=point, acting_person=request.user.person, now=now
    )
    return render(request, "web/sheet.html", {"now": now, "sheets": [sheet]})
