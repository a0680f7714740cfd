-- The order core: many orders of one campaign in one call, one transaction, one fixed lock order
-- (campaign FOR SHARE, pools, offers, listings, each by id). Every door to ordering ends here.
--
-- Arrays of one length n, one element per order; line arrays of one length m, p_line_order giving the
-- 1-based position of the line's order. A member may be null: the actor's own place in the group. Stock is given out in array order, each order all or nothing.
-- Answers n rows: outcome is placed, already_placed, closed, not_open_yet, changed (another version of the
-- campaign is in force), not_listed, stopped, invalid, prepaid_only, sold_out or limit_reached; for the last
-- two offer_id and left_quantity say what is short and how much could still be had.
CREATE FUNCTION place_orders(
    p_now timestamptz,
    p_campaign_id bigint,
    p_version integer,
    p_public_id text[],
    p_listing bigint[],
    p_member bigint[],
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
) RETURNS TABLE (
    position_number integer,
    outcome text,
    order_id bigint,
    public_id text,
    follow_number integer,
    due_fen bigint,
    offer_id bigint,
    left_quantity bigint
) LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_campaign campaigns_campaign%ROWTYPE;
    v_count integer := cardinality(p_listing);
    v_outcome text[] := array_fill(NULL::text, ARRAY[cardinality(p_listing)]);
    v_short_offer bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_listing)]);
    v_short_left bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_listing)]);
    v_member bigint[];
    v_person bigint[];
    v_refusal text;
    v_all_fit boolean;
    v_twin record;
    v_choice record;
