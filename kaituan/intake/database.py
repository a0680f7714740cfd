"""The few database connections of a serving process: one statement at a time on each, opened again when lost."""

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import structlog
from django.db import connections

from kaituan.intake import metrics

log = structlog.get_logger(__name__)

STATEMENT_TIMEOUT_S = 5
# The server gives up first and says so; this is for a network that says nothing any more.
ANSWER_TIMEOUT_S = 8
CONNECT_TIMEOUT_S = 5

SETTINGS = {
    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
    # Everything asked here is by a key. A plan made while a table was small (PostgreSQL's own checks of
    # references included) would otherwise go on reading it as a whole when the rush has filled it.
    "enable_seqscan": "off",
}
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""What a connection raises that is of no more use; whether its last statement was done is not known."""


class ConnectionLost(Exception):
    """The database cannot be reached, or was lost before it answered: the statement may or may not be done."""


def connection_arguments(name: str, **server_settings: str) -> dict[str, Any]:
    """What asyncpg needs to reach the database that Django uses; `name` is shown in pg_stat_activity."""
    parts = connections["default"].settings_dict
    options = {key: value for key, value in parts["OPTIONS"].items() if key not in ("options", "pool")}
    query = {"host": parts["HOST"], "port": str(parts["PORT"] or ""), **options}
    password = f":{quote(parts['PASSWORD'], safe='')}" if parts["PASSWORD"] else ""
    user = f"{quote(parts['USER'], safe='')}{password}@" if parts["USER"] else ""
    filled = {key: value for key, value in query.items() if value}
    return {
        "dsn": f"postgresql://{user}/{quote(parts['NAME'], safe='')}?{urlencode(filled)}",
        "timeout": CONNECT_TIMEOUT_S,
        "server_settings": {
            "application_name": name,
            "search_path": _search_path(parts),
            "timezone": "UTC",
            "jit": "off",
            **server_settings,
        },
    }


def _search_path(parts: dict[str, Any]) -> str:
    words = parts["OPTIONS"].get("options", "")
    return words.removeprefix("-c search_path=") if words.startswith("-c search_path=") else "public"


class Lanes:
    """A small number of connections; a statement waits for one that is free."""

    def __init__(self, *, size: int) -> None:
        self._free: asyncio.LifoQueue[asyncpg.Connection | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)
        self._size = size
        self.statements = 0

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own.

        Raises ConnectionLost, or the asyncpg.PostgresError that the database answers.
        """
        connection = await self._free.get()
        try:
            if connection is None or connection.is_closed():
                connection = await asyncpg.connect(**connection_arguments("kaituan intake", **SETTINGS))
            self.statements += 1
            metrics.note_statement()
            return await connection.fetch(sql, *arguments, timeout=ANSWER_TIMEOUT_S)
        except LOST as error:
            if connection is not None:
                connection.terminate()
            connection = None
            log.warning("intake.connection_lost", error=f"{type(error).__name__}: {error}")
            raise ConnectionLost(str(error)) from error
        except asyncio.CancelledError:
            if connection is not None:
                connection.terminate()
            connection = None
            raise
        finally:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Wait until every connection is free, and close them."""
        for _ in range(self._size):
            connection = await self._free.get()
            if connection is not None and not connection.is_closed():
                try:
                    await connection.close(timeout=2)
                except LOST:
                    connection.terminate()
