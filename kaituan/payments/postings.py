"""What an order's money looks like in the books, and the entries that keep the books so.

`kept` is money received and not given back, `recognised` the net amount of lines that are completed.
At any instant: prepayment = max(0, kept - recognised), receivable = max(0, recognised - kept), and sales have
been credited with `recognised`. Every event posts the difference between what the books say and this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.db import connection
from django.db.models import Count

from kaituan.ledger.bulk import NewEntry, post_entries
from kaituan.ledger.models import AccountKind, Entry
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.ordering.models import Order
from kaituan.payments.models import LEADER_CHANNELS, Channel

PREPAYMENT = AccountRef(AccountKind.PREPAYMENT)
RECEIVABLE = AccountRef(AccountKind.RECEIVABLE)
SALES = AccountRef(AccountKind.SALES)
REFUND_DUE = AccountRef(AccountKind.REFUND_DUE)
NO_CASH: Mapping[int, AccountRef] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """Fen of one order."""

    kept_fen: int = 0
    recognised_fen: int = 0

    @property
    def prepayment_fen(self) -> int:
        return max(0, self.kept_fen - self.recognised_fen)

    @property
    def receivable_fen(self) -> int:
        return max(0, self.recognised_fen - self.kept_fen)


def order_moves(*, before: OrderMoney, after: OrderMoney, cash: AccountRef | None) -> list[Move]:
    """The moves that turn `before` into `after`. cash: the account that gives or takes the change in `kept`;
    None if `kept` does not change."""
    kept_change = after.kept_fen - before.kept_fen
    debits: list[tuple[AccountRef, int]] = []
    credits: list[tuple[AccountRef, int]] = []

    def change(ref: AccountRef, debit_fen: int) -> None:
        if debit_fen > 0:
            debits.append((ref, debit_fen))
        elif debit_fen < 0:
            credits.append((ref, -debit_fen))

    if kept_change:
        assert cash is not None, "money moved, but nobody said from or to where"
        change(cash, kept_change)
    change(RECEIVABLE, after.receivable_fen - before.receivable_fen)
    change(PREPAYMENT, before.prepayment_fen - after.prepayment_fen)
    change(SALES, before.recognised_fen - after.recognised_fen)
    return _pair(debits, credits)


def _pair(debits: list[tuple[AccountRef, int]], credits: list[tuple[AccountRef, int]]) -> list[Move]:
    """Moves that join each debit to credits, in order, until both are used up. Both sides have one sum."""
    moves = []
    while debits:
        (debit, debit_fen), (credit, credit_fen) = debits.pop(0), credits.pop(0)
        amount_fen = min(debit_fen, credit_fen)
        moves.append(Move(debit=debit, credit=credit, amount_fen=amount_fen))
        if debit_fen > amount_fen:
            debits.insert(0, (debit, debit_fen - amount_fen))
        if credit_fen > amount_fen:
            credits.insert(0, (credit, credit_fen - amount_fen))
    return moves


def money_account(*, channel: str, leader_id: int | None = None, person_id: int | None = None) -> AccountRef:
    """Where money of a channel is (or, for a balance, whom it is owed to)."""
    if channel in LEADER_CHANNELS:
        return AccountRef(AccountKind.LEADER_HELD, f"leader:{leader_id}")
    if channel == Channel.BALANCE:
        return AccountRef(AccountKind.BALANCE_PRINCIPAL, f"person:{person_id}")
    return AccountRef(AccountKind.CHANNEL_CASH, f"gateway:{channel}")


def suspense_account(*, payment_id: int) -> AccountRef:
    return AccountRef(AccountKind.SUSPENSE, f"payment:{payment_id}")


def booked_money(*, order_ids: Iterable[int]) -> dict[int, OrderMoney]:
    """What the books say of each order."""
    references = {f"order:{order_id}": order_id for order_id in order_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.reference,
                sum(CASE credit.kind WHEN 'sales' THEN t.amount_fen ELSE 0 END
                    - CASE debit.kind WHEN 'sales' THEN t.amount_fen ELSE 0 END)::bigint,
                sum(CASE WHEN credit.kind = 'prepayment' THEN t.amount_fen ELSE 0 END
                    - CASE WHEN debit.kind = 'prepayment' THEN t.amount_fen ELSE 0 END)::bigint,
                sum(CASE WHEN debit.kind = 'receivable' THEN t.amount_fen ELSE 0 END
                    - CASE WHEN credit.kind = 'receivable' THEN t.amount_fen ELSE 0 END)::bigint
            FROM ledger_entry e JOIN ledger_transfer t ON t.entry_id = e.id
            JOIN ledger_account debit ON debit.id = t.debit_id
            JOIN ledger_account credit ON credit.id = t.credit_id
            WHERE e.reference = ANY(%s) GROUP BY e.reference
            """,
            [list(references)],
        )
        rows = cursor.fetchall()
    money = dict.fromkeys(references.values(), OrderMoney())
    for reference, sales_fen, prepayment_fen, receivable_fen in rows:
        money[references[reference]] = OrderMoney(
            kept_fen=sales_fen + prepayment_fen - receivable_fen, recognised_fen=sales_fen
        )
    return money


