"""Locking a campaign: always before its orders, pools and offers (see `ordering/locks.py`)."""

from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.refusals import VersionChanged


def lock_campaign(*, campaign_id: int, expected_version: int | None = None) -> Campaign:
    """The campaign as it is now, held against orders, the cut-off and other changes until commit.

    Raises VersionChanged when it has another version than the one that was looked at, Campaign.DoesNotExist.
    """
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    if expected_version is not None and campaign.version != expected_version:
        raise VersionChanged(_("The group buy has been changed meanwhile: look at it again."))
    return campaign
