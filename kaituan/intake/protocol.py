"""Orders and shared pages straight from the connection: uvicorn's HTTP protocol, which asks for neither a task.

In a rush nearly every order can be told from memory until its batch is asked for. Such a one needs no task, no
messages and no ASGI scope of its own: its body is kept as it comes, it is read when its last byte is there, and its
answer is written when its batch is done. A page that is kept is written at once. Whatever is not as simple takes the
ASGI route, as everything else does: uvicorn then hears of the request as if it had come just now.
"""

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from kaituan.intake.http import JSON, Scope
from kaituan.intake.orders import BODY_LIMIT, Reply

if TYPE_CHECKING:
    from kaituan.intake.router import Application

PATH = b"/intake/orders"
COPIED = 4096
"""Bytes of a body up to which one write of a copy is less work than two."""


class OrderProtocol(HttpToolsProtocol):
    """One connection. `_coming` is what has come of an order's body, None when it is something else that comes."""

    _coming: bytearray | None = None

    # -- What the parser tells of ---------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        if self.url == PATH and self._is_plain_order():
            self._coming = bytearray()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._coming is None:
            super().on_body(body)
            return
        self._coming += body
        if len(self._coming) > BODY_LIMIT:
            self._hand_on()

    def on_message_complete(self) -> None:
        body = self._coming
        if body is None:
            super().on_message_complete()
            return
        waiting = WaitingOrder(self, keep_alive=self.parser.should_keep_alive())
        scope = cast(Scope, self.scope)
        if self._application.take_order(scope, bytes(body), name=waiting.name, answer=waiting.answer):
            self._coming = None
            if not waiting.response_complete:
                self.cycle = waiting  # type: ignore[assignment]
        else:
            self._hand_on()
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._coming = None
        super().connection_lost(exc)

    def _is_plain_order(self) -> bool:
        """Whether an order comes that nothing before it on this connection still waits for."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and self.limit_concurrency is None
        )

    def _hand_on(self) -> None:
        """Let uvicorn have the request, with as much of its body as has come."""
        body, self._coming = self._coming, None
        super().on_headers_complete()
        if body:
            super().on_body(bytes(body))

    # -- What needs no task ---------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["method"] != "GET" or not self._give_page(cycle):
            super()._start_asgi_task(cycle, app)

    def _give_page(self, cycle: RequestResponseCycle) -> bool:
        if self.flow.write_paused:
            # Somebody reads more slowly than they ask: the route waits for them.
            return False
        scope = cast(Scope, cycle.scope)
        page = self._application.take_page(scope)
        if page is None:
            return False
        cycle.response_started = cycle.response_complete = True
        if not cycle.disconnected:
            self.write(*page, self._application.name_of(scope), keep_alive=cycle.keep_alive)
        return True

    @property
    def _application(self) -> "Application":
        return self.config.app  # type: ignore[return-value]

    def write(
        self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, name: bytes, *, keep_alive: bool
    ) -> None:
        """The whole answer in one piece, and what uvicorn must know of it."""
        parts = [STATUS_LINE[status]]
        for some in (self.server_state.default_headers, headers):
            for key, value in some:
                parts += (key, b": ", value, b"\r\n")
        parts += (b"x-request-id: ", name, b"\r\n\r\n" if keep_alive else b"\r\nconnection: close\r\n\r\n")
        if len(body) < COPIED:
            parts.append(body)
        self.transport.write(b"".join(parts))
        if len(body) >= COPIED:
            self.transport.write(body)
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()


class _Nobody:
    """Stands for the event by which uvicorn wakes an application that waits for more of a request."""

    def set(self) -> None:
        pass


class WaitingOrder:
    """Stands in the place of uvicorn's cycle while an order is in its batch: what the connection asks of one."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "name", "response_complete")
    message_event = _Nobody()

    def __init__(self, protocol: OrderProtocol, *, keep_alive: bool) -> None:
        self._protocol = protocol
        self.name = protocol._application.name_of(cast(Scope, protocol.scope))
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def answer(self, reply: Reply) -> None:
        self.response_complete = True
        if self.disconnected or self._protocol.transport.is_closing():
            return
        length = b"%d" % len(reply.body)
        headers = [(b"content-type", JSON), (b"content-length", length), *reply.headers]
        self._protocol.write(reply.status, headers, reply.body, self.name, keep_alive=self.keep_alive)
