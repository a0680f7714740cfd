"""Customers' money: orders against their allocations, refunds and lines, and the books against the orders."""

from kaituan.reporting.invariants.check import Check

ORDER_COPIES = """
    SELECT o.id, copy.name, copy.kept, copy.real, copy.of_what FROM ordering_order o
    LEFT JOIN (SELECT order_id, sum(amount_fen)::bigint AS fen FROM payments_allocation GROUP BY 1) paid
        ON paid.order_id = o.id
    LEFT JOIN (SELECT order_id, sum(amount_fen)::bigint AS fen FROM payments_refund GROUP BY 1) refunded
        ON refunded.order_id = o.id
    LEFT JOIN (SELECT order_id, sum(amount_fen)::bigint AS fen FROM ordering_orderline GROUP BY 1) listed
        ON listed.order_id = o.id
    LEFT JOIN (SELECT order_id, sum(amount_fen)::bigint AS fen FROM ordering_orderadjustment GROUP BY 1) adjusted
        ON adjusted.order_id = o.id
    CROSS JOIN LATERAL (VALUES
        ('paid_fen', o.paid_fen, coalesce(paid.fen, 0), 'its allocations'),
        ('refunded_fen', o.refunded_fen, coalesce(refunded.fen, 0), 'its refunds'),
        ('list_fen', o.list_fen, coalesce(listed.fen, 0), 'its lines'),
        ('adjustment_fen', o.adjustment_fen, coalesce(adjusted.fen, 0), 'its adjustments')
    ) copy(name, kept, real, of_what)
    WHERE copy.kept <> copy.real ORDER BY o.id, copy.name
"""

KEPT_BEYOND_DUE = """
    SELECT id, status, paid_fen - refunded_fen,
        CASE WHEN status IN ('cancelled', 'released') THEN 0 ELSE list_fen + adjustment_fen END
    FROM ordering_order
    WHERE paid_fen - refunded_fen
        > CASE WHEN status IN ('cancelled', 'released') THEN 0 ELSE list_fen + adjustment_fen END
    ORDER BY id
"""

# What the books say of each order (by the reference of the entries) beside what the order says of itself.
ORDER_BOOKS = """
    WITH side AS (
        SELECT t.entry_id, a.kind, -t.amount_fen AS fen
        FROM ledger_transfer t JOIN ledger_account a ON a.id = t.debit_id
        WHERE a.kind IN ('prepayment', 'receivable', 'sales', 'refund_due')
        UNION ALL
        SELECT t.entry_id, a.kind, t.amount_fen
        FROM ledger_transfer t JOIN ledger_account a ON a.id = t.credit_id
        WHERE a.kind IN ('prepayment', 'receivable', 'sales', 'refund_due')
    ), booked AS (
        SELECT split_part(e.reference, ':', 2)::bigint AS order_id,
            coalesce(sum(side.fen) FILTER (WHERE side.kind = 'prepayment'), 0)::bigint AS prepayment,
            coalesce(-sum(side.fen) FILTER (WHERE side.kind = 'receivable'), 0)::bigint AS receivable,
            coalesce(sum(side.fen) FILTER (WHERE side.kind = 'sales'), 0)::bigint AS sales,
            coalesce(sum(side.fen) FILTER (WHERE side.kind = 'refund_due'), 0)::bigint AS refund_due
        FROM side JOIN ledger_entry e ON e.id = side.entry_id
        WHERE e.reference LIKE 'order:%' GROUP BY 1
    ), line_net AS (
        SELECT l.order_id, l.completed_at IS NOT NULL AS is_completed, l.quantity,
            l.amount_fen + coalesce(a.fen, 0) AS net_fen
        FROM ordering_orderline l
        LEFT JOIN (
            SELECT line_id, sum(amount_fen)::bigint AS fen FROM ordering_orderadjustment
            WHERE line_id IS NOT NULL GROUP BY 1
        ) a ON a.line_id = l.id
    ), recognised AS (
        SELECT order_id, sum(net_fen) FILTER (WHERE is_completed) AS lines_fen,
            bool_and(is_completed OR quantity = 0) AS all_completed
        FROM line_net GROUP BY 1 HAVING bool_or(is_completed)
    ), of_order AS (
        SELECT order_id, sum(amount_fen) AS fen FROM ordering_orderadjustment WHERE line_id IS NULL GROUP BY 1
    ), owed AS (
        SELECT order_id, sum(amount_fen) AS fen FROM payments_refund WHERE status <> 'sent' GROUP BY 1
    ), expected AS (
        SELECT o.id AS order_id, o.paid_fen - o.refunded_fen AS kept, coalesce(r.lines_fen, 0)
            + CASE WHEN r.all_completed THEN coalesce(of_order.fen, 0) ELSE 0 END AS sales,
            coalesce(owed.fen, 0) AS refund_due
        FROM ordering_order o
        LEFT JOIN recognised r ON r.order_id = o.id
        LEFT JOIN of_order ON of_order.order_id = o.id
        LEFT JOIN owed ON owed.order_id = o.id
    )
    SELECT coalesce(expected.order_id, booked.order_id), one.kind, coalesce(one.booked, 0), coalesce(one.expected, 0)
    FROM expected FULL JOIN booked ON booked.order_id = expected.order_id
    CROSS JOIN LATERAL (VALUES
        ('prepayment', booked.prepayment, greatest(0, expected.kept - expected.sales)),
        ('receivable', booked.receivable, greatest(0, expected.sales - expected.kept)),
        ('sales', booked.sales, expected.sales),
        ('refund due', booked.refund_due, expected.refund_due)
    ) one(kind, booked, expected)
    WHERE coalesce(one.booked, 0) <> coalesce(one.expected, 0) ORDER BY 1, 2
"""

