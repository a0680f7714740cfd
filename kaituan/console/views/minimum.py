"""The least that leaders may withdraw at once: what holds, what held, and a form for the next one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.access import plan_publisher
from kaituan.console.doors import acting, cashier
from kaituan.console.forms import MinimumForm
from kaituan.people.access import has_role
from kaituan.settlement.minimum import MinimumRefused, minimum_in_force, set_minimum
from kaituan.settlement.models import WithdrawalMinimum
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@cashier
def page(request: HttpRequest) -> HttpResponse:
    """The cashier reads; an administrator sets."""
    now = clock.now()
    form = MinimumForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        plan_publisher(request.user, now=now)
        if form.is_valid():
            try:
                set_minimum(
                    minimum_fen=form.cleaned_data["minimum"],
                    effective_from=form.cleaned_data["effective_from"] or now,
                    reason=form.cleaned_data["reason"], acting_person=acting(request), now=now,
                )  # fmt: skip
            except MinimumRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Set: leaders see it when they withdraw."))
                return redirect("console:minimum")
    rows = list(WithdrawalMinimum.objects.select_related("set_by").order_by("-effective_from"))
    context = {
        "now": now,
        "place": "withdrawals",
        "form": form,
        "current_fen": minimum_in_force(at=now),
        "current": next((row for row in rows if row.effective_from <= now), None),
        "rows": rows,
        "may_set": has_role(request.user, [], now=now),
    }
    return render(request, "console/minimum.html", context, status=422 if form.errors else 200)
