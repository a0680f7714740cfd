"""What a group buy promises to leaders who help to sell it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kaituan.campaigns.refusals import CampaignRefused
from kaituan.commission.opening import promise_help_rate
from kaituan.console.doors import acting, operator
from kaituan.console.forms import HelpRateForm
from kaituan.fulfilment.access import campaign_for_operator
from kaituan.web import clock


@require_POST
@operator
def promise(request: HttpRequest, campaign: str) -> HttpResponse:
    """The rate that helpers are promised (帮卖); empty: none. The guard holds it against the goods first."""
    row = campaign_for_operator(request.user, campaign, now=clock.now())
    form = HelpRateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Type the rate in per cent, such as 8 or 8.5."))
        return redirect("console:campaign", campaign=row.public_id)
    try:
        promise_help_rate(
            campaign=row, sale_rate_bp=form.cleaned_data["rate"] or None, reason=form.cleaned_data["reason"],
            acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except CampaignRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Leaders who list it from now on earn this rate."))
    return redirect("console:campaign", campaign=row.public_id)
