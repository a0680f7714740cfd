-- Open a payment intent for each of many orders, in the transaction that placed them. An order that stands
-- already (a replay) gets nothing new: its open intent is told, if it has one. Arrays of one length, one
-- element per order; p_public_id holds the ids of the intents to be made.
-- Answers a row for each order that has an open intent afterwards.
-- STRICT: for nobody it is not called at all.
CREATE FUNCTION open_intents(
    p_now timestamptz,
    p_order bigint[],
    p_is_new boolean[],
    p_channel text[],
    p_public_id text[]
) RETURNS TABLE (order_id bigint, public_id text, amount_fen bigint) LANGUAGE plpgsql STRICT
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $body$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    INSERT INTO payments_paymentintent AS intent (
        public_id, order_id, channel, amount_fen, status, gateway_reference, created_at, expires_at
    )
    SELECT wanted.public_id, o.id, wanted.channel,
        o.list_fen + o.adjustment_fen - o.paid_fen + o.refunded_fen, 'open', '', p_now, o.pay_by
    FROM unnest(p_order, p_is_new, p_channel, p_public_id) AS wanted(order_id, is_new, channel, public_id)
    -- OFFSET 0 keeps the status out of the search: by the key, never through the index of unpaid orders.
    CROSS JOIN LATERAL (
        SELECT id, status, settles, list_fen, adjustment_fen, paid_fen, refunded_fen, pay_by
        FROM ordering_order o WHERE o.id = wanted.order_id OFFSET 0
    ) o
    WHERE wanted.is_new AND o.status = 'pending' AND o.settles = 'prepaid'
    RETURNING intent.order_id, intent.public_id::text, intent.amount_fen;

    IF false = ANY (p_is_new) THEN
        RETURN QUERY
        SELECT DISTINCT ON (intent.order_id) intent.order_id, intent.public_id::text, intent.amount_fen
        FROM unnest(p_order, p_is_new) AS wanted(order_id, is_new)
        JOIN payments_paymentintent intent ON intent.order_id = wanted.order_id AND intent.status = 'open'
        WHERE NOT wanted.is_new ORDER BY intent.order_id, intent.id DESC;
    END IF;
END
$body$;
