"""Posting entries. Every app builds its transfers in its own `postings.py` and posts them here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from kaituan.ledger.models import (
    CACHED_KINDS,
    DEBIT_KINDS,
    Account,
    AccountKind,
    CachedBalance,
    Entry,
    Transfer,
)


class LedgerError(Exception):
    """A posting that the books refuse; the message says why."""


class BalanceTooLow(LedgerError):
    """The account holds less than was to be taken from it."""


@dataclass(frozen=True, slots=True, order=True)
class AccountRef:
    """An account by what it is, whether or not it exists yet. owner: `type:id`, or empty."""

    kind: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Debit one account and credit another with `amount_fen` (> 0)."""

    debit: AccountRef
    credit: AccountRef
    amount_fen: int


@transaction.atomic
def post_entry(
    *,
    key: str,
    kind: str,
    reference: str,
    occurred_at: datetime,
    moves: Sequence[Move],
    reverses: Entry | None = None,
    memo: str = "",
    no_overdraft: Iterable[AccountRef] = (),
) -> Entry:
    """Write one entry with its transfers, all or none; the same key again returns the first entry.

    Moves of 0 fen are left out. `no_overdraft` names personal accounts that must not end below zero.
    Raises LedgerError when nothing is left to post or an amount is negative, BalanceTooLow for an overdraft.
    """
    moves = [move for move in moves if move.amount_fen != 0]
    if not moves:
        raise LedgerError(f"Entry {key} moves nothing.")
    if any(move.amount_fen < 0 for move in moves):
        raise LedgerError(f"Entry {key} would move a negative amount.")
    entry, created = _insert_entry(
        key=key, kind=kind, reference=reference, occurred_at=occurred_at, reverses=reverses, memo=memo
    )
    if not created:
        return entry
    accounts = _accounts({ref for move in moves for ref in (move.debit, move.credit)})
    Transfer.objects.bulk_create(
        Transfer(entry=entry, debit=accounts[m.debit], credit=accounts[m.credit], amount_fen=m.amount_fen)
        for m in moves
    )
    _update_cached_balances(moves, accounts, frozenset(no_overdraft))
    return entry


def reverse_entry(*, entry: Entry, key: str, occurred_at: datetime, memo: str = "") -> Entry:
    """Post the mirror image of an entry. Reversing twice returns the first reversal."""
    transfers = entry.transfers.select_related("debit", "credit").order_by("id")
    moves = [
        Move(
            debit=AccountRef(t.credit.kind, t.credit.owner),
            credit=AccountRef(t.debit.kind, t.debit.owner),
            amount_fen=t.amount_fen,
        )
        for t in transfers
    ]
    return post_entry(
        key=key,
        kind=f"{entry.kind}_reversed",
        reference=entry.reference,
        occurred_at=occurred_at,
        moves=moves,
        reverses=entry,
        memo=memo,
    )


def _insert_entry(
    *, key: str, kind: str, reference: str, occurred_at: datetime, reverses: Entry | None, memo: str
) -> tuple[Entry, bool]:
    # ON CONFLICT waits for a concurrent writer of the same key and then yields no row: two clicks, one entry.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_entry (key, kind, reference, occurred_at, reverses_id, memo)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING id",
            [key, kind, reference, occurred_at, reverses.pk if reverses else None, memo],
        )
        row = cursor.fetchone()
    if row is None:
        return Entry.objects.get(key=key), False
    return (
        Entry(
            pk=row[0],
            key=key,
            kind=kind,
            reference=reference,
            occurred_at=occurred_at,
            reverses=reverses,
            memo=memo,
        ),
        True,
    )


def _accounts(refs: set[AccountRef]) -> dict[AccountRef, Account]:
    ordered = sorted(refs)
    wanted = {(ref.kind, ref.owner) for ref in ordered}
    found = _find_accounts(ordered)
    missing = [ref for ref in ordered if ref not in found]
    if missing:
        Account.objects.bulk_create(
            [Account(kind=AccountKind(ref.kind), owner=ref.owner) for ref in missing], ignore_conflicts=True
        )
        found = _find_accounts(ordered)
    assert len(found) == len(wanted)
    return found


def _find_accounts(refs: Sequence[AccountRef]) -> dict[AccountRef, Account]:
    rows = Account.objects.filter(kind__in={ref.kind for ref in refs}, owner__in={ref.owner for ref in refs})
    wanted = set(refs)
    return {ref: account for account in rows if (ref := AccountRef(account.kind, account.owner)) in wanted}


def _update_cached_balances(
    moves: Sequence[Move], accounts: dict[AccountRef, Account], no_overdraft: frozenset[AccountRef]
) -> None:
    changes: dict[AccountRef, int] = defaultdict(int)
    for move in moves:
        changes[move.debit] += move.amount_fen if move.debit.kind in DEBIT_KINDS else -move.amount_fen
        changes[move.credit] += -move.amount_fen if move.credit.kind in DEBIT_KINDS else move.amount_fen
    # One fixed order for every writer, so that two entries over the same accounts cannot deadlock.
    for ref in sorted(changes, key=lambda r: accounts[r].pk):
        if ref.kind not in CACHED_KINDS:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_cachedbalance AS b (account_id, balance_fen) VALUES (%s, %s)"
                " ON CONFLICT (account_id) DO UPDATE SET balance_fen = b.balance_fen + excluded.balance_fen"
                " RETURNING balance_fen",
                [accounts[ref].pk, changes[ref]],
            )
            balance_fen = cursor.fetchone()[0]
        if ref in no_overdraft and balance_fen < 0:
            raise BalanceTooLow(f"{ref.kind} of {ref.owner} is {-balance_fen} fen short.")


def lock_balance_fen(ref: AccountRef) -> int:
    """Balance of a personal account, its row locked until the transaction ends."""
    return lock_balances_fen(ref)[ref]


def lock_balances_fen(*refs: AccountRef) -> dict[AccountRef, int]:
    """Balances of personal accounts, their rows locked until the transaction ends; 0 where nothing was posted yet."""
    wanted = Q()
    for ref in refs:
        wanted |= Q(account__kind=ref.kind, account__owner=ref.owner)
    rows = CachedBalance.objects.select_for_update(of=("self",), no_key=True).select_related("account")
    # In the one order of all who change balances, and no account with them: transfers refer to those.
    found = {
        AccountRef(row.account.kind, row.account.owner): row.balance_fen
        for row in rows.filter(wanted).order_by("account_id")
    }
    return {ref: found.get(ref, 0) for ref in refs}
