-- Write the accepted orders of one call of place_orders and count down their stock.
CREATE FUNCTION write_orders(
    p_now timestamptz,
    p_campaign_id bigint,
    p_outcome text[],
    p_public_id text[],
    p_listing bigint[],
    p_member bigint[],
    p_person bigint[],
    p_actor bigint[],
    p_key text[],
    p_source text[],
    p_settles text[],
    p_note text[],
    p_chat_number integer[],
    p_claims_paid boolean[],
    p_line_order integer[],
    p_line_offer bigint[],
    p_line_quantity bigint[],
    p_line_note text[]
) RETURNS void LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_sold_out text[];
BEGIN
    WITH line AS (
        SELECT l.i, l.n, l.quantity, l.note, offer.id AS offer_id,
            (2 * offer.price_fen * l.quantity + offer.price_quantity) / (2 * offer.price_quantity) AS amount_fen,
            (2 * offer.cost_fen * l.quantity + offer.price_quantity) / (2 * offer.price_quantity) AS cost_fen
        FROM unnest(p_line_order, p_line_offer, p_line_quantity, p_line_note)
            WITH ORDINALITY AS l(i, offer, quantity, note, n)
        JOIN campaigns_offer offer ON offer.id = l.offer
        WHERE p_outcome[l.i] = 'placed'
    ), total AS (
        SELECT i, sum(amount_fen)::bigint AS list_fen FROM line GROUP BY i
    ), numbered AS (
        SELECT total.i, total.list_fen, p_listing[total.i] AS listing_id,
            row_number() OVER (PARTITION BY p_listing[total.i] ORDER BY total.i) AS nth
        FROM total
    ), counted AS (
        UPDATE campaigns_listing listing SET last_follow_number = listing.last_follow_number + added.count
        FROM (SELECT listing_id, count(*) AS count FROM numbered GROUP BY listing_id) added
        WHERE listing.id = added.listing_id
        RETURNING listing.id, listing.last_follow_number - added.count AS before, listing.sale_rate_bp
    ), placed AS (
        INSERT INTO ordering_order (
            public_id, campaign_id, listing_id, member_id, person_id, follow_number, chat_number, status,
            settles, source, actor_id, idempotency_key, campaign_version, plan_version, note, claims_paid,
            list_fen, adjustment_fen, paid_fen, refunded_fen, placed_at, pay_by, confirmed_at
        )
        SELECT p_public_id[n.i], p_campaign_id, n.listing_id, p_member[n.i], p_person[n.i],
            counted.before + n.nth, p_chat_number[n.i],
            CASE WHEN confirmed.at_once THEN 'confirmed' ELSE 'pending' END,
            p_settles[n.i], p_source[n.i], p_actor[n.i], p_key[n.i], campaign.version, campaign.plan_version,
            coalesce(p_note[n.i], ''), coalesce(p_claims_paid[n.i], false), n.list_fen, 0, 0, 0, p_now,
            CASE WHEN NOT confirmed.at_once THEN
                least(p_now + make_interval(mins => campaign.payment_minutes), campaign.closes_at) END,
            CASE WHEN confirmed.at_once THEN p_now END
        FROM numbered n
        JOIN counted ON counted.id = n.listing_id
        JOIN campaigns_campaign campaign ON campaign.id = p_campaign_id
        CROSS JOIN LATERAL (SELECT p_settles[n.i] = 'leader' OR n.list_fen = 0 AS at_once) confirmed
        ORDER BY n.i
        RETURNING id, public_id, listing_id, actor_id, idempotency_key
    ), place AS (
        SELECT placed.id, placed.listing_id, request.i
        FROM placed JOIN unnest(p_public_id) WITH ORDINALITY AS request(public_id, i) USING (public_id)
    ), lines AS (
        INSERT INTO ordering_orderline (
            order_id, offer_id, quantity, amount_fen, cost_fen, sale_rate_bp, note, handed_quantity
        )
        SELECT place.id, line.offer_id, line.quantity, line.amount_fen, line.cost_fen, counted.sale_rate_bp,
            coalesce(line.note, ''), 0
        FROM line JOIN place ON place.i = line.i JOIN counted ON counted.id = place.listing_id ORDER BY line.n
    )
    INSERT INTO notices_outboxmessage (topic, subject, payload, created_at, attempts, last_error)
    SELECT 'order_placed', 'order:' || place.id, '{}'::jsonb, p_now, 0, '' FROM place ORDER BY place.i;

    WITH taken AS (
        SELECT link.pool_id, sum(l.quantity * link.steps_per_step)::bigint AS quantity
        FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
        JOIN campaigns_offerpool link ON link.offer_id = l.offer
        WHERE p_outcome[l.i] = 'placed' GROUP BY link.pool_id
    ), sold AS (
        SELECT l.offer, sum(l.quantity)::bigint AS quantity
        FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
        WHERE p_outcome[l.i] = 'placed' GROUP BY l.offer
    ), pool AS (
        UPDATE catalogue_stockpool pool SET available_quantity = pool.available_quantity - taken.quantity
        FROM taken WHERE pool.id = taken.pool_id
        RETURNING pool.id, pool.available_quantity AS after, pool.available_quantity + taken.quantity AS before
    ), offer AS (
        UPDATE campaigns_offer offer SET sold_quantity = offer.sold_quantity + sold.quantity
        FROM sold WHERE offer.id = sold.offer
        RETURNING offer.id, offer.campaign_id, offer.sold_quantity >= offer.quota_quantity AS is_out
    )
    -- Offers of which this call took the last: those of other campaigns on the same pools too.
    SELECT array_agg(out.subject) INTO v_sold_out FROM (
        SELECT offer.campaign_id || ':' || offer.id AS subject FROM offer WHERE offer.is_out
        UNION
        SELECT o.campaign_id || ':' || o.id FROM pool
        JOIN campaigns_offerpool link ON link.pool_id = pool.id AND pool.after < link.steps_per_step
            AND pool.before >= link.steps_per_step
        JOIN campaigns_offer o ON o.id = link.offer_id
    ) out;
    IF v_sold_out IS NOT NULL THEN
        PERFORM pg_notify('kaituan_live', current_schema() || ':out:' || subject)
        FROM unnest(v_sold_out) AS subject;
    END IF;

    INSERT INTO ordering_personofferquantity AS had (offer_id, person_id, quantity)
    SELECT offer.id, p_person[l.i], sum(l.quantity)::bigint
    FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
    JOIN campaigns_offer offer ON offer.id = l.offer AND offer.per_person_quantity IS NOT NULL
    WHERE p_outcome[l.i] = 'placed' GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (offer_id, person_id) DO UPDATE SET quantity = had.quantity + excluded.quantity;
END
$body$;
