-- The public id of the intent that is open for an order that stands already, or null: for who asks once more.
CREATE FUNCTION open_intent_of(p_order bigint) RETURNS text LANGUAGE sql STABLE STRICT AS $body$
    SELECT intent.public_id FROM payments_paymentintent intent
    WHERE intent.order_id = p_order AND intent.status = 'open' ORDER BY intent.id DESC LIMIT 1
$body$;
