"""Claims that leaders left or may not decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.aftersales import services
from kaituan.aftersales.access import claim_to_decide, claims_for
from kaituan.aftersales.refusals import AftersalesRefused
from kaituan.console.doors import operator
from kaituan.console.forms import DecideForm
from kaituan.ordering.queries import item_of
from kaituan.web import clock


@require_GET
@operator
def waiting(request: HttpRequest) -> HttpResponse:
    rows = claims_for(request.user, now=clock.now()).select_related(
        "line__order__campaign", "line__order__listing__group", "line__offer"
    )
    context = {
        "now": clock.now(),
        "place": "claims",
        "open": rows.filter(status="open").order_by("opened_at"),
        "decided": rows.exclude(status="open")[:100],
    }
    return render(request, "console/claims.html", context)


@require_http_methods(["GET", "POST"])
@operator
def decide(request: HttpRequest, claim: str) -> HttpResponse:
    now = clock.now()
    row, decider = claim_to_decide(request.user, claim, now=now)
    form = DecideForm(request.POST or None, initial={"amount": row.asked_fen, "liability": "supplier"})
    if request.method == "POST":
        try:
            if "refuse" in request.POST:
                services.refuse_claim(
                    claim=row, answer=request.POST.get("answer", ""), acting_person=decider.person, now=now
                )
                return redirect("console:claims")
            if form.is_valid():
                services.grant_claim(
                    claim=row, amount_fen=form.cleaned_data["amount"], liability=form.cleaned_data["liability"],
                    answer=form.cleaned_data["answer"], acting_person=decider.person, now=now,
                )  # fmt: skip
                messages.success(request, _("Granted: the money goes back."))
                return redirect("console:claims")
        except AftersalesRefused as refusal:
            form.add_error(None, str(refusal))
    context = {
        "now": now,
        "place": "claims",
        "claim": row,
        "item": item_of(row.line),
        "photos": row.photos.all(),
        "form": form,
    }
    return render(request, "console/claim.html", context, status=422 if form.errors else 200)
