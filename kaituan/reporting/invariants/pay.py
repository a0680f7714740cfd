"""Pay: commission against lines and statements, withdrawals and suppliers against the books, claims."""

from kaituan.reporting.invariants.check import Check
from kaituan.reporting.invariants.money import BALANCES

LAST_SETTLED = """(
    SELECT max(p.ends_at) FROM ledger_period p JOIN settlement_settlementrun run ON run.period_id = p.id
)"""

# Everything completed before the end of the last settled period was counted, by the period it was completed in.
COUNTED_LINES = f"""
    SELECT l.id, l.completed_at, coalesce(s.period_id::text, 'no period') FROM ordering_orderline l
    LEFT JOIN settlement_settledline s ON s.line_id = l.id
    LEFT JOIN ledger_period p ON p.id = s.period_id
    WHERE (l.completed_at < {LAST_SETTLED} AND s.line_id IS NULL)
        OR (s.line_id IS NOT NULL
            AND (l.completed_at IS NULL OR l.completed_at < p.starts_at OR l.completed_at >= p.ends_at))
    ORDER BY l.id
"""  # noqa: S608

OVER_REFUNDED = """
    SELECT l.id, paid.fen, paid.refunded FROM ordering_orderline l
    JOIN (
        SELECT line_id,
            coalesce(sum(amount_fen) FILTER (WHERE NOT (kind IN ('weight', 'shortage', 'claim', 'price_cut')
                AND amount_fen < 0)), 0) AS added,
            coalesce(-sum(amount_fen) FILTER (WHERE kind IN ('weight', 'shortage', 'claim', 'price_cut')
                AND amount_fen < 0), 0)::bigint AS refunded
        FROM ordering_orderadjustment WHERE line_id IS NOT NULL GROUP BY 1
    ) a ON a.line_id = l.id
    CROSS JOIN LATERAL (SELECT (l.amount_fen + a.added)::bigint AS fen, a.refunded) paid
    WHERE paid.refunded > paid.fen ORDER BY l.id
"""

# Pay for selling hangs on the sale: where nothing of a line is left, nothing of it may be left either.
UNDONE_LINES = f"""
    WITH undone AS (
        SELECT s.line_id FROM settlement_settledline s
        JOIN ordering_orderline l ON l.id = s.line_id
        LEFT JOIN (
            SELECT line_id, sum(amount_fen) AS fen FROM ordering_orderadjustment
            WHERE line_id IS NOT NULL AND NOT (
                kind IN ('weight', 'shortage', 'claim', 'price_cut') AND amount_fen < 0
                AND created_at >= {LAST_SETTLED}
            ) GROUP BY 1
        ) a ON a.line_id = s.line_id
        WHERE l.amount_fen + coalesce(a.fen, 0) = 0
    )
    SELECT r.line_id, r.leader_id, r.rule, sum(r.amount_fen)::bigint
    FROM settlement_commissionrow r JOIN undone ON undone.line_id = r.line_id
    WHERE r.rule IN ('sale', 'differential', 'peer')
    GROUP BY 1, 2, 3 HAVING sum(r.amount_fen) <> 0 ORDER BY 1, 2, 3
"""  # noqa: S608

STATEMENTS = """
    WITH rows AS (
        SELECT period_id, leader_id, sum(amount_fen)::bigint AS fen, count(*) AS number
        FROM settlement_commissionrow GROUP BY 1, 2
    )
    SELECT coalesce(s.period_id, r.period_id), coalesce(s.leader_id, r.leader_id), coalesce(s.total_fen, 0),
        coalesce(s.row_count, 0), coalesce(r.fen, 0), coalesce(r.number, 0)
    FROM settlement_statement s FULL JOIN rows r ON r.period_id = s.period_id AND r.leader_id = s.leader_id
    WHERE coalesce(s.total_fen, 0) <> coalesce(r.fen, 0) OR coalesce(s.row_count, 0) <> coalesce(r.number, 0)
        OR (s.id IS NULL) <> (r.period_id IS NULL)
    ORDER BY 1, 2
"""

# Two sentences from one look: a run against its rows, and rows without a run.
RUNS = """
    WITH rows AS (
        SELECT period_id, count(*) AS number, sum(amount_fen)::bigint AS fen FROM settlement_commissionrow GROUP BY 1
    ), lines AS (SELECT period_id, count(*) AS number FROM settlement_settledline GROUP BY 1)
    SELECT CASE WHEN run.id IS NULL THEN format('Period %s: has commission rows, but no run.', r.period_id)
        ELSE format('Run of period %s: says %s rows (%s are there), %s fen (%s are), %s lines (%s are).',
            run.period_id, run.row_count, coalesce(r.number, 0), run.total_fen, coalesce(r.fen, 0), run.line_count,
            coalesce(l.number, 0)) END
    FROM settlement_settlementrun run
    FULL JOIN rows r ON r.period_id = run.period_id
    LEFT JOIN lines l ON l.period_id = run.period_id
    WHERE run.id IS NULL OR run.row_count <> coalesce(r.number, 0) OR run.total_fen <> coalesce(r.fen, 0)
        OR run.line_count <> coalesce(l.number, 0)
    ORDER BY coalesce(run.period_id, r.period_id)
"""

