-- The order core: many orders of one campaign in one call, one transaction, one fixed lock order
-- (campaign FOR SHARE, listings, pools, offers, each by id, then counters). Every door to ordering ends here.
--
-- Arrays of one length n, one element per order; line arrays of one length m, p_line_order giving the
-- 1-based position of the line's order. A member may be null: the actor's own place in the group; p_member,
-- p_chat_number and p_claims_paid may be null as a whole. Stock is given out in array order, each order all or
-- nothing.
-- Answers n rows: outcome is placed, already_placed, closed, not_open_yet, changed (another version of the
-- campaign is in force), not_listed, stopped, invalid, prepaid_only, sold_out or limit_reached; for the last
-- two offer_id and left_quantity say what is short and how much could still be had. pay_by: until when an order
-- waits for its money; null where it waits for none, and for one that stood already.
--
-- What the planner knows of these tables is of yesterday, when the rush had not begun: it may never choose to
-- read one as a whole. Every access here is by a key, for a few dozen rows; OFFSET 0 keeps other conditions out
-- of the search, for which there would be an index too, that finds a thousand.
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
    left_quantity bigint,
    pay_by timestamptz
) LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $body$
#variable_conflict use_column
DECLARE
    v_count integer := cardinality(p_listing);
    v_campaign campaigns_campaign%ROWTYPE;
    v_refusal text;
    v_outcome text[];
    v_member bigint[];
    v_person bigint[];
    v_first integer[];
    v_line_problem text[];
    v_line_amount_fen bigint[];
    v_line_cost_fen bigint[];
    v_line_limit bigint[];
    v_line_count integer[] := array_fill(0, ARRAY[v_count]);
    v_list_fen bigint[] := array_fill(0::bigint, ARRAY[v_count]);
    v_short_offer bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_short_left bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_order_id bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_follow_number integer[] := array_fill(NULL::integer, ARRAY[v_count]);
    v_rate_bp integer[] := array_fill(NULL::integer, ARRAY[v_count]);
    v_at integer;
    v_choice record;
    v_listing bigint[];
    v_number bigint[];
    v_listing_rate_bp integer[];
    v_pay_by timestamptz;
