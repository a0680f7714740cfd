"""Rules of withholding: those that were published, with their sources, and a form for the next one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.access import plan_publisher
from kaituan.console.doors import cashier
from kaituan.console.tax_form import TaxRuleForm
from kaituan.people.access import has_role
from kaituan.settlement.models import TaxRule
from kaituan.settlement.tax_rules import TaxRuleRefused, publish_tax_rule
from kaituan.settlement.withholding import rule_in_force
from kaituan.web import clock


@require_http_methods(["GET", "POST"])
@cashier
def rules(request: HttpRequest) -> HttpResponse:
    """The cashier reads; an administrator publishes."""
    now = clock.now()
    form = TaxRuleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        plan_publisher(request.user, now=now)
        if form.is_valid():
            try:
                publish_tax_rule(
                    version=form.cleaned_data["version"], effective_from=form.cleaned_data["effective_from"],
                    method=form.cleaned_data["method"], terms=form.terms(), source=form.cleaned_data["source"],
                    now=now,
                )  # fmt: skip
            except TaxRuleRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Published: payouts asked for from its date on are taxed by it."))
                return redirect("console:tax")
    context = {
        "now": now,
        "place": "withdrawals",
        "form": form,
        "current": rule_in_force(at=now),
        "rules": TaxRule.objects.order_by("-effective_from"),
        "may_publish": has_role(request.user, [], now=now),
    }
    return render(request, "console/tax.html", context, status=422 if form.errors else 200)