STRAY_ENTRIES = """
    SELECT DISTINCT e.key, a.kind FROM ledger_account a
    JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
    JOIN ledger_entry e ON e.id = t.entry_id
    WHERE (a.kind IN ('prepayment', 'receivable', 'sales') AND e.reference NOT LIKE 'order:%')
        OR (a.kind = 'refund_due' AND e.reference NOT LIKE 'order:%' AND e.reference NOT LIKE 'payment:%')
"""

PAYMENT_COPIES = """
    SELECT p.id, p.amount_fen, p.allocated_fen, coalesce(a.fen, 0), p.returned_fen, coalesce(r.fen, 0)
    FROM payments_payment p
    LEFT JOIN (SELECT payment_id, sum(amount_fen)::bigint AS fen FROM payments_allocation GROUP BY 1) a
        ON a.payment_id = p.id
    LEFT JOIN (SELECT payment_id, sum(amount_fen)::bigint AS fen FROM payments_paymentreturn GROUP BY 1) r
        ON r.payment_id = p.id
    WHERE p.allocated_fen <> coalesce(a.fen, 0) OR p.returned_fen <> coalesce(r.fen, 0) ORDER BY p.id
"""

BALANCES = """
    SELECT a.kind, a.owner, (coalesce(c.fen, 0) - coalesce(d.fen, 0))::bigint AS credit_fen FROM ledger_account a
    LEFT JOIN (SELECT credit_id AS id, sum(amount_fen) AS fen FROM ledger_transfer GROUP BY 1) c ON c.id = a.id
    LEFT JOIN (SELECT debit_id AS id, sum(amount_fen) AS fen FROM ledger_transfer GROUP BY 1) d ON d.id = a.id
"""

SUSPENSE = f"""
    WITH booked AS (SELECT owner, credit_fen FROM ({BALANCES}) b WHERE kind = 'suspense'), expected AS (
        SELECT 'payment:' || id AS owner, amount_fen - allocated_fen - returned_fen AS fen FROM payments_payment
    )
    SELECT coalesce(booked.owner, expected.owner), coalesce(booked.credit_fen, 0), coalesce(expected.fen, 0)
    FROM booked FULL JOIN expected ON expected.owner = booked.owner
    WHERE coalesce(booked.credit_fen, 0) <> coalesce(expected.fen, 0) ORDER BY 1
"""  # noqa: S608

