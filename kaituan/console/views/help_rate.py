"""What a group buy promises to leaders who help to sell it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.refusals import CampaignRefused
from kaituan.commission.opening import promise_help_rate
from kaituan.console.doors import acting, operator
from kaituan.console.forms import HelpRateForm, OneRateForm
from kaituan.fulfilment.access import campaign_for_operator
from kaituan.people.models import Group
from kaituan.web import clock
from kaituan.web.formats import rate_text


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


@require_POST
@operator
def promise_one(request: HttpRequest, campaign: str) -> HttpResponse:
    """List it in one group, at a rate for its leader alone; the guard holds it against the goods first."""
    row = campaign_for_operator(request.user, campaign, now=clock.now())
    form = OneRateForm(request.POST)
    group = (
        Group.objects.filter(public_id=request.POST.get("group", "")).select_related("owner__person").first()
    )
    if not form.is_valid() or group is None:
        messages.error(request, _("Choose a group, and type the rate in per cent, such as 8 or 8.5."))
        return redirect("console:campaign", campaign=row.public_id)
    try:
        listing = create_listing(
            campaign=row, group=group, leader=group.owner, sale_rate_bp=form.cleaned_data["rate"],
            acting_person=acting(request), now=clock.now(),
        )  # fmt: skip
    except CampaignRefused as refusal:
        messages.error(request, str(refusal))
    else:
        said = {
            "group": group.name,
            "leader": listing.leader.person.name,
            "rate": rate_text(form.cleaned_data["rate"]),
        }
        messages.success(request, _("%(leader)s sells it in %(group)s and earns %(rate)s.") % said)
    return redirect("console:campaign", campaign=row.public_id)
