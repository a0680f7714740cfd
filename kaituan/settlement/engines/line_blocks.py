"""Order lines as columns in memory, for sums: blocks of them, and the tables that DuckDB sums up.

A block holds numbers only, and of each line no more than its sums want: which card and which rates it meets, who
handed the goods over (the numbers of `forest.py`), and what was paid. Lines that a refund may be for are few; they
are put aside, and told apart later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kaituan.settlement.engines.forest import Cards, Ints

Codes = NDArray[np.int32]
NONE = -1


@dataclass(frozen=True, slots=True)
class Lines:
    """What some lines say, one entry for each: leaders by number, pickup NONE where there is none, the class of
    its rates, seconds; amounts and rates as Arrow arrays, cost_fen None where it is not wanted."""

    seller: Codes
    pickup: Codes
    rate_class: Codes
    completed_at: Ints
    paid_fen: Any
    cost_fen: Any
    sale_rate_bp: Any


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand together in the file, in its order.

    numbered: all of them, a record batch of NUMBERED. aside: those that a refund may be for, of ASIDE, and aside_ids
    their ids. highest_fen, total_fen: of paid_fen, exact however large. first_id, last_id: as bytes. ids_ascend: each
    id is longer than the one before, or as long and after it.
    """

    numbered: Any
    aside: Any
    aside_ids: Any
    highest_fen: int
    total_fen: int
    ids_ascend: bool
    first_id: bytes
    last_id: bytes


TYPES = {
    "card_no": pa.int32(),
    "rate_no": pa.int32(),
    "seller": pa.int32(),
    "pickup": pa.int32(),
    "rate_class": pa.int32(),
    "completed_at": pa.int64(),
    "paid_fen": pa.int64(),
    "sale_rate_bp": pa.int16(),
    "cost_fen": pa.int64(),
}
# cost_fen comes last where it is wanted. Card and pickup are NONE for a line that is put aside or was not completed
# in the period.
NUMBERED = ("card_no", "rate_no", "pickup", "paid_fen", "sale_rate_bp")
# The card is NONE for a line that was not completed in the period.
ASIDE = ("card_no", "rate_no", "seller", "pickup", "rate_class", "completed_at", "paid_fen", "sale_rate_bp")


def schema(names: Sequence[str], *, with_costs: bool) -> Any:
    """The Arrow schema of NUMBERED or ASIDE."""
    return pa.schema([(name, TYPES[name]) for name in (*names, *(("cost_fen",) if with_costs else ()))])


def highest_and_total_fen(paid_fen: Any) -> tuple[int, int]:
    """The largest of an Arrow array that is not empty, and the sum, exact however large."""
    numbers = paid_fen.to_numpy()
    highest = int(numbers.max())
    if highest < 2**63 // len(numbers):
        return highest, int(numbers.sum())
    return highest, (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFF_FFFF).sum())


def ids_ascend(blocks: Sequence[Block]) -> bool:
    """Whether the file is in the order of its ids, the shorter first, so that none can be there twice."""
    return all(block.ids_ascend for block in blocks) and all(
        (len(before.last_id), before.last_id) < (len(after.first_id), after.first_id)
        for before, after in pairwise(blocks)
    )


def put_aside(lines: Lines, place: "Place", rows: Ints) -> tuple[Any, Any]:
    """Record batches of NUMBERED with all lines and of ASIDE with those of the rows. `place` and `lines.pickup` are
    changed."""
    picked = pa.array(rows)
    amounts = {"paid_fen": lines.paid_fen, "sale_rate_bp": lines.sale_rate_bp}
    if lines.cost_fen is not None:
        amounts["cost_fen"] = lines.cost_fen
    found = {
        "card_no": place.card_no.take(rows),
        "rate_no": place.rate_no.take(rows),
        "seller": lines.seller.take(rows),
        "pickup": lines.pickup.take(rows),
        "rate_class": lines.rate_class.take(rows),
        "completed_at": lines.completed_at.take(rows),
    } | {name: column.take(picked) for name, column in amounts.items()}
    lines.pickup[place.outside] = NONE
    place.card_no[rows] = lines.pickup[rows] = NONE
    numbered = {"card_no": place.card_no, "rate_no": place.rate_no, "pickup": lines.pickup} | amounts
    return pa.record_batch(numbered), pa.record_batch(found)


@dataclass(frozen=True, slots=True)
class Place:
    """Where lines belong: card_no and rate_no of each. outside: the lines that were not completed in the period, whose
    card is NONE."""

    card_no: Codes
    rate_no: Codes
    outside: Ints


class CardFinder:
    """The card and the rates of a line, for many at once. Cards are those of all sellers for the period; they stand by
    seller and time, and leave no gap."""

    def __init__(self, cards: Cards, *, start: int, end: int, classes: int) -> None:
        counts = np.bincount(cards.seller)
        self._first = np.cumsum(counts) - counts
        self._ends = cards.ends - start
        self._first_ends = self._ends[self._first]
        self._first_rate = (cards.shape * classes).astype(np.int32)
        self._start, self._length = start, np.uint64(end - start)

    def find(self, lines: Lines) -> Place:
        """For speed, numbers that places are taken by are of the width of a place, and nothing is picked by []."""
        moment = lines.completed_at - self._start
        # Without a sign, a time before the start is far behind the end.
        outside = np.flatnonzero(moment.view(np.uint64) >= self._length)
        moment[outside] = 0
        seller = lines.seller.astype(np.int64)
        card_no = self._first.take(seller)
        late = np.flatnonzero(moment >= self._first_ends.take(seller))
        later, moment = card_no.take(late) + 1, moment.take(late)
        card_no[late] = later
        while len(late):
            still = np.flatnonzero(moment >= self._ends.take(later))
            late, later, moment = late.take(still), later.take(still) + 1, moment.take(still)
            card_no[late] = later
        rate_no: Codes = self._first_rate.take(card_no)
        rate_no += lines.rate_class
        card_no[outside] = NONE
        return Place(card_no.astype(np.int32), rate_no, outside)
