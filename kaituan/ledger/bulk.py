"""Posting many entries at once: the same entries as one by one, written by a fixed number of statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from kaituan.ledger.models import CACHED_KINDS, DEBIT_KINDS, Transfer
from kaituan.ledger.services import AccountRef, LedgerError, Move, _accounts

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One business event to post, as the arguments of `services.post_entry`."""

    key: str
    kind: str
    reference: str
    moves: tuple[Move, ...]
    memo: str = ""


@transaction.atomic
def post_entries(*, entries: Sequence[NewEntry], occurred_at: datetime) -> int:
    """Write many entries, all or none; those whose key is known are left as they are. Says how many were new.

    Raises LedgerError when an entry moves nothing or a negative amount.
    """
    for entry in entries:
        if not any(move.amount_fen for move in entry.moves):
            raise LedgerError(f"Entry {entry.key} moves nothing.")
        if any(move.amount_fen < 0 for move in entry.moves):
            raise LedgerError(f"Entry {entry.key} would move a negative amount.")
    new = _insert_entries(entries, occurred_at)
    moves = [
        (new[entry.key], move)
        for entry in entries
        if entry.key in new
        for move in entry.moves
        if move.amount_fen
    ]
    if not moves:
        return 0
    accounts = _accounts({ref for _, move in moves for ref in (move.debit, move.credit)})
    Transfer.objects.bulk_create(
        (
            Transfer(
                entry_id=entry_id,
                debit=accounts[move.debit],
                credit=accounts[move.credit],
                amount_fen=move.amount_fen,
            )
            for entry_id, move in moves
        ),
        batch_size=BATCH,
    )
    _add_to_cached_balances({ref: account.pk for ref, account in accounts.items()}, [m for _, m in moves])
    return len(new)


def _insert_entries(entries: Sequence[NewEntry], occurred_at: datetime) -> dict[str, int]:
    """Key -> id of the entries that are new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_entry (key, kind, reference, occurred_at, memo)"
            " SELECT key, kind, reference, %s, memo"
            " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])"
            " WITH ORDINALITY AS e(key, kind, reference, memo, n) ORDER BY n"
            " ON CONFLICT (key) DO NOTHING RETURNING key, id",
            [
                occurred_at,
                [entry.key for entry in entries],
                [entry.kind for entry in entries],
                [entry.reference for entry in entries],
                [entry.memo for entry in entries],
            ],
        )
        return dict(cursor.fetchall())


def _add_to_cached_balances(account_ids: dict[AccountRef, int], moves: Sequence[Move]) -> None:
    changes: dict[int, int] = defaultdict(int)
    for move in moves:
        for ref, fen in ((move.debit, move.amount_fen), (move.credit, -move.amount_fen)):
            if ref.kind in CACHED_KINDS:
                changes[account_ids[ref]] += fen if ref.kind in DEBIT_KINDS else -fen
    with connection.cursor() as cursor:
        # By account id, as `post_entry` does it, so that two writers cannot deadlock.
        cursor.execute(
            "INSERT INTO ledger_cachedbalance AS b (account_id, balance_fen)"
            " SELECT account_id, change FROM unnest(%s::bigint[], %s::bigint[]) AS c(account_id, change)"
            " ORDER BY account_id"
            " ON CONFLICT (account_id) DO UPDATE SET balance_fen = b.balance_fen + excluded.balance_fen",
            [list(changes), list(changes.values())],
        )
