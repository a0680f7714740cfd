"""From many requests to one call of the order core: orders of a campaign that arrive together share a statement.

While a campaign's batch is in the database, the next one gathers. A batch is one statement, so one transaction:
`place_orders` and, for what is to be paid, `open_intents` and `pay_placed_orders`, each all or nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from kaituan.intake import metrics
from kaituan.intake.database import ConnectionLost, Lanes
from kaituan.ordering.core import Outcome
from kaituan.people.models import new_public_ids

log = structlog.get_logger(__name__)

BATCH_SIZE = 128
PAUSE_S = 0.001
GATHER_S = 0.008
"""A batch is asked for once nobody has come for the time of a pause, or after the time of gathering: what a call
costs besides its orders is shared by as many as come in one wave, and who comes alone hardly waits."""
QUEUE_LIMIT = 2_000
"""Requests of one process that may wait; who comes later is asked to come back."""
GIVE_UP_AFTER_S = 20.0
"""How long the database may be away before those who wait are told."""
RECONNECT_S = 0.25
TRIES_ALONE = 4

BALANCE, LEADER = "balance", "leader"

TOGETHER_FAILS = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,
)
"""What one request can do to its whole batch: they are placed again one by one."""
WORTH_ANOTHER_TRY = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,
)


class QueueFull(Exception):
    """More wait than can be served soon: come back in a second."""


class CannotPlace(Exception):
    """The database did not answer in time. The same key may be sent again: nothing is placed twice."""


class RequestBroken(Exception):
    """The database refuses this one request as it is."""


@dataclass(slots=True, eq=False)
class Wanted:
    """One order as the order core takes it. lines: (offer id, base steps, note).

    pay: a gateway's channel, `balance` or `leader`."""

    campaign_id: int
    version: int | None
    listing_id: int
    actor_id: int
    key: str
    pay: str
    note: str
    lines: Sequence[tuple[int, int, str]]
    source: str = "tap"
    public_id: str = ""
    """Of the order, and of its intent or payment: given with the batch, kept through all tries."""
    money_public_id: str = ""


@dataclass(slots=True)
class Placed:
    """What became of it. intent: public id of the payment intent that is open for it."""

    outcome: str
    order_id: int | None
    public_id: str | None
    follow_number: int | None
    due_fen: int | None
    offer_id: int | None
    left_quantity: int | None
    intent: str | None
    is_paid: bool


Result = Placed | CannotPlace | RequestBroken
"""What became of an order. An error is handed over, not raised."""
Answer = Callable[[Result], None]
"""Called once with it."""
Waiting = tuple[Wanted, Answer]


class _Queue:
    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()


class Batches:
    """Gathers orders per campaign and version, and places them."""

    def __init__(
        self, lanes: Lanes, *, clock: Callable[[], datetime], on_placed: Callable[[int, set[int]], None]
    ) -> None:
        """on_placed: told the campaign and the listings that have new orders, after each commit."""
        self._lanes = lanes
        self._clock = clock
        self._on_placed = on_placed
        self._queues: dict[tuple[int, int | None], _Queue] = {}
        self._drains: set[asyncio.Task[None]] = set()
        self.waiting = 0

    async def result(self, wanted: Wanted) -> Result:
        """Place one order with the others of its campaign. Raises QueueFull."""
        told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def answer(result: Result) -> None:
            if not told.done():
                told.set_result(result)

        self.place(wanted, answer)
        return await told

    def place(self, wanted: Wanted, answer: Answer) -> None:
        """As `result`, for who is called when it is done. Raises QueueFull."""
        if self.waiting >= QUEUE_LIMIT:
            raise QueueFull
        key = (wanted.campaign_id, wanted.version)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue()
            drain = asyncio.create_task(self._drain(key, queue))
            self._drains.add(drain)
            drain.add_done_callback(self._drains.discard)
        queue.waiting.append((wanted, answer))
        self.waiting += 1

    async def finish(self) -> None:
        """Wait until everything that was taken is answered."""
        while self._drains:
            await asyncio.wait(self._drains)

    async def _drain(self, key: tuple[int, int | None], queue: _Queue) -> None:
        campaign_id, version = key
        while queue.waiting:
            await self._gather(queue)
            taken = [queue.waiting.popleft() for _ in range(min(BATCH_SIZE, len(queue.waiting)))]
            try:
                await self._place_together(campaign_id, version, taken)
            except Exception as error:
                # Nobody may wait for ever, whatever went wrong; the key makes asking again safe. Nobody has been
                # told anything yet: what can fail on the way to one of several answers is caught there.
                log.exception("intake.batch_failed", campaign=campaign_id, size=len(taken))
                _tell_all(taken, CannotPlace(str(error)))
            finally:
                self.waiting -= len(taken)
        del self._queues[key]

    async def _gather(self, queue: _Queue) -> None:
        """Wait for those who come in the same moment."""
        until = time.monotonic() + GATHER_S
        before = 0
        while before < len(queue.waiting) < BATCH_SIZE and time.monotonic() < until:
            before = len(queue.waiting)
            await asyncio.sleep(PAUSE_S)

    async def _place_together(self, campaign_id: int, version: int | None, taken: list[Waiting]) -> None:
        # Whoever has left in the meantime was never told anything: the order is placed all the same, for
        # the request was taken, and asking again with its key finds it.
        started = time.perf_counter()
        ids = iter(new_public_ids(2 * len(taken)))
        for wanted, _ in taken:
            wanted.public_id, wanted.money_public_id = next(ids), next(ids)
        try:
            answers = await self._ask(campaign_id, version, [wanted for wanted, _ in taken])
        except TOGETHER_FAILS as error:
            if len(taken) > 1:
                log.warning("intake.one_by_one", campaign=campaign_id, size=len(taken), error=str(error))
                metrics.ONE_BY_ONE.inc()
            for one in taken:
                await self._place_alone(campaign_id, version, one)
        except (asyncpg.QueryCanceledError, ConnectionLost) as error:
            _tell_all(taken, CannotPlace(str(error)))
        else:
            for (_, answer), placed in zip(taken, answers, strict=True):
                _tell(answer, placed)
        metrics.note_batch(len(taken), time.perf_counter() - started)

    async def _place_alone(self, campaign_id: int, version: int | None, one: Waiting) -> None:
        wanted, answer = one
        for tries_left in reversed(range(TRIES_ALONE)):
            try:
                [placed] = await self._ask(campaign_id, version, [wanted])
            except WORTH_ANOTHER_TRY as error:
                if tries_left == 0:
                    _tell(answer, CannotPlace(str(error)))
            except (asyncpg.QueryCanceledError, ConnectionLost) as error:
                _tell(answer, CannotPlace(str(error)))
                return
            except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
                _tell(answer, RequestBroken(str(error)))
                return
            except Exception as error:
                log.exception("intake.order_failed", campaign=campaign_id)
                _tell(answer, CannotPlace(str(error)))
                return
            else:
                _tell(answer, placed)
                return

    async def _ask(self, campaign_id: int, version: int | None, wanted: list[Wanted]) -> list[Placed]:
        """One call of the order core; asked again with the same keys while the connection is lost."""
        give_up_at = time.monotonic() + GIVE_UP_AFTER_S
        while True:
            try:
                rows = await self._lanes.fetch(
                    PLACE, *_arguments(self._clock(), campaign_id, version, wanted)
                )
                break
            except ConnectionLost:
                if time.monotonic() >= give_up_at:
                    raise
                await asyncio.sleep(RECONNECT_S)
        answers = [_placed(row, one) for row, one in zip(rows, wanted, strict=True)]
        listings = {
            one.listing_id for one, placed in zip(wanted, answers, strict=True) if placed.outcome == "placed"
        }
        if listings:
            self._on_placed(campaign_id, listings)
        return answers


