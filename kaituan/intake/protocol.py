"""Orders straight from the connection: uvicorn's HTTP protocol, which hands an order to its batch at once.

In a rush nearly every order can be told from memory until its batch is asked for. Such a one needs no task and no
messages of its own: it is read when its last byte has come, and its answer is written when its batch is done, which
is about a third less work. Whatever is not as simple takes the ASGI route, as everything else does.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from kaituan.intake.http import Scope
from kaituan.intake.orders import BODY_LIMIT, Reply

if TYPE_CHECKING:
    from kaituan.intake.batches import Placed
    from kaituan.intake.router import Application

PATH = "/intake/orders"


class OrderProtocol(HttpToolsProtocol):
    """One connection. `_awaited` is the order whose body is still coming."""

    _awaited: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cycle.scope
        if scope["path"] != PATH or scope["method"] != "POST" or cycle.waiting_for_100_continue:
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

    def _take(self, cycle: RequestResponseCycle) -> None:
        application: Application = self.config.app  # type: ignore[assignment]
        scope = cast(Scope, cycle.scope)
        name = application.name_of(scope)
        taken = application.take_order(scope, bytes(cycle.body), name=name)
        if taken is None:
            super()._start_asgi_task(cycle, self.app)
        elif isinstance(taken, Reply):
            _write(cycle, taken, name)
        else:
            waiting, finish = taken
            waiting.add_done_callback(partial(_done, cycle, name, finish))


def _done(
    cycle: RequestResponseCycle,
    name: bytes,
    finish: "Callable[[asyncio.Future[Placed]], Reply]",
    placed: "asyncio.Future[Placed]",
) -> None:
    _write(cycle, finish(placed), name)


def _write(cycle: RequestResponseCycle, reply: Reply, name: bytes) -> None:
    """The whole answer in one piece, and what uvicorn must know of it."""
    if cycle.disconnected:
        return
    parts = [STATUS_LINE[reply.status]]
    for key, value in cycle.default_headers:
        parts += (key, b": ", value, b"\r\n")
    for key, value in reply.headers:
        parts += (key, b": ", value, b"\r\n")
    parts.append(b"content-type: application/json\r\ncontent-length: %d\r\n" % len(reply.body))
    parts.append(b"x-request-id: %b\r\n" % name)
    if not cycle.keep_alive:
        parts.append(b"connection: close\r\n")
    parts += (b"\r\n", reply.body)
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"".join(parts))
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
