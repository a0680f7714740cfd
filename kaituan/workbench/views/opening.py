"""Opening a group buy in two minutes: choose goods, set the terms, publish; or the last one again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kaituan.campaigns.access import (
    campaign_to_change,
    require_opener,
    selection_pool_for_leader,
)
from kaituan.campaigns.drafts import clone_campaign, discard_draft, edit_draft, offer_terms_of, open_draft
from kaituan.campaigns.models import Campaign
from kaituan.campaigns.publishing import check_draft
from kaituan.campaigns.queries import last_campaign
from kaituan.campaigns.refusals import BadTerms, CampaignRefused
from kaituan.campaigns.terms import OfferTerms, Terms, terms_of
from kaituan.commission.opening import publish_and_list
from kaituan.people.access import leader_of
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest
from kaituan.workbench.forms import OfferForm, TermsForm


@require_http_methods(["GET", "POST"])
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """The selection pool: tap what you want to sell."""
    now = clock.now()
    person = require_opener(request.user, now=now)
    search = request.GET.get("q", "").strip()
    items = selection_pool_for_leader(
        request.user, now=now, search=search, category_code=request.GET.get("category", ""), limit=200
    )
    chosen = set(request.POST.getlist("variant"))
    refusal = ""
    if request.method == "POST":
        by_id = {str(item.variant_id): item for item in items}
        offers = [
            OfferTerms(variant_id=by_id[v].variant_id, private_quantity=_plenty(by_id[v]))
            for v in request.POST.getlist("variant")
            if v in by_id
        ]
        if offers:
            try:
                campaign = open_draft(terms=_first_terms(now), offers=offers, acting_person=person, now=now)
            except CampaignRefused as refused:
                refusal = str(refused)
            else:
                return redirect("workbench:draft", campaign=campaign.public_id)
        refusal = refusal or _("Choose at least one of the goods.")
    context = {
        "now": now,
        "items": items,
        "chosen": chosen,
        "search": search,
        "refusal": refusal,
        "last": last_campaign(person=person),
    }
    return render(request, "workbench/open.html", context, status=422 if refusal else 200)


def _plenty(item: Any) -> int | None:
    """Goods without a shared stock are bought after the cut-off: enough for any neighbourhood."""
    return None if item.available_quantity is not None else 2_000 * item.steps_per_sale_unit


def _first_terms(now: Any) -> Terms:
    """What most leaders want: open now, cut-off tomorrow evening at eight, pickup the day after."""
    local = timezone.localtime(now)
    closes = (local + timedelta(days=1)).replace(hour=20, minute=0, second=0, microsecond=0)
    return Terms(
        title=_("Group buy of %(month)s/%(day)s") % {"month": local.month, "day": local.day},
        opens_at=now,
        closes_at=closes,
        pickup_on=(closes + timedelta(days=1)).date(),
        pickup_hours="16:00–19:00",
    )


@require_POST
@login_required
def again(request: HttpRequest) -> HttpResponse:
    """The last group buy once more, its dates shifted."""
    now = clock.now()
    person = require_opener(request.user, now=now)
    source = last_campaign(person=person)
    if source is None:
        return redirect("workbench:open")
    clone = clone_campaign(source=source, acting_person=person, now=now)
    if clone.left_out:
        messages.warning(request, _("No longer to be had: %(goods)s.") % {"goods": "、".join(clone.left_out)})
    return redirect("workbench:draft", campaign=clone.campaign.public_id)


@require_http_methods(["GET", "POST"])
@login_required
def draft(request: SignedInRequest, campaign: str) -> HttpResponse:
    """Terms and prices on one page; saved with each press, published with the last."""
    now = clock.now()
    row = campaign_to_change(request.user, campaign, now=now)
    if row.status != Campaign.Status.DRAFT:
        first = row.listings.filter(leader__person=request.user.person).first()
        return redirect("workbench:listing", listing=first.public_id) if first else redirect("workbench:home")
    if "discard" in request.POST:
        discard_draft(campaign=row, acting_person=request.user.person, now=now)
        return redirect("workbench:home")
    offers = list(row.offers.select_related("variant__product").prefetch_related("pool_links__pool"))
    leader = leader_of(request.user)
    groups = leader.groups.filter(archived_at__isnull=True)
    data = request.POST if request.method == "POST" else None
    form = TermsForm(data, terms=terms_of(row), groups=groups)
    offer_forms = [OfferForm(data, prefix=f"o{offer.pk}", offer=offer) for offer in offers]
    if request.method == "POST" and form.is_valid() and all(f.is_valid() for f in offer_forms):
        try:
            row = _save(row, form, offer_forms, request, now)
            if "publish" in request.POST:
                listings = publish_and_list(
                    campaign=row, groups=form.cleaned_data["groups"], expected_version=row.version,
                    acting_person=request.user.person, now=now,
                )  # fmt: skip
                messages.success(request, _("Published. Now share it in the chat."))
                return redirect("workbench:share", listing=listings[0].public_id)
        except BadTerms as refused:
            for problem in refused.problems:
                form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        except CampaignRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("workbench:draft", campaign=row.public_id)
    context = {
        "now": now,
        "campaign": row,
        "form": form,
        "offers": list(zip(offers, offer_forms, strict=True)),
        "check": check_draft(campaign=row, now=now),
    }
    return render(request, "workbench/draft.html", context, status=422 if form.is_bound else 200)


def _save(
    row: Campaign, form: TermsForm, offer_forms: list[OfferForm], request: SignedInRequest, now: Any
) -> Campaign:
    offers = [
        replace(offer_terms_of(f.offer), **f.changes())
        for f in offer_forms
        if not f.cleaned_data.get("remove")
    ]
    return edit_draft(
        campaign=row, terms=replace(terms_of(row), **form.changes()), offers=offers,
        expected_version=row.version, acting_person=request.user.person, now=now,
    )  # fmt: skip
