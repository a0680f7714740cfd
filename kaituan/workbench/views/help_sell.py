"""Helping to sell (帮卖): group buys of others, and what each would pay before it is put into one's own groups."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.campaigns.access import campaign_to_see
from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.queries import campaigns_to_help_sell, groups_without_listing
from kaituan.campaigns.refusals import CampaignRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.commission.explanations import preview_selling
from kaituan.people.access import group_for_leader, leader_of
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_GET
@login_required
def all_campaigns(request: HttpRequest) -> HttpResponse:
    """Group buys of others that may be sold in one's own groups."""
    now = clock.now()
    campaigns = campaigns_to_help_sell(leader=leader_of(request.user), now=now)
    context = {"now": now, "rows": campaigns.prefetch_related("offers__variant__product")}
    return render(request, "workbench/help_sell.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def campaign(request: SignedInRequest, campaign: str) -> HttpResponse:
    """What one of each of the goods would pay, in words; then the groups to sell it in."""
    now = clock.now()
    leader = leader_of(request.user)
    row = campaign_to_see(request.user, campaign, now=now)
    if row.status not in TAKING_ORDERS:
        raise Http404
    refusal = ""
    if request.method == "POST":
        group = group_for_leader(request.user, request.POST.get("group", ""), now=now)
        try:
            listing = create_listing(
                campaign=row, group=group, leader=leader, acting_person=request.user.person, now=now
            )
        except CampaignRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("It is in your group: now share it in the chat."))
            return redirect("workbench:share", listing=listing.public_id)
    offers = list(row.offers.filter(stopped_at__isnull=True).select_related("variant__product"))
    earned = preview_selling(
        campaign=row, leader=leader, sale_rate_bp=row.help_sell_rate_bp, now=now,
        quantities={offer.pk: offer.price_quantity for offer in offers},
    )  # fmt: skip
    context = {
        "now": now,
        "campaign": row,
        "offers": [(offer, earned[offer.pk]) for offer in offers],
        "groups": groups_without_listing(campaign=row, leader=leader),
        "refusal": refusal,
    }
    return render(request, "workbench/help_sell_campaign.html", context, status=422 if refusal else 200)