# What was confirmed before the last settled period's end stands in rows, less what fell with its line since; and what
# is confirmed answers its question.
CORRECTIONS = f"""
    WITH lines AS (
        SELECT l.id, l.amount_fen + coalesce(sum(a.amount_fen), 0) AS fen FROM ordering_orderline l
        LEFT JOIN ordering_orderadjustment a ON a.line_id = l.id AND NOT (
            a.kind IN ('weight', 'shortage', 'claim', 'price_cut') AND a.amount_fen < 0
            AND a.created_at >= {LAST_SETTLED})
        WHERE l.id IN (
            SELECT r.line_id FROM settlement_dispute d JOIN settlement_commissionrow r ON r.id = d.row_id
            JOIN settlement_correction c ON c.dispute_id = d.id)
        GROUP BY l.id
    ), confirmed AS (
        SELECT s.leader_id, r.line_id, sum(c.amount_fen) AS fen,
            coalesce(sum(c.amount_fen) FILTER (WHERE lines.fen <> 0 OR r.rule = 'service'), 0) AS sure_fen,
            bool_or(lines.fen = 0) AS may_fall
        FROM settlement_correction c
        JOIN settlement_dispute d ON d.id = c.dispute_id
        JOIN settlement_statement s ON s.id = d.statement_id
        LEFT JOIN settlement_commissionrow r ON r.id = d.row_id
        LEFT JOIN lines ON lines.id = r.line_id
        WHERE c.confirmed_at < {LAST_SETTLED} GROUP BY 1, 2
    ), booked AS (
        SELECT leader_id, line_id, sum(amount_fen) AS fen FROM settlement_commissionrow
        WHERE rule = 'correction' GROUP BY 1, 2
    )
    SELECT format('Corrections of leader %s on line %s: %s fen were confirmed, the rows are %s fen.',
        coalesce(c.leader_id, b.leader_id), coalesce(c.line_id, b.line_id), coalesce(c.fen, 0), coalesce(b.fen, 0))
    FROM confirmed c FULL JOIN booked b ON b.leader_id = c.leader_id AND coalesce(b.line_id, 0) = coalesce(c.line_id, 0)
    WHERE CASE WHEN c.may_fall THEN coalesce(b.fen, 0) NOT BETWEEN c.sure_fen AND c.fen
        ELSE coalesce(b.fen, 0) <> coalesce(c.fen, 0) END
    UNION ALL
    SELECT format('Correction %s: it and its question %s do not say the same.', c.id, c.dispute_id)
    FROM settlement_correction c JOIN settlement_dispute d ON d.id = c.dispute_id
    WHERE (c.confirmed_at IS NOT NULL AND d.answered_at IS NULL)
        OR (c.confirmed_at IS NULL AND c.declined_at IS NULL AND d.answered_at IS NOT NULL)
    ORDER BY 1
"""  # noqa: S608

PAYABLE = f"""
    WITH moved AS (
        SELECT leader_id, total_fen AS fen FROM settlement_statement
        UNION ALL
        SELECT leader_id, -amount_fen FROM settlement_withdrawal WHERE status IN ('requested', 'approved', 'paid')
    ), expected AS (SELECT 'leader:' || leader_id AS owner, sum(fen)::bigint AS fen FROM moved GROUP BY 1), booked AS (
        SELECT owner, credit_fen AS fen FROM ({BALANCES}) b WHERE kind = 'commission_payable'
    )
    SELECT coalesce(booked.owner, expected.owner), coalesce(booked.fen, 0), coalesce(expected.fen, 0)
    FROM booked FULL JOIN expected ON expected.owner = booked.owner
    WHERE coalesce(booked.fen, 0) <> coalesce(expected.fen, 0) ORDER BY 1
"""  # noqa: S608

WITHDRAWALS = f"""
    WITH expected AS (
        SELECT 'withdrawal:' || id AS owner,
            CASE WHEN status IN ('requested', 'approved') THEN amount_fen - netted_fen ELSE 0 END AS fen
        FROM settlement_withdrawal
    ), booked AS (SELECT owner, credit_fen AS fen FROM ({BALANCES}) b WHERE kind = 'withdrawal_due')
    SELECT coalesce(booked.owner, expected.owner), coalesce(booked.fen, 0), coalesce(expected.fen, 0)
    FROM booked FULL JOIN expected ON expected.owner = booked.owner
    WHERE coalesce(booked.fen, 0) <> coalesce(expected.fen, 0) ORDER BY 1
"""  # noqa: S608

