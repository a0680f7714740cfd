"""Who gets how much when less has come than was ordered. Pure: numbers in, numbers out.

Both ways answer in whole base steps, give nobody more than was ordered, give out no more than there is, and
do not depend on the order in which the claims are listed, only on their `rank`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Want:
    """What one order line wants of the goods.

    quantity: base steps of its offer, >= 0. steps_per_step: what one of them takes of the goods, > 0 (a pack
    of three takes 3). rank: the place in the queue, unique; the smaller, the earlier the order.
    """

    line_id: int
    quantity: int
    rank: int
    steps_per_step: int = 1

    @property
    def needed(self) -> int:
        """Base steps of the goods."""
        return self.quantity * self.steps_per_step


def first_come(*, available: int, wants: Iterable[Want]) -> dict[int, int]:
    """Line id -> offer steps: the earlier order gets all it wants while there is enough.

    The first for whom it is not enough gets what is left; packs are not broken, so what is too little for a
    pack goes on to the next who can use it.
    """
    left = _checked(available)
    given = {}
    for want in sorted(wants, key=lambda w: w.rank):
        given[want.line_id] = min(want.quantity, left // want.steps_per_step)
        left -= given[want.line_id] * want.steps_per_step
    return given


def pro_rata(*, available: int, wants: Iterable[Want]) -> dict[int, int]:
    """Line id -> offer steps: everybody gets the same part of what was ordered, as near as whole steps allow.

    Each share is rounded down; what is left goes out one step each to the largest remainders, ties to the
    earlier order, round after round until nothing more fits (only packs can need a second round).
    """
    left = _checked(available)
    queue = sorted(wants, key=lambda w: w.rank)
    needed = sum(want.needed for want in queue)
    if needed <= available:
        return {want.line_id: want.quantity for want in queue}
    given = {want.line_id: want.quantity * available // needed for want in queue}
    left -= sum(given[want.line_id] * want.steps_per_step for want in queue)
    queue.sort(key=lambda w: (-(w.quantity * available % needed), w.rank))
    while left and (fitting := _give_one_each(queue, given, left)):
        left -= fitting
    return given


def _give_one_each(queue: Sequence[Want], given: dict[int, int], left: int) -> int:
    """One more step to each in the queue for whom it fits; answers the goods that took."""
    used = 0
    for want in queue:
        if given[want.line_id] < want.quantity and want.steps_per_step <= left - used:
            given[want.line_id] += 1
            used += want.steps_per_step
    return used


def _checked(available: int) -> int:
    if available < 0:
        raise ValueError("There cannot be less than nothing to share out.")
    return available
