"""Group buys: all of them, one in full, and every change after opening with a preview first."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.promises import highest_promise_bp
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.commission.finding_words import finding_words
from kaituan.commission.promises import judge_promise
from kaituan.console.doors import acting, operator
from kaituan.console.plan_words import noticed
from kaituan.console.words import change_heading
from kaituan.fulfilment.access import campaign_for_operator
from kaituan.fulfilment.cutoff import cut_off
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.fulfilment.queries import progress
from kaituan.fulfilment.refusals import FulfilmentRefused
from kaituan.fulfilment.sharing import variants_to_share
from kaituan.ordering.models import Order
from kaituan.ordering.queries import figures_of
from kaituan.ordering.states import LIVE
from kaituan.payments.campaign_changes import ChangePreview
from kaituan.people.models import Group
from kaituan.web import changes, clock

MOST_GROUPS = 500
"""Groups to choose from on one page."""


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
    live = Order.objects.filter(campaign__in=list(page), status__in=LIVE).values_list("campaign_id")
    totals = {
        pk: (count, due_fen)
        for pk, count, due_fen in live.annotate(
            order_count=Count("pk"), due_sum=Sum(F("list_fen") + F("adjustment_fen"))
        )
    }
    for campaign in page:
        campaign.order_count, campaign.due_fen = totals.get(  # type: ignore[attr-defined]
            campaign.pk, (0, 0)
        )
    context = {
        "now": clock.now(),
        "place": "campaigns",
        "page": page,
        "search": search,
        "status": status,
    }
    return render(request, "console/campaigns.html", context)


@require_GET
@operator
def page(request: HttpRequest, campaign: str) -> HttpResponse:
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    listings = list(row.listings.select_related("leader__person", "group", "pickup_point").order_by("pk"))
    figures = figures_of(listings=listings)
    points = {listing.pickup_point_id: listing.pickup_point for listing in listings}
    closed = row.status == Campaign.Status.CLOSED
    context = {
        "now": now,
        "place": "campaigns",
        "campaign": row,
        "listings": [(listing, figures[listing.pk]) for listing in listings],
        "offers": row.offers.select_related("variant__product"),
        "events": row.events.select_related("actor").order_by("-pk")[:30],
        "progress": [(each, points.get(each.pickup_point_id)) for each in progress(campaign_ids=[row.pk])],
        "purchase_orders": PurchaseOrder.objects.filter(snapshot__campaign=row)
        .select_related("supplier")
        .order_by("pk"),
        "to_send": PurchaseOrder.objects.filter(
            snapshot__campaign=row, status=PurchaseOrder.Status.DRAFT
        ).count(),
        "snapshots": row.snapshots.order_by("number"),
        "to_share": variants_to_share(campaign=row) if closed else [],
        "takes_orders": row.status in ("open", "scheduled"),
        "later": changes.later(row),
        **_promised(row),
        "total": {
            "orders": sum(f.order_count for f in figures.values()),
            "due_fen": sum(f.due_fen for f in figures.values()),
            "kept_fen": sum(f.kept_fen for f in figures.values()),
        },
    }
    return render(request, "console/campaign.html", context)


def _promised(row: Campaign) -> dict[str, Any]:
    """The dearest rate promised to sellers (None: the plan's own rates), what the guard says of it, and the groups that
    could be promised one."""
    rate_bp = highest_promise_bp(row)
    report = judge_promise(campaign=row, sale_rate_bp=rate_bp) if row.plan_version else None
    listed = row.listings.filter(withdrawn_at__isnull=True).values("group_id")
    free = Group.objects.filter(archived_at__isnull=True).exclude(pk__in=listed)
    return {
        "promised_bp": rate_bp,
        "findings": [noticed(finding) for finding in report.findings] if report else [],
        "worst": report.worst_case if report else None,
        "worst_goods": report.goods if report else "",
        "free_groups": free.select_related("owner__person").order_by("owner__person__name", "name")[
            :MOST_GROUPS
        ]
        if row.status in TAKING_ORDERS and row.open_to_helpers
        else [],
    }


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
        preview, do = changes.read(kind, row, request.POST, acting_person=acting(request), now=now)
        if "confirm" in request.POST:
            version = changes.number(request.POST["confirm"])
            do(expected_version=version)
            messages.success(request, _("Changed; everybody it touches is told."))
            return redirect("console:campaign", campaign=row.public_id)
    except changes.REFUSED as refusal:
        return _look(request, row, refusal=changes.sentence(refusal))
    return _look(request, row, preview=preview)


def _look(
    request: HttpRequest, row: Campaign, *, preview: ChangePreview | None = None, refusal: str = ""
) -> HttpResponse:
    """What the change would do, or why it cannot be; what was typed stays and can be typed anew."""
    typed = changes.typed(request.POST)
    context = {
        "now": clock.now(),
        "place": "campaigns",
        "campaign": row,
        "preview": preview,
        "refusal": refusal,
        "typed": typed,
        "heading": change_heading(typed.get("kind", "")),
        "offer": row.offers.filter(pk=changes.number(typed.get("offer", ""))).first(),
        "findings": _price_findings(row, preview),
    }
    return render(request, "console/change.html", context, status=422 if refusal else 200)


def _price_findings(row: Campaign, preview: ChangePreview | None) -> list[tuple[str, str]]:
    """What a lower price means for the commission that is paid by the plan: told, for a loss may be meant. What was
    promised on top of the plan was judged before, and refused."""
    if preview is None or preview.kind != "price_lowered":
        return []
    prices_fen = {preview.details["offer_id"]: preview.details["new_fen"]}
    report = judge_promise(campaign=row, sale_rate_bp=highest_promise_bp(row), prices_fen=prices_fen)
    return [("honey", finding_words(finding)) for finding in report.findings]
