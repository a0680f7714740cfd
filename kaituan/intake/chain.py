"""GET /intake/chain/LISTING/events: the live chain, to as many as look.

Events are named `chain`; their data is a list of entries as `storefront.chain` writes them. A client holds
no database connection, no thread and no queue: when something happened, the rows are read once and the same
bytes go to everybody. `?after=N` asks for what came after the page's last number. After a broken connection the
browser says the last id that it had, and gets what it missed, or the latest entries anew.
"""

import asyncio
import json
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign, Listing
from kaituan.intake import metrics
from kaituan.intake.addresses import AddressBook
from kaituan.intake.http import NEVER_STORED, TEXT, Receive, Scope, Send, header, language_of, send_answer
from kaituan.intake.reading import Reader
from kaituan.ordering.queries import chain_entry, live_orders, public_chain
from kaituan.storefront.chain import chain_rows

log = structlog.get_logger(__name__)

ENTRIES_KEPT = 300
FRAMES_KEPT = 64
ENTRIES_AT_ONCE = 50
"""In one event. In a rush the chain runs behind for a while rather than skip anybody."""
FASTEST_S = 0.25
SECONDS_PER_CLIENT = 0.0002
KEEP_ALIVE_S = 20.0
CLIENTS_AT_MOST = 10_000
CLIENTS_IN_ONE_GO = 200
IDLE_FORGOTTEN_S = 120.0

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies must pass on every event at once.
    (b"x-accel-buffering", b"no"),
]
# What a browser waits before it connects again, in ms.
HELLO = b"retry: 3000\n\n"
KEEP_ALIVE = b": \n\n"


@dataclass(slots=True, eq=False)
class _Client:
    send: Send
    is_busy: bool = False
    is_behind: bool = False
    """Something was left out while it was busy: it gets the latest entries anew."""


@dataclass(slots=True, eq=False)
class _Chain:
    """One listing's chain as this process knows it."""

    listing_id: int
    public_id: str
    last_number: int
    entries: OrderedDict[int, str]
    """The latest entries as JSON, by number."""
    clients: set[_Client] = field(default_factory=set)
    frames: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))
    sequence: int = 0
    changed: set[int] = field(default_factory=set)
    has_new: bool = False
    flushing: asyncio.Task[None] | None = None
    idle_since: float = field(default_factory=time.monotonic)


