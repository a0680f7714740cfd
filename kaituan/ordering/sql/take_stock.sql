-- Take the stock of the orders whose outcome is 'placed' from pools, quotas and persons' limits, all of it or
-- nothing: raises check_violation when anything is short. Called by place_orders.
--
-- The updates are the locks: pools before offers, each by id. The sorted sets are the outer side of their joins,
-- since the tables may only be read by key (place_orders sees to it).
CREATE FUNCTION take_stock(
    p_outcome text[],
    p_person bigint[],
    p_line_order integer[],
    p_line_offer bigint[],
    p_line_quantity bigint[],
    p_line_limit bigint[]
) RETURNS void LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_offer bigint[];
    v_quantity bigint[];
    v_may_be_out boolean;
    v_sold_out text[];
BEGIN
    SELECT array_agg(sold.offer), array_agg(sold.quantity) INTO v_offer, v_quantity FROM (
        SELECT l.offer, sum(l.quantity)::bigint AS quantity
        FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
        WHERE p_outcome[l.i] = 'placed' GROUP BY l.offer ORDER BY l.offer
    ) sold;
    IF v_offer IS NULL THEN
        RETURN;
    END IF;

    -- The constraints a_pool_is_never_oversold and a_quota_is_never_passed refuse here what is too much.
    WITH pool AS (
        UPDATE catalogue_stockpool pool SET available_quantity = pool.available_quantity - taken.quantity
        FROM (
            SELECT link.pool_id, sum(sold.quantity * link.steps_per_step)::bigint AS quantity
            FROM unnest(v_offer, v_quantity) AS sold(offer, quantity)
            JOIN campaigns_offerpool link ON link.offer_id = sold.offer GROUP BY link.pool_id ORDER BY link.pool_id
        ) taken WHERE pool.id = taken.pool_id
        RETURNING pool.available_quantity
    )
    -- A pool that has enough for the largest draw of all has lost no offer.
    SELECT min(available_quantity) < (SELECT max(steps_per_step) FROM campaigns_offerpool) INTO v_may_be_out FROM pool;
    WITH offer AS (
        UPDATE campaigns_offer offer SET sold_quantity = offer.sold_quantity + sold.quantity
        FROM unnest(v_offer, v_quantity) AS sold(id, quantity) WHERE offer.id = sold.id
        RETURNING offer.sold_quantity >= offer.quota_quantity AS is_out
    )
    SELECT v_may_be_out IS TRUE OR bool_or(is_out) IS TRUE INTO v_may_be_out FROM offer;

    IF v_may_be_out THEN
        -- Offers of which this call took the last, those of other campaigns on the same pools too.
        SELECT array_agg(out.subject) INTO v_sold_out FROM (
            SELECT o.campaign_id || ':' || o.id AS subject FROM (
                SELECT link.pool_id, sum(sold.quantity * link.steps_per_step)::bigint AS quantity
                FROM unnest(v_offer, v_quantity) AS sold(offer, quantity)
                JOIN campaigns_offerpool link ON link.offer_id = sold.offer GROUP BY link.pool_id
            ) taken
            JOIN catalogue_stockpool pool ON pool.id = taken.pool_id
            JOIN campaigns_offerpool link ON link.pool_id = pool.id
                AND pool.available_quantity < link.steps_per_step
                AND pool.available_quantity + taken.quantity >= link.steps_per_step
            JOIN campaigns_offer o ON o.id = link.offer_id
            UNION
            SELECT o.campaign_id || ':' || o.id FROM unnest(v_offer) AS sold(id)
            JOIN campaigns_offer o ON o.id = sold.id AND o.sold_quantity >= o.quota_quantity
        ) out;
        PERFORM pg_notify('kaituan_live', current_schema() || ':out:' || subject)
        FROM unnest(v_sold_out) AS subject;
    END IF;

    -- Only limited offers have counters. Whoever changes one holds its offer, so nobody else makes one meanwhile.
    -- What is too much is written as -1, which a_counter_is_not_negative refuses.
    MERGE INTO ordering_personofferquantity had
    USING (
        SELECT l.offer, p_person[l.i] AS person, sum(l.quantity)::bigint AS quantity, min(l.limit_quantity) AS most
        FROM unnest(p_line_order, p_line_offer, p_line_quantity, p_line_limit) AS l(i, offer, quantity, limit_quantity)
        WHERE p_outcome[l.i] = 'placed' AND l.limit_quantity IS NOT NULL
        GROUP BY l.offer, p_person[l.i]
    ) wanted ON had.offer_id = wanted.offer AND had.person_id = wanted.person
    WHEN MATCHED THEN UPDATE SET quantity =
        CASE WHEN had.quantity + wanted.quantity <= wanted.most THEN had.quantity + wanted.quantity ELSE -1 END
    WHEN NOT MATCHED THEN INSERT (offer_id, person_id, quantity) VALUES (wanted.offer, wanted.person,
        CASE WHEN wanted.quantity <= wanted.most THEN wanted.quantity ELSE -1 END);
END
$body$;
