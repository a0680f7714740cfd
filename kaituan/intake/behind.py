"""Django behind the raw routes: its WSGI handler in a few threads.

Django's own ASGI handler spends about four times the processor time on an ordinary page (measured by
`benchmarks/rush.py`), because every view here is synchronous and it hops between loop and threads for each.
Threads are few and kept, so each keeps one database connection.
"""

import asyncio
import contextvars
import io
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from kaituan.intake import metrics
from kaituan.intake.http import NEVER_STORED, Gone, Receive, Scope, Send, TooLarge, header, send_answer

THREADS = 8
BODY_LIMIT = 64 * 2**20
BODY_IN_MEMORY = 2**20
CHUNK = 256 * 1024

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Behind:
    """An ASGI application that runs a WSGI one in threads."""

    def __init__(self, wsgi: Wsgi, *, threads: int = THREADS) -> None:
        self._wsgi = wsgi
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pages")
        self._size = threads
        self._in_hand = 0

    @property
    def is_busy(self) -> bool:
        """Every thread has a request, and others wait."""
        return self._in_hand > self._size

    def close(self) -> None:
        """Wait for the last requests, and close each thread's database connection."""
        # As many jobs as there may be threads, none of which ends before all have begun: one for each.
        together = threading.Barrier(self._size)
        for _ in range(self._size):
            self._threads.submit(_close_connections, together)
        self._threads.shutdown(wait=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        self._in_hand += 1
        try:
            await self._take(scope, receive, send)
        finally:
            self._in_hand -= 1
        metrics.DJANGO_SECONDS.observe(time.perf_counter() - started)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        with tempfile.SpooledTemporaryFile(max_size=BODY_IN_MEMORY) as body:
            try:
                length = await _spool(scope, receive, body)
            except Gone:
                return
            except TooLarge:
                # What is still on its way is not read: the connection ends with this answer.
                await send_answer(send, 413, b"", headers=(NEVER_STORED, (b"connection", b"close")))
                return
            body.seek(0)
            await self._answer(_environ(scope, body, length), send)

    async def _answer(self, environ: dict[str, Any], send: Send) -> None:
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        response = await loop.run_in_executor(self._threads, context.run, _start, self._wsgi, environ)
        try:
            await send(
                {"type": "http.response.start", "status": response.status, "headers": response.headers}
            )
            body, is_last = response.first, response.is_whole
            while True:
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})
                if is_last:
                    return
                body, is_last = await loop.run_in_executor(self._threads, context.run, response.read)
        finally:
            if not response.is_closed:
                await loop.run_in_executor(self._threads, context.run, response.close)


def _close_connections(together: threading.Barrier) -> None:
    connections.close_all()
    together.wait()


class _Response:
    """A WSGI response, read in its thread."""

    def __init__(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._parts = parts
        self._chunks = _chunks(parts)
        self.is_closed = False
        self.first, self.is_whole = self.read()

    def read(self) -> tuple[bytes, bool]:
        """The next part of the body, and whether it was the last."""
        chunk = next(self._chunks, b"")
        is_last = len(chunk) < CHUNK
        if is_last:
            self.close()
        return chunk, is_last

    def close(self) -> None:
        """Give back what the request held; Django says `request_finished` here."""
        self.is_closed = True
        close = getattr(self._parts, "close", None)
        if close:
            close()


def _start(wsgi: Wsgi, environ: dict[str, Any]) -> _Response:
    told: list[Any] = []
    parts = wsgi(environ, lambda status, headers, exc_info=None: told.extend((status, headers)))
    return _Response(told[0], told[1], parts)


def _chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least CHUNK, but for the last: fewer hops between thread and loop."""
    gathered = bytearray()
    for part in parts:
        gathered += part
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


async def _spool(scope: Scope, receive: Receive, body: Any) -> int:
    """Write the request's body to `body`; its length. Raises Gone, and TooLarge as soon as that can be told."""
    announced = header(scope, b"content-length")
    if announced.isdigit() and int(announced[:20]) > BODY_LIMIT:
        raise TooLarge
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        length += len(part)
        if length > BODY_LIMIT:
            raise TooLarge
        body.write(part)
        if not message.get("more_body"):
            return length


def _environ(scope: Scope, body: Any, length: int) -> dict[str, Any]:
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin-1"),
        # WSGI carries bytes in strings of Latin-1.
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body if length else io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(length),
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        # A header with an underscore would stand in for the one with a dash: it is left out, as servers do.
        if b"_" in name or key == "CONTENT_LENGTH":
            continue
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ
