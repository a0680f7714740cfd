"""Order lines read from Parquet for sums: column by column, each text looked up once per dictionary.

Leaders, plan versions and categories come again and again, and Parquet keeps such texts as numbers into a
dictionary. Here the few entries of a dictionary are looked up instead of millions of rows. Nothing is refused
here: lines that may not stand raise Unsound, and whoever words the refusals looks for the first of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kaituan.settlement.engines.forest import Ints
from kaituan.settlement.engines.line_blocks import (
    Block,
    CardFinder,
    Codes,
    Lines,
    highest_and_total_fen,
    put_aside,
)
from kaituan.settlement.engines.line_ids import Sieve, Texts
from kaituan.settlement.engines.records import COLUMNS, FIRST_SECOND, LAST_SECOND, MAY_BE_EMPTY, NUMBERS

UNKNOWN = -2
LOOKED_UP = ("leader_id", "pickup_leader_id", "plan_version", "category")
COLUMNS_READ = ("line_id", "completed_at", *LOOKED_UP, *NUMBERS["lines"])
# Row groups are read together until they are worth a task.
TASK_ROWS = 500_000
# Small enough for a column's numbers to stay in the cache, and for memory to be used again instead of given back.
BLOCK_ROWS = 2**17
# Tasks begun before it is known what lines are held against; more would be in the way of finding that out.
AHEAD = 1


class Unsound(Exception):
    """Some line may not stand."""


def _can_read(path: Path) -> bool:
    """Whether this module reads the types of the columns; DuckDB reads any."""
    fields = pq.read_schema(path)
    if any(fields.names.count(name) != 1 for name in COLUMNS["lines"]):
        return False
    types = {field.name: field.type for field in fields}
    times = types["completed_at"]
    return (
        all(_is_text(types[name]) for name in ("line_id", *LOOKED_UP))
        and all(_is_text(types[name]) or pa.types.is_integer(types[name]) for name in ("order_id", "sku"))
        and all(pa.types.is_integer(types[name]) for name in NUMBERS["lines"])
        and (_is_text(times) or (pa.types.is_timestamp(times) and times.tz is not None))
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


class Lookup:
    """Texts as codes. none: the code where there is no text, unless the empty one is known; other: of any
    text that is not known."""

    def __init__(self, codes: Mapping[str, int], *, none: int, other: int) -> None:
        self._known = pa.array(list(codes), pa.string())
        # At the end, so that they are found at -2 and -1.
        self._codes = np.array([*codes.values(), codes.get("", none), other], dtype=np.int32)

    def entries(self, dictionary: Any) -> Codes:
        """The code of each entry of a dictionary, and one more for no entry. Raises ArrowInvalid for what is no
        UTF-8."""
        dictionary.validate(full=True)
        texts = dictionary.cast(pa.string())
        found = pc.index_in(texts, value_set=self._known).fill_null(-1).to_numpy()
        places = np.where(pc.equal(texts, "").to_numpy(zero_copy_only=False), -2, found)
        return self._codes[np.append(places, -2)]


@dataclass(frozen=True, slots=True)
class Known:
    """What the lines are held against. refunded_ids: an Arrow array of texts; the place of an id there, from 1
    on, is its line_key. cards: wanted only once the first lines are read. with_costs: whether what a line cost is
    wanted."""

    lookups: Mapping[str, Lookup]
    refunded_ids: Any
    sieve: Sieve
    cards: Future[CardFinder]
    with_costs: bool


class Reading:
    """The lines of a file, taken from it from now on, and looked at once it is known what they are held against."""

    def __init__(self, path: Path, threads: int) -> None:
        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._known: Future[Known] = Future()
        self._pool = ThreadPoolExecutor(threads)
        self._tasks = [partial(self._read, path, metadata, groups) for groups in _tasks(sizes)]
        self._parts = [self._pool.submit(task) for task in self._tasks[:AHEAD]]

    def blocks(self, held_against: Known) -> list[Block]:
        """All lines in the order of the file. Raises Unsound, ArrowException, OSError."""
        self._known.set_result(held_against)
        self._parts += [self._pool.submit(task) for task in self._tasks[AHEAD:]]
        return [block for part in self._parts for block in part.result()]

    def _read(self, path: Path, metadata: Any, groups: list[int]) -> list[Block]:
        dictionaries = list(LOOKED_UP)
        with pq.ParquetFile(path, metadata=metadata, read_dictionary=dictionaries, memory_map=True) as file:
            columns = self._columns(metadata, groups)
            table = file.read_row_groups(groups, columns=columns, use_threads=False)
        held_against = self._known.result()
        return [block for batch in table.to_batches() for block in _blocks(batch, held_against)]

    def _columns(self, metadata: Any, groups: list[int]) -> list[str]:
        """What to read of some row groups: not what is only checked, where the file's statistics speak for it."""
        checked = {"qty"}
        if self._known.done() and not self._known.result().with_costs:
            checked.add("cost_fen")
        proven = {name for name in checked if all(_proven(metadata.row_group(each), name) for each in groups)}
        return [name for name in COLUMNS_READ if name not in proven]

    def close(self) -> None:
        """Whatever is still being read is of no use."""
        self._known.cancel()
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def read_ahead(path: Path, threads: int) -> Iterator[Reading | None]:
    """None for a file that cannot be read here; why not is for others to say."""
    try:
        reading = Reading(path, threads) if _can_read(path) else None
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        reading = None
    with closing(reading) if reading else nullcontext():
        yield reading