def actual_money(*, orders: Iterable[Order]) -> dict[int, OrderMoney]:
    """What the orders themselves say: money kept, and the net amount of completed lines."""
    kept = {order.pk: order.kept_fen for order in orders}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.order_id, (
                coalesce(sum(l.amount_fen + coalesce(adjusted.fen, 0)) FILTER (WHERE l.completed_at IS NOT NULL), 0)
                + CASE WHEN bool_and(l.completed_at IS NOT NULL OR l.quantity = 0) THEN coalesce((
                    SELECT sum(a.amount_fen) FROM ordering_orderadjustment a
                    WHERE a.order_id = l.order_id AND a.line_id IS NULL), 0) ELSE 0 END
            )::bigint
            FROM ordering_orderline l
            LEFT JOIN LATERAL (
                SELECT sum(a.amount_fen) AS fen FROM ordering_orderadjustment a WHERE a.line_id = l.id
            ) adjusted ON true
            WHERE l.order_id = ANY(%s) GROUP BY l.order_id
            HAVING bool_or(l.completed_at IS NOT NULL)
            """,
            [list(kept)],
        )
        recognised = dict(cursor.fetchall())
    return {
        order_id: OrderMoney(kept_fen=fen, recognised_fen=recognised.get(order_id, 0))
        for order_id, fen in kept.items()
    }


def post_order(*, order: Order, kind: str, now: datetime, cash: AccountRef | None = None) -> bool:
    """Bring the books of one locked order up to what the order says now. False when nothing changed."""
    return post_orders(orders=[order], kind=kind, now=now, cash={order.pk: cash} if cash else {}) == 1


def post_orders(
    *, orders: Sequence[Order], kind: str, now: datetime, cash: Mapping[int, AccountRef] = NO_CASH
) -> int:
    """As `post_order` for several locked orders, one entry each; says how many were posted. The number of
    statements does not depend on the number of orders.

    cash: order id -> the account that gives or takes the change in what is kept; left out where it does not
    change. The key of an entry is its number among the order's entries: the order's lock makes it unique, and
    what is posted is a difference, so that calling again posts nothing. Raises BalanceTooLow for a balance
    overdrawn.
    """
    before = booked_money(order_ids=[order.pk for order in orders])
    after = actual_money(orders=orders)
    counts = dict(
        Entry.objects.filter(reference__in=[f"order:{order.pk}" for order in orders])
        .values_list("reference")
        .annotate(Count("pk"))
    )
    entries: list[NewEntry] = []
    posted = 0
    for order in orders:
        account = cash.get(order.pk)
        moves = order_moves(before=before[order.pk], after=after[order.pk], cash=account)
        if not moves:
            continue
        reference = f"order:{order.pk}"
        key = f"{reference}/{counts.get(reference, 0) + 1}"
        if account and account.kind == AccountKind.BALANCE_PRINCIPAL:
            # A member's balance is looked at when it is taken from: that is done one by one.
            post_entry(
                key=key, kind=kind, reference=reference, occurred_at=now, moves=moves, no_overdraft=[account]
            )
            posted += 1
        else:
            entries.append(NewEntry(key=key, kind=kind, reference=reference, moves=tuple(moves)))
    if entries:
        posted += post_entries(entries=entries, occurred_at=now)
    return posted


def next_key(*, order: Order) -> str:
    """The key of a locked order's next entry that is no true-up (a refund sent on its way)."""
    return f"order:{order.pk}/{Entry.objects.filter(reference=f'order:{order.pk}').count() + 1}"