TAX = f"""
    SELECT booked.fen, withheld.fen
    FROM (SELECT coalesce(sum(credit_fen), 0)::bigint AS fen FROM ({BALANCES}) b WHERE kind = 'tax_withheld') booked,
        (SELECT coalesce(sum(tax_fen), 0)::bigint AS fen FROM settlement_withdrawal WHERE status = 'paid') withheld
    WHERE booked.fen <> withheld.fen
"""  # noqa: S608

SUPPLIER_ENTRIES = """
    SELECT split_part(a.owner, ':', 2)::bigint AS supplier_id, e.id AS entry_id, e.kind, e.key, e.reference,
        sum(CASE WHEN a.id = t.credit_id THEN t.amount_fen ELSE -t.amount_fen END)::bigint AS fen
    FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
    JOIN ledger_entry e ON e.id = t.entry_id
    WHERE a.kind = 'supplier_payable' GROUP BY a.id, e.id
"""

# A payable for every entry that is no payment; entries of this very moment are written down by the next job.
SUPPLIER_PAYABLES = f"""
    SELECT p.id, p.supplier_id, p.amount_fen, coalesce(b.fen, 0) FROM settlement_supplierpayable p
    LEFT JOIN ({SUPPLIER_ENTRIES}) b ON b.entry_id = p.entry_id AND b.supplier_id = p.supplier_id
    WHERE p.amount_fen <> coalesce(b.fen, 0) ORDER BY p.id
"""  # noqa: S608

SUPPLIER_PAYMENTS = f"""
    SELECT pay.id, pay.amount_fen, coalesce(items.fen, 0), coalesce(-b.fen, 0) FROM settlement_supplierpayment pay
    LEFT JOIN (
        SELECT i.payment_id, sum(p.amount_fen)::bigint AS fen FROM settlement_supplierpaymentitem i
        JOIN settlement_supplierpayable p ON p.id = i.payable_id GROUP BY 1
    ) items ON items.payment_id = pay.id
    LEFT JOIN ({SUPPLIER_ENTRIES}) b ON b.reference = 'supplier_payment:' || pay.id
    WHERE pay.amount_fen <> coalesce(items.fen, 0) OR pay.amount_fen <> coalesce(-b.fen, 0) ORDER BY pay.id
"""  # noqa: S608

STRAY_SUPPLIER_ENTRIES = f"""
    SELECT key, kind FROM ({SUPPLIER_ENTRIES}) b
    WHERE kind NOT IN ('goods_received', 'supplier_claim', 'supplier_paid') ORDER BY key
"""  # noqa: S608

CLAIMS = """
    SELECT c.id, c.granted_fen, coalesce(-a.amount_fen, 0) FROM aftersales_claim c
    LEFT JOIN ordering_orderadjustment a ON a.id = c.adjustment_id AND a.line_id = c.line_id AND a.kind = 'claim'
    WHERE c.granted_fen <> coalesce(-a.amount_fen, 0) ORDER BY c.id
"""

CHECKS = (
    Check("Line {0}: completed at {1}, but counted by {2}.", COUNTED_LINES),
    Check("Line {0}: {1} fen were paid for it, {2} fen given back.", OVER_REFUNDED),
    Check("Line {0}: nothing of it is left, but leader {1} keeps {3} fen of {2}.", UNDONE_LINES),
    Check(
        "Statement of leader {1} for period {0}: says {2} fen in {3} rows, the rows are {4} fen in {5}.",
        STATEMENTS,
    ),
    Check("{0}", RUNS),
    Check("{0}", CORRECTIONS),
    Check(
        "Commission payable of {0}: the books have {1} fen, statements less withdrawals are {2} fen.", PAYABLE
    ),
    Check("Due for {0}: the books have {1} fen, its state says {2} fen.", WITHDRAWALS),
    Check("Tax withheld: the books have {0} fen, paid withdrawals withheld {1} fen.", TAX),
    Check("Supplier payable {0} of supplier {1}: says {2} fen, its entry moved {3} fen.", SUPPLIER_PAYABLES),
    Check(
        "Supplier payment {0}: is {1} fen, its payables are {2} fen, the books moved {3} fen.",
        SUPPLIER_PAYMENTS,
    ),
    Check("Entry {0}: {1} is nothing that a supplier is owed or paid for.", STRAY_SUPPLIER_ENTRIES),
    Check("Claim {0}: {1} fen were granted, its adjustment took off {2} fen.", CLAIMS),
)