def _tell(answer: Answer, result: Result) -> None:
    try:
        answer(result)
    except Exception:
        # Whoever cannot be answered must not keep the others of the batch from their answers.
        log.exception("intake.not_answered")


def _tell_all(taken: list[Waiting], error: CannotPlace) -> None:
    for _, answer in taken:
        _tell(answer, error)


def _placed(row: asyncpg.Record, wanted: Wanted) -> Placed:
    _, outcome, *rest = row
    if outcome == Outcome.ALREADY_PLACED and row["public_id"] == wanted.public_id:
        # Our own first try: it was committed, and the connection lost before it could say so.
        outcome = Outcome.PLACED
    return Placed(outcome, *rest)


def _arguments(now: datetime, campaign_id: int, version: int | None, wanted: list[Wanted]) -> list[Any]:
    """As `ordering.core.place_orders_arguments`, and for the payments the channels and the ids to give."""
    # A column left out is null in every row.
    nothing: list[None] | None = None
    line_order: list[int] = []
    line_offer: list[int] = []
    line_quantity: list[int] = []
    line_note: list[str] = []
    for position, one in enumerate(wanted, start=1):
        for offer_id, quantity, note in one.lines:
            line_order.append(position)
            line_offer.append(offer_id)
            line_quantity.append(quantity)
            line_note.append(note)
    return [
        now,
        campaign_id,
        version,
        [one.public_id for one in wanted],
        [one.listing_id for one in wanted],
        nothing,
        [one.actor_id for one in wanted],
        [one.key for one in wanted],
        [one.source for one in wanted],
        ["leader" if one.pay == LEADER else "prepaid" for one in wanted],
        [one.note for one in wanted],
        nothing,
        nothing,
        line_order,
        line_offer,
        line_quantity,
        line_note,
        [one.pay for one in wanted],
        [one.money_public_id for one in wanted],
    ]


PLACE = """
WITH placed AS MATERIALIZED (
    SELECT answer.*, ($18::text[])[position_number] AS pay, ($19::text[])[position_number] AS money_id
    FROM place_orders($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS answer
), opened AS MATERIALIZED (
    SELECT open_intents(
        $1, array_agg(order_id), array_agg(pay), array_agg(due_fen), array_agg(pay_by), array_agg(money_id)
    ) FROM placed WHERE pay_by IS NOT NULL AND pay <> 'balance'
), paid AS MATERIALIZED (
    SELECT array_agg(paid.order_id) AS orders FROM (
        SELECT array_agg(order_id) AS orders, array_agg(pay_by IS NOT NULL) AS are_new,
            array_agg(money_id) AS public_ids
        FROM placed WHERE due_fen > 0 AND pay = 'balance'
    ) asked, LATERAL pay_placed_orders($1, orders, are_new, public_ids) AS paid(order_id)
)
SELECT position_number, outcome, order_id, public_id, follow_number, due_fen, offer_id, left_quantity,
    CASE WHEN outcome = 'already_placed' THEN open_intent_of(order_id)
        WHEN pay_by IS NOT NULL AND pay <> 'balance' THEN money_id END AS intent,
    coalesce(order_id = ANY (paid.orders), false) AS is_paid
FROM placed, opened, paid ORDER BY position_number
"""
