"""The one ASGI application: what is hot is answered here, everything else by Django behind it."""

import asyncio
import contextvars
import itertools
import re
import secrets
import time
from collections.abc import Callable, Coroutine

import structlog
from django.db import DatabaseError

from kaituan.intake import health, memory, metrics, requests
from kaituan.intake.batches import Batches
from kaituan.intake.behind import Behind
from kaituan.intake.chain import LiveChains
from kaituan.intake.changes import Changes
from kaituan.intake.database import Lanes
from kaituan.intake.http import Message, Receive, Scope, Send, header, send_answer
from kaituan.intake.orders import OrderIntake, Reply
from kaituan.intake.pages import PageAnswer, PageCache, Pages
from kaituan.intake.reading import Reader
from kaituan.intake.snapshots import Snapshots
from kaituan.intake.visitors import Visitors
from kaituan.notices import live
from kaituan.people.persons import REVOKED_CHANNEL
from kaituan.web import clock

log = structlog.get_logger(__name__)

LANES = 3
CHAIN_PATH = re.compile(r"/g/[0-9a-z]{4,16}/chain\.json")
NAME = re.compile(rb"[A-Za-z0-9-]{1,64}")
LOOK_AGAIN_S = 3.0
FLUSH_S = 1.0
GIVE_BACK_S = 30.0
START_S = 3.0
TELL_OTHERS_S = 0.2


