"""Goods: stock against live orders, follow numbers, hand-overs, snapshots, and what was received."""

from kaituan.reporting.invariants.check import Check

LIVE_LINES = """
    SELECT l.id, l.offer_id, l.quantity, o.person_id FROM ordering_orderline l
    JOIN ordering_order o ON o.id = l.order_id AND o.status IN ('pending', 'confirmed')
"""

POOLS = f"""
    WITH sold AS (SELECT offer_id, sum(quantity) AS quantity FROM ({LIVE_LINES}) live GROUP BY 1), drawn AS (
        SELECT link.pool_id, sum(sold.quantity * link.steps_per_step)::bigint AS quantity
        FROM sold JOIN campaigns_offerpool link ON link.offer_id = sold.offer_id GROUP BY 1
    )
    SELECT pool.id, pool.label, pool.supplied_quantity - pool.available_quantity, coalesce(drawn.quantity, 0)
    FROM catalogue_stockpool pool LEFT JOIN drawn ON drawn.pool_id = pool.id
    WHERE pool.supplied_quantity - pool.available_quantity <> coalesce(drawn.quantity, 0) ORDER BY pool.id
"""  # noqa: S608

OFFERS = f"""
    SELECT offer.id, offer.sold_quantity, coalesce(sold.quantity, 0) FROM campaigns_offer offer
    LEFT JOIN (SELECT offer_id, sum(quantity)::bigint AS quantity FROM ({LIVE_LINES}) live GROUP BY 1) sold
        ON sold.offer_id = offer.id
    WHERE offer.sold_quantity <> coalesce(sold.quantity, 0) ORDER BY offer.id
"""  # noqa: S608

# A counter is kept while the offer has a limit; before that there is none to compare.
COUNTERS = f"""
    SELECT counter.person_id, counter.offer_id, counter.quantity, coalesce(had.quantity, 0)
    FROM ordering_personofferquantity counter
    JOIN campaigns_offer offer ON offer.id = counter.offer_id AND offer.per_person_quantity IS NOT NULL
    LEFT JOIN (SELECT person_id, offer_id, sum(quantity)::bigint AS quantity FROM ({LIVE_LINES}) live GROUP BY 1, 2) had
        ON had.person_id = counter.person_id AND had.offer_id = counter.offer_id
    WHERE counter.quantity <> coalesce(had.quantity, 0) ORDER BY 1, 2
"""  # noqa: S608

FOLLOW_NUMBERS = """
    SELECT listing.id, coalesce(n.orders, 0), coalesce(n.lowest, 0), coalesce(n.highest, 0), listing.last_follow_number
    FROM campaigns_listing listing
    LEFT JOIN (
        SELECT listing_id, count(*) AS orders, min(follow_number) AS lowest, max(follow_number) AS highest
        FROM ordering_order GROUP BY 1
    ) n ON n.listing_id = listing.id
    WHERE coalesce(n.orders, 0) <> listing.last_follow_number
        OR coalesce(n.highest, 0) <> listing.last_follow_number OR n.lowest > 1
    ORDER BY listing.id
"""

HANDED = """
    SELECT l.id, l.handed_quantity, coalesce(given.quantity, 0) FROM ordering_orderline l
    LEFT JOIN (
        SELECT order_line_id, sum(quantity)::bigint AS quantity FROM fulfilment_handover
        WHERE undone_at IS NULL GROUP BY 1
    ) given ON given.order_line_id = l.id
    WHERE l.handed_quantity <> coalesce(given.quantity, 0) ORDER BY l.id
"""

HANDED_BEYOND = """
    SELECT id, handed_quantity, coalesce(allocated_quantity, 0) FROM ordering_orderline
    WHERE handed_quantity > coalesce(allocated_quantity, 0) ORDER BY id
"""

COMPLETED_UNSOLD = """
    SELECT l.id, o.id, o.status FROM ordering_orderline l JOIN ordering_order o ON o.id = l.order_id
    WHERE l.completed_at IS NOT NULL AND o.status <> 'confirmed' ORDER BY l.id
"""

SNAPSHOT_NUMBERS = """
    SELECT campaign_id, count(*), max(number) FROM fulfilment_snapshot
    GROUP BY 1 HAVING count(*) <> max(number) OR min(number) <> 1 ORDER BY 1
"""

CLOSED_WITHOUT_SNAPSHOT = """
    SELECT id FROM campaigns_campaign campaign WHERE status = 'closed'
    AND NOT EXISTS (SELECT 1 FROM fulfilment_snapshot s WHERE s.campaign_id = campaign.id) ORDER BY id
"""

SNAPSHOT_LINES = """
    SELECT s.campaign_id, sl.order_line_id, sum(sl.quantity)::bigint
    FROM fulfilment_snapshotline sl
    JOIN fulfilment_snapshot s ON s.id = sl.snapshot_id
    JOIN ordering_orderline l ON l.id = sl.order_line_id
    JOIN ordering_order o ON o.id = l.order_id
    GROUP BY 1, 2
    HAVING sum(sl.quantity) < 0 OR bool_or(o.campaign_id <> s.campaign_id OR l.offer_id <> sl.offer_id) ORDER BY 1, 2
"""

RECEIVED = """
    WITH counted AS (
        SELECT po.id, po.number, sum(
            (2 * line.purchase_price_fen * coalesce(line.received_quantity, 0) + line.steps_per_purchase_unit)
            / (2 * line.steps_per_purchase_unit)
        )::bigint AS fen
        FROM fulfilment_purchaseorder po
        JOIN fulfilment_purchaseorderline line ON line.purchase_order_id = po.id
        WHERE po.status = 'received' GROUP BY po.id, po.number
    ), booked AS (
        SELECT split_part(e.reference, ':', 2)::bigint AS id,
            sum(CASE WHEN a.id = t.credit_id THEN t.amount_fen ELSE -t.amount_fen END)::bigint AS fen
        FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
        JOIN ledger_entry e ON e.id = t.entry_id
        WHERE a.kind = 'supplier_payable' AND e.reference LIKE 'purchase_order:%' GROUP BY 1
    )
    SELECT coalesce(counted.number, booked.id::text), coalesce(booked.fen, 0), coalesce(counted.fen, 0)
    FROM counted FULL JOIN booked ON booked.id = counted.id
    WHERE coalesce(booked.fen, 0) <> coalesce(counted.fen, 0) ORDER BY 1
"""

CHECKS = (
    Check("Stock pool {0} ({1}): {2} steps are gone from it, {3} stand on live order lines.", POOLS),
    Check("Offer {0}: {1} steps are marked as sold, {2} stand on live order lines.", OFFERS),
    Check("Person {0}: has {2} steps of offer {1} by the counter, {3} on live order lines.", COUNTERS),
    Check("Listing {0}: {1} orders have follow numbers {2} to {3}, the last given is {4}.", FOLLOW_NUMBERS),
    Check("Line {0}: {1} steps are marked as handed over, {2} were.", HANDED),
    Check("Line {0}: {1} steps are handed over, {2} were allocated.", HANDED_BEYOND),
    Check("Line {0}: completed, but order {1} is {2}.", COMPLETED_UNSOLD),
    Check("Campaign {0}: has {1} snapshots, the last is number {2}.", SNAPSHOT_NUMBERS),
    Check("Campaign {0}: closed without a snapshot.", CLOSED_WITHOUT_SNAPSHOT),
    Check(
        "Campaign {0}: its snapshots say {2} steps of line {1}, or the line is not its own.", SNAPSHOT_LINES
    ),
    Check("Purchase order {0}: the books owe {1} fen for it, received were {2} fen.", RECEIVED),
)
