"""What a grown town comes to, in figures that do not depend on random ids: the same seed, the same digest."""

import hashlib
import json
from typing import Any

from django.db import connection

FIGURES = {
    "orders": "SELECT status, settles, source, count(*), sum(list_fen), sum(adjustment_fen), sum(paid_fen),"
    " sum(refunded_fen) FROM ordering_order GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "lines": "SELECT dense_rank() OVER (ORDER BY o.listing_id), o.follow_number, f.code, l.quantity, l.amount_fen,"
    " l.cost_fen, l.allocated_quantity, l.handed_quantity, extract(epoch FROM l.completed_at)::bigint"
    " FROM ordering_orderline l JOIN ordering_order o ON o.id = l.order_id"
    " JOIN campaigns_offer f ON f.id = l.offer_id ORDER BY 1, 2, 3",
    "payments": "SELECT channel, dense_rank() OVER (ORDER BY held_by_id), count(*), sum(amount_fen),"
    " sum(allocated_fen), sum(returned_fen) FROM payments_payment GROUP BY channel, held_by_id ORDER BY 2, 1",
    "refunds": "SELECT channel, reason, status, count(*), sum(amount_fen) FROM payments_refund"
    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "books": "SELECT d.kind, c.kind, count(*), sum(t.amount_fen) FROM ledger_transfer t"
    " JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id"
    " GROUP BY 1, 2 ORDER BY 1, 2",
    "claims": "SELECT status, liability, count(*), sum(asked_fen), sum(granted_fen) FROM aftersales_claim"
    " GROUP BY 1, 2 ORDER BY 1, 2",
    "commission": "SELECT dense_rank() OVER (ORDER BY leader_id), rule, count(*), sum(amount_fen)"
    " FROM settlement_commissionrow GROUP BY leader_id, period_id, rule ORDER BY period_id, 1, 2",
    "withdrawals": "SELECT dense_rank() OVER (ORDER BY leader_id), status, amount_fen, netted_fen, tax_fen"
    " FROM settlement_withdrawal ORDER BY id",
    "suppliers": "SELECT dense_rank() OVER (ORDER BY supplier_id), kind, count(*), sum(amount_fen)"
    " FROM settlement_supplierpayable GROUP BY supplier_id, kind ORDER BY 1, 2",
}


def town_digest() -> str:
    """SHA-256 over the town's figures. Rows are named by their order, so that it holds in any database."""
    figures: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for name, query in FIGURES.items():
            cursor.execute(query)
            figures[name] = cursor.fetchall()
    return hashlib.sha256(json.dumps(figures, default=str).encode()).hexdigest()
