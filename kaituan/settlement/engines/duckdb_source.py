"""How DuckDB reads the tables of a folder: what each column holds, typed, and whether it may stand.

Every column becomes two expressions: its typed value, and a condition that the value as given is allowed.
The conditions accept exactly what `records.check_row` accepts; when one fails, the offending row is handed to
`check_row`, whose sentence is the refusal.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import Any, Concatenate, NoReturn

import duckdb
import numpy as np
from numpy.typing import NDArray

from kaituan.settlement.engines.folder import LONGEST_LINE, raw_rows, table_path
from kaituan.settlement.engines.records import (
    COLUMNS,
    EPOCH,
    FIRST_SECOND,
    LAST_SECOND,
    MAY_BE_EMPTY,
    NUMBERS,
    REQUIRED_TEXTS,
    TIME_FORM,
    TIMES,
    InputError,
    check_columns,
    check_row,
    refusal,
)

WHOLE_TYPES = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {
    "INTEGER",
    "UINTEGER",
}

TEXTS = frozenset({"plan_version", "category", "tier", "rule"})
INSTANT_TYPES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")


@dataclass(frozen=True, slots=True)
class Column:
    """value: SQL of the typed value. allowed: SQL that is true where the given value may stand. given: SQL of
    the value before nulls are made empty texts."""

    value: str
    allowed: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One table of the folder as DuckDB sees it. relation: SQL to select from."""

    table: str
    path: Path
    relation: str
    columns: dict[str, Column]
    kinds: dict[str, str]

    @property
    def file(self) -> str:
        return self.path.name

    def allowed(self) -> str:
        """SQL that is true for the rows that `check_row` accepts."""
        return (
            " AND ".join(column.allowed for column in self.columns.values() if column.allowed != "TRUE")
            or "TRUE"
        )


def quoted(text: str) -> str:
    """A SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def open_source(connection: duckdb.DuckDBPyConnection, folder: Path, table: str) -> Source:
    """The table of a folder. Raises InputError where the file or a column is missing or cannot be read."""
    path = table_path(folder, table)
    try:
        relation = _parquet(connection, path, table) if path.suffix == ".parquet" else _csv(path, table)
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as mistake:
        raise unreadable(path, table, mistake) from None
    types = {name: kind for name, kind, *_ in described}
    # Where two names differ in nothing but capitals, DuckDB calls one of them otherwise.
    check_columns(table, path.name, types)
    columns = {name: _column(table, name, types[name]) for name in COLUMNS[table]}
    return Source(table, path, relation, columns, types)


def unreadable(path: Path, table: str, mistake: Exception) -> InputError:
    """The refusal of a file that DuckDB gave up on: the plain reader's sentence where it finds one."""
    try:
        for row, raw in raw_rows(path, table):
            check_row(table, path.name, row, raw)
    except InputError as told:
        return told
    return refusal(path.name, f"cannot be read: {str(mistake).splitlines()[0]}")


def tells_unreadable[**Rest, Result](
    reads: Callable[Concatenate[duckdb.DuckDBPyConnection, Source, Rest], Result],
) -> Callable[Concatenate[duckdb.DuckDBPyConnection, Source, Rest], Result]:
    """What reads a source refuses the file where DuckDB gives up on it."""

    @wraps(reads)
    def guarded(
        connection: duckdb.DuckDBPyConnection, source: Source, /, *args: Rest.args, **named: Rest.kwargs
    ) -> Result:
        try:
            return reads(connection, source, *args, **named)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as mistake:
            raise unreadable(source.path, source.table, mistake) from None

    return guarded


def create_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, Sequence[Any] | NDArray[np.int64]],
) -> None:
    """A small table from Python; the columns named in TEXTS hold texts, the others whole numbers."""
    arrays = {
        column: np.asarray(values, dtype=object if column in TEXTS else np.int64)
        for column, values in columns.items()
    }
    typed = ", ".join(
        f"CAST({column} AS {'VARCHAR' if column in TEXTS else 'BIGINT'}) AS {column}" for column in arrays
    )
    connection.register("given", arrays)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {typed} FROM given").fetchall()
    connection.unregister("given")


