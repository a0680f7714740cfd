"""Publishing a campaign under the plan in force, and listing it at once in the opener's groups."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.listings import create_listing
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.publishing import publish
from kaituan.campaigns.refusals import BadTerms, Problem
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
    owner. All or nothing; doing it twice does it once. Raises CampaignRefused (BadTerms, VersionChanged ...)."""
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
