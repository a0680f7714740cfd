"""Publishing a campaign under the plan in force, listing it in the opener's groups, and promising helpers a rate.

Every promised rate (帮卖) passes the lawful guard here, for campaigns/ stands below and knows no plan.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.drafts import require_rate_right
from kaituan.campaigns.events import record_event
from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.publishing import publish
from kaituan.campaigns.refusals import BadTerms, Problem, RateRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.campaigns.terms import HELP_SELL_RATE_BP
from kaituan.commission import guard
from kaituan.commission.finding_words import finding_words
from kaituan.commission.queries import judge_sale_rate, plan_in_force
from kaituan.people.models import Group, Leader, Person


class RateUnlawful(RateRefused):
    """The guard refuses a promised rate. `report` holds every finding and the worst case."""

    def __init__(self, report: guard.GuardReport) -> None:
        self.report = report
        refused = [finding_words(each) for each in report.findings if each.severity == "refused"]
        super().__init__(_("The rate cannot be promised: %(findings)s") % {"findings": "; ".join(refused)})


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
    # Only now are the costs known that the rate is held against: publishing froze them.
    if campaign.help_sell_rate_bp is not None:
        _require_lawful(campaign=campaign, sale_rate_bp=campaign.help_sell_rate_bp, now=now)
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
    if sale_rate_bp is not None and campaign.status != Campaign.Status.DRAFT:
        _require_lawful(campaign=campaign, sale_rate_bp=sale_rate_bp, now=now)
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


@transaction.atomic
def list_at_rate(
    *,
    campaign: Campaign,
    group: Group,
    leader: Leader,
    sale_rate_bp: int,
    acting_person: Person,
    now: datetime,
) -> Listing:
    """List a published campaign in one group at a rate promised to this leader alone. Raises CampaignRefused
    (RateUnlawful with the worst case, ListingRefused ...)."""
    if sale_rate_bp in HELP_SELL_RATE_BP:
        _require_lawful(campaign=campaign, sale_rate_bp=sale_rate_bp, now=now)
    return create_listing(
        campaign=campaign, group=group, leader=leader, sale_rate_bp=sale_rate_bp,
        acting_person=acting_person, now=now,
    )  # fmt: skip


def _require_lawful(*, campaign: Campaign, sale_rate_bp: int, now: datetime) -> None:
    report = judge_sale_rate(campaign=campaign, sale_rate_bp=sale_rate_bp, at=now)
    if not report.allowed:
        raise RateUnlawful(report)