class LiveChains:
    """All live chains of this process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._chains: dict[int, _Chain] = {}
        self._loading: dict[str, asyncio.Future[_Chain | None]] = {}
        self._epoch = secrets.token_hex(4)
        """Frames are numbered within one process: ids of another mean nothing here."""
        self._pushes: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._addresses = AddressBook(settings.KAITUAN_STREAMS_PER_ADDRESS)
        self.client_count = 0

    # -- Telling ------------------------------------------------------------------------------------------

    def tell(self, listing_id: int, number: int | None = None) -> None:
        """Orders were added to a listing, or the one with this follow number changed."""
        chain = self._chains.get(listing_id)
        if chain is None:
            return
        if number is None or number > chain.last_number:
            chain.has_new = True
        else:
            chain.changed.add(number)
        self._wake(chain)

    def tell_all(self) -> None:
        """Anything may have happened: look at every chain."""
        for chain in self._chains.values():
            chain.has_new = True
            chain.changed.update(chain.entries)
            self._wake(chain)

    def _wake(self, chain: _Chain) -> None:
        if chain.flushing is None and chain.clients:
            chain.flushing = asyncio.create_task(self._flush(chain))

    async def _flush(self, chain: _Chain) -> None:
        try:
            while (chain.has_new or chain.changed) and chain.clients:
                # The more look on, the more seldom: the work for one event grows with them.
                await asyncio.sleep(max(FASTEST_S, SECONDS_PER_CLIENT * len(chain.clients)))
                changed, chain.changed = chain.changed, set()
                had_new, chain.has_new = chain.has_new, False
                try:
                    rows = await self._reader.read(lambda: _read_rows(chain, changed, had_new))  # noqa: B023
                except DatabaseError as error:
                    log.warning("chain.not_read", listing=chain.listing_id, error=str(error))
                    chain.changed |= changed
                    chain.has_new |= had_new
                    await asyncio.sleep(1)
                    continue
                if len(rows) - len(changed) >= ENTRIES_AT_ONCE:
                    chain.has_new = True
                if rows:
                    await self._broadcast(chain, rows)
        finally:
            chain.flushing = None

    async def _broadcast(self, chain: _Chain, rows: dict[int, str]) -> None:
        for number, row in rows.items():
            if number in chain.entries or number > chain.last_number:
                chain.entries[number] = row
        chain.last_number = max(chain.last_number, *rows)
        while len(chain.entries) > ENTRIES_KEPT:
            chain.entries.popitem(last=False)
        chain.sequence += 1
        frame = self._frame(chain, rows.values())
        chain.frames.append((chain.sequence, frame))
        for count, client in enumerate(list(chain.clients), start=1):
            self._push(chain, client, frame)
            if count % CLIENTS_IN_ONE_GO == 0:
                # Orders are served in between.
                await asyncio.sleep(0)

    def _frame(self, chain: _Chain, rows: Iterable[str]) -> bytes:
        name = f"{self._epoch}-{chain.sequence}"
        return f"id: {name}\nevent: chain\ndata: [{','.join(rows)}]\n\n".encode()

    def _push(self, chain: _Chain, client: _Client, frame: bytes) -> None:
        if client.is_busy:
            client.is_behind = True
            return
        client.is_busy = True
        push = asyncio.create_task(self._send(chain, client, frame))
        self._pushes.add(push)
        push.add_done_callback(self._pushes.discard)

    async def _send(self, chain: _Chain, client: _Client, frame: bytes) -> None:
        """Send one frame; a client whose line is slow waits here, and holds up nobody else."""
        try:
            await client.send({"type": "http.response.body", "body": frame, "more_body": True})
            while client.is_behind and client in chain.clients:
                client.is_behind = False
                latest = self._frame(chain, chain.entries.values())
                await client.send({"type": "http.response.body", "body": latest, "more_body": True})
        except OSError:
            chain.clients.discard(client)
        finally:
            client.is_busy = False

    async def keep_alive(self) -> None:
        """Run until cancelled: a word to every client now and then, and no memory of chains nobody looks at."""
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            for chain in list(self._chains.values()):
                if not chain.clients and time.monotonic() - chain.idle_since > IDLE_FORGOTTEN_S:
                    del self._chains[chain.listing_id]
                for count, client in enumerate(list(chain.clients), start=1):
                    if not client.is_busy:
                        self._push(chain, client, KEEP_ALIVE)
                    if count % CLIENTS_IN_ONE_GO == 0:
                        await asyncio.sleep(0)

    # -- Listening ----------------------------------------------------------------------------------------

    def end(self) -> None:
        """Let every client go; browsers connect again by themselves."""
        self._ended.set()
        for chain in self._chains.values():
            if chain.flushing:
                chain.flushing.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, listing: str) -> None:
        if scope["method"] != "GET":
            await send_answer(send, 405, b"", headers=((b"allow", b"GET"),))
            return
        if self.client_count >= CLIENTS_AT_MOST or self._ended.is_set():
            await send_answer(send, 503, b"", headers=((b"retry-after", b"5"),))
            return
        address = self._addresses.enter(scope)
        if address is None:
            await _refuse_one_more(scope, send)
            return
        try:
            await self._let_in(scope, receive, send, listing)
        finally:
            self._addresses.leave(address)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, listing: str) -> None:
        try:
            chain = await self._chain_of(listing)
        except DatabaseError:
            await send_answer(send, 503, b"", headers=((b"retry-after", b"2"),))
            return
        if chain is None:
            await send_answer(send, 404, b"")
            return
        await self._serve(chain, _Client(send), scope, receive)

    async def poll(self, scope: Scope, send: Send, *, listing: str) -> bool:
        """What `storefront` answers at its own address for pages whose stream is cut, if it is in memory."""
        chain = next((chain for chain in self._chains.values() if chain.public_id == listing), None)
        after = _after(scope, "0")
        if scope["method"] != "GET" or chain is None or after is None:
            return False
        # Kept up to date only while somebody looks on, and only the latest.
        if not chain.clients or chain.has_new or chain.changed or after < min(chain.entries, default=1) - 1:
            return False
        rows = [row for number, row in chain.entries.items() if number > after]
        body = f'{{"entries":[{",".join(rows)}]}}'.encode()
        await send_answer(send, 200, body)
        return True

    async def _serve(self, chain: _Chain, client: _Client, scope: Scope, receive: Receive) -> None:
        self.client_count += 1
        metrics.STREAMS.inc()
        try:
            await client.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            # One of the clients before the first word is out: nothing that happens in between is left out.
            chain.clients.add(client)
            self._push(chain, client, HELLO + self._missed(chain, scope))
            self._wake(chain)
            await self._until_gone(receive)
            if self._ended.is_set():
                await client.send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            return
        finally:
            chain.clients.discard(client)
            chain.idle_since = time.monotonic()
            self.client_count -= 1
            metrics.STREAMS.dec()

    async def _until_gone(self, receive: Receive) -> None:
        ended = asyncio.ensure_future(self._ended.wait())
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            gone.cancel()

    def _missed(self, chain: _Chain, scope: Scope) -> bytes:
        """What this client does not have yet, as frames; its place is marked in any case."""
        epoch, _, sequence = header(scope, b"last-event-id").decode("latin-1").partition("-")
        if epoch == self._epoch and sequence.isdecimal() and len(sequence) < 10:
            missed = [frame for number, frame in chain.frames if number > int(sequence)]
            if len(missed) == chain.sequence - int(sequence):
                return b"".join(missed)
        if epoch:
            return self._frame(chain, _with_gaps(chain.entries))
        after = _after(scope)
        rows = [row for number, row in chain.entries.items() if after is not None and number > after]
        return self._frame(chain, rows)

    async def _chain_of(self, public_id: str) -> _Chain | None:
        """The chain of a listing, read once however many ask for it at the same moment."""
        loading = self._loading.get(public_id)
        if loading is None:
            loading = self._loading[public_id] = asyncio.ensure_future(
                self._reader.read(lambda: load_chain(public_id))
            )
            loading.add_done_callback(lambda _: self._loading.pop(public_id, None))
        loaded = await asyncio.shield(loading)
        return self._chains.setdefault(loaded.listing_id, loaded) if loaded else None


async def _refuse_one_more(scope: Scope, send: Send) -> None:
    """A page that is refused asks for news by itself, every few seconds (chain.js)."""
    metrics.STREAMS_REFUSED.inc()
    with translation.override(language_of(scope)):
        words = _("Too many live pages are open from your network: close some, or look again in a minute.")
    headers = (NEVER_STORED, (b"retry-after", b"60"))
    await send_answer(send, 429, f"{words}\n".encode(), content_type=TEXT, headers=headers)


def _after(scope: Scope, otherwise: str = "") -> int | None:
    """The number that the query asks for what came after; None if it is none."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    after = query.get("after", [otherwise])[0]
    return int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _with_gaps(entries: OrderedDict[int, str]) -> list[str]:
    """The kept entries, and between them those that are no longer in the chain."""
    if not entries:
        return []
    return [entries.get(number) or _lost(number) for number in range(min(entries), max(entries) + 1)]


