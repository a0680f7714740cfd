"""Saying what was wrong with one line of an order."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.aftersales import services
from kaituan.aftersales.access import line_to_claim, own_claim, photo_for
from kaituan.aftersales.models import Claim
from kaituan.aftersales.refusals import AftersalesRefused, PhotoRefused
from kaituan.ordering.access import order_of_member
from kaituan.ordering.models import OrderLine
from kaituan.ordering.queries import item_of
from kaituan.people.models import new_public_id
from kaituan.storefront.forms import ClaimForm
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@login_required
def claim(request: SignedInRequest, order: str, line: int) -> HttpResponse:
    row = order_of_member(request.user, order)
    found = line_to_claim(request.user, line, now=clock.now())
    most_fen = services.claimable_fen(line=found)
    if request.method == "POST" and "withdraw" in request.POST:
        return _withdraw(request, row.public_id)
    if request.method == "POST":
        form = ClaimForm(request.POST, request.FILES, most_fen=most_fen)
        if form.is_valid() and _open(request, found, form):
            messages.success(request, _("Thank you. The leader answers soon; you will be told here."))
            return redirect("storefront:order", order=row.public_id)
    else:
        form = ClaimForm(most_fen=most_fen, initial={"key": new_public_id(), "asked": most_fen})
    context = {
        "now": clock.now(),
        "order": row,
        "line": found,
        "item": item_of(found),
        "most_fen": most_fen,
        "until": services.claims_until(line=found),
        "form": form,
        "lost_photos": len(request.FILES.getlist("photo")),
    }
    return render(request, "storefront/claim.html", context, status=422 if form.is_bound else 200)


def _open(request: SignedInRequest, line: OrderLine, form: ClaimForm) -> bool:
    chosen = form.cleaned_data
    photos = [upload.read() for upload in chosen["photo"]]
    try:
        services.open_claim(
            line=line,
            reason=chosen["reason"],
            words=chosen["words"],
            asked_fen=chosen["asked"],
            photos=photos,
            acting_person=request.user.person,
            now=clock.now(),
            key=chosen["key"],
        )
    except PhotoRefused as refusal:
        form.add_error("photo", str(refusal))
    except AftersalesRefused as refusal:
        form.add_error(None, str(refusal))
    else:
        return True
    return False


def _withdraw(request: SignedInRequest, order: str) -> HttpResponse:
    found: Claim = own_claim(request.user, request.POST["withdraw"])
    try:
        services.withdraw_claim(claim=found, acting_person=request.user.person, now=clock.now())
    except AftersalesRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("storefront:order", order=order)


@require_GET
@login_required
def photo(request: HttpRequest, photo: int) -> FileResponse:
    """A picture of a claim, for who may see the claim: uploads are never served from a public folder."""
    row = photo_for(request.user, photo, now=clock.now())
    return FileResponse(row.image.open("rb"), content_type="image/jpeg")