BEGIN
    SELECT * INTO v_campaign FROM campaigns_campaign WHERE id = p_campaign_id FOR SHARE;
    v_refusal := CASE
        WHEN v_campaign.id IS NULL THEN 'closed'
        WHEN v_campaign.status NOT IN ('open', 'scheduled') THEN 'closed'
        WHEN p_now >= v_campaign.closes_at THEN 'closed'
        WHEN p_now < v_campaign.opens_at THEN 'not_open_yet'
        WHEN p_version IS NOT NULL AND p_version <> v_campaign.version THEN 'changed'
    END;
    IF v_refusal IS NULL THEN
        PERFORM 1 FROM catalogue_stockpool pool
        WHERE pool.id IN (
            SELECT link.pool_id FROM campaigns_offerpool link WHERE link.offer_id = ANY (p_line_offer)
        ) ORDER BY pool.id FOR NO KEY UPDATE;
        PERFORM 1 FROM campaigns_offer offer WHERE offer.id = ANY (p_line_offer)
        ORDER BY offer.id FOR NO KEY UPDATE;
    END IF;

    -- After the locks, so that a twin sent at the same moment through another process is seen.
    FOR v_twin IN
        SELECT request.i FROM unnest(p_actor, p_key) WITH ORDINALITY AS request(actor, key, i)
        JOIN ordering_order o ON o.actor_id = request.actor AND o.idempotency_key = request.key
    LOOP
        v_outcome[v_twin.i] := 'already_placed';
    END LOOP;
    FOR v_twin IN
        SELECT request.i FROM (
            SELECT i, row_number() OVER (PARTITION BY actor, key ORDER BY i) AS nth
            FROM unnest(p_actor, p_key) WITH ORDINALITY AS r(actor, key, i)
        ) request WHERE request.nth > 1
    LOOP
        v_outcome[v_twin.i] := coalesce(v_outcome[v_twin.i], 'already_placed');
    END LOOP;

    IF v_refusal IS NOT NULL THEN
        FOR i IN 1..v_count LOOP
            v_outcome[i] := coalesce(v_outcome[i], v_refusal);
        END LOOP;
    ELSE
        PERFORM 1 FROM campaigns_listing listing WHERE listing.id = ANY (p_listing)
        ORDER BY listing.id FOR NO KEY UPDATE;
        -- Without a member it is the actor's own place in the listing's group.
        SELECT array_agg(coalesce(named.id, own.id) ORDER BY request.i),
            array_agg(coalesce(named.person_id, own.person_id) ORDER BY request.i)
        INTO v_member, v_person
        FROM unnest(p_member, p_listing, p_actor) WITH ORDINALITY AS request(member, listing, actor, i)
        LEFT JOIN campaigns_listing listing ON listing.id = request.listing
        LEFT JOIN people_member named ON named.id = request.member
        LEFT JOIN people_member own ON request.member IS NULL AND own.left_at IS NULL
            AND own.group_id = listing.group_id AND own.person_id = request.actor;

        -- What is wrong with an order whatever the stock.
        FOR v_choice IN
            SELECT request.i, min(CASE
                WHEN listing.id IS NULL OR listing.withdrawn_at IS NOT NULL
                    OR member.group_id IS DISTINCT FROM listing.group_id THEN '1not_listed'
                WHEN request.settles = 'leader' AND v_campaign.prepaid_only THEN '2prepaid_only'
                WHEN line.offer IS NULL OR offer.id IS NULL OR line.quantity IS NULL OR line.quantity <= 0
                    OR line.twins > 1 THEN '3invalid'
                WHEN offer.stopped_at IS NOT NULL THEN '4stopped'
            END) AS refusal
            FROM unnest(p_listing, v_member, p_settles) WITH ORDINALITY AS request(listing, member, settles, i)
            LEFT JOIN campaigns_listing listing
                ON listing.id = request.listing AND listing.campaign_id = p_campaign_id
            LEFT JOIN people_member member ON member.id = request.member
            LEFT JOIN (
                SELECT i, offer, quantity, count(*) OVER (PARTITION BY i, offer) AS twins
                FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
            ) line ON line.i = request.i
            LEFT JOIN campaigns_offer offer ON offer.id = line.offer AND offer.campaign_id = p_campaign_id
            GROUP BY request.i
        LOOP
            v_outcome[v_choice.i] := coalesce(v_outcome[v_choice.i], substr(v_choice.refusal, 2));
        END LOOP;

        -- Does everything that is asked for fit at once? It does for all but the last moments of a rush.
        WITH line AS (
            SELECT l.offer, l.quantity, v_person[l.i] AS person
            FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
            WHERE v_outcome[l.i] IS NULL
        ), per_offer AS (
            SELECT offer, sum(quantity) AS quantity FROM line GROUP BY offer
        )
        SELECT NOT EXISTS (
            SELECT 1 FROM per_offer JOIN campaigns_offer offer ON offer.id = per_offer.offer
            WHERE offer.sold_quantity + per_offer.quantity > offer.quota_quantity
        ) AND NOT EXISTS (
            SELECT 1 FROM per_offer
            JOIN campaigns_offerpool link ON link.offer_id = per_offer.offer
            JOIN catalogue_stockpool pool ON pool.id = link.pool_id
            GROUP BY pool.id, pool.available_quantity
            HAVING sum(per_offer.quantity * link.steps_per_step) > pool.available_quantity
        ) AND NOT EXISTS (
            SELECT 1 FROM line JOIN campaigns_offer offer ON offer.id = line.offer
            LEFT JOIN ordering_personofferquantity had ON had.offer_id = line.offer AND had.person_id = line.person
            WHERE offer.per_person_quantity IS NOT NULL
            GROUP BY line.offer, line.person
            HAVING coalesce(max(had.quantity), 0) + sum(line.quantity) > max(offer.per_person_quantity)
        ) INTO v_all_fit;

        IF NOT v_all_fit THEN
            FOR v_choice IN
                SELECT * FROM share_stock(v_outcome, v_person, p_line_order, p_line_offer, p_line_quantity)
            LOOP
                v_outcome[v_choice.position_number] := v_choice.outcome;
                v_short_offer[v_choice.position_number] := v_choice.offer_id;
                v_short_left[v_choice.position_number] := v_choice.left_quantity;
            END LOOP;
        END IF;
        FOR i IN 1..v_count LOOP
            v_outcome[i] := coalesce(v_outcome[i], 'placed');
        END LOOP;
        IF 'placed' = ANY (v_outcome) THEN
            PERFORM write_orders(
                p_now, p_campaign_id, v_outcome, p_public_id, p_listing, v_member, v_person, p_actor, p_key,
                p_source, p_settles, p_note, p_chat_number, p_claims_paid,
                p_line_order, p_line_offer, p_line_quantity, p_line_note
            );
        END IF;
    END IF;

    RETURN QUERY
    SELECT request.i::integer, v_outcome[request.i], o.id, o.public_id::text, o.follow_number,
        o.list_fen + o.adjustment_fen, v_short_offer[request.i], v_short_left[request.i]
    FROM unnest(p_actor, p_key) WITH ORDINALITY AS request(actor, key, i)
    LEFT JOIN ordering_order o ON o.actor_id = request.actor AND o.idempotency_key = request.key
        AND v_outcome[request.i] IN ('placed', 'already_placed')
    ORDER BY request.i;
END
$body$;
