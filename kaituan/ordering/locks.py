"""The order in which everybody locks: campaign, orders, listings, pools, offers, counters; each by id.

Placing never locks an order that stands already, so orders may come before the pools: an amendment can read
its lines under the order's lock and then ask for exactly the stock that it needs."""

from collections.abc import Iterable

from kaituan.campaigns.models import Campaign
from kaituan.ordering.models import Order


def share_campaign(*, campaign_id: int) -> Campaign:
    """The campaign as it is, held so that no cut-off and no change of terms can come in between."""
    # Django has no FOR SHARE of its own.
    [campaign] = Campaign.objects.raw(
        "SELECT * FROM campaigns_campaign WHERE id = %s FOR SHARE", [campaign_id]
    )
    return campaign


def lock_orders(*, order_ids: Iterable[int]) -> list[Order]:
    """The orders as they are now, locked by id; ids that do not exist are left out."""
    return list(
        Order.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=set(order_ids))
        .order_by("pk")
    )
