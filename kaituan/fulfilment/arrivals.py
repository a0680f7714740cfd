"""Goods arrive at a pickup point: from then on members may come, and the clock for unclaimed goods runs."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.list_order import standing_lines
from kaituan.fulfilment.models import Arrival, PickupCode
from kaituan.fulfilment.refusals import ArrivalRefused
from kaituan.notices.services import announce
from kaituan.ordering.models import Order
from kaituan.people.models import Person, PickupPoint

CODE_DIGITS = 6


@transaction.atomic
def confirm_arrival(
    *, campaign: Campaign, pickup_point: PickupPoint, acting_person: Person | None, now: datetime
) -> Arrival:
    """The goods of a campaign are ready at a pickup point: every member with goods there gets a code and is told.

    Confirming again answers the first arrival. Raises ArrivalRefused.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    arrival = Arrival.objects.filter(campaign=campaign, pickup_point=pickup_point).first()
    if arrival is not None:
        return arrival
    lines = standing_lines(campaign=campaign, pickup_point=pickup_point)
    if campaign.status != Campaign.Status.CLOSED or not lines.exists():
        raise ArrivalRefused(_("Nothing of this group buy goes to this pickup point."))
    waiting = (
        lines.filter(allocated_quantity__isnull=True).select_related("offer").order_by("offer__position")
    )
    if (first := waiting.first()) is not None:
        raise ArrivalRefused(_("%(goods)s is not shared out yet.") % {"goods": first.offer.title})
    arrival = Arrival.objects.create(
        campaign=campaign, pickup_point=pickup_point, arrived_at=now, confirmed_by=acting_person
    )
    buyers = lines.filter(allocated_quantity__gt=0).values_list("order__listing_id", "order__member_id")
    make_pickup_codes(buyers=buyers.distinct(), now=now)
    announce(topic="goods_arrived", subject=f"arrival:{arrival.pk}", payload={}, now=now)
    return arrival


def make_pickup_codes(*, buyers: Iterable[tuple[int, int]], now: datetime) -> None:
    """A code for each (listing id, member id) that has none, unique in its listing; safe to run twice."""
    missing = set(buyers)
    while missing:
        listing_ids = {listing_id for listing_id, _member in missing}
        known = PickupCode.objects.filter(listing_id__in=listing_ids).values_list("listing_id", "member_id")
        missing -= set(known)
        # A code that is taken is left out by the database, and its member gets another in the next round.
        PickupCode.objects.bulk_create(
            [
                PickupCode(listing_id=listing_id, member_id=member_id, code=_new_code(), created_at=now)
                for listing_id, member_id in sorted(missing)
            ],
            ignore_conflicts=True,
        )


def pickup_code(*, order: Order, now: datetime) -> str:
    """The code that this order's member shows: the same for all their orders in one listing."""
    make_pickup_codes(buyers=[(order.listing_id, order.member_id)], now=now)
    return PickupCode.objects.get(listing_id=order.listing_id, member_id=order.member_id).code


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
