-- Spend from members' balances, many at once, in array order: one entry with one transfer for each, from
-- balance_principal[owner] to the platform's account of p_credit_kind. Nobody is overdrawn: what a balance
-- cannot pay in full is left out. Answers one boolean for each element: spent or not.
-- The caller has seen to it that the keys are new.
CREATE FUNCTION spend_balances(
    p_now timestamptz,
    p_owner text[],
    p_amount_fen bigint[],
    p_key text[],
    p_kind text,
    p_reference text[],
    p_credit_kind text
) RETURNS boolean[] LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_debit bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_owner)]);
    v_credit bigint;
    v_account bigint;
BEGIN
    -- The fixed order of all who change balances: by account.
    PERFORM 1 FROM ledger_cachedbalance balance JOIN ledger_account account ON account.id = balance.account_id
    WHERE account.kind = 'balance_principal' AND account.owner = ANY (p_owner)
    ORDER BY balance.account_id FOR NO KEY UPDATE OF balance;
    FOR i IN 1..cardinality(p_owner) LOOP
        UPDATE ledger_cachedbalance balance SET balance_fen = balance.balance_fen - p_amount_fen[i]
        FROM ledger_account account
        WHERE account.id = balance.account_id AND account.kind = 'balance_principal'
            AND account.owner = p_owner[i] AND balance.balance_fen >= p_amount_fen[i] AND p_amount_fen[i] > 0
        RETURNING account.id INTO v_account;
        IF FOUND THEN
            v_debit[i] := v_account;
        END IF;
    END LOOP;

    INSERT INTO ledger_account (kind, owner) VALUES (p_credit_kind, '') ON CONFLICT (kind, owner) DO NOTHING;
    SELECT id INTO v_credit FROM ledger_account WHERE kind = p_credit_kind AND owner = '';
    WITH spent AS (
        SELECT * FROM unnest(p_key, p_reference, v_debit, p_amount_fen)
            WITH ORDINALITY AS s(key, reference, debit, amount_fen, i)
        WHERE debit IS NOT NULL
    ), entry AS (
        INSERT INTO ledger_entry (key, kind, reference, occurred_at, memo)
        SELECT spent.key, p_kind, spent.reference, p_now, '' FROM spent ORDER BY spent.i
        RETURNING id, key
    )
    INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, amount_fen)
    SELECT entry.id, spent.debit, v_credit, spent.amount_fen FROM spent JOIN entry USING (key) ORDER BY spent.i;

    RETURN (SELECT array_agg(debit IS NOT NULL ORDER BY i) FROM unnest(v_debit) WITH ORDINALITY AS d(debit, i));
END
$body$;
