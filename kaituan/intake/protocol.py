"""Orders and shared pages straight from the connection: uvicorn's HTTP protocol, which asks for neither a task.

In a rush nearly every order can be told from memory until its batch is asked for. Such a one needs no task and no
messages of its own: it is read when its last byte has come, and its answer is written when its batch is done, which
is about a third less work. A page that is kept is written at once. Whatever is not as simple takes the ASGI route,
as everything else does.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from kaituan.intake.http import JSON, Scope
from kaituan.intake.orders import BODY_LIMIT, Reply

if TYPE_CHECKING:
    from kaituan.intake.batches import Placed
    from kaituan.intake.router import Application

PATH = "/intake/orders"
COPIED = 4096
"""Bytes of a body up to which one write of a copy is less work than two."""


class OrderProtocol(HttpToolsProtocol):
    """One connection. `_awaited` is the order whose body is still coming."""

    _awaited: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cycle.scope
        if scope["method"] == "GET":
            if not self._give_page(cycle):
                super()._start_asgi_task(cycle, app)
        elif scope["path"] != PATH or scope["method"] != "POST" or cycle.waiting_for_100_continue:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._awaited = cycle
        else:
            # One of several that were sent without waiting: it has been here for a while.
            self._take(cycle)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        cycle = self._awaited
        if cycle is not None and len(cycle.body) > BODY_LIMIT:
            self._awaited = None
            super()._start_asgi_task(cycle, self.app)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        cycle = self._awaited
        if cycle is not None:
            self._awaited = None
            self._take(cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._awaited = None
        super().connection_lost(exc)

    def _give_page(self, cycle: RequestResponseCycle) -> bool:
        if self.flow.write_paused:
            # Somebody reads more slowly than they ask: the route waits for them.
            return False
        scope = cast(Scope, cycle.scope)
        page = self._application.take_page(scope)
        if page is None:
            return False
        _write(cycle, *page, self._application.name_of(scope))
        return True

    @property
    def _application(self) -> "Application":
        return self.config.app  # type: ignore[return-value]

    def _take(self, cycle: RequestResponseCycle) -> None:
        application = self._application
        scope = cast(Scope, cycle.scope)
        name = application.name_of(scope)
        taken = application.take_order(scope, bytes(cycle.body), name=name)
        if taken is None:
            super()._start_asgi_task(cycle, self.app)
        elif isinstance(taken, Reply):
            _write_reply(cycle, taken, name)
        else:
            waiting, finish = taken
            waiting.add_done_callback(partial(_done, cycle, name, finish))


def _done(
    cycle: RequestResponseCycle,
    name: bytes,
    finish: "Callable[[asyncio.Future[Placed]], Reply]",
    placed: "asyncio.Future[Placed]",
) -> None:
    _write_reply(cycle, finish(placed), name)


def _write_reply(cycle: RequestResponseCycle, reply: Reply, name: bytes) -> None:
    length = b"%d" % len(reply.body)
    headers = [(b"content-type", JSON), (b"content-length", length), *reply.headers]
    _write(cycle, reply.status, headers, reply.body, name)


def _write(
    cycle: RequestResponseCycle, status: int, headers: list[tuple[bytes, bytes]], body: bytes, name: bytes
) -> None:
    """The whole answer in one piece, and what uvicorn must know of it."""
    if cycle.disconnected:
        return
    parts = [STATUS_LINE[status]]
    for some in (cycle.default_headers, headers):
        for key, value in some:
            parts += (key, b": ", value, b"\r\n")
    parts += (b"x-request-id: ", name, b"\r\n\r\n" if cycle.keep_alive else b"\r\nconnection: close\r\n\r\n")
    if len(body) < COPIED:
        parts.append(body)
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"".join(parts))
    if len(body) >= COPIED:
        cycle.transport.write(body)
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
