"""The leader's day at a glance: what runs, what waits, what was earned."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kaituan.aftersales.access import claims_for
from kaituan.aftersales.queries import open_claims
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.access import counter_of
from kaituan.fulfilment.queries import waiting_at_counter
from kaituan.ordering.access import listings_run_by
from kaituan.ordering.queries import figures_of
from kaituan.payments.models import Refund
from kaituan.payments.queries import refunds_to_hand_back
from kaituan.people.access import NotYours, leader_of
from kaituan.settlement.queries import leader_balance
from kaituan.web import clock

RUNNING = (Campaign.Status.OPEN, Campaign.Status.SCHEDULED)


@require_GET
@login_required
def today(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    counter = counter_of(request.user, now=now)
    listings = listings_run_by(request.user, now=now).filter(withdrawn_at__isnull=True)
    running = list(listings.filter(campaign__status__in=RUNNING).order_by("campaign__closes_at"))
    closed = list(
        listings.filter(campaign__status=Campaign.Status.CLOSED).order_by("-campaign__closes_at")[:12]
    )
    figures = figures_of(listings=[*running, *closed])
    try:
        balance = leader_balance(leader=leader_of(request.user), now=now)
    except NotYours:
        # A helper works in the group and earns nothing here.
        balance = None
    to_hand_back: list[Refund] = refunds_to_hand_back(leader=counter.leader) if counter.leader else []
    context = {
        "now": now,
        "place": "today",
        "running": [(listing, figures[listing.pk]) for listing in running],
        "closed": [(listing, figures[listing.pk]) for listing in closed],
        "waiting_count": waiting_at_counter(counter.orders).count(),
        "claim_count": open_claims(claims_for(request.user, now=now)).count(),
        "to_hand_back": to_hand_back,
        "balance": balance,
    }
    return render(request, "workbench/home.html", context)
