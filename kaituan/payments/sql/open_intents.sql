-- Open a payment intent for each of many orders, in the transaction that placed them: of one length, one element
-- per order, what it owes and until when, as place_orders answered. An order that stands already has its intent
-- (see open_intent_of). STRICT: for nobody it is not called at all.
CREATE FUNCTION open_intents(
    p_now timestamptz,
    p_order bigint[],
    p_channel text[],
    p_due_fen bigint[],
    p_pay_by timestamptz[],
    p_public_id text[]
) RETURNS void LANGUAGE plpgsql STRICT AS $body$
BEGIN
    INSERT INTO payments_paymentintent (
        public_id, order_id, channel, amount_fen, status, gateway_reference, created_at, expires_at
    )
    SELECT due.public_id, due.order_id, due.channel, due.due_fen, 'open', '', p_now, due.pay_by
    FROM unnest(p_order, p_channel, p_due_fen, p_pay_by, p_public_id)
        AS due(order_id, channel, due_fen, pay_by, public_id);
END
$body$;