class Application:
    """Routes requests, and holds what the raw routes share. One for each process; it starts with the lifespan."""

    def __init__(self, *, django: Behind, pages: Pages, private_cookies: tuple[bytes, ...] = ()) -> None:
        self._django = django
        self._pages_to_render = pages
        self._private_cookies = private_cookies
        self._process: Process | None = None
        self._request_name = secrets.token_hex(4).encode()
        self._request_number = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        process = self._process
        if process is None:
            await send_answer(send, 503, b"", headers=((b"retry-after", b"1"),))
            return
        name = self.name_of(scope)
        requests.name.set(name)
        if scope["path"] == "/intake/orders":
            await process.orders(scope, receive, send, name=name)
        else:
            await self._others(process, scope, receive, _bearing(name, send))

    def name_of(self, scope: Scope) -> bytes:
        """What a request's log lines and its answer bear: its own name, or one that nobody else has."""
        name = header(scope, b"x-request-id")
        if not name or not NAME.fullmatch(name):
            name = b"%s-%x" % (self._request_name, next(self._request_number))
        return name

    def take_order(self, scope: Scope, body: bytes, *, name: bytes, answer: Callable[[Reply], None]) -> bool:
        """`OrderIntake.take`, for a server that hands over orders as they come."""
        process = self._process
        return process is not None and process.orders.take(scope, body, name=name, answer=answer)

    def take_page(self, scope: Scope) -> PageAnswer | None:
        """`PageCache.take`, likewise."""
        return self._process.pages.take(scope, is_busy=self._django.is_busy) if self._process else None

    async def _others(self, process: "Process", scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/intake/chain/") and path.endswith("/events"):
            listing = path.removeprefix("/intake/chain/").removesuffix("/events")
            await process.chains(scope, receive, send, listing=listing)
        elif CHAIN_PATH.fullmatch(path) and await process.chains.poll(
            scope, send, listing=path.split("/")[2]
        ):
            return
        elif path == "/health/live":
            await health.live(send)
        elif path == "/health/ready":
            await health.ready(send, lanes=process.lanes, changes=process.changes)
        elif path == "/metrics":
            await health.expose(scope, send)
        else:
            found = process.pages.route(scope, is_busy=self._django.is_busy)
            if found:
                try:
                    if await process.pages(scope, receive, send, listing=found[0], render=found[1]):
                        return
                except DatabaseError:
                    log.warning("pages.not_read", path=path)
            await self._django(scope, receive, send)

    def end_streams(self) -> None:
        """Let the live chains go, so that a server that stops need not wait for them."""
        if self._process:
            self._process.chains.end()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._process = Process(self._pages_to_render, self._private_cookies)
                await self._process.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._process:
                    await self._process.stop()
                    self._process = None
                self._django.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


class Process:
    """What one serving process keeps: connections, snapshots, queues, streams."""

    def __init__(self, pages: Pages, private_cookies: tuple[bytes, ...]) -> None:
        self.reader = Reader()
        self.lanes = Lanes(size=LANES)
        self.snapshots = Snapshots(self.reader)
        self.visitors = Visitors(self.reader)
        self.chains = LiveChains(self.reader)
        self.pages = PageCache(pages, self.reader, private_cookies=private_cookies)
        self.batches = Batches(self.lanes, clock=clock.now, on_placed=self._placed)
        self.orders = OrderIntake(visitors=self.visitors, snapshots=self.snapshots, batches=self.batches)
        self.changes = Changes(
            channels=[live.CHANNEL, REVOKED_CHANNEL],
            hear=self._hear,
            on_begin=self._begin_to_hear,
            on_lost=self._stop_hearing,
        )
        metrics.WAITING.set_function(lambda: self.batches.waiting)
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_tell: set[str] = set()
        self._sold_out: dict[int, set[int]] = {}
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen, and wait a little for it: until then nothing can be told from memory."""
        for work in (
            self.changes.run(),
            self.chains.keep_alive(),
            self._look_again(),
            self._flush(),
            self._give_back(),
        ):
            self._spawn(work)
        until = time.monotonic() + START_S
        while not self.visitors.hears and time.monotonic() < until:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Answer all that was taken, then let go of everything."""
        self.chains.end()
        await self.batches.finish()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lanes.close()
        self.reader.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        # In a context of its own: it is no part of the request that happens to set it off.
        task = asyncio.create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("intake.task_failed", exc_info=task.exception())

    # -- Hearing of changes -------------------------------------------------------------------------------

    def _begin_to_hear(self) -> None:
        self.snapshots.forget_all()
        self.snapshots.may_refuse = True
        self.pages.changed()
        self.chains.tell_all()
        self._spawn(self._trust_passes())

    async def _trust_passes(self) -> None:
        try:
            await self.visitors.begin_to_hear()
        except DatabaseError as error:
            # Sessions decide for now; the connection that listens is about to be lost too, and begins again.
            log.warning("intake.passes_not_trusted", error=str(error))

    def _stop_hearing(self) -> None:
        self.snapshots.may_refuse = False
        self.visitors.stop_hearing()

    def _hear(self, channel: str, words: list[str]) -> None:
        if channel == REVOKED_CHANNEL:
            self.visitors.revoke(int(words[0]), int(words[1]))
            return
        kind, *ids = words
        numbers = [int(one) for one in ids]
        if kind == live.CAMPAIGN:
            self.snapshots.forget(numbers[0])
            self.pages.changed(campaign_id=numbers[0])
        elif kind == live.SOLD_OUT:
            self._sold_out.setdefault(numbers[0], set()).add(numbers[1])
            self.pages.changed(campaign_id=numbers[0])
            self._spawn(self._note_sold_out(numbers[0]))
        elif kind == live.BACK:
            self.snapshots.came_back(*numbers)
            self.pages.changed(campaign_id=numbers[0])
        elif kind == live.CHAIN:
            self.chains.tell(*numbers)
            self.pages.changed(listing_id=numbers[0])

    async def _note_sold_out(self, campaign_id: int) -> None:
        # Many offers of one campaign run out in one moment: they are looked up together.
        offer_ids = self._sold_out.pop(campaign_id, set())
        if not offer_ids:
            return
        try:
            await self.snapshots.sold_out(campaign_id, offer_ids, now=clock.now())
        except DatabaseError as error:
            log.warning("intake.sold_out_not_noted", campaign=campaign_id, error=str(error))

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await self.snapshots.look_again()
            except DatabaseError as error:
                log.warning("intake.not_looked_again", error=str(error))

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            metrics.flush()

    async def _give_back(self) -> None:
        while True:
            await asyncio.sleep(GIVE_BACK_S)
            memory.give_back()

    # -- Telling of orders --------------------------------------------------------------------------------

    def _placed(self, campaign_id: int, listings: set[int]) -> None:
        for listing_id in listings:
            self.chains.tell(listing_id)
            self.pages.changed(listing_id=listing_id)
            self._to_tell.add(f"{live.CHAIN}:{listing_id}")
        if self._telling is None:
            self._telling = self._spawn(self._tell_others())

    async def _tell_others(self) -> None:
        """The other processes hear of new orders, a few times a second at most.

        Not inside the orders' own transactions: PostgreSQL lets only one transaction with a NOTIFY commit at a
        time, and the rush would queue up behind that.
        """
        try:
            await asyncio.sleep(TELL_OTHERS_S)
            while self._to_tell:
                subjects, self._to_tell = sorted(self._to_tell), set()
                try:
                    await self.lanes.fetch(TELL, live.CHANNEL, subjects)
                except Exception as error:
                    log.warning("intake.not_told", error=str(error))
                await asyncio.sleep(TELL_OTHERS_S)
        finally:
            self._telling = None


TELL = "SELECT pg_notify($1, current_schema() || ':' || subject) FROM unnest($2::text[]) AS subject"


def _bearing(name: bytes, send: Send) -> Send:
    """Send answers that bear the request's name, as its log lines do."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-request-id", name)]
        await send(message)

    return send_named
