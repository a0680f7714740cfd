"""One group buy in one group: what is on offer, who joined, and joining."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.ordering.core import LineRequest, OrderRequest, Outcome, place_orders
from kaituan.ordering.models import Order
from kaituan.ordering.queries import listing_figures, live_orders, public_chain
from kaituan.ordering.refusals import refusal_text
from kaituan.people.models import Account, Member, Person, new_public_id
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import join_group
from kaituan.storefront.baskets import Basket, field_name, read_basket
from kaituan.storefront.chain import chain_rows
from kaituan.storefront.forms import JoinForm
from kaituan.storefront.offers import offer_rows
from kaituan.web import clock

SHOWN = 60
"""The latest of the chain, as many as a thumb scrolls; the whole of it is one tap away."""
MOST_SHOWN = 3_000


def _listing(public_id: str) -> Listing:
    listing = (
        Listing.objects.select_related("campaign", "group", "pickup_point", "leader__person")
        .filter(public_id=public_id)
        .exclude(campaign__status=Campaign.Status.DRAFT)
        .first()
    )
    if listing is None:
        raise Http404
    return listing


def _offers(listing: Listing) -> list[Offer]:
    return list(listing.campaign.offers.select_related("variant__product"))


@require_GET
def campaign_page(request: HttpRequest, listing: str) -> HttpResponse:
    """The page behind the link in the chat; anybody may look. `intake/campaign_pages.py` asks for it on behalf of
    everybody, and serves that to all who come in a rush."""
    row = _listing(listing)
    now = clock.now()
    basket = {} if _is_for_everybody(request) else request.session.get(_basket_key(row), {})
    return _show(request, row, now=now, data=basket, errors={}, whole="all" in request.GET)


FOR_EVERYBODY = "kaituan.for_everybody"
"""In the request's environment, where no visitor can write: nothing personal, no token, no cookie."""


def _is_for_everybody(request: HttpRequest) -> bool:
    return bool(request.META.get(FOR_EVERYBODY))


def _show(
    request: HttpRequest, listing: Listing, *, now: Any, data: dict[str, str], errors: dict[int, str],
    refusal: str = "", status: int = 200, whole: bool = False,
) -> HttpResponse:  # fmt: skip
    campaign = listing.campaign
    person_id = request.user.person_id if isinstance(request.user, Account) else None
    after = 0 if whole else max(0, listing.last_follow_number - SHOWN)
    entries = public_chain(listing=listing, after=after, limit=MOST_SHOWN)
    own = live_orders(listing).filter(person_id=person_id) if person_id else Order.objects.none()
    takes_orders = (
        campaign.status in (Campaign.Status.OPEN, Campaign.Status.SCHEDULED)
        and campaign.opens_at <= now < campaign.closes_at
        and listing.withdrawn_at is None
    )
    context = {
        "now": now,
        "listing": listing,
        "campaign": campaign,
        "products": offer_rows(campaign=campaign, data=data, errors=errors).values(),
        "entries": chain_rows(entries, person_id=person_id),
        "after": after,
        "mine": [order.follow_number for order in own],
        "figures": listing_figures(listing=listing),
        "next_number": listing.last_follow_number + 1,
        "takes_orders": takes_orders,
        "not_open_yet": now < campaign.opens_at and campaign.status != Campaign.Status.CANCELLED,
        "refusal": refusal,
        "for_everybody": _is_for_everybody(request),
    }
    return render(request, "storefront/campaign.html", context, status=status)


@require_GET
def personal(request: HttpRequest, listing: str) -> JsonResponse:
    """What the page for everybody leaves out: the visitor's own numbers in the chain."""
    own = Order.objects.none()
    if isinstance(request.user, Account):
        own = live_orders(_listing(listing)).filter(person_id=request.user.person_id)
    return JsonResponse({"mine": [order.follow_number for order in own]})


@require_GET
def chain_json(request: HttpRequest, listing: str) -> JsonResponse:
    """The chain for pages whose stream is cut: what chain.js asks for."""
    row = _listing(listing)
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isdecimal() and len(asked) < 9 else 0
    return JsonResponse({"entries": chain_rows(public_chain(listing=row, after=after), person_id=None)})


def _basket_key(listing: Listing) -> str:
    return f"basket:{listing.public_id}"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, listing: str) -> HttpResponse:
    """From the basket to the order: choose, sign in if need be, look once more, confirm.

    Keeping a basket needs no token, which a page that is the same for everybody cannot hold: it writes nothing but
    the visitor's own choice, which they see before they confirm.
    """
    if request.method == "POST" and "confirm" not in request.POST:
        return _keep_basket(request, _listing(listing), clock.now())
    return _join(request, listing)


