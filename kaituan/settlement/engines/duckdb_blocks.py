"""The lines of a Parquet file as blocks, with DuckDB beside: its refusals, and its tables of what is in them.

Importing this loads pyarrow, so only a run that wants blocks does.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import duckdb
import pyarrow as pa

from kaituan.settlement.engines.duckdb_lines import check_total, refuse_line
from kaituan.settlement.engines.duckdb_source import Source, unreadable
from kaituan.settlement.engines.line_blocks import Block, highest_and_total_fen, refunded_lines
from kaituan.settlement.engines.parquet_lines import Unsound, can_read, known, read_blocks
from kaituan.settlement.engines.rates import Vocabulary


def reads(source: Source) -> bool:
    """Whether the lines can be read as blocks. Raises InputError for what is no Parquet."""
    try:
        return source.path.suffix == ".parquet" and can_read(source.path)
    except (pa.ArrowException, OSError) as mistake:
        raise unreadable(source.path, source.table, mistake) from None


def load_blocks(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    versions: Mapping[str, object],
    words: Vocabulary,
    leader_ids: list[str],
    *,
    with_costs: bool,
    pool: Executor,
) -> tuple[list[Block], int]:
    """All lines, which may stand but for their ids being unique, and the largest paid_fen; and the table
    `refunded_line`. Raises InputError."""
    refunded_ids = connection.sql("SELECT line_id FROM refunded_id ORDER BY line_key").to_arrow_table()
    held_against = known(words, leader_ids, refunded_ids["line_id"].combine_chunks(), with_costs=with_costs)
    try:
        blocks = read_blocks(source.path, held_against, pool)
    except Unsound:
        refuse_line(connection, source, versions)
    except (pa.ArrowException, OSError) as mistake:
        raise unreadable(source.path, source.table, mistake) from None
    highest, total = highest_and_total_fen(blocks)
    check_total(source, total)
    _create_refunded(connection, blocks)
    return blocks, highest


def _create_refunded(connection: duckdb.DuckDBPyConnection, blocks: Sequence[Block]) -> None:
    found: Any = refunded_lines(blocks)
    connection.register("found", found)
    connection.execute(
        "CREATE TABLE refunded_line AS SELECT * REPLACE (NULLIF(pickup, -1) AS pickup), '' AS line_id FROM found"
    ).fetchall()
    connection.unregister("found")