def _proven(group: Any, name: str) -> bool:
    """Whether a row group's statistics say that every number of a column is there and within its bounds."""
    columns = (group.column(place) for place in range(group.num_columns))
    told = next(column.statistics for column in columns if column.path_in_schema == name)
    if told is None or not told.has_min_max or not told.has_null_count or told.null_count:
        return False
    low, high = NUMBERS["lines"][name]
    return bool(low <= told.min <= told.max <= high)


def _tasks(sizes: list[int]) -> Iterator[list[int]]:
    task: list[int] = []
    rows = 0
    for number, size in enumerate(sizes):
        task.append(number)
        rows += size
        if rows >= TASK_ROWS or number == len(sizes) - 1:
            yield task
            task, rows = [], 0


def _blocks(batch: Any, held_against: Known) -> Iterator[Block]:
    """The blocks of a batch, which has one dictionary for each column of texts. Raises Unsound."""
    lookups = held_against.lookups
    entries = {name: lookups[name].entries(batch[name].dictionary) for name in LOOKED_UP}
    for start in range(0, batch.num_rows, BLOCK_ROWS):
        yield _block(batch.slice(start, BLOCK_ROWS), entries, held_against)


def _block(batch: Any, entries: Mapping[str, Codes], held_against: Known) -> Block:
    """One block, checked. Raises Unsound."""
    completed_at = _seconds(batch["completed_at"])
    for name in NUMBERS["lines"].keys() & set(batch.schema.names):
        _check_number(batch[name], name)
    codes = {name: _codes(batch[name].indices, entries[name]) for name in LOOKED_UP}
    if any(int(found.min()) == UNKNOWN for found in codes.values()):
        raise Unsound
    line_id = batch["line_id"]
    line_id.validate(full=True)
    texts = Texts(line_id)
    if line_id.null_count or int(texts.lengths.min()) == 0:
        raise Unsound
    tails = texts.tails()
    lines = Lines(
        seller=codes["leader_id"],
        pickup=codes["pickup_leader_id"],
        rate_class=codes["plan_version"] + codes["category"],
        completed_at=completed_at,
        paid_fen=batch["paid_fen"].cast(pa.int64()),
        cost_fen=batch["cost_fen"].cast(pa.int64()) if held_against.with_costs else None,
        sale_rate_bp=batch["sale_rate_bp"].cast(pa.int16()),
    )
    maybe_refunded = held_against.sieve.let_through(tails)
    numbered, aside = put_aside(lines, held_against.cards.result().find(lines), maybe_refunded)
    highest_fen, total_fen = highest_and_total_fen(lines.paid_fen)
    return Block(
        numbered=numbered,
        aside=aside,
        aside_ids=line_id.take(pa.array(maybe_refunded)).cast(pa.string()),
        highest_fen=highest_fen,
        total_fen=total_fen,
        ids_ascend=texts.ascend(tails),
        first_id=line_id[0].as_py().encode(),
        last_id=line_id[-1].as_py().encode(),
    )


def _codes(indices: Any, entries: Codes) -> Codes:
    """The code of each row; the last entry is for none. Raises ArrowInvalid for what is in no dictionary."""
    bounds = pc.min_max(indices)
    if bounds["max"].is_valid and not 0 <= bounds["min"].as_py() <= bounds["max"].as_py() < len(entries) - 1:
        raise pa.ArrowInvalid("an index past its dictionary")
    if indices.null_count:
        indices = indices.fill_null(len(entries) - 1)
    return entries.take(indices.to_numpy())


def _check_number(numbers: Any, name: str) -> None:
    """Every number is there, if it must be, and within its bounds. Raises Unsound."""
    if numbers.null_count and name not in MAY_BE_EMPTY:
        raise Unsound
    low, high = NUMBERS["lines"][name]
    bounds = pc.min_max(numbers)
    lowest, highest = bounds["min"].as_py(), bounds["max"].as_py()
    if lowest is not None and not low <= lowest <= highest <= high:
        raise Unsound


def _seconds(times: Any) -> Ints:
    """Seconds since 1970. Raises Unsound where a time is missing or in another form than the contract's."""
    if times.null_count:
        raise Unsound
    written = _is_text(times.type)
    if written:
        texts = Texts(times)
        # Of the forms that Arrow takes, only one with a blank for the T is as long.
        if (texts.lengths != 20).any() or (
            texts.data[texts.starts[0] + 10 : texts.stops[-1] : 20] != ord("T")
        ).any():
            raise Unsound
    try:
        moments = times.cast(pa.timestamp("s", "UTC" if written else times.type.tz))
    except pa.ArrowInvalid:
        raise Unsound from None
    seconds: Ints = moments.view(pa.int64()).to_numpy()
    if not FIRST_SECOND <= int(seconds.min()) <= int(seconds.max()) <= LAST_SECOND:
        raise Unsound
    return seconds


def line_keys(blocks: Sequence[Block], refunded_ids: Any) -> Ints:
    """The line_key of each line that the blocks put aside, 0 for one that no refund is for. They are few enough to be
    looked up at once for all blocks."""
    ids = pa.chunked_array([block.aside_ids for block in blocks], pa.string())
    found = pc.index_in(ids, value_set=refunded_ids).fill_null(-1).to_numpy()
    keys: Ints = found.astype(np.int64) + 1
    return keys
