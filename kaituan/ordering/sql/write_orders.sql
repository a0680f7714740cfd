-- Write the orders of one call of place_orders that have an id, with their lines and an outbox row.
CREATE FUNCTION write_orders(
    p_now timestamptz,
    p_campaign campaigns_campaign,
    p_pay_by timestamptz,
    p_order_id bigint[],
    p_follow_number integer[],
    p_list_fen bigint[],
    p_rate_bp integer[],
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
    p_line_amount_fen bigint[],
    p_line_cost_fen bigint[],
    p_line_note text[]
) RETURNS void LANGUAGE plpgsql AS $body$
#variable_conflict use_column
BEGIN
    INSERT INTO ordering_order (
        id, public_id, campaign_id, listing_id, member_id, person_id, follow_number, chat_number, status,
        settles, source, actor_id, idempotency_key, campaign_version, plan_version, note, claims_paid,
        list_fen, adjustment_fen, paid_fen, refunded_fen, placed_at, pay_by, confirmed_at
    )
    SELECT o.id, o.public_id, p_campaign.id, o.listing, o.member, o.person, o.follow_number, o.chat_number,
        CASE WHEN o.settles = 'leader' OR o.list_fen = 0 THEN 'confirmed' ELSE 'pending' END,
        o.settles, o.source, o.actor, o.key, p_campaign.version, p_campaign.plan_version,
        coalesce(o.note, ''), coalesce(o.claims_paid, false), o.list_fen, 0, 0, 0, p_now,
        CASE WHEN o.settles = 'leader' OR o.list_fen = 0 THEN NULL ELSE p_pay_by END,
        CASE WHEN o.settles = 'leader' OR o.list_fen = 0 THEN p_now END
    FROM unnest(p_order_id, p_public_id, p_listing, p_member, p_person, p_follow_number, p_chat_number,
        p_settles, p_source, p_actor, p_key, p_note, p_claims_paid, p_list_fen)
        AS o(id, public_id, listing, member, person, follow_number, chat_number,
        settles, source, actor, key, note, claims_paid, list_fen)
    WHERE o.id IS NOT NULL;

    INSERT INTO ordering_orderline (
        order_id, offer_id, quantity, amount_fen, cost_fen, sale_rate_bp, note, handed_quantity
    )
    SELECT p_order_id[l.i], l.offer, l.quantity, l.amount_fen, l.cost_fen, p_rate_bp[l.i], coalesce(l.note, ''), 0
    FROM unnest(p_line_order, p_line_offer, p_line_quantity, p_line_amount_fen, p_line_cost_fen, p_line_note)
        AS l(i, offer, quantity, amount_fen, cost_fen, note)
    WHERE p_order_id[l.i] IS NOT NULL;

    -- One message for all of them: in a rush what follows an order is done for many orders at once too.
    INSERT INTO notices_outboxmessage (topic, subject, payload, created_at, attempts, last_error)
    SELECT 'orders_placed', 'campaign:' || p_campaign.id, jsonb_build_object('orders', to_jsonb(array_agg(o.id))),
        p_now, 0, ''
    FROM unnest(p_order_id) AS o(id) WHERE o.id IS NOT NULL HAVING count(*) > 0;
END
$body$;
