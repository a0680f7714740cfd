"""Writing down what happens to a campaign, and announcing it. Always within the change's own transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign, CampaignEvent
from kaituan.campaigns.refusals import MoveNotAllowed
from kaituan.campaigns.states import may_become
from kaituan.notices import live
from kaituan.notices.services import announce
from kaituan.people.models import Person


def record_event(
    *,
    campaign: Campaign,
    kind: str,
    acting_person: Person | None,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    is_announced: bool = True,
    person_ids: Sequence[int] | None = None,
) -> CampaignEvent:
    """Write an event, and announce it under its kind as topic. details: ids, numbers, codes and dates only.

    person_ids: the buyers whom it touches, for the announcement; who sells it is told anyway.
    """
    event = CampaignEvent.objects.create(
        campaign=campaign,
        kind=kind,
        version=campaign.version,
        actor=acting_person,
        reason=reason[:200],
        details=dict(details or {}),
        happened_at=now,
    )
    # Serving processes keep its terms in memory.
    live.changed(f"{live.CAMPAIGN}:{campaign.pk}")
    if is_announced:
        payload = {"version": campaign.version, **(details or {})}
        if person_ids is not None:
            payload["person_ids"] = sorted(set(person_ids))
        announce(topic=kind, subject=f"campaign:{campaign.pk}", payload=payload, now=now)
    return event


def move_campaign(
    *,
    campaign: Campaign,
    to_status: str,
    kind: str,
    acting_person: Person | None,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    changes_terms: bool = True,
    is_announced: bool = True,
    person_ids: Sequence[int] | None = None,
) -> Campaign:
    """Set a locked campaign's status and its time, raise its version if an order depends on it, write the event.

    Raises MoveNotAllowed when `states.MOVES` has no such move.
    """
    if not may_become(from_status=campaign.status, to_status=to_status):
        raise MoveNotAllowed(
            _("“%(title)s” is %(status)s and cannot be changed in this way.")
            % {"title": campaign.title, "status": status_word(campaign.status)}
        )
    campaign.status = to_status
    fields = ["status"]
    if to_status == Campaign.Status.CLOSED:
        campaign.closed_at = now
        fields.append("closed_at")
    if to_status == Campaign.Status.CANCELLED:
        campaign.cancelled_at = now
        fields.append("cancelled_at")
    if changes_terms:
        campaign.version += 1
        fields.append("version")
    campaign.save(update_fields=fields)
    record_event(
        campaign=campaign,
        kind=kind,
        acting_person=acting_person,
        now=now,
        reason=reason,
        details=details,
        is_announced=is_announced,
        person_ids=person_ids,
    )
    return campaign


def change_terms(
    *,
    campaign: Campaign,
    values: Mapping[str, Any],
    kind: str,
    acting_person: Person | None,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    person_ids: Sequence[int] | None = None,
) -> Campaign:
    """Set fields of a locked campaign, raise its version, write and announce the event."""
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.version += 1
    campaign.save(update_fields=[*values, "version"])
    record_event(
        campaign=campaign,
        kind=kind,
        acting_person=acting_person,
        now=now,
        reason=reason,
        details=details,
        person_ids=person_ids,
    )
    return campaign


def status_word(status: str) -> str:
    """A campaign's state in the reader's words."""
    return {
        Campaign.Status.DRAFT: _("a draft"),
        Campaign.Status.SCHEDULED: _("scheduled"),
        Campaign.Status.OPEN: _("open"),
        Campaign.Status.CLOSED: _("cut off"),
        Campaign.Status.CANCELLED: _("called off"),
    }[Campaign.Status(status)]
