"""Numbered snapshots of what a campaign has sold: number 1 at the cut-off, then one for each later change."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max, Sum

from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.models import Snapshot, SnapshotLine
from kaituan.notices.services import announce

# What stands now less what all earlier snapshots say: for the first snapshot, all of it.
CHANGES = """
    SELECT line.id AS line_id, line.offer_id, product.supplier_id, listing.pickup_point_id, changed.quantity
    FROM ordering_order o
    JOIN ordering_orderline line ON line.order_id = o.id
    JOIN campaigns_listing listing ON listing.id = o.listing_id
    JOIN campaigns_offer offer ON offer.id = line.offer_id
    JOIN catalogue_variant variant ON variant.id = offer.variant_id
    JOIN catalogue_product product ON product.id = variant.product_id
    LEFT JOIN (
        SELECT earlier.order_line_id, sum(earlier.quantity)::bigint AS quantity
        FROM fulfilment_snapshotline earlier
        JOIN fulfilment_snapshot snapshot ON snapshot.id = earlier.snapshot_id
        WHERE snapshot.campaign_id = %(campaign)s
        GROUP BY earlier.order_line_id
    ) known ON known.order_line_id = line.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN o.status = 'confirmed' THEN line.quantity ELSE 0 END - coalesce(known.quantity, 0)
            AS quantity
    ) changed
    WHERE o.campaign_id = %(campaign)s AND changed.quantity <> 0
"""
WRITE_LINES = f"""
    INSERT INTO fulfilment_snapshotline
        (order_line_id, offer_id, supplier_id, pickup_point_id, quantity, snapshot_id)
    SELECT changes.*, %(snapshot)s FROM ({CHANGES}) changes ORDER BY changes.line_id
"""  # noqa: S608 - put together from this module's own SQL


def take_snapshot(*, campaign: Campaign, reason: str, now: datetime) -> Snapshot:
    """Write down what the campaign has sold and no earlier snapshot says; the caller holds the campaign locked."""
    last = campaign.snapshots.aggregate(last=Max("number"))["last"] or 0
    snapshot = Snapshot.objects.create(
        campaign=campaign, number=last + 1, campaign_version=campaign.version, reason=reason, taken_at=now
    )
    with connection.cursor() as cursor:
        cursor.execute(WRITE_LINES, {"snapshot": snapshot.pk, "campaign": campaign.pk})
    return snapshot


@transaction.atomic
def record_changes(*, campaign: Campaign, reason: str, now: datetime) -> Snapshot | None:
    """After the cut-off: a delta snapshot of what has changed since the last one, None if nothing has.

    Nothing that was printed is edited: documents show the snapshot they come from and the deltas after it.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    if not campaign.snapshots.exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({CHANGES})", {"campaign": campaign.pk})
        if not cursor.fetchone()[0]:
            return None
    snapshot = take_snapshot(campaign=campaign, reason=reason, now=now)
    announce(
        topic="campaign_changed_after_cut_off",
        subject=f"campaign:{campaign.pk}",
        payload={"snapshot_id": snapshot.pk},
        now=now,
    )
    return snapshot


def offer_totals(*, snapshot: Snapshot) -> list[tuple[int, int]]:
    """(offer id, base steps) of a snapshot, by the offer's position."""
    rows = SnapshotLine.objects.filter(snapshot=snapshot).values_list("offer_id")
    return list(rows.annotate(total=Sum("quantity")).order_by("offer__position", "offer_id"))