@tells_unreadable
def first_row(
    connection: duckdb.DuckDBPyConnection, source: Source, condition: str, *, after: int = 0
) -> tuple[int, dict[str, Any]] | None:
    """Number and raw values of the first row for which the condition holds, `after` of them passed over.

    None if there is none. Instants come finer than a second only if they were, which is all that counts.
    """
    instants = {name for name in COLUMNS[source.table] if source.kinds[name] in INSTANT_TYPES}
    names = ", ".join(
        f'{_microseconds(name, source.kinds[name])} AS "{name}"' if name in instants else f'"{name}"'
        for name in COLUMNS[source.table]
    )
    statement = f"""
        SELECT row_no, {names} FROM (SELECT *, row_number() OVER () AS row_no FROM {source.relation})
        WHERE {condition} ORDER BY row_no LIMIT 1 OFFSET {after}
    """
    with in_file_order(connection) as ordered:
        rows = ordered.execute(statement).fetchall()
    if not rows:
        return None
    raw = dict(zip(COLUMNS[source.table], rows[0][1:], strict=True))
    for name in instants:
        if raw[name] is not None:
            # A time that the calendar does not know stays a number, which no time may be.
            with suppress(OverflowError):
                raw[name] = EPOCH + timedelta(microseconds=raw[name])
    return rows[0][0], raw


def _microseconds(name: str, kind: str) -> str:
    """SQL of an instant since 1970, the next whole microsecond where it is finer."""
    return f'-(-epoch_ns("{name}") // 1000)' if kind.endswith("_NS") else f'epoch_us("{name}")'


_one_at_a_time = RLock()


@contextmanager
def in_file_order(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Rows numbered as they stand in the file: needed only to name one, so it is off elsewhere for speed. It is
    one setting for all connections, so one asks at a time."""
    with _one_at_a_time:
        connection.execute("SET preserve_insertion_order = true").fetchall()
        try:
            yield connection
        finally:
            connection.execute("SET preserve_insertion_order = false").fetchall()


def refuse_values(connection: duckdb.DuckDBPyConnection, source: Source) -> NoReturn:
    """Raise the refusal of the first row with a value that may not stand."""
    found = first_row(connection, source, f"({source.allowed()}) IS NOT TRUE")
    if found:
        check_row(source.table, source.file, *found)
    raise refusal(source.file, "a value may not stand")


@tells_unreadable
def check_values(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Every value of a small table may stand. Raises InputError."""
    statement = f"SELECT count(*) FROM {source.relation} WHERE ({source.allowed()}) IS NOT TRUE"
    [(bad,)] = connection.execute(statement).fetchall()
    if bad:
        refuse_values(connection, source)


def _exactly(path: Path) -> str:
    """A literal that DuckDB takes for this file, whatever its name is."""
    return quoted("".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path)))


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, table: str) -> str:
    check_columns(table, path.name, _parquet_names(connection, path))
    # Folders named like `tier=host` are no columns.
    return f"read_parquet({_exactly(path)}, hive_partitioning = false)"


