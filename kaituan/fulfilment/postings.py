"""What the books say of goods received: the platform owes the supplier, the goods are a cost.

The account of a purchase order is kept right by difference, as an order's is: every count posts what the books
lack or have too much, so that counting again with the same numbers posts nothing.
"""

from datetime import datetime

from django.db import connection

from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine
from kaituan.ledger.models import AccountKind, Entry
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.money.fen import line_amount_fen

COST_OF_GOODS = AccountRef(AccountKind.COST_OF_GOODS)


def received_fen(line: PurchaseOrderLine) -> int:
    """What is owed for one line: received quantity at the purchase price, half a fen up; 0 if not counted."""
    return line_amount_fen(
        price_fen=line.purchase_price_fen,
        price_quantity=line.steps_per_purchase_unit,
        quantity=line.received_quantity or 0,
    )


def supplier_account(*, supplier_id: int) -> AccountRef:
    return AccountRef(AccountKind.SUPPLIER_PAYABLE, f"supplier:{supplier_id}")


def payable_moves(*, supplier_id: int, booked_fen: int, owed_fen: int) -> list[Move]:
    """The moves that turn what the books say is owed for a purchase order into what is owed."""
    payable = supplier_account(supplier_id=supplier_id)
    if owed_fen > booked_fen:
        return [Move(COST_OF_GOODS, payable, owed_fen - booked_fen)]
    if owed_fen < booked_fen:
        return [Move(payable, COST_OF_GOODS, booked_fen - owed_fen)]
    return []


def post_received(*, purchase_order: PurchaseOrder, now: datetime) -> Entry | None:
    """Bring the books up to what was counted of a locked purchase order. None when nothing changed."""
    entries, booked_fen = _booked(purchase_order=purchase_order)
    owed_fen = sum(received_fen(line) for line in purchase_order.lines.all())
    moves = payable_moves(supplier_id=purchase_order.supplier_id, booked_fen=booked_fen, owed_fen=owed_fen)
    if not moves:
        return None
    return post_entry(
        key=f"goods_received:{purchase_order.pk}:{entries + 1}",
        kind="goods_received",
        reference=f"purchase_order:{purchase_order.pk}",
        occurred_at=now,
        moves=moves,
    )


def _booked(*, purchase_order: PurchaseOrder) -> tuple[int, int]:
    """How many entries there are for goods received of this purchase order, and fen they say are owed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT e.id), coalesce(sum(
                CASE WHEN credit.kind = 'supplier_payable' THEN t.amount_fen ELSE -t.amount_fen END), 0)::bigint
            FROM ledger_entry e
            JOIN ledger_transfer t ON t.entry_id = e.id
            JOIN ledger_account credit ON credit.id = t.credit_id
            WHERE e.reference = %s AND e.kind = 'goods_received'
            """,
            [f"purchase_order:{purchase_order.pk}"],
        )
        entries, booked_fen = cursor.fetchone()
    return entries, booked_fen
