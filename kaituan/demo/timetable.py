"""A simulated clock: what is to happen, and when, in the order of its time."""

import heapq
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from django.db import transaction

Deed = Callable[[datetime], object]


class Timetable:
    """Deeds in the order of their times; those of one time in the order in which they were planned."""

    def __init__(self) -> None:
        self._planned: list[tuple[datetime, int, Deed, bool]] = []
        self._serial = 0

    def at(self, time: datetime, deed: Deed, *, in_transaction: bool = True) -> None:
        """Plan a deed. in_transaction: all of it or nothing; False for one that commits by its own steps."""
        self._serial += 1
        heapq.heappush(self._planned, (time, self._serial, deed, in_transaction))

    def run(self, *, until: datetime) -> None:
        """Do everything that is planned before `until`, and what that plans in turn."""
        while self._planned and self._planned[0][0] < until:
            time, _serial, deed, in_transaction = heapq.heappop(self._planned)
            with transaction.atomic() if in_transaction else nullcontext():
                deed(time)
