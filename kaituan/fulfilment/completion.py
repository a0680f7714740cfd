"""Completing lines: when the claim window has closed the sale is final, and settlement counts it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from kaituan.fulfilment.locks import lock_lines
from kaituan.fulfilment.models import CompletionHold
from kaituan.ledger import periods
from kaituan.ordering.models import OrderLine
from kaituan.payments.services import recognise_lines

BATCH = 500

# A line of which nothing came has no claim window: there is nothing to complain about that was not given back.
DUE = """
    SELECT line.id
    FROM ordering_orderline line
    JOIN ordering_order o ON o.id = line.order_id
    JOIN campaigns_campaign campaign ON campaign.id = o.campaign_id
    WHERE line.completed_at IS NULL AND line.handed_over_at IS NOT NULL AND o.status = 'confirmed'
        AND (
            line.allocated_quantity = 0
            OR line.handed_over_at + make_interval(hours => campaign.claim_window_hours) <= %(now)s
        )
        AND NOT EXISTS (SELECT 1 FROM fulfilment_completionhold hold WHERE hold.order_line_id = line.id)
        AND (%(ids)s::bigint[] IS NULL OR line.id = ANY(%(ids)s::bigint[]))
    ORDER BY line.order_id, line.id
    LIMIT %(limit)s
"""


def complete_due(*, now: datetime, limit: int = BATCH) -> int:
    """Complete lines whose claim window has closed and about which nothing is open; recognise their sales.

    One transaction for up to `limit` lines. Returns how many were completed: call again until it is 0. Safe to
    run twice and in two workers.
    """
    candidates = _due(now=now, limit=limit)
    if not candidates:
        return 0
    with transaction.atomic():
        lock_lines(line_ids=candidates)
        # Asked again under the locks, in a statement of its own, so that it sees a claim that was opened while
        # we waited.
        due = _due(now=now, limit=limit, line_ids=candidates)
        if not due:
            return 0
        OrderLine.objects.filter(pk__in=due).update(completed_at=periods.stamp(now=now))
        order_ids = OrderLine.objects.filter(pk__in=due).values_list("order_id", flat=True)
        recognise_lines(order_ids=sorted(set(order_ids)), now=now)
    return len(due)


def _due(*, now: datetime, limit: int, line_ids: Sequence[int] | None = None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "limit": limit, "ids": list(line_ids) if line_ids else None})
        return [line_id for (line_id,) in cursor.fetchall()]


def hold_completion(*, line: OrderLine, now: datetime) -> None:
    """Something about a locked line is open: it does not complete until `release_completion`."""
    CompletionHold.objects.get_or_create(order_line=line, defaults={"held_at": now})


def release_completion(*, line: OrderLine) -> None:
    CompletionHold.objects.filter(order_line=line).delete()
