"""The forest of leaders and its tiers as arrays, and the cards that sum up for each seller who is above it.

Leaders are numbered 0..n-1 in the order of their ids' UTF-8 bytes, so that sorting numbers sorts ids. Tiers
are small codes, 0 for none. Times are seconds since 1970, UTC.

A *card* says, for a seller and a stretch of time [begins, ends), which tier the seller holds and which
ancestors matter to it. For the differential only the nearest ancestor of each tier can ever earn: a farther
one of the same tier has the same rate, which was already given. So a chain of any length shrinks to at most
one *rung* per tier, and lines are joined to cards instead of being walked up the forest one by one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# A rung: referral steps above the seller, the ancestor's number, its tier code.
Rung = tuple[int, int, int]
Rungs = tuple[Rung, ...]
# What a seller's pay depends on besides the amounts: its tier code, and steps and tier of each rung.
Shape = tuple[int, tuple[tuple[int, int], ...]]


class CycleFound(Exception):
    """The referrers run in a circle; `members` are the numbers on it, each referred by the next."""

    def __init__(self, members: list[int]) -> None:
        self.members = members
        super().__init__("a cycle of referrers")


@dataclass(frozen=True, slots=True)
class Forest:
    """parent: int64[n], the referrer's number or -1. downward: int64[n], every leader after its referrer."""

    parent: Ints
    downward: Ints

    @property
    def size(self) -> int:
        return len(self.parent)


def plant(parent: Ints) -> Forest:
    """The forest of these referrers. Raises CycleFound."""
    size = len(parent)
    depth = np.zeros(size, dtype=np.int64)
    # Jumping 1, 2, 4, ... steps at once finds every depth in log(depth) rounds; a cycle never reaches a root.
    jump = np.where(parent < 0, size, parent)
    jump = np.append(jump, size)
    steps = np.append((parent >= 0).astype(np.int64), 0)
    for _ in range(max(1, size.bit_length()) + 1):
        steps = steps + steps[jump]
        jump = jump[jump]
        if (jump == size).all():
            break
    else:
        raise CycleFound(_cycle(parent, jump[:size] != size))
    depth = steps[:size]
    return Forest(parent, np.argsort(depth, kind="stable"))


def _cycle(parent: Ints, caught: NDArray[np.bool_]) -> list[int]:
    """The members of the cycle that a leader who never reaches a root runs into."""
    seen: dict[int, None] = {}
    here = int(np.flatnonzero(caught)[0])
    while here not in seen:
        seen[here] = None
        here = int(parent[here])
    walked = list(seen)
    return walked[walked.index(here) :]


@dataclass(frozen=True, slots=True)
class TierRows:
    """Dated tiers, sorted by leader, then time. leader, code, begins: int64[n_rows]."""

    leader: Ints
    code: Ints
    begins: Ints

    def held(self, size: int, time: int) -> Ints:
        """int64[size]: the tier code that each leader holds at `time` (latest begins <= time), 0 for none."""
        counts = np.bincount(self.leader, minlength=size)
        reached = np.bincount(self.leader[self.begins <= time], minlength=size)
        last = np.cumsum(counts) - counts + reached - 1
        if not len(self.code):
            return np.zeros(size, dtype=np.int64)
        return np.where(reached > 0, self.code[np.maximum(last, 0)], 0)

    def changes(self, after: int, before: int) -> dict[int, list[tuple[int, int]]]:
        """(time, code) of each leader's changes with after < time < before, in time order."""
        within = (self.begins > after) & (self.begins < before)
        found: dict[int, list[tuple[int, int]]] = {}
        rows = zip(
            self.leader[within].tolist(),
            self.begins[within].tolist(),
            self.code[within].tolist(),
            strict=True,
        )
        for leader, time, code in rows:
            found.setdefault(leader, []).append((time, code))
        return found


