"""Is everything in order? Every invariant of the line, looked at in one snapshot; nothing is written."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from kaituan.ledger.queries import broken_invariants
from kaituan.reporting.invariants import goods, money, pay, references

CHECKS = (*references.CHECKS, *money.CHECKS, *goods.CHECKS, *pay.CHECKS)


def examine() -> list[str]:
    """One sentence for each thing that does not add up; empty when all is well."""
    with _one_snapshot():
        problems = broken_invariants()
        for check in CHECKS:
            problems += check.run()
    return problems


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Everything is read as of one instant, so that orders placed meanwhile break nothing.

    Inside a transaction that is open already (tests), that transaction's own view is good enough.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
