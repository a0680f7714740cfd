-- Give stock back (negative) or take more of it (positive) for orders that stand already: amend, cancel,
-- release, and taking again after a late payment. Same locks in the same order as place_orders; the caller
-- holds the campaign FOR SHARE or FOR UPDATE. All or nothing: answers no row when it was done, or the first
-- offer that is short with what is left of it, and then has changed nothing.
CREATE FUNCTION move_stock(
    p_person bigint[],
    p_offer bigint[],
    p_change bigint[]
) RETURNS TABLE (outcome text, offer_id bigint, left_quantity bigint) LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_turned text[];
BEGIN
    PERFORM 1 FROM catalogue_stockpool pool
    WHERE pool.id IN (SELECT link.pool_id FROM campaigns_offerpool link WHERE link.offer_id = ANY (p_offer))
    ORDER BY pool.id FOR NO KEY UPDATE;
    PERFORM 1 FROM campaigns_offer offer WHERE offer.id = ANY (p_offer) ORDER BY offer.id FOR NO KEY UPDATE;

    RETURN QUERY
    WITH line AS (
        SELECT person, offer, change FROM unnest(p_person, p_offer, p_change) AS l(person, offer, change)
    ), per_offer AS (
        SELECT offer, sum(change)::bigint AS change FROM line GROUP BY offer
    )
    SELECT * FROM (
        SELECT 'limit_reached', line.offer, greatest(0, max(offer.per_person_quantity) - coalesce(max(had.quantity), 0))
        FROM line JOIN campaigns_offer offer ON offer.id = line.offer
        LEFT JOIN ordering_personofferquantity had ON had.offer_id = line.offer AND had.person_id = line.person
        WHERE offer.per_person_quantity IS NOT NULL
        GROUP BY line.offer, line.person
        HAVING sum(line.change) > 0
            AND coalesce(max(had.quantity), 0) + sum(line.change) > max(offer.per_person_quantity)
        UNION ALL
        SELECT 'sold_out', offer.id, offer.quota_quantity - offer.sold_quantity
        FROM per_offer JOIN campaigns_offer offer ON offer.id = per_offer.offer
        WHERE per_offer.change > 0 AND offer.sold_quantity + per_offer.change > offer.quota_quantity
        UNION ALL
        SELECT 'sold_out', min(per_offer.offer), max(pool.available_quantity) / min(link.steps_per_step)
        FROM per_offer JOIN campaigns_offerpool link ON link.offer_id = per_offer.offer
        JOIN catalogue_stockpool pool ON pool.id = link.pool_id
        GROUP BY pool.id
        HAVING sum(per_offer.change * link.steps_per_step) > max(pool.available_quantity)
    ) short LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;

    -- Serving processes answer "sold out" from memory: they hear of offers that ran out and that came back.
    WITH per_offer AS (
        SELECT l.offer, sum(l.change)::bigint AS change FROM unnest(p_offer, p_change) AS l(offer, change) GROUP BY 1
    ), taken AS (
        SELECT link.pool_id, sum(per_offer.change * link.steps_per_step)::bigint AS change
        FROM per_offer JOIN campaigns_offerpool link ON link.offer_id = per_offer.offer GROUP BY link.pool_id
    ), pool AS (
        UPDATE catalogue_stockpool pool SET available_quantity = pool.available_quantity - taken.change
        FROM taken WHERE pool.id = taken.pool_id
        RETURNING pool.id, pool.available_quantity AS after, pool.available_quantity + taken.change AS before
    ), moved AS (
        UPDATE campaigns_offer offer SET sold_quantity = offer.sold_quantity + per_offer.change
        FROM per_offer WHERE offer.id = per_offer.offer
        RETURNING offer.id, offer.campaign_id, offer.sold_quantity >= offer.quota_quantity AS is_out,
            offer.sold_quantity - per_offer.change >= offer.quota_quantity AS was_out
    )
    SELECT array_agg(turned.subject) INTO v_turned FROM (
        SELECT CASE WHEN is_out THEN 'out:' ELSE 'back:' END || campaign_id || ':' || id AS subject
        FROM moved WHERE is_out <> was_out
        UNION
        SELECT CASE WHEN pool.after < link.steps_per_step THEN 'out:' ELSE 'back:' END
            || offer.campaign_id || ':' || offer.id
        FROM pool JOIN campaigns_offerpool link ON link.pool_id = pool.id
            AND (pool.after < link.steps_per_step) <> (pool.before < link.steps_per_step)
        JOIN campaigns_offer offer ON offer.id = link.offer_id
    ) turned;
    IF v_turned IS NOT NULL THEN
        PERFORM pg_notify('kaituan_live', current_schema() || ':' || subject) FROM unnest(v_turned) AS subject;
    END IF;

    -- In one fixed order, as everywhere; a person who is new to the offer gets a counter.
    INSERT INTO ordering_personofferquantity AS had (offer_id, person_id, quantity)
    SELECT l.offer, l.person, 0 FROM unnest(p_person, p_offer) AS l(person, offer)
    JOIN campaigns_offer offer ON offer.id = l.offer AND offer.per_person_quantity IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (offer_id, person_id) DO NOTHING;
    UPDATE ordering_personofferquantity had SET quantity = greatest(0, had.quantity + l.change)
    FROM (
        SELECT l.offer, l.person, sum(l.change)::bigint AS change
        FROM unnest(p_person, p_offer, p_change) AS l(person, offer, change) GROUP BY 1, 2
    ) l WHERE had.offer_id = l.offer AND had.person_id = l.person;
END
$body$;