class Cards:
    """Cards as columns, one entry each: seller, begins, ends, shape (a number into `shapes`), and for each
    rung the ancestor's number or -1 (`ancestors[rung][card]`)."""

    def __init__(self, rungs: int) -> None:
        self.seller: list[int] = []
        self.begins: list[int] = []
        self.ends: list[int] = []
        self.shape: list[int] = []
        self.ancestors: list[list[int]] = [[] for _ in range(rungs)]
        self._numbers: dict[Shape, int] = {}

    @property
    def shapes(self) -> list[Shape]:
        return list(self._numbers)

    def add(self, seller: int, begins: int, ends: int, code: int, chain: Rungs) -> None:
        shape = (code, tuple([(steps, tier) for steps, _, tier in chain]))
        self.seller.append(seller)
        self.begins.append(begins)
        self.ends.append(ends)
        self.shape.append(self._numbers.setdefault(shape, len(self._numbers)))
        for rung, ancestors in enumerate(self.ancestors):
            ancestors.append(chain[rung][1] if rung < len(chain) else -1)

    def columns(self, first: int = 0) -> dict[str, Any]:
        """The cards from number `first` on as arrays, numbered as card_no, ancestors as a1, a2, ..."""
        columns = {
            "card_no": np.arange(first, len(self.seller), dtype=np.int64),
            "seller": np.array(self.seller[first:], dtype=np.int64),
            "begins": np.array(self.begins[first:], dtype=np.int64),
            "ends": np.array(self.ends[first:], dtype=np.int64),
            "shape": np.array(self.shape[first:], dtype=np.int64),
        }
        for rung, ancestors in enumerate(self.ancestors, start=1):
            columns[f"a{rung}"] = np.array(ancestors[first:], dtype=np.int64)
        return columns


def draw_cards(
    cards: Cards,
    forest: Forest,
    tiers: TierRows,
    *,
    begins: int,
    ends: int,
    reach: int,
    far: int,
    sellers: Iterable[int] | None = None,
) -> None:
    """Add the cards of all sellers, or of the named ones, for the times [begins, ends).

    reach: referral steps to look up (anything past the number of leaders: no limit). far: steps of this many
    and more are told as this many, since no plan tells them apart; it keeps the shapes few in a deep forest.
    """
    held = tiers.held(forest.size, begins).tolist()
    changes = tiers.changes(begins, ends)
    parent = forest.parent.tolist()
    above = _seen_from_below(forest, held, changes, begins, reach, far)
    nothing: list[tuple[int, Rungs]] = [(begins, ())]
    for seller in range(forest.size) if sellers is None else sorted(set(sellers)):
        upward = above[parent[seller]] if parent[seller] >= 0 else nothing
        stretches = _together([(begins, held[seller]), *changes.get(seller, ())], upward)
        until = [start for start, _, _ in stretches[1:]] + [ends]
        for (start, code, chain), stop in zip(stretches, until, strict=True):
            cards.add(seller, start, stop, code, chain)


def _seen_from_below(
    forest: Forest,
    held: Sequence[int],
    changes: dict[int, list[tuple[int, int]]],
    begins: int,
    reach: int,
    far: int,
) -> dict[int, list[tuple[int, Rungs]]]:
    """For each leader who referred somebody: the rungs that its direct referrals see above them, by time."""
    parent = forest.parent.tolist()
    referrers = set(parent)
    seen: dict[int, list[tuple[int, Rungs]]] = {}
    nothing: list[tuple[int, Rungs]] = [(begins, ())]
    for leader in forest.downward.tolist():
        if leader not in referrers:
            continue
        upward = seen[parent[leader]] if parent[leader] >= 0 else nothing
        stretches: list[tuple[int, Rungs]] = []
        for start, code, chain in _together([(begins, held[leader]), *changes.get(leader, ())], upward):
            longer = _pushed(chain, leader, code, reach, far)
            # A change that the nearest rungs hide is no change to those below.
            if not stretches or stretches[-1][1] != longer:
                stretches.append((start, longer))
        seen[leader] = stretches
    return seen


def _pushed(chain: Rungs, leader: int, code: int, reach: int, far: int) -> Rungs:
    """The rungs one step further down: everything a step farther, a farther rung of the same tier hidden."""
    farther = tuple(
        [
            (steps + 1 if steps < far else far, ancestor, tier)
            for steps, ancestor, tier in chain
            if tier != code and steps < reach
        ]
    )
    return ((1, leader, code), *farther) if code and reach else farther


def _together(own: list[tuple[int, int]], upward: list[tuple[int, Rungs]]) -> list[tuple[int, int, Rungs]]:
    """Two step functions of time as one: (begins, own value, upward value); both start at the same time."""
    if len(own) == 1 and len(upward) == 1:
        return [(own[0][0], own[0][1], upward[0][1])]
    joined: list[tuple[int, int, Rungs]] = []
    mine = theirs = 0
    time = own[0][0]
    while True:
        joined.append((time, own[mine][1], upward[theirs][1]))
        next_mine = own[mine + 1][0] if mine + 1 < len(own) else None
        next_theirs = upward[theirs + 1][0] if theirs + 1 < len(upward) else None
        if next_mine is None and next_theirs is None:
            return joined
        time = min(each for each in (next_mine, next_theirs) if each is not None)
        mine += next_mine == time
        theirs += next_theirs == time
