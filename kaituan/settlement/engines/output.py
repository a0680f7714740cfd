"""The output table: where it goes, in which form, and that it appears whole or not at all."""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import batched
from pathlib import Path

from kaituan.settlement.engines.records import CommissionRow, InputError

HEADER = ("leader_id", "rule", "line_id", "amount_fen")
TOTALS_HEADER = ("leader_id", "rule", "amount_fen")
NEEDS_QUOTES = re.compile(r'[",\r\n]')
RULES = ("differential", "dividend", "peer", "sale", "service", "team_ladder")


def check_ending(path: Path) -> None:
    """The file's ending says its form. Raises InputError for any but .csv and .parquet, or no such folder."""
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path.name}: the output must end in .csv or .parquet")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no such folder to write to")


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to; it takes the name of `path` on success and vanishes on failure."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)
        unfinished.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        raise


def total_rows(rows: Iterable[CommissionRow]) -> list[CommissionRow]:
    """The sum per leader and rule, as rows without a line; sums of 0 left out. Sorted."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        sums[row.leader_id, row.rule] += row.amount_fen
    found = [CommissionRow(leader, rule, "", amount) for (leader, rule), amount in sums.items() if amount]
    return sorted(found, key=CommissionRow.sort_key)


def csv_field(value: str) -> str:
    """The value as a CSV field, quoted only where it holds a comma, a quote or an end of line."""
    if NEEDS_QUOTES.search(value):
        return '"' + value.replace('"', '""') + '"'
    return value


def write_rows(rows: Iterable[CommissionRow], path: Path, *, totals: bool = False) -> None:
    """Write rows that are already in order, as CSV or Parquet by the ending."""
    header = TOTALS_HEADER if totals else HEADER
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as text:
            text.write(",".join(header) + "\n")
            for row in rows:
                text.write(",".join(csv_field(str(getattr(row, name))) for name in header) + "\n")
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name == "amount_fen" else pa.string()) for name in header])
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batched(rows, 200_000):
            columns = [[getattr(row, name) for row in batch] for name in header]
            writer.write_table(pa.table(columns, schema=schema))