def _parquet_names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns as the file has them; DuckDB gives one that is there twice another name."""
    elements = connection.execute(
        f"SELECT name, COALESCE(num_children, 0) FROM parquet_schema({_exactly(path)})"
    ).fetchall()
    names: list[str] = []
    # The root comes first, and each group's parts behind it.
    inside = 0
    for name, children in elements[1:]:
        if not inside:
            names.append(name)
        inside = max(0, inside - 1) + children
    return names


def _csv(path: Path, table: str) -> str:
    """Everything as text, by the names in the header; what the texts mean is for `_column` to say."""
    header = _csv_header(path)
    check_columns(table, path.name, header)
    kinds = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv({_exactly(path)}, hive_partitioning = false, header = true, auto_detect = false, "
        f"delim = ',', quote = '\"', escape = '\"', columns = {{{kinds}}}, strict_mode = true, "
        f"max_line_size = {LONGEST_LINE})"
    )


def _csv_header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            return next(csv.reader(text, strict=True), [])
    except (OSError, UnicodeDecodeError, csv.Error) as mistake:
        raise refusal(path.name, f"cannot be read: {mistake}") from None


def _column(table: str, name: str, kind: str) -> Column:
    if name in NUMBERS.get(table, {}):
        return _number(name, kind, *NUMBERS[table][name])
    if name in TIMES.get(table, ()):
        return _time(name, kind)
    return _text(name, kind, required=name in REQUIRED_TEXTS[table])


def _text(name: str, kind: str, *, required: bool) -> Column:
    given = f'"{name}"'
    if kind != "VARCHAR":
        if kind not in WHOLE_TYPES:
            return Column("NULL::VARCHAR", f"{given} IS NULL AND {not required}", "NULL::VARCHAR")
        given = f"CAST({given} AS VARCHAR)"
    if required:
        return Column(given, f"({given} <> '') IS TRUE", given)
    return Column(f"COALESCE({given}, '')", "TRUE", given)


def _number(name: str, kind: str, low: int, high: int) -> Column:
    given = f'"{name}"'
    empty = f"{given} IS NULL"
    whole = "TRUE"
    if kind == "VARCHAR":
        empty = f"({given} IS NULL OR {given} = '')"
        # HUGEINT, so that a number past 64 bits is out of range and not merely unreadable.
        value = f"CASE WHEN regexp_full_match({given}, '-?[0-9]+') THEN TRY_CAST({given} AS HUGEINT) END"
    elif kind in ("FLOAT", "DOUBLE"):
        whole = f"(isfinite({given}) AND {given} = trunc({given}) AND abs({given}) <= {2**53})"
        value = f"CASE WHEN {whole} THEN CAST({given} AS BIGINT) END"
    elif kind.startswith("DECIMAL"):
        value = f"CASE WHEN {given} = trunc({given}) THEN TRY_CAST({given} AS HUGEINT) END"
    elif kind in WHOLE_TYPES:
        value = given
    else:
        return Column("NULL::BIGINT", f"{empty} AND {name in MAY_BE_EMPTY}")
    within = f"({value} BETWEEN {low} AND {high}) IS TRUE"
    return Column(
        f"TRY_CAST({value} AS BIGINT)", f"({empty} OR {within})" if name in MAY_BE_EMPTY else within
    )


def _time(name: str, kind: str) -> Column:
    given = f'"{name}"'
    if kind == "VARCHAR":
        # strptime wants each field at most its width, so 20 characters ending in Z leave no room for another
        # form; it skips blanks at the front, which sort before '1', so early years are matched in full.
        formed = (
            f"strlen({given}) = 20 AND ends_with({given}, 'Z') "
            f"AND ({given} >= '1' OR regexp_full_match({given}, {quoted(TIME_FORM.pattern)}))"
        )
        value = f"(epoch_us(try_strptime({given}, '%Y-%m-%dT%H:%M:%SZ')) // 1000000)"
        return Column(value, f"({formed} AND {value} >= {FIRST_SECOND}) IS TRUE")
    if kind in INSTANT_TYPES:
        value = (
            f"epoch_ns({given}) // 1000000000" if kind.endswith("_NS") else f"epoch_us({given}) // 1000000"
        )
        rest = f"epoch_ns({given}) % 1000000000" if kind.endswith("_NS") else f"epoch_us({given}) % 1000000"
        return Column(value, f"({rest} = 0 AND {value} BETWEEN {FIRST_SECOND} AND {LAST_SECOND}) IS TRUE")
    return Column("NULL::BIGINT", "FALSE")
