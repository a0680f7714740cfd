"""Who sells a campaign where: listing it in a group, for oneself or as help, and taking it back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.drafts import require_rate_right
from kaituan.campaigns.events import record_event
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.promises import require_rate_bearable
from kaituan.campaigns.refusals import ListingRefused, RateRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.campaigns.terms import HELP_SELL_RATE_BP
from kaituan.people.models import Group, Leader, Person, PickupPoint


@transaction.atomic
def create_listing(
    *,
    campaign: Campaign,
    group: Group,
    leader: Leader,
    acting_person: Person | None,
    now: datetime,
    pickup_point: PickupPoint | None = None,
    sale_rate_bp: int | None = None,
) -> Listing:
    """Let a leader sell a campaign in a group of theirs; once per group, a withdrawn one comes back.

    pickup_point: default, the group's. sale_rate_bp: a promise by the operator; default, for a leader who did not
    open the campaign, what it promises to helpers, else by the plan. Raises ListingRefused, RateRefused (with the
    worst case where the goods cannot bear the rate).
    """
    if sale_rate_bp is not None and sale_rate_bp not in HELP_SELL_RATE_BP:
        raise RateRefused(_("A help-sell rate is more than 0 and at most 50 %."))
    require_rate_right(rate_bp=sale_rate_bp, person=acting_person, now=now)
    campaign = lock_campaign(campaign_id=campaign.pk)
    point = pickup_point or group.pickup_point
    _require_listable(
        campaign=campaign, group=group, leader=leader, point=point, acting_person=acting_person, now=now
    )
    if sale_rate_bp is None and leader.person_id != campaign.created_by_id:
        sale_rate_bp = campaign.help_sell_rate_bp
    require_rate_bearable(campaign=campaign, sale_rate_bp=sale_rate_bp)
    listing = Listing.objects.filter(campaign=campaign, group=group).first()
    if listing is None:
        listing = Listing(campaign=campaign, group=group, created_at=now)
    elif listing.withdrawn_at is None:
        return listing
    listing.leader, listing.pickup_point, listing.sale_rate_bp = leader, point, sale_rate_bp
    listing.withdrawn_at = None
    listing.save()
    record_event(
        campaign=campaign,
        kind="listing_created",
        acting_person=acting_person,
        now=now,
        details={"listing_id": listing.pk, "leader_id": leader.pk, "sale_rate_bp": sale_rate_bp},
    )
    return listing


def _require_listable(
    *,
    campaign: Campaign,
    group: Group,
    leader: Leader,
    point: PickupPoint,
    acting_person: Person | None,
    now: datetime,
) -> None:
    if group.owner_id != leader.pk:
        raise ListingRefused(_("Only the group's own leader sells in it."))
    if group.archived_at is not None:
        raise ListingRefused(_("The group %(group)s is archived.") % {"group": group.name})
    if point.closed_at is not None:
        raise ListingRefused(_("The pickup point %(point)s is closed.") % {"point": point.name})
    openers = {campaign.created_by_id}
    opened_it = leader.person_id in openers or (acting_person is not None and acting_person.pk in openers)
    if campaign.status == Campaign.Status.DRAFT and not opened_it:
        raise ListingRefused(_("The group buy is not published yet."))
    if campaign.status != Campaign.Status.DRAFT and (
        campaign.status not in TAKING_ORDERS or now >= campaign.closes_at
    ):
        raise ListingRefused(_("The group buy takes no orders any more."))
    if not opened_it and not campaign.open_to_helpers:
        raise ListingRefused(_("This group buy is not open to other leaders."))


@transaction.atomic
def withdraw_listing(
    *, listing: Listing, acting_person: Person | None, now: datetime, reason: str = ""
) -> Listing:
    """Take no more orders in this group; what was ordered stands and is handed over. Twice is once."""
    campaign = lock_campaign(campaign_id=listing.campaign_id)
    listing = Listing.objects.select_for_update(of=("self",), no_key=True).get(pk=listing.pk)
    if listing.withdrawn_at is not None:
        return listing
    listing.withdrawn_at = now
    listing.save(update_fields=["withdrawn_at"])
    record_event(
        campaign=campaign,
        kind="listing_withdrawn",
        acting_person=acting_person,
        now=now,
        reason=reason,
        details={"listing_id": listing.pk},
    )
    return listing
