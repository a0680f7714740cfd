"""Claims of one's own groups: look at the photo, decide, done."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.aftersales import services
from kaituan.aftersales.access import claim_to_decide, claims_for
from kaituan.aftersales.refusals import AftersalesRefused
from kaituan.ordering.queries import item_of
from kaituan.people.access import groups_of
from kaituan.web import clock
from kaituan.workbench.forms import DecideForm


@require_GET
@login_required
def waiting(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    rows = claims_for(request.user, now=now).filter(
        line__order__listing__group__in=groups_of(request.user, now=now)
    )
    context = {
        "now": now,
        "place": "today",
        "open": rows.filter(status="open"),
        "decided": rows.exclude(status="open")[:30],
    }
    return render(request, "workbench/claims.html", context)


@require_http_methods(["GET", "POST"])
@login_required
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
                messages.success(request, _("The claim is refused; the member is told why."))
                return redirect("workbench:claims")
            if form.is_valid():
                services.grant_claim(
                    claim=row, amount_fen=form.cleaned_data["amount"], liability=form.cleaned_data["liability"],
                    answer=form.cleaned_data["answer"], acting_person=decider.person, now=now,
                    limit_fen=decider.limit_fen,
                )  # fmt: skip
                messages.success(request, _("Granted: the money goes back."))
                return redirect("workbench:claims")
        except AftersalesRefused as refusal:
            form.add_error(None, str(refusal))
    context = {
        "now": now,
        "claim": row,
        "item": item_of(row.line),
        "photos": row.photos.all(),
        "limit_fen": decider.limit_fen,
        "form": form,
    }
    return render(request, "workbench/claim.html", context, status=422 if form.errors else 200)