@csrf_protect
def _join(request: HttpRequest, listing: str) -> HttpResponse:
    row = _listing(listing)
    now = clock.now()
    if not isinstance(request.user, Account):
        return redirect_to_login(request.get_full_path())
    basket = read_basket(request.session.get(_basket_key(row), {}), _offers(row))
    if request.method == "POST":
        return _confirm(request, row, basket, now)
    if not basket.lines:
        return redirect("storefront:campaign", listing=row.public_id)
    member = Member.objects.filter(group=row.group, person=request.user.person).first()
    form = JoinForm(
        initial={
            "display_name": _known_name(request.user.person),
            "key": new_public_id(),
            "settles": "prepaid",
            "version": row.campaign.version,
        },
        prepaid_only=row.campaign.prepaid_only,
        known=member is not None,
    )
    return _show_confirm(request, row, basket, form, now)


def _known_name(person: Person) -> str:
    """What another group calls them; an account of today's phone code has no name that neighbours would know."""
    elsewhere = person.memberships.filter(left_at__isnull=True).order_by("-pk").first()
    return elsewhere.display_name if elsewhere else ""


def _keep_basket(request: HttpRequest, listing: Listing, now: Any) -> HttpResponse:
    offers = _offers(listing)
    data = {field_name(o): request.POST.get(field_name(o), "0") for o in offers}
    basket = read_basket(data, offers)
    if basket.errors or not basket.lines:
        refusal = _("Choose at least one of the goods, then join.") if not basket.errors else ""
        return _show(
            request, listing, now=now, data=data, errors=dict(basket.errors), refusal=refusal, status=422
        )
    request.session[_basket_key(listing)] = data
    return HttpResponseRedirect(reverse("storefront:join", args=[listing.public_id]), status=303)


def _confirm(request: HttpRequest, listing: Listing, basket: Basket, now: Any) -> HttpResponse:
    assert isinstance(request.user, Account)
    person = request.user.person
    twin = Order.objects.filter(actor_id=person.pk, idempotency_key=request.POST.get("key", "-")).first()
    if twin is not None:
        # The second click of two: the order is there already.
        return redirect("storefront:order", order=twin.public_id)
    if not basket.lines:
        return redirect("storefront:campaign", listing=listing.public_id)
    member = Member.objects.filter(group=listing.group, person=person).first()
    form = JoinForm(request.POST, prepaid_only=listing.campaign.prepaid_only, known=member is not None)
    if not form.is_valid():
        return _show_confirm(request, listing, basket, form, now, status=422)
    chosen = form.cleaned_data
    try:
        member = join_group(
            group=listing.group, person=person, now=now,
            display_name=chosen.get("display_name", ""), room=chosen.get("room", ""),
        )  # fmt: skip
    except PeopleRefused as refusal:
        form.add_error("display_name", str(refusal))
        return _show_confirm(request, listing, basket, form, now, status=422)
    order_request = OrderRequest(
        listing_id=listing.pk,
        member_id=member.pk,
        actor_id=person.pk,
        key=chosen["key"],
        source=Order.Source.TAP,
        settles=chosen["settles"],
        note=chosen["note"],
        lines=[LineRequest(offer_id=o, quantity=q) for o, q in basket.quantities.items()],
    )
    [answer] = place_orders(
        now=now, campaign_id=listing.campaign_id, version=chosen["version"], requests=[order_request]
    )
    if answer.outcome == Outcome.CHANGED:
        # What it costs now is shown, and confirmed by the next press.
        listing = _listing(listing.public_id)
        basket = read_basket(request.session.get(_basket_key(listing), {}), _offers(listing))
        form.data = {**request.POST.dict(), "version": str(listing.campaign.version)}
    if answer.order_id is None:
        form.add_error(None, refusal_text(answer=answer))
        return _show_confirm(request, listing, basket, form, now, status=422)
    request.session.pop(_basket_key(listing), None)
    order = Order.objects.get(pk=answer.order_id)
    name = (
        "storefront:pay"
        if order.unpaid_fen and order.settles == Order.Settles.PREPAID
        else "storefront:order"
    )
    return HttpResponseRedirect(reverse(name, args=[order.public_id]), status=303)


def _show_confirm(
    request: HttpRequest, listing: Listing, basket: Basket, form: JoinForm, now: Any, status: int = 200
) -> HttpResponse:
    mine = live_orders(listing).filter(person=request.user.person)  # type: ignore[union-attr]
    context = {
        "now": now,
        "listing": listing,
        "campaign": listing.campaign,
        "basket": basket,
        "form": form,
        "mine": list(mine),
    }
    return render(request, "storefront/join.html", context, status=status)