BEGIN
    SELECT * INTO v_campaign FROM campaigns_campaign WHERE id = p_campaign_id FOR SHARE;
    v_refusal := CASE
        WHEN v_campaign.id IS NULL THEN 'closed'
        WHEN v_campaign.status NOT IN ('open', 'scheduled') THEN 'closed'
        WHEN p_now >= v_campaign.closes_at THEN 'closed'
        WHEN p_now < v_campaign.opens_at THEN 'not_open_yet'
        WHEN p_version IS NOT NULL AND p_version <> v_campaign.version THEN 'changed'
    END;
    -- Who orders, and what is against it whatever the goods. Who changes a listing or an offer's terms holds the
    -- campaign, so they stand still although they are not locked yet: locks that others wait for come late.
    SELECT array_agg(r.outcome ORDER BY r.i), array_agg(r.member ORDER BY r.i),
        array_agg(r.person ORDER BY r.i), array_agg(r.first ORDER BY r.i)
    INTO v_outcome, v_member, v_person, v_first
    FROM (
        SELECT request.i, request.first, coalesce(named.id, own.id) AS member,
            coalesce(named.person_id, own.person_id) AS person,
            CASE
                WHEN v_refusal IS NOT NULL THEN v_refusal
                WHEN request.first < request.i THEN 'twin'
                WHEN listing.id IS NULL OR listing.withdrawn_at IS NOT NULL
                    OR coalesce(named.group_id, own.group_id) IS DISTINCT FROM listing.group_id THEN 'not_listed'
                WHEN request.settles = 'leader' AND v_campaign.prepaid_only THEN 'prepaid_only'
            END AS outcome
        FROM (
            SELECT i::integer, listing, member, actor, key, settles,
                min(i) OVER (PARTITION BY actor, key)::integer AS first
            FROM unnest(p_listing, p_member, p_actor, p_key, p_settles)
                WITH ORDINALITY AS u(listing, member, actor, key, settles, i)
        ) request
        LEFT JOIN LATERAL (
            SELECT id, campaign_id, group_id, withdrawn_at FROM campaigns_listing l
            WHERE l.id = request.listing OFFSET 0
        ) listing ON listing.campaign_id = p_campaign_id
        LEFT JOIN people_member named ON named.id = request.member
        LEFT JOIN people_member own ON request.member IS NULL AND own.left_at IS NULL
            AND own.group_id = listing.group_id AND own.person_id = request.actor
    ) r;

    IF v_refusal IS NULL THEN
        -- What each line costs, rounding half a fen up, and what is wrong with it.
        SELECT array_agg(line.problem ORDER BY line.n), array_agg(line.amount_fen ORDER BY line.n),
            array_agg(line.cost_fen ORDER BY line.n), array_agg(line.limit_quantity ORDER BY line.n)
        INTO v_line_problem, v_line_amount_fen, v_line_cost_fen, v_line_limit
        FROM (
            SELECT l.n, offer.per_person_quantity AS limit_quantity,
                (2 * offer.price_fen * l.quantity + offer.price_quantity) / (2 * offer.price_quantity) AS amount_fen,
                (2 * offer.cost_fen * l.quantity + offer.price_quantity) / (2 * offer.price_quantity) AS cost_fen,
                CASE
                    WHEN offer.id IS NULL OR l.quantity IS NULL OR l.quantity <= 0
                        OR count(*) OVER (PARTITION BY l.i, l.offer) > 1 THEN 'invalid'
                    WHEN offer.stopped_at IS NOT NULL THEN 'stopped'
                END AS problem
            FROM unnest(p_line_order, p_line_offer, p_line_quantity) WITH ORDINALITY AS l(i, offer, quantity, n)
            LEFT JOIN LATERAL (
                SELECT id, campaign_id, price_fen, price_quantity, cost_fen, per_person_quantity, stopped_at
                FROM campaigns_offer o WHERE o.id = l.offer OFFSET 0
            ) offer ON offer.campaign_id = p_campaign_id
        ) line;
        FOR n IN 1..cardinality(p_line_order) LOOP
            v_at := p_line_order[n];
            v_line_count[v_at] := v_line_count[v_at] + 1;
            IF v_line_problem[n] IS NULL THEN
                v_list_fen[v_at] := v_list_fen[v_at] + v_line_amount_fen[n];
            ELSIF v_outcome[v_at] IS NULL OR (v_outcome[v_at] = 'stopped' AND v_line_problem[n] = 'invalid') THEN
                v_outcome[v_at] := v_line_problem[n];
            END IF;
        END LOOP;
        FOR i IN 1..v_count LOOP
            IF v_outcome[i] IS NULL THEN
                v_outcome[i] := CASE WHEN v_line_count[i] = 0 THEN 'invalid' ELSE 'placed' END;
            END IF;
        END LOOP;

        PERFORM 1 FROM campaigns_listing listing WHERE listing.id = ANY (p_listing)
        ORDER BY listing.id FOR NO KEY UPDATE;
    END IF;
    -- After the listings' locks, so that a twin sent at the same moment through another process is seen.
    FOR v_at IN
        SELECT request.i::integer FROM unnest(p_actor, p_key) WITH ORDINALITY AS request(actor, key, i)
        JOIN ordering_order twin ON twin.actor_id = request.actor AND twin.idempotency_key = request.key
    LOOP
        v_outcome[v_at] := 'already_placed';
    END LOOP;

    IF v_refusal IS NULL THEN
        IF 'placed' = ANY (v_outcome) THEN
            -- Everything that is asked for fits at once, for all but the last moments of a rush. If not, the
            -- constraints say so, and it is given out one order after the other.
            BEGIN
                PERFORM take_stock(v_outcome, v_person, p_line_order, p_line_offer, p_line_quantity, v_line_limit);
            EXCEPTION WHEN check_violation THEN
                -- Undone, and with it the locks: now they must hold while it is decided who gets what.
                PERFORM 1 FROM catalogue_stockpool pool WHERE pool.id = ANY (ARRAY(
                    SELECT link.pool_id FROM campaigns_offerpool link WHERE link.offer_id = ANY (p_line_offer)
                )) ORDER BY pool.id FOR NO KEY UPDATE;
                PERFORM 1 FROM campaigns_offer offer WHERE offer.id = ANY (p_line_offer)
                ORDER BY offer.id FOR NO KEY UPDATE;
                FOR v_choice IN
                    SELECT * FROM share_stock(v_outcome, v_person, p_line_order, p_line_offer, p_line_quantity)
                LOOP
                    v_outcome[v_choice.position_number] := v_choice.outcome;
                    v_short_offer[v_choice.position_number] := v_choice.offer_id;
                    v_short_left[v_choice.position_number] := v_choice.left_quantity;
                END LOOP;
                PERFORM take_stock(v_outcome, v_person, p_line_order, p_line_offer, p_line_quantity, v_line_limit);
            END;
        END IF;
        -- Every listing's next numbers at once, then given out in array order.
        WITH counted AS (
            UPDATE campaigns_listing listing SET last_follow_number = listing.last_follow_number + joined.orders
            FROM (
                SELECT o.listing, count(*) AS orders FROM unnest(p_listing, v_outcome) AS o(listing, outcome)
                WHERE o.outcome = 'placed' GROUP BY o.listing
            ) joined WHERE listing.id = joined.listing
            RETURNING listing.id, listing.last_follow_number - joined.orders AS before, listing.sale_rate_bp
        )
        SELECT array_agg(id), array_agg(before), array_agg(sale_rate_bp) INTO v_listing, v_number, v_listing_rate_bp
        FROM counted;
        FOR i IN 1..v_count LOOP
            IF v_outcome[i] = 'placed' THEN
                v_at := array_position(v_listing, p_listing[i]);
                v_number[v_at] := v_number[v_at] + 1;
                v_follow_number[i] := v_number[v_at];
                v_rate_bp[i] := v_listing_rate_bp[v_at];
                v_order_id[i] := nextval('ordering_order_id_seq');
            END IF;
        END LOOP;
        v_pay_by := least(p_now + make_interval(mins => v_campaign.payment_minutes), v_campaign.closes_at);
        PERFORM write_orders(
            p_now, v_campaign, v_pay_by, v_order_id, v_follow_number, v_list_fen, v_rate_bp, p_public_id, p_listing,
            v_member, v_person, p_actor, p_key, p_source, p_settles, p_note, p_chat_number, p_claims_paid,
            p_line_order, p_line_offer, p_line_quantity, v_line_amount_fen, v_line_cost_fen, p_line_note
        );
    END IF;

    FOR i IN 1..v_count LOOP
        -- The same request twice in one call: what became of the first.
        IF v_outcome[i] = 'twin' THEN
            v_outcome[i] := CASE WHEN v_outcome[v_first[i]] = 'placed' THEN 'already_placed'
                ELSE v_outcome[v_first[i]] END;
            v_short_offer[i] := v_short_offer[v_first[i]];
            v_short_left[i] := v_short_left[v_first[i]];
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT request.i::integer, request.outcome, request.id,
        CASE WHEN request.id IS NOT NULL THEN request.public_id END, request.follow_number,
        CASE WHEN request.id IS NOT NULL THEN request.list_fen END, request.short_offer, request.short_left,
        CASE WHEN request.id IS NOT NULL AND request.settles = 'prepaid' AND request.list_fen > 0 THEN v_pay_by END
    FROM unnest(v_outcome, v_order_id, p_public_id, v_follow_number, v_list_fen, p_settles, v_short_offer, v_short_left)
        WITH ORDINALITY AS request(
            outcome, id, public_id, follow_number, list_fen, settles, short_offer, short_left, i)
    WHERE request.outcome <> 'already_placed';
    IF 'already_placed' = ANY (v_outcome) THEN
        RETURN QUERY
        SELECT request.i::integer, request.outcome, o.id, o.public_id::text, o.follow_number,
            o.list_fen + o.adjustment_fen, NULL::bigint, NULL::bigint, NULL::timestamptz
        FROM unnest(p_actor, p_key, v_outcome) WITH ORDINALITY AS request(actor, key, outcome, i)
        JOIN ordering_order o ON o.actor_id = request.actor AND o.idempotency_key = request.key
        WHERE request.outcome = 'already_placed';
    END IF;
END
$body$;