RETURNS_DUE = """
    WITH booked AS (
        SELECT e.reference, sum(CASE WHEN a.id = t.credit_id THEN t.amount_fen ELSE -t.amount_fen END)::bigint AS fen
        FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
        JOIN ledger_entry e ON e.id = t.entry_id
        WHERE a.kind = 'refund_due' AND e.reference LIKE 'payment:%' GROUP BY 1
    ), expected AS (
        SELECT 'payment:' || payment_id AS reference, sum(amount_fen)::bigint AS fen
        FROM payments_paymentreturn WHERE status <> 'sent' GROUP BY 1
    )
    SELECT coalesce(booked.reference, expected.reference), coalesce(booked.fen, 0), coalesce(expected.fen, 0)
    FROM booked FULL JOIN expected ON expected.reference = booked.reference
    WHERE coalesce(booked.fen, 0) <> coalesce(expected.fen, 0) ORDER BY 1
"""

# Where money is: at a gateway or the bank, or in a leader's pocket. Everything that came in and went out there.
MONEY_PLACES = f"""
    WITH moved AS (
        SELECT CASE WHEN held_by_id IS NULL THEN 'gateway:' || channel ELSE 'leader:' || held_by_id END AS place,
            amount_fen AS fen FROM payments_payment WHERE channel <> 'balance'
        UNION ALL
        SELECT CASE WHEN r.channel IN ('cash', 'wechat_transfer', 'payment_code') THEN 'leader:' || p.held_by_id
            ELSE 'gateway:' || r.channel END, -r.amount_fen
        FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        WHERE r.status = 'sent' AND r.channel <> 'balance'
        UNION ALL
        SELECT CASE WHEN p.held_by_id IS NULL THEN 'gateway:' || p.channel ELSE 'leader:' || p.held_by_id END,
            -b.amount_fen
        FROM payments_paymentreturn b JOIN payments_payment p ON p.id = b.payment_id
        WHERE b.status = 'sent' AND p.channel <> 'balance'
        UNION ALL
        SELECT 'leader:' || leader_id, -amount_fen FROM payments_remittance WHERE status = 'confirmed'
        UNION ALL
        SELECT 'gateway:bank', amount_fen FROM payments_remittance WHERE status = 'confirmed'
        UNION ALL
        SELECT 'leader:' || leader_id, -netted_fen FROM settlement_withdrawal
        WHERE status IN ('requested', 'approved', 'paid')
        UNION ALL
        SELECT 'gateway:bank', -(amount_fen - netted_fen - tax_fen) FROM settlement_withdrawal WHERE status = 'paid'
        UNION ALL
        SELECT 'gateway:bank', -amount_fen FROM settlement_supplierpayment
    ), expected AS (SELECT place, sum(fen)::bigint AS fen FROM moved GROUP BY 1), booked AS (
        SELECT owner AS place, -credit_fen AS fen FROM ({BALANCES}) b WHERE kind IN ('channel_cash', 'leader_held')
    )
    SELECT coalesce(booked.place, expected.place), coalesce(booked.fen, 0), coalesce(expected.fen, 0)
    FROM booked FULL JOIN expected ON expected.place = booked.place
    WHERE coalesce(booked.fen, 0) <> coalesce(expected.fen, 0) ORDER BY 1
"""  # noqa: S608

CHECKS = (
    Check("Order {0}: its {1} is {2} fen, but {4} add up to {3} fen.", ORDER_COPIES),
    Check("Order {0} ({1}): {2} fen of its money are kept, but only {3} fen are due.", KEPT_BEYOND_DUE),
    Check("Order {0}: the books have {2} fen of {1}, the order says {3} fen.", ORDER_BOOKS),
    Check("Entry {0}: moves {1}, but names no order.", STRAY_ENTRIES),
    Check(
        "Payment {0}: of its {1} fen, {2} fen are marked as allocated ({3} fen are), {4} as returned ({5} are).",
        PAYMENT_COPIES,
    ),
    Check("Suspense of {0}: the books have {1} fen, unmatched are {2} fen.", SUSPENSE),
    Check("Returns of {0}: the books owe {1} fen, {2} fen are on their way back.", RETURNS_DUE),
    Check("Money at {0}: the books have {1} fen, what came in and went out is {2} fen.", MONEY_PLACES),
)
