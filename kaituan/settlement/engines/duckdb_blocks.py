"""The lines of a Parquet file as blocks, with the refusals that DuckDB words.

Importing this loads pyarrow, so only a run that wants blocks does.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from kaituan.settlement.engines.duckdb_lines import check_total, refuse_line
from kaituan.settlement.engines.duckdb_source import Source, unreadable
from kaituan.settlement.engines.line_blocks import (
    ASIDE,
    NONE,
    NUMBERED,
    Block,
    CardFinder,
    ids_ascend,
    schema,
)
from kaituan.settlement.engines.line_ids import Sieve, Texts
from kaituan.settlement.engines.parquet_lines import UNKNOWN, Known, Lookup, Reading, Unsound, line_keys
from kaituan.settlement.engines.rates import Vocabulary


@dataclass(frozen=True, slots=True)
class Loaded:
    """The lines of a file. refunded_ids: see `parquet_lines.Known`."""

    blocks: list[Block]
    refunded_ids: Any
    with_costs: bool

    @property
    def highest_fen(self) -> int:
        return max((block.highest_fen for block in self.blocks), default=0)

    def ids_ascend(self) -> bool:
        return ids_ascend(self.blocks)

    def numbered(self) -> Any:
        """The Arrow table of NUMBERED: all lines."""
        names = schema(NUMBERED, with_costs=self.with_costs)
        return pa.Table.from_batches([block.numbered for block in self.blocks], names)

    def aside(self) -> Any:
        """The Arrow table of ASIDE with line_key, 0 for a line that no refund is for."""
        names = schema(ASIDE, with_costs=self.with_costs)
        lines = pa.Table.from_batches([block.aside for block in self.blocks], names)
        return lines.append_column("line_key", pa.array(line_keys(self.blocks, self.refunded_ids)))


def load_blocks(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    reading: Reading,
    plans: Mapping[str, object],
    words: Vocabulary,
    leader_ids: list[str],
    cards: Future[CardFinder],
    *,
    with_costs: bool,
) -> Loaded:
    """All lines, which may stand but for their ids being unique. Raises InputError."""
    refunded_ids = connection.sql("SELECT line_id FROM refunded_id ORDER BY line_key").to_arrow_table()
    ids = refunded_ids["line_id"].combine_chunks()
    held_against = Known(_lookups(words, leader_ids), ids, Sieve(Texts(ids)), cards, with_costs)
    try:
        blocks = reading.blocks(held_against)
    except Unsound:
        refuse_line(connection, source, plans)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as mistake:
        raise unreadable(source.path, source.table, mistake) from None
    check_total(source, sum(block.total_fen for block in blocks))
    return Loaded(blocks, ids, with_costs)


def _lookups(words: Vocabulary, leader_ids: list[str]) -> dict[str, Lookup]:
    """leader_ids: in the order of their numbers."""
    numbers = {leader_id: number for number, leader_id in enumerate(leader_ids)}
    firsts = {each.version: each.number for each in words.classes if each.category is None}
    listed = dict.fromkeys(each.category for each in words.classes if each.category is not None)
    ranks = {category: rank for rank, category in enumerate(listed, start=1)}
    return {
        "leader_id": Lookup(numbers, none=UNKNOWN, other=UNKNOWN),
        "pickup_leader_id": Lookup(numbers, none=NONE, other=UNKNOWN),
        "plan_version": Lookup(firsts, none=UNKNOWN, other=UNKNOWN),
        "category": Lookup(ranks, none=0, other=0),
    }
