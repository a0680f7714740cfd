"""The one way to stock: placing orders, and giving stock back or taking more of it.

The work is done by SQL functions (`sql/`), set by set; this module turns requests into arrays and answers
into objects. `now` is an argument of every function.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from kaituan.notices import live
from kaituan.people.models import new_public_id


class Outcome(StrEnum):
    PLACED = "placed"
    ALREADY_PLACED = "already_placed"
    """The same actor sent the same key before; the answer is the order of then."""
    CLOSED = "closed"
    NOT_OPEN_YET = "not_open_yet"
    CHANGED = "changed"
    """The campaign has another version than the buyer saw."""
    NOT_LISTED = "not_listed"
    STOPPED = "stopped"
    INVALID = "invalid"
    PREPAID_ONLY = "prepaid_only"
    SOLD_OUT = "sold_out"
    LIMIT_REACHED = "limit_reached"


@dataclass(frozen=True, slots=True)
class LineRequest:
    """quantity: base steps of the offer's variant, > 0. An offer stands once in an order."""

    offer_id: int
    quantity: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as asked for. key: unique per actor, made with the form, so that a replay places nothing."""

    listing_id: int
    member_id: int | None
    """None: the actor's own place in the listing's group."""
    actor_id: int
    key: str
    source: str
    lines: Sequence[LineRequest]
    settles: str = "prepaid"
    note: str = ""
    chat_number: int | None = None
    claims_paid: bool = False
    public_id: str = field(default_factory=new_public_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request. offer_id and left_quantity (base steps) are set for a shortage."""

    outcome: Outcome
    order_id: int | None = None
    public_id: str | None = None
    follow_number: int | None = None
    due_fen: int | None = None
    offer_id: int | None = None
    left_quantity: int | None = None
    pay_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockChange:
    """Base steps of one offer that one person takes (positive) or gives back (negative)."""

    person_id: int
    offer_id: int
    change: int


class StockRefused(Exception):
    """More was asked for than there is. outcome: sold_out or limit_reached; left_quantity in base steps."""

    def __init__(self, *, outcome: Outcome, offer_id: int, left_quantity: int) -> None:
        super().__init__(f"{outcome}: offer {offer_id}, {left_quantity} left")
        self.outcome = outcome
        self.offer_id = offer_id
        self.left_quantity = left_quantity


def place_orders_arguments(
    *, now: datetime, campaign_id: int, version: int | None, requests: Sequence[OrderRequest]
) -> list[Any]:
    """The arguments of SQL `place_orders`, in its order: columns of arrays."""
    lines = [(i, line) for i, request in enumerate(requests, start=1) for line in request.lines]
    return [
        now,
        campaign_id,
        version,
        [r.public_id for r in requests],
        [r.listing_id for r in requests],
        [r.member_id for r in requests],
        [r.actor_id for r in requests],
        [r.key for r in requests],
        [r.source for r in requests],
        [r.settles for r in requests],
        [r.note for r in requests],
        [r.chat_number for r in requests],
        [r.claims_paid for r in requests],
        [i for i, _ in lines],
        [line.offer_id for _, line in lines],
        [line.quantity for _, line in lines],
        [line.note for _, line in lines],
    ]


def answer_from_row(row: Sequence[object]) -> Answer:
    """An Answer from a row of SQL `place_orders` (its first column is the position)."""
    _, outcome, *rest = row
    return Answer(Outcome(str(outcome)), *rest)  # type: ignore[arg-type]


@transaction.atomic
def place_orders(
    *, now: datetime, campaign_id: int, version: int | None, requests: Sequence[OrderRequest]
) -> list[Answer]:
    """Place many orders of one campaign, in the order of `requests`, each all or nothing.

    version: the campaign's version that the buyers saw, or None to take the one in force.
    Answers one for each request, in the same order. Raises IntegrityError when a twin of a request is being
    placed at the same instant through another campaign; the caller may call again.
    """
    if not requests:
        return []
    arguments = place_orders_arguments(now=now, campaign_id=campaign_id, version=version, requests=requests)
    with connection.cursor() as cursor:
        cursor.execute(PLACE_ORDERS, arguments)
        answers = [answer_from_row(row) for row in cursor.fetchall()]
    joined = {
        f"{live.CHAIN}:{request.listing_id}"
        for request, answer in zip(requests, answers, strict=True)
        if answer.outcome == Outcome.PLACED
    }
    if joined:
        # After the commit: PostgreSQL lets only one transaction that tells something commit at a time.
        transaction.on_commit(lambda: live.changed(*joined))
    return answers


PLACE_ORDERS = (
    "SELECT * FROM place_orders(%s::timestamptz, %s::bigint, %s::integer, %s::text[], %s::bigint[],"
    " %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::integer[],"
    " %s::boolean[], %s::integer[], %s::bigint[], %s::bigint[], %s::text[]) ORDER BY position_number"
)


def move_stock(*, changes: Sequence[StockChange]) -> None:
    """Give back or take stock for orders that stand already; the caller holds the campaign's lock.

    All or nothing. Raises StockRefused when more is asked for than there is.
    """
    changes = [change for change in changes if change.change]
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM move_stock(%s::bigint[], %s::bigint[], %s::bigint[])",
            [[c.person_id for c in changes], [c.offer_id for c in changes], [c.change for c in changes]],
        )
        row = cursor.fetchone()
    if row is not None:
        raise StockRefused(outcome=Outcome(row[0]), offer_id=row[1], left_quantity=row[2])
