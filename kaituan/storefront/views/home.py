"""The first page: what is on in the visitor's groups."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kaituan.campaigns.models import Campaign, Listing
from kaituan.ordering.queries import figures_of, orders_of_person
from kaituan.people.models import Account
from kaituan.storefront.stages import stages_of
from kaituan.web import clock


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """For a member, the group buys of their groups; for everybody else, what this is."""
    now = clock.now()
    if not isinstance(request.user, Account):
        return render(request, "storefront/welcome.html", {"now": now})
    person = request.user.person
    listings = (
        Listing.objects.filter(
            group__members__person=person,
            group__members__left_at__isnull=True,
            withdrawn_at__isnull=True,
            campaign__status__in=[Campaign.Status.OPEN, Campaign.Status.SCHEDULED],
            campaign__closes_at__gt=now,
        )
        .select_related("campaign", "group", "pickup_point", "leader__person")
        .prefetch_related("campaign__offers__variant__product")
        .order_by("campaign__closes_at")
    )
    figures = figures_of(listings=listings)
    orders = orders_of_person(person=person, limit=20)
    stages = stages_of(orders, now=now)
    waiting = []
    for order in orders:
        order.stage = stages[order.pk]  # type: ignore[attr-defined]
        if stages[order.pk].is_waiting:
            waiting.append(order)
    # What can be fetched stands first.
    waiting.sort(key=lambda order: (stages[order.pk].code != "ready", order.campaign.pickup_on))
    context = {
        "now": now,
        "place": "home",
        "listings": [(listing, figures[listing.pk]) for listing in listings],
        "orders": waiting[:5],
        "is_leader": hasattr(person, "leader"),
    }
    return render(request, "storefront/home.html", context)
