-- Who gets what when not everything fits: orders in array order, each all or nothing.
-- Called by place_orders, which holds the locks. p_outcome is 'placed' for the orders still to be decided.
-- Answers the refused ones: sold_out or limit_reached, the offer that is short and how much is left of it.
CREATE FUNCTION share_stock(
    p_outcome text[],
    p_person bigint[],
    p_line_order integer[],
    p_line_offer bigint[],
    p_line_quantity bigint[]
) RETURNS TABLE (position_number integer, outcome text, offer_id bigint, left_quantity bigint)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_counter text[];
    v_left bigint[];
    v_order record;
    v_need record;
    v_short record;
BEGIN
    -- One counter for each thing that can run out: a pool, an offer's quota, a person's share of an offer.
    SELECT array_agg(counter), array_agg(left_over) INTO v_counter, v_left FROM (
        SELECT 'pool:' || pool.id AS counter, pool.available_quantity AS left_over
        FROM catalogue_stockpool pool WHERE pool.id IN (
            SELECT link.pool_id FROM campaigns_offerpool link WHERE link.offer_id = ANY (p_line_offer))
        UNION ALL
        SELECT 'offer:' || offer.id, offer.quota_quantity - offer.sold_quantity
        FROM campaigns_offer offer WHERE offer.id = ANY (p_line_offer) AND offer.quota_quantity IS NOT NULL
        UNION ALL
        SELECT 'person:' || offer.id || ':' || buyer.person, offer.per_person_quantity - coalesce(had.quantity, 0)
        FROM campaigns_offer offer
        CROSS JOIN (SELECT DISTINCT unnest(p_person) AS person) buyer
        LEFT JOIN ordering_personofferquantity had ON had.offer_id = offer.id AND had.person_id = buyer.person
        WHERE offer.id = ANY (p_line_offer) AND offer.per_person_quantity IS NOT NULL
    ) counters;

    FOR v_order IN
        SELECT i FROM generate_subscripts(p_person, 1) AS i WHERE p_outcome[i] = 'placed' ORDER BY i
    LOOP
        SELECT need.counter, need.offer, need.steps INTO v_short
        FROM stock_needed(v_order.i, p_person[v_order.i], p_line_order, p_line_offer, p_line_quantity) need
        JOIN unnest(v_counter, v_left) AS have(counter, left_over) ON have.counter = need.counter
        WHERE need.quantity > have.left_over
        ORDER BY need.counter LIKE 'person:%' DESC, need.offer LIMIT 1;
        IF FOUND THEN
            position_number := v_order.i;
            outcome := CASE WHEN v_short.counter LIKE 'person:%' THEN 'limit_reached' ELSE 'sold_out' END;
            offer_id := v_short.offer;
            left_quantity := greatest(0, v_left[array_position(v_counter, v_short.counter)] / v_short.steps);
            RETURN NEXT;
        ELSE
            FOR v_need IN
                SELECT array_position(v_counter, need.counter) AS at, need.quantity FROM stock_needed(
                    v_order.i, p_person[v_order.i], p_line_order, p_line_offer, p_line_quantity) need
            LOOP
                IF v_need.at IS NOT NULL THEN
                    v_left[v_need.at] := v_left[v_need.at] - v_need.quantity;
                END IF;
            END LOOP;
        END IF;
    END LOOP;
END
$body$;
