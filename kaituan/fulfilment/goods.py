"""What the lines of a campaign take of which variant: an offer may be a bundle, or a pack of several steps."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

COMPONENTS = """
    SELECT link.offer_id, pool.variant_id, sum(link.steps_per_step)::bigint AS steps_per_step
    FROM campaigns_offerpool link
    JOIN catalogue_stockpool pool ON pool.id = link.pool_id
    JOIN campaigns_offer offer ON offer.id = link.offer_id
    WHERE offer.campaign_id = %(campaign)s
    GROUP BY link.offer_id, pool.variant_id
    UNION ALL
    SELECT offer.id, offer.variant_id, 1
    FROM campaigns_offer offer
    WHERE offer.campaign_id = %(campaign)s
        AND NOT EXISTS (SELECT 1 FROM campaigns_offerpool link WHERE link.offer_id = offer.id)
"""
"""SQL: the variants that one base step of each offer of a campaign takes, and how many base steps of each.
What the offer's pools hold; without any pool, the offer's own variant."""


def components(*, campaign_id: int) -> dict[int, dict[int, int]]:
    """Offer id -> variant id -> base steps of the variant in one base step of the offer."""
    with connection.cursor() as cursor:
        cursor.execute(COMPONENTS, {"campaign": campaign_id})
        found: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for offer_id, variant_id, steps in cursor.fetchall():
            found[offer_id][variant_id] = steps
    return dict(found)


def variant_quantities(*, campaign_id: int, offer_quantities: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Variant id -> base steps needed for (offer id, base steps of the offer) of one campaign."""
    parts = components(campaign_id=campaign_id)
    needed: defaultdict[int, int] = defaultdict(int)
    for offer_id, quantity in offer_quantities:
        for variant_id, steps in parts[offer_id].items():
            needed[variant_id] += quantity * steps
    return dict(needed)
