"""Order lines as columns in memory, for sums: blocks of them, and the tables that DuckDB sums up.

A block holds numbers only: leaders are the numbers of `forest.py`, NONE where nobody handed the goods over.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
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
class Block:
    """Lines that stand together in the file, in its order. One entry for each line:

    seller, pickup, rate_class, completed_at; paid_fen, cost_fen (None where it is not wanted) and sale_rate_bp as
    Arrow arrays. refunded: the rows here with a refund, line_key: a number for each of those. first_id, last_id:
    as bytes. ids_ascend: each id is longer than the one before, or as long and after it.
    """

    seller: Codes
    pickup: Codes
    rate_class: Codes
    completed_at: Ints
    paid_fen: Any
    cost_fen: Any
    sale_rate_bp: Any
    refunded: Ints
    line_key: Ints
    ids_ascend: bool
    first_id: bytes
    last_id: bytes


def highest_and_total_fen(blocks: Sequence[Block]) -> tuple[int, int]:
    """The largest paid_fen, and the sum of all, exact however large."""
    highest = total = 0
    for block in blocks:
        paid_fen = block.paid_fen.to_numpy()
        most = int(paid_fen.max())
        highest = max(highest, most)
        if most < 2**63 // len(paid_fen):
            total += int(paid_fen.sum())
        else:
            total += (int((paid_fen >> 32).sum()) << 32) + int((paid_fen & 0xFFFF_FFFF).sum())
    return highest, total


def ids_ascend(blocks: Sequence[Block]) -> bool:
    """Whether the file is in the order of its ids, the shorter first, so that none can be there twice."""
    return all(block.ids_ascend for block in blocks) and all(
        (len(before.last_id), before.last_id) < (len(after.first_id), after.first_id)
        for before, after in pairwise(blocks)
    )


def refunded_lines(blocks: Sequence[Block]) -> Any:
    """The lines that any refund is for, as an Arrow table with the columns of `vector_rules`' `line`."""
    picked = []
    for block in blocks:
        rows = block.refunded
        columns = {
            "line_key": block.line_key,
            "seller": block.seller[rows],
            "pickup": block.pickup[rows],
            "rate_class": block.rate_class[rows],
            "completed_at": block.completed_at[rows],
            "paid_fen": block.paid_fen.take(pa.array(rows)),
            "cost_fen": np.zeros(len(rows), dtype=np.int64)
            if block.cost_fen is None
            else block.cost_fen.take(pa.array(rows)),
            "sale_rate_bp": block.sale_rate_bp.take(pa.array(rows)),
        }
        picked.append(pa.record_batch(columns, schema=REFUNDED))
    return pa.Table.from_batches(picked, REFUNDED)


REFUNDED = pa.schema(
    [
        ("line_key", pa.int64()),
        ("seller", pa.int32()),
        ("pickup", pa.int32()),
        ("rate_class", pa.int32()),
        ("completed_at", pa.int64()),
        ("paid_fen", pa.int64()),
        ("cost_fen", pa.int64()),
        ("sale_rate_bp", pa.int16()),
    ]
)
NUMBERED = pa.schema(
    [
        ("card_no", pa.int32()),
        ("shape", pa.int32()),
        ("seller", pa.int32()),
        ("pickup", pa.int32()),
        ("rate_class", pa.int32()),
        ("paid_fen", pa.int64()),
        ("cost_fen", pa.int64()),
        ("sale_rate_bp", pa.int16()),
    ]
)


def numbered_lines(
    blocks: Sequence[Block], cards: Cards, count: int, *, start: int, end: int, pool: Executor
) -> Any:
    """All lines as an Arrow table with the card_no of each and that card's shape: those of the period that no
    refund was given for; any other line has NONE for its card and its leaders. The first `count` cards are those
    of all sellers for the period; more may come meanwhile."""
    finder = _CardFinder(cards, count)

    def numbered(block: Block) -> Any:
        outside = np.flatnonzero((block.completed_at < start) | (block.completed_at >= end))
        seller, pickup = block.seller.copy(), block.pickup.copy()
        card_no = finder.find(seller, np.clip(block.completed_at, start, end - 1))
        shape = finder.shape[card_no]
        for rows in (outside, block.refunded):
            card_no[rows] = seller[rows] = pickup[rows] = NONE
        columns = {
            "card_no": card_no,
            "shape": shape,
            "seller": seller,
            "pickup": pickup,
            "rate_class": block.rate_class,
            "paid_fen": block.paid_fen,
            "cost_fen": pa.nulls(len(card_no), pa.int64()) if block.cost_fen is None else block.cost_fen,
            "sale_rate_bp": block.sale_rate_bp,
        }
        return pa.record_batch(columns, schema=NUMBERED)

    return pa.Table.from_batches(pool.map(numbered, blocks), NUMBERED)


class _CardFinder:
    """The card of a seller at a time, for many at once. Cards stand by seller and time, and leave no gap."""

    def __init__(self, cards: Cards, count: int) -> None:
        sellers = np.array(cards.seller[:count], dtype=np.int64)
        counts = np.bincount(sellers) if len(sellers) else np.zeros(0, dtype=np.int64)
        self._first = (np.cumsum(counts) - counts).astype(np.int32)
        self._ends = np.array(cards.ends[:count], dtype=np.int64)
        self.shape = np.array(cards.shape[:count], dtype=np.int32)

    def find(self, seller: Codes, times: Ints) -> Codes:
        """int32[lines]: the card's number for each line; times lie within the cards'."""
        card_no: Codes = self._first[seller]
        late = np.flatnonzero(times >= self._ends[card_no])
        while len(late):
            card_no[late] += 1
            late = late[times[late] >= self._ends[card_no[late]]]
        return card_no
