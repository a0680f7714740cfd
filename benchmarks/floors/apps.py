"""The floors over HTTP, as raw ASGI applications under the same server: hello, one call, group commit.

Nobody is signed in, nothing is checked but the stock, and a request is answered when its order is committed.
"""

import asyncio
import json
import os
from typing import Any

import asyncpg

from benchmarks.floors.tables import BATCH

CONNECTIONS = 4
BATCH_AT_MOST = 200


class Floor:
    """One application with its connections, opened when the server starts."""

    def __init__(self, answer: Any, *, has_database: bool) -> None:
        self._answer = answer
        self._has_database = has_database
        self.pool: Any = None
        self.queue: asyncio.Queue[tuple[int, int, int, asyncio.Future[int]]] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        status, body = await self._answer(self, receive)
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        if self._has_database:
            self.pool = await asyncpg.create_pool(
                os.environ["FLOOR_DSN"], min_size=CONNECTIONS, max_size=CONNECTIONS
            )
            self._draining = asyncio.create_task(self._drain())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _drain(self) -> None:
        """Whatever arrives while a commit is under way shares the next one."""
        while True:
            batch = [await self.queue.get()]
            while not self.queue.empty() and len(batch) < BATCH_AT_MOST:
                batch.append(self.queue.get_nowait())
            buyers, skus, quantities, answers = zip(*batch, strict=True)
            async with self.pool.acquire() as connection:
                rows = await connection.fetch(BATCH, buyers, skus, quantities)
            for answer, row in zip(answers, rows, strict=True):
                answer.set_result(row[0])


async def _body(receive: Any) -> Any:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return json.loads(body or b'{"buyer":0,"lines":[{"sku":1,"quantity":1}]}')


async def _hello(floor: Floor, receive: Any) -> tuple[int, bytes]:
    return 200, b'{"hello":"world"}'


async def _one_call(floor: Floor, receive: Any) -> tuple[int, bytes]:
    asked = await _body(receive)
    line = asked["lines"][0]
    async with floor.pool.acquire() as connection:
        order = await connection.fetchval(
            "SELECT place_one($1, $2, $3)", line["sku"], asked["buyer"], line["quantity"]
        )
    return 201, b'{"id":%d}' % order


async def _group_commit(floor: Floor, receive: Any) -> tuple[int, bytes]:
    asked = await _body(receive)
    line = asked["lines"][0]
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    floor.queue.put_nowait((asked["buyer"], line["sku"], line["quantity"], answer))
    order = await answer
    return 201 if order else 409, b'{"id":%d}' % order


hello = Floor(_hello, has_database=False)
one_call = Floor(_one_call, has_database=True)
group_commit = Floor(_group_commit, has_database=True)
