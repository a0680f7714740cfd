"""Thousands of browsers on one live chain: what they cost, and how long until all have seen an order."""

import asyncio
import resource
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Streams:
    opened: int
    memory_mib: float
    """By how much the serving process grew."""
    seen_by_all_s: float
    """From the answer to the order until the last client has seen it."""


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self._request = request
        self.events = 0
        self.is_open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b"event: chain")
        if not self.is_open.done():
            self.is_open.set_result(data.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_open.done():
            self.is_open.set_result(False)


async def watch(*, port: int, worker: int, listing: str, clients: int, order: object) -> Streams:
    """Open so many streams on the process `worker`; `order` is a coroutine function that places an order there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < clients + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, clients + 500), hard))
    loop = asyncio.get_running_loop()
    request = (
        f"GET /intake/chain/{listing}/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: text/event-stream\r\n\r\n"
    ).encode()
    process = psutil.Process(worker)
    before = process.memory_info().rss
    opened: list[tuple[asyncio.BaseTransport, _Client]] = []
    while len(opened) < clients:
        some = min(100, clients - len(opened))
        made = await asyncio.gather(
            *(loop.create_connection(lambda: _Client(request), "127.0.0.1", port) for _ in range(some))
        )
        opened += made
        await asyncio.gather(*(client.is_open for _, client in made))
    are_open = sum(client.is_open.result() for _, client in opened)
    seen_before = [client.events for _, client in opened]
    await order()  # type: ignore[operator]
    started = time.monotonic()
    while time.monotonic() - started < 60:
        seen = sum(client.events > first for (_, client), first in zip(opened, seen_before, strict=True))
        if seen >= are_open:
            break
        await asyncio.sleep(0.02)
    else:
        raise SystemExit(f"Only {seen} of {are_open} streams saw the order within a minute.")
    took = time.monotonic() - started
    grown = (process.memory_info().rss - before) / 2**20
    for transport, _ in opened:
        transport.close()
    await asyncio.sleep(0.5)
    return Streams(are_open, grown, took)
