"""Ordinary queries from the event loop: one thread, one connection of Django's, opened again when lost."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import InterfaceError, OperationalError, close_old_connections, connections


class Reader:
    """Runs read-only functions of the folders above, one after the other, off the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake-reader")

    async def read[T](self, function: Callable[[], T]) -> T:
        """The function's answer. Raises django.db.OperationalError when the database cannot be reached."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _with_connection, function)

    def close(self) -> None:
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=True)


def _with_connection[T](function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    except (OperationalError, InterfaceError):
        # The connection died since it was last used; what reads only may simply be asked again.
        connections["default"].close()
        return function()
