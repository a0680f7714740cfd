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

    def changes(self, after: int, before: int) -> "TierRows":
        """The changes with after < time < before."""
        within = (self.begins > after) & (self.begins < before)
        return TierRows(self.leader[within], self.code[within], self.begins[within])

    def of(self, leaders: NDArray[np.bool_]) -> "TierRows":
        """The rows of the leaders that are marked."""
        kept = leaders[self.leader]
        return TierRows(self.leader[kept], self.code[kept], self.begins[kept])


class Cards:
    """Cards as columns, one entry each: seller, begins, ends, shape (a number into `shapes`), and for each
    rung the ancestor's number or -1 (`ancestors[rung][card]`). All int64[cards]."""

    def __init__(self, rungs: int) -> None:
        nobody = np.zeros(0, dtype=np.int64)
        self.seller = self.begins = self.ends = self.shape = nobody
        self.ancestors: list[Ints] = [nobody] * rungs
        self._numbers: dict[Shape, int] = {}

    def __len__(self) -> int:
        return len(self.seller)

    @property
    def shapes(self) -> list[Shape]:
        return list(self._numbers)

    def number(self, shape: Shape) -> int:
        """The number of a shape, a new one if it is new."""
        return self._numbers.setdefault(shape, len(self._numbers))

    def add(self, seller: Ints, begins: Ints, ends: Ints, shape: Ints, ancestors: Sequence[Ints]) -> None:
        self.seller = np.append(self.seller, seller)
        self.begins = np.append(self.begins, begins)
        self.ends = np.append(self.ends, ends)
        self.shape = np.append(self.shape, shape)
        self.ancestors = [np.append(*both) for both in zip(self.ancestors, ancestors, strict=True)]

    def columns(self, first: int = 0) -> dict[str, Ints]:
        """The cards from number `first` on, numbered as card_no, ancestors as a1, a2, ..."""
        return {
            "card_no": np.arange(first, len(self), dtype=np.int64),
            "seller": self.seller[first:],
            "begins": self.begins[first:],
            "ends": self.ends[first:],
            "shape": self.shape[first:],
        } | {f"a{rung}": above[first:] for rung, above in enumerate(self.ancestors, start=1)}


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
    """Add the cards of all sellers, or of the named ones, for the times [begins, ends), by seller and time.

    reach: referral steps to look up (anything past the number of leaders: no limit). far: steps of this many
    and more are told as this many, since no plan tells them apart; it keeps the shapes few in a deep forest.

    Who is above a seller is worked out leader by leader, for those who referred somebody. What those below
    hold and see is two step functions of time, laid over each other for all sellers at once: a time of a seller
    is the one number `seller * length + time`.
    """
    if begins >= ends:
        return
    drawn = np.zeros(forest.size, dtype=bool)
    drawn[slice(None) if sellers is None else list(sellers)] = True
    who, length = np.flatnonzero(drawn), ends - begins
    held, changes = tiers.held(forest.size, begins), tiers.changes(begins, ends)
    seen = _seen_from_below(forest, held, changes, begins, reach, far)

    own_changes = changes.of(drawn)
    own = np.append(who * length, own_changes.leader * length + (own_changes.begins - begins))
    order = np.argsort(own, kind="stable")
    own, code = own[order], np.append(held[who], own_changes.code)[order]
    views = _Views(seen, forest.size, begins, len(cards.ancestors))
    view_of, view = views.of(who, forest.parent[who])
    above = view_of * length + (views.begins[view] - begins)

    moments = np.union1d(own, above)
    code = code[np.searchsorted(own, moments, side="right") - 1]
    view = view[np.searchsorted(above, moments, side="right") - 1]
    seller, since = np.divmod(moments, length)
    until = np.append(since, 0)[1:]
    until[until == 0] = length
    pairs, pair = np.unique(code * len(views.chains) + views.chain[view], return_inverse=True)
    shapes = [
        (int(code), views.chains[chain])
        for code, chain in zip(*divmod(pairs, len(views.chains)), strict=True)
    ]
    numbers = np.array([cards.number(shape) for shape in shapes], dtype=np.int64)
    ancestors = [rung[view] for rung in views.ancestors]
    cards.add(seller, since + begins, until + begins, numbers[pair], ancestors)


class _Views:
    """What is seen from below each referrer as columns, one entry for each of its stretches of time.

    begins: seconds. chain: a number into `chains`, the steps and tiers of its rungs. ancestors[rung]: the
    ancestor's number or -1. The last entry is the view of those whom nobody referred.
    """

    def __init__(self, seen: dict[int, list[tuple[int, Rungs]]], size: int, begins: int, rungs: int) -> None:
        stretches = [stretch for of_one in seen.values() for stretch in of_one] + [(begins, ())]
        # One more than there are leaders, for whoever has none above: found at -1.
        self._counts = np.zeros(size + 1, dtype=np.int64)
        self._counts[[*seen, -1]] = [*map(len, seen.values()), 1]
        self._firsts = np.zeros(size + 1, dtype=np.int64)
        self._firsts[[*seen, -1]] = np.append(0, np.cumsum(self._counts[list(seen)]))
        numbers: dict[tuple[tuple[int, int], ...], int] = {}
        self.begins = np.array([start for start, _ in stretches], dtype=np.int64)
        told = [tuple([(steps, tier) for steps, _, tier in chain]) for _, chain in stretches]
        self.chain = np.array([numbers.setdefault(each, len(numbers)) for each in told], dtype=np.int64)
        self.chains = list(numbers)
        self.ancestors = [
            np.array([chain[rung][1] if rung < len(chain) else -1 for _, chain in stretches], dtype=np.int64)
            for rung in range(rungs)
        ]

    def of(self, leaders: Ints, referrers: Ints) -> tuple[Ints, Ints]:
        """The leaders, each as often as it has views, and the places of those."""
        counts = self._counts[referrers]
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(starts, counts)
        return np.repeat(leaders, counts), np.repeat(self._firsts[referrers], counts) + within


def _seen_from_below(
    forest: Forest, held: Ints, changes: TierRows, begins: int, reach: int, far: int
) -> dict[int, list[tuple[int, Rungs]]]:
    """For each leader who referred somebody: the rungs that its direct referrals see above them, by time."""
    referred = np.zeros(forest.size + 1, dtype=bool)
    referred[forest.parent] = True
    referrers = forest.downward[referred[forest.downward]]
    own: dict[int, list[tuple[int, int]]] = {
        leader: [(begins, code)]
        for leader, code in zip(referrers.tolist(), held[referrers].tolist(), strict=True)
    }
    theirs = changes.of(referred[:-1])
    for leader, time, code in zip(
        theirs.leader.tolist(), theirs.begins.tolist(), theirs.code.tolist(), strict=True
    ):
        own[leader].append((time, code))
    seen: dict[int, list[tuple[int, Rungs]]] = {}
    nothing: list[tuple[int, Rungs]] = [(begins, ())]
    for (leader, steps), parent in zip(own.items(), forest.parent[referrers].tolist(), strict=True):
        upward = seen[parent] if parent >= 0 else nothing
        stretches: list[tuple[int, Rungs]] = []
        for start, code, chain in _together(steps, upward):
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
