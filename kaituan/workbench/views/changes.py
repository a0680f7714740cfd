"""Changing one's own group buy after opening: choose what, see whom it touches and what it costs, then do it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.campaigns.access import campaign_to_change
from kaituan.campaigns.models import Campaign
from kaituan.ordering.access import listing_for_leader
from kaituan.payments.campaign_changes import PICKUP_MAY_MOVE
from kaituan.web import changes, clock
from kaituan.web.requests import SignedInRequest

ABOUT_GOODS = ("price", "stop")
KINDS = (*ABOUT_GOODS, "extend", "move", "cancel")
TAKES_ORDERS = (Campaign.Status.OPEN, Campaign.Status.SCHEDULED)


@require_http_methods(["GET", "POST"])
@login_required
def change(request: SignedInRequest, listing: str) -> HttpResponse:
    """GET chooses and asks; POST shows the preview, and with `confirm` (its version) does it.

    For who opened the group buy: others who sell it in their groups find nothing here.
    """
    now = clock.now()
    row = listing_for_leader(request.user, listing, now=now)
    campaign = campaign_to_change(request.user, row.campaign.public_id, now=now)
    preview, refusal = None, ""
    typed = changes.typed(request.POST or request.GET)
    kind = typed.get("kind", "")
    if request.method == "POST":
        try:
            preview, do = changes.read(
                kind, campaign, request.POST, acting_person=request.user.person, now=now
            )
            if "confirm" in request.POST:
                version = changes.number(request.POST["confirm"])
                do(expected_version=version)
                messages.success(request, _("Changed; everybody it touches is told."))
                return redirect("workbench:listing", listing=row.public_id)
        except changes.REFUSED as refused:
            refusal = changes.sentence(refused)
    elif kind == "extend":
        typed = changes.later(campaign) | typed
    offers = campaign.offers.select_related("variant__product").order_by("pk")
    offer = offers.filter(pk=changes.number(typed.get("offer", ""))).first()
    asks = kind in KINDS and (kind not in ABOUT_GOODS or offer is not None)
    context = {
        "now": now,
        "listing": row,
        "campaign": campaign,
        "kind": kind if asks else "",
        "typed": typed,
        "preview": preview,
        "refusal": refusal,
        "takes_orders": campaign.status in TAKES_ORDERS,
        "may_move": campaign.status in PICKUP_MAY_MOVE,
        "offers": offers,
        "offer": offer,
    }
    return render(request, "workbench/change.html", context, status=422 if refusal else 200)