def _lost(number: int) -> str:
    return _json({"number": number, "name": "", "items": "", "state": "lost", "at": ""})


def load_chain(public_id: str) -> _Chain | None:
    listings = Listing.objects.filter(public_id=public_id).exclude(campaign__status=Campaign.Status.DRAFT)
    listing = listings.select_related("campaign").first()
    if listing is None:
        return None
    entries = public_chain(
        listing=listing, after=max(0, listing.last_follow_number - ENTRIES_KEPT), limit=ENTRIES_KEPT
    )
    rows = chain_rows(entries, person_id=None)
    return _Chain(
        listing_id=listing.pk,
        public_id=public_id,
        last_number=max([listing.last_follow_number, *(row["number"] for row in rows)]),
        entries=OrderedDict((row["number"], _json(row)) for row in rows),
    )


def _read_rows(chain: _Chain, changed: Iterable[int], has_new: bool) -> dict[int, str]:
    """Number -> entry as JSON, for what changed and for the next ones after the last."""
    listing = Listing.objects.select_related("campaign").get(pk=chain.listing_id)
    numbers = set(changed)
    entries = []
    if numbers:
        standing = live_orders(listing).filter(follow_number__in=numbers)
        entries = [chain_entry(order) for order in standing]
    gone = numbers - {entry.follow_number for entry in entries}
    if has_new:
        entries += public_chain(listing=listing, after=chain.last_number, limit=ENTRIES_AT_ONCE)
    rows = {row["number"]: _json(row) for row in chain_rows(entries, person_id=None)}
    return {**{number: _lost(number) for number in sorted(gone)}, **rows}


def _json(row: dict[str, object]) -> str:
    row.pop("mine", None)
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
