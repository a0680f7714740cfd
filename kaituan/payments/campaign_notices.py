"""Who is told when a campaign opens, changes or ends: those who sell it, and the buyers whom it touches."""

from collections.abc import Iterable
from typing import Any

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.sharing import LISTING_PATH
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import tell
from kaituan.ordering.models import Order
from kaituan.ordering.states import LIVE

SHOWN = ("offer_id", "old_fen", "new_fen", "old_on")
"""What of an event's payload its wording may need, beside what the campaign itself says."""


def campaign_was_opened(message: OutboxMessage) -> None:
    """Its sellers, with a text for the chat. Buyers there are none yet."""
    campaign = _campaign(message)
    _tell_sellers(message, campaign, kind="campaign_opened")


def campaign_was_changed(message: OutboxMessage) -> None:
    """A price, an offer, the pickup date or the window: sellers, and the buyers named in the message (or all)."""
    campaign = _campaign(message)
    _tell_sellers(message, campaign, kind=message.topic)
    person_ids = message.payload.get("person_ids")
    if person_ids is None:
        live = Order.objects.filter(campaign=campaign, status__in=LIVE)
        person_ids = live.values_list("person_id", flat=True).distinct()
    _tell(message, campaign, person_ids, kind=message.topic)


def campaign_was_cancelled(message: OutboxMessage) -> None:
    """Sellers, and everybody whose order was cancelled with it."""
    campaign = _campaign(message)
    _tell_sellers(message, campaign, kind="campaign_cancelled")
    person_ids = message.payload.get("person_ids")
    if person_ids is None:
        # Called off by the cut-off, for a minimum that was not met: the orders went at the same instant.
        gone = Order.objects.filter(campaign=campaign, cancelled_at=message.created_at)
        person_ids = gone.values_list("person_id", flat=True).distinct()
    _tell(message, campaign, person_ids, kind="campaign_cancelled")


def _campaign(message: OutboxMessage) -> Campaign:
    return Campaign.objects.get(pk=int(message.subject.partition(":")[2]))


def _tell_sellers(message: OutboxMessage, campaign: Campaign, *, kind: str) -> None:
    listings = campaign.listings.filter(withdrawn_at__isnull=True).select_related("leader")
    _tell(message, campaign, [campaign.created_by_id, *(row.leader.person_id for row in listings)], kind=kind)


def _tell(message: OutboxMessage, campaign: Campaign, person_ids: Iterable[int], *, kind: str) -> None:
    links = _links(campaign)
    data = _data(message, campaign)
    for person_id in sorted(set(person_ids)):
        tell(
            person_id=person_id,
            kind=kind,
            data=data,
            link=links.get(person_id, ""),
            dedupe_key=f"{kind}:{message.pk}:{person_id}",
            now=message.created_at,
        )


def _links(campaign: Campaign) -> dict[int, str]:
    """Person -> the page of the listing where they buy or sell."""
    found = {
        row.leader.person_id: row.public_id
        for row in campaign.listings.select_related("leader").order_by("pk")
    }
    bought = campaign.orders.order_by("pk").values_list("person_id", "listing__public_id")
    found.update({person_id: public_id for person_id, public_id in bought if person_id not in found})
    return {person_id: LISTING_PATH.format(public_id=public_id) for person_id, public_id in found.items()}


def _data(message: OutboxMessage, campaign: Campaign) -> dict[str, Any]:
    """As things were when it happened; what the message does not say, the campaign does."""
    return {
        "campaign_id": campaign.pk,
        "closes_at": message.payload.get("closes_at", campaign.closes_at),
        "pickup_on": message.payload.get("pickup_on", campaign.pickup_on),
        **{key: message.payload[key] for key in SHOWN if key in message.payload},
    }
