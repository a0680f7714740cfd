"""Publishing a campaign under the plan in force, listing it in the opener's groups, and promising helpers a rate."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.drafts import require_rate_right
from kaituan.campaigns.events import record_event
from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.promises import require_rate_bearable
from kaituan.campaigns.publishing import publish
from kaituan.campaigns.refusals import BadTerms, Problem, RateRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.campaigns.terms import HELP_SELL_RATE_BP
from kaituan.commission.queries import plan_in_force
from kaituan.people.models import Group, Person


@transaction.atomic
def publish_and_list(
    *,
    campaign: Campaign,
    groups: Iterable[Group],
    expected_version: int,
    acting_person: Person,
    now: datetime,
) -> list[Listing]:
    """Freeze the commission plan of this moment onto a draft, publish it, and sell it in these groups, each by its
    owner. All or nothing; doing it twice does it once. Raises CampaignRefused (BadTerms, VersionChanged,
    RateUnlawful ...)."""
    plan = plan_in_force(at=now)
    if plan is None:
        raise BadTerms([Problem("", _("There is no commission plan yet: the operator publishes one first."))])
    campaign = publish(
        campaign=campaign, plan_version=plan.version, expected_version=expected_version,
        acting_person=acting_person, now=now,
    )  # fmt: skip
    return [
        create_listing(
            campaign=campaign, group=group, leader=group.owner, acting_person=acting_person, now=now
        )
        for group in groups
    ]


@transaction.atomic
def promise_help_rate(
    *,
    campaign: Campaign,
    sale_rate_bp: int | None,
    reason: str,
    acting_person: Person,
    now: datetime,
) -> Campaign:
    """Promise this rate to helpers who list the campaign from now on; None: they earn by the plan again.

    Listings that stand keep what they were promised. The rate of a draft is judged when it is published. Raises
    RateRefused (RateUnlawful with the worst case).
    """
    require_rate_right(rate_bp=sale_rate_bp, person=acting_person, now=now)
    if sale_rate_bp is not None and sale_rate_bp not in HELP_SELL_RATE_BP:
        raise RateRefused(_("A help-sell rate is more than 0 and at most 50 %."))
    campaign = lock_campaign(campaign_id=campaign.pk)
    if campaign.help_sell_rate_bp == sale_rate_bp:
        return campaign
    if campaign.status not in (Campaign.Status.DRAFT, *TAKING_ORDERS):
        raise RateRefused(_("The group buy takes no orders any more."))
    if not reason.strip():
        raise RateRefused(_("Say why: the reason stays beside the decision."))
    require_rate_bearable(campaign=campaign, sale_rate_bp=sale_rate_bp)
    before, campaign.help_sell_rate_bp = campaign.help_sell_rate_bp, sale_rate_bp
    # Not a change of what members ordered by: their version stays.
    campaign.save(update_fields=["help_sell_rate_bp"])
    record_event(
        campaign=campaign,
        kind="help_rate_promised",
        acting_person=acting_person,
        now=now,
        reason=reason.strip(),
        details={"before_bp": before, "sale_rate_bp": sale_rate_bp},
        is_announced=False,
    )
    return campaign
