"""Hearing what changed: one LISTEN connection for the whole process."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog
from django.conf import settings

from kaituan.intake.database import LOST, connection_arguments

log = structlog.get_logger(__name__)

Hear = Callable[[str, list[str]], None]
"""Takes a channel and the message's words after the station."""
RETRY_S = 0.5
CHECK_EVERY_S = 5


class Changes:
    """Passes on NOTIFY messages of this station; says when it begins and stops to hear."""

    def __init__(self, *, channels: list[str], hear: Hear, on_begin: Callable[[], None],
                 on_lost: Callable[[], None]) -> None:  # fmt: skip
        self._channels = channels
        self._hear = hear
        self._on_begin = on_begin
        self._on_lost = on_lost
        self.is_listening = False

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except (*LOST, asyncpg.PostgresError) as error:
                log.warning("intake.not_listening", error=f"{type(error).__name__}: {error}")
            finally:
                if self.is_listening:
                    self.is_listening = False
                    self._on_lost()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(**connection_arguments("kaituan changes"))
        connection.add_termination_listener(lambda _connection: lost.set())
        try:
            for channel in self._channels:
                await connection.add_listener(channel, self._take)
            self.is_listening = True
            # What happened before is not heard of: whoever keeps something reads it anew.
            self._on_begin()
            while not lost.is_set():
                # A connection can also die without a word; asking now and then brings it out.
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), CHECK_EVERY_S)
                await connection.fetchval("SELECT 1", timeout=CHECK_EVERY_S)
        finally:
            connection.terminate()

    def _take(self, _connection: object, _pid: int, channel: str, message: object) -> None:
        station, *words = str(message).split(":")
        if station == settings.STATION_SCHEMA:
            self._hear(channel, words)
