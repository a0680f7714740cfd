-- Pay orders from their members' balances in the transaction that placed them, each in full or not at all.
-- The same rows as payments.receipts.pay_from_balance writes for one order. An order that stands already (a
-- replay) is left as it is. p_public_id: for the payments.
-- Answers the orders that are paid; the others wait for their money like any order.
CREATE FUNCTION pay_placed_orders(
    p_now timestamptz,
    p_order bigint[],
    p_is_new boolean[],
    p_public_id text[]
) RETURNS SETOF bigint LANGUAGE plpgsql STRICT
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $body$
#variable_conflict use_column
DECLARE
    v_id bigint[];
    v_owner text[];
    v_amount_fen bigint[];
    v_key text[];
    v_reference text[];
    v_public_id text[];
    v_spent boolean[];
    v_paid bigint[];
BEGIN
    -- OFFSET 0 keeps the status out of the search: by the key, never through the index of unpaid orders.
    RETURN QUERY
    SELECT o.id FROM unnest(p_order, p_is_new) AS asked(order_id, is_new)
    CROSS JOIN LATERAL (SELECT * FROM ordering_order o WHERE o.id = asked.order_id OFFSET 0) o
    WHERE NOT asked.is_new AND o.status = 'confirmed';

    SELECT array_agg(o.id ORDER BY asked.i),
        array_agg('person:' || o.person_id ORDER BY asked.i),
        array_agg(o.list_fen + o.adjustment_fen ORDER BY asked.i),
        array_agg('order:' || o.id || '/1' ORDER BY asked.i),
        array_agg('order:' || o.id ORDER BY asked.i),
        array_agg(asked.public_id ORDER BY asked.i)
    INTO v_id, v_owner, v_amount_fen, v_key, v_reference, v_public_id
    FROM unnest(p_order, p_is_new, p_public_id) WITH ORDINALITY AS asked(order_id, is_new, public_id, i)
    CROSS JOIN LATERAL (SELECT * FROM ordering_order o WHERE o.id = asked.order_id OFFSET 0) o
    WHERE asked.is_new AND o.status = 'pending' AND o.settles = 'prepaid' AND o.paid_fen = 0;
    IF v_id IS NULL THEN
        RETURN;
    END IF;
    v_spent := spend_balances(
        p_now, v_owner, v_amount_fen, v_key, 'payment_received', v_reference, 'prepayment');
    SELECT array_agg(v_id[i]) INTO v_paid FROM generate_subscripts(v_id, 1) AS i WHERE v_spent[i];
    IF v_paid IS NULL THEN
        RETURN;
    END IF;

    WITH moved AS (
        UPDATE ordering_order o SET paid_fen = o.list_fen + o.adjustment_fen, status = 'confirmed',
            confirmed_at = p_now, pay_by = NULL, released_at = NULL
        WHERE o.id = ANY (v_paid) RETURNING o.id, o.person_id, o.actor_id, o.paid_fen
    ), payment AS (
        INSERT INTO payments_payment (
            public_id, channel, external_reference, amount_fen, allocated_fen, returned_fen, received_at,
            recorded_by_id, payer_person_id, remark
        )
        SELECT v_public_id[array_position(v_id, moved.id)], 'balance', 'order:' || moved.id, moved.paid_fen,
            moved.paid_fen, 0, p_now, moved.actor_id, moved.person_id, ''
        FROM moved ORDER BY moved.id
        RETURNING id, external_reference, amount_fen
    ), allocation AS (
        INSERT INTO payments_allocation (payment_id, order_id, amount_fen, allocated_at)
        SELECT payment.id, moved.id, payment.amount_fen, p_now
        FROM payment JOIN moved ON payment.external_reference = 'order:' || moved.id ORDER BY moved.id
    ), event AS (
        INSERT INTO ordering_orderevent (
            order_id, kind, from_status, to_status, reason, details, happened_at
        )
        SELECT moved.id, 'paid', 'pending', 'confirmed', '', '{}'::jsonb, p_now FROM moved ORDER BY moved.id
    )
    INSERT INTO notices_outboxmessage (topic, subject, payload, created_at, attempts, last_error)
    SELECT 'order_paid', 'order:' || moved.id, jsonb_build_object('amount_fen', moved.paid_fen), p_now, 0, ''
    FROM moved ORDER BY moved.id;
    RETURN QUERY SELECT unnest(v_paid);
END
$body$;
