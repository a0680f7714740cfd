"""Reading the books: balances as sums, and what does not add up."""

from collections.abc import Iterable

from django.db import connection

from kaituan.ledger.models import CACHED_KINDS, DEBIT_KINDS
from kaituan.ledger.services import AccountRef


def balance_fen(ref: AccountRef) -> int:
    """Sum over all transfers of one account, on its kind's own side; 0 if it has none."""
    return balances_fen(kind=ref.kind, owners=[ref.owner]).get(ref.owner, 0)


def balances_fen(*, kind: str, owners: Iterable[str] | None = None) -> dict[str, int]:
    """Owner -> balance of every account of `kind` (of the given owners only, if given)."""
    sign = 1 if kind in DEBIT_KINDS else -1
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.owner, (
                coalesce((SELECT sum(amount_fen) FROM ledger_transfer WHERE debit_id = a.id), 0)
                - coalesce((SELECT sum(amount_fen) FROM ledger_transfer WHERE credit_id = a.id), 0)
            )::bigint
            FROM ledger_account a
            WHERE a.kind = %s AND (%s::text[] IS NULL OR a.owner = ANY(%s::text[]))
            """,
            [kind, *[list(owners) if owners is not None else None] * 2],
        )
        return {owner: sign * net for owner, net in cursor.fetchall()}


def trial_balance_fen() -> dict[str, int]:
    """Kind -> balance over all its accounts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.kind, sum(t.net)::bigint FROM ledger_account a JOIN (
                SELECT debit_id AS account_id, sum(amount_fen) AS net FROM ledger_transfer GROUP BY 1
                UNION ALL
                SELECT credit_id, -sum(amount_fen) FROM ledger_transfer GROUP BY 1
            ) t ON t.account_id = a.id GROUP BY a.kind ORDER BY a.kind
            """
        )
        return {kind: net if kind in DEBIT_KINDS else -net for kind, net in cursor.fetchall()}


def broken_invariants() -> list[str]:
    """One sentence for each thing in the books that does not add up; empty when all is well."""
    problems = []
    balances = trial_balance_fen()
    debits = sum(amount for kind, amount in balances.items() if kind in DEBIT_KINDS)
    credits = sum(amount for kind, amount in balances.items() if kind not in DEBIT_KINDS)
    if debits != credits:
        problems.append(f"Books: debit balances are {debits} fen, credit balances {credits} fen.")
    for kind in sorted(CACHED_KINDS):
        sums = {owner: fen for owner, fen in balances_fen(kind=kind).items() if fen}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a.owner, b.balance_fen FROM ledger_cachedbalance b"
                " JOIN ledger_account a ON a.id = b.account_id WHERE a.kind = %s AND b.balance_fen <> 0",
                [kind],
            )
            cached = dict(cursor.fetchall())
        for owner in sorted(sums.keys() | cached.keys()):
            if sums.get(owner, 0) != cached.get(owner, 0):
                problems.append(
                    f"Books: {kind} of {owner} is cached as {cached.get(owner, 0)} fen,"
                    f" its transfers add up to {sums.get(owner, 0)} fen."
                )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.key FROM ledger_entry e"
            " WHERE NOT EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.entry_id = e.id) LIMIT 20"
        )
        problems += [f"Books: entry {key} has no transfers." for (key,) in cursor.fetchall()]
    return problems
