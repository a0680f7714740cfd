"""Pages that are the same for everybody: rendered once, served from memory to all who come.

A face registers how to render one (`config/asgi.py`); what is personal it fetches apart. A page is rendered
anew after a change of its campaign or chain, at most once in FRESH_S, and by whoever asks next: the others get
the old one meanwhile.
"""

import asyncio
import gzip
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from kaituan.intake import metrics
from kaituan.intake.http import Receive, Scope, Send, header, language_of
from kaituan.intake.reading import Reader

log = structlog.get_logger(__name__)

FRESH_S = 1.0
OLD_S = 30.0
"""A page is rendered anew after this time even if nobody spoke of a change: time itself changes it."""
PAGES_KEPT = 1_000
BYTES_KEPT = 16 * 2**20
"""Of all kept pages together, plain and packed: a large campaign has more than a megabyte in each language."""


@dataclass(frozen=True, slots=True)
class SharedPage:
    """What is the same for everybody. campaign_id, listing_id: what it shows, and so what makes it old."""

    body: bytes
    campaign_id: int
    listing_id: int
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Render = Callable[[str, str], SharedPage | None]
"""Takes a listing's public id and a language; None means that there is no such page."""
Pages = Mapping[str, Render]
"""A path with one `{listing}` in it -> how it is rendered."""


PageAnswer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""


@dataclass(slots=True, eq=False)
class _Kept:
    page: SharedPage
    plain: list[tuple[bytes, bytes]]
    packed: list[tuple[bytes, bytes]]
    packed_body: bytes
    etag: bytes
    rendered_at: float
    is_old: bool = False

    @property
    def size(self) -> int:
        return len(self.page.body) + len(self.packed_body)


class PageCache:
    def __init__(self, pages: Pages, reader: Reader, *, private_cookies: tuple[bytes, ...] = ()) -> None:
        """private_cookies: whoever bears one goes to Django, for a page of their own, while it has time for that."""
        self._routes = [
            (re.compile(re.escape(path).replace(re.escape("{listing}"), "([0-9a-z]{4,16})")), render)
            for path, render in pages.items()
        ]
        self._reader = reader
        self._private_cookies = private_cookies
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        """Those that were rendered last at the end."""
        self._bytes = 0
        self._rendering: dict[tuple[str, str], asyncio.Task[_Kept | None]] = {}

    def route(self, scope: Scope, *, is_busy: bool) -> tuple[str, Render] | None:
        """The listing and its renderer when this request is to be answered from memory."""
        if scope["method"] != "GET" or scope["query_string"] or header(scope, b"hx-request"):
            return None
        path = scope["path"]
        for pattern, render in self._routes:
            found = pattern.fullmatch(path)
            if found:
                if not is_busy:
                    cookies = header(scope, b"cookie")
                    if any(name in cookies for name in self._private_cookies):
                        return None
                return found[1], render
        return None

    def changed(self, *, campaign_id: int | None = None, listing_id: int | None = None) -> None:
        """These pages are old; without arguments, all are."""
        for kept in self._kept.values():
            if campaign_id in (None, kept.page.campaign_id) and listing_id in (None, kept.page.listing_id):
                kept.is_old = True

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, *, listing: str, render: Render
    ) -> bool:
        """Answer from memory; False if there is no such page (Django says it in its own words)."""
        language = language_of(scope)
        key = (scope["path"], language)
        kept = self._look(key, listing, render)
        if kept is None:
            kept = await asyncio.shield(self._render_once(key, listing, render))
            if kept is None:
                return False
        metrics.note_page()
        status, headers, body = _choose(scope, kept)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    def take(self, scope: Scope, *, is_busy: bool) -> PageAnswer | None:
        """The answer from memory, without waiting; None where there is none yet."""
        found = self.route(scope, is_busy=is_busy)
        if found is None:
            return None
        kept = self._look((scope["path"], language_of(scope)), *found)
        if kept is None:
            return None
        metrics.note_page()
        return _choose(scope, kept)

    def _look(self, key: tuple[str, str], listing: str, render: Render) -> _Kept | None:
        """The page as it is kept. Where it is old, whoever comes now still gets it, and the next a new one."""
        kept = self._kept.get(key)
        if kept is not None:
            age = time.monotonic() - kept.rendered_at
            if age > OLD_S or (kept.is_old and age > FRESH_S):
                self._render_once(key, listing, render)
        return kept

    def _render_once(self, key: tuple[str, str], listing: str, render: Render) -> asyncio.Task[_Kept | None]:
        """The page being rendered; once, however many ask for it."""
        task = self._rendering.get(key)
        if task is None:
            task = self._rendering[key] = asyncio.create_task(self._render(key, listing, render))
            task.add_done_callback(lambda done: self._rendered(key, done))
        return task

    def _rendered(self, key: tuple[str, str], done: asyncio.Task[_Kept | None]) -> None:
        self._rendering.pop(key, None)
        if not done.cancelled() and done.exception() is not None:
            log.warning("pages.not_rendered", path=key[0], error=str(done.exception()))

    async def _render(self, key: tuple[str, str], listing: str, render: Render) -> _Kept | None:
        before = self._kept.get(key)
        if before:
            before.is_old = False

        def make() -> _Kept | None:
            page = render(listing, key[1])
            # Packing a large page takes longer than an order may wait: it is done off the loop too.
            return _prepare(page, language=key[1]) if page else None

        kept = await self._reader.read(make)
        if kept is None:
            self._forget(key)
            return None
        # Something may have changed while it was rendered: then it is old already.
        kept.is_old = before.is_old if before else False
        self._forget(key)
        self._kept[key] = kept
        self._bytes += kept.size
        while len(self._kept) > 1 and (len(self._kept) > PAGES_KEPT or self._bytes > BYTES_KEPT):
            self._forget(next(iter(self._kept)))
        return kept

    def _forget(self, key: tuple[str, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size


def _prepare(page: SharedPage, *, language: str) -> _Kept:
    packed_body = gzip.compress(page.body, 6, mtime=0)
    etag = f'"{hashlib.blake2b(page.body, digest_size=12).hexdigest()}"'.encode()
    headers = [
        (b"content-type", page.content_type.encode()),
        (b"content-language", language.encode()),
        (b"etag", etag),
        (b"cache-control", b"no-cache"),
        (b"vary", b"accept-encoding, accept-language, cookie"),
        *((name.lower().encode(), value.encode()) for name, value in page.headers),
    ]
    return _Kept(
        page=page,
        plain=[*headers, (b"content-length", str(len(page.body)).encode())],
        packed=[
            *headers,
            (b"content-length", str(len(packed_body)).encode()),
            (b"content-encoding", b"gzip"),
        ],
        packed_body=packed_body,
        etag=etag,
        rendered_at=time.monotonic(),
    )


def _choose(scope: Scope, kept: _Kept) -> PageAnswer:
    """What this visitor gets: nothing new, the packed page or the plain one."""
    if kept.etag in header(scope, b"if-none-match"):
        left_out = (b"content-length", b"content-type")
        return 304, [pair for pair in kept.plain if pair[0] not in left_out], b""
    if b"gzip" in header(scope, b"accept-encoding"):
        return 200, kept.packed, kept.packed_body
    return 200, kept.plain, kept.page.body
