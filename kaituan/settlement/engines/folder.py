"""The folder of a settlement: which file holds which table, case.json, and a plain reader of the rows."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaituan.commission.plan import Plan, PlanRefused, read_plan
from kaituan.settlement.engines.records import (
    COLUMNS,
    InputError,
    check_columns,
    read_time,
    refusal,
)

CASE_FILE = "case.json"
# A line of CSV may be so long; it may be one field.
LONGEST_LINE = 2**24
csv.field_size_limit(LONGEST_LINE)
ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """case.json: the plans by version, the plan of the period, and the period [start, end) in seconds."""

    plans: Mapping[str, Plan]
    period_plan: Plan
    start: int
    end: int


def table_path(folder: Path, table: str) -> Path:
    """The one file of a table. Raises InputError where it is missing or there are two to choose from."""
    found = [path for ending in ENDINGS if (path := folder / f"{table}{ending}").is_file()]
    if not found:
        raise refusal(f"{table}.csv", f"the file is missing (nor is there {table}.parquet)")
    if len(found) > 1:
        raise refusal(f"{table}.csv", f"there is {table}.parquet too, and only one of them can be meant")
    return found[0]


def read_case_file(folder: Path) -> CaseFile:
    """case.json of a folder, checked. Raises InputError."""
    try:
        text = (folder / CASE_FILE).read_text(encoding="utf-8-sig")
    except OSError as mistake:
        raise refusal(CASE_FILE, f"cannot be read: {mistake.strerror}") from None
    except UnicodeDecodeError:
        raise refusal(CASE_FILE, "is not UTF-8 text") from None
    try:
        document = json.loads(text)
        # JSON may name half a character, which no table can hold.
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise refusal(CASE_FILE, "holds half a character") from None
    except (ValueError, RecursionError) as mistake:
        raise refusal(CASE_FILE, f"is not JSON: {mistake}") from None
    return case_file(document)


def case_file(document: Any) -> CaseFile:
    """The plans and the period of a case.json that is already parsed. Raises InputError."""
    if not isinstance(document, dict):
        raise refusal(CASE_FILE, "must be an object")
    for key in ("plans", "period_plan", "start", "end"):
        if key not in document:
            raise refusal(CASE_FILE, f"key {key} is missing")
    plans = _plans(document["plans"])
    period_plan = document["period_plan"]
    if not isinstance(period_plan, str) or period_plan not in plans:
        raise refusal(CASE_FILE, f"unknown plan version {period_plan!r} in period_plan")
    times = {}
    for key in ("start", "end"):
        try:
            times[key] = read_time(document[key])
        except ValueError as mistake:
            raise refusal(CASE_FILE, f"{key} {mistake}") from None
    if times["end"] <= times["start"]:
        raise refusal(CASE_FILE, "end must be after start")
    return CaseFile(plans=plans, period_plan=plans[period_plan], **times)


def _plans(documents: Any) -> dict[str, Plan]:
    if not isinstance(documents, list) or not documents:
        raise refusal(CASE_FILE, "plans must be a list of plans")
    plans: dict[str, Plan] = {}
    for number, document in enumerate(documents, start=1):
        name = document.get("version") if isinstance(document, dict) else None
        try:
            plan = read_plan(document)
        except PlanRefused as mistake:
            shown = name if isinstance(name, str) and name else f"number {number}"
            raise refusal(CASE_FILE, f"plan {shown}: {mistake}") from None
        if plan.version in plans:
            raise refusal(CASE_FILE, f"plan version {plan.version} is there twice")
        plans[plan.version] = plan
    return plans


def raw_rows(path: Path, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Row number and values of each row, as the file holds them. Raises InputError."""
    return _parquet_rows(path, table) if path.suffix == ".parquet" else _csv_rows(path, table)


def _csv_rows(path: Path, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
    row = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            header = next(reader, [])
            check_columns(table, path.name, header)
            places = {column: header.index(column) for column in COLUMNS[table]}
            for fields in reader:
                if not fields:
                    continue
                row += 1
                if len(fields) != len(header):
                    ids = {header[0]: fields[0]} if fields else {}
                    raise refusal(
                        path.name, f"has {len(fields)} fields, the header {len(header)}", row=row, ids=ids
                    )
                yield row, {column: fields[place] for column, place in places.items()}
    except UnicodeDecodeError:
        raise refusal(path.name, "is not UTF-8 text", row=row + 1) from None
    except csv.Error as mistake:
        raise refusal(path.name, f"is not CSV: {mistake}", row=row + 1) from None
    except OSError as mistake:
        raise refusal(path.name, f"cannot be read: {mistake.strerror}") from None


def _parquet_rows(path: Path, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            check_columns(table, path.name, file.schema_arrow.names)
            row = 0
            for batch in file.iter_batches(columns=list(COLUMNS[table])):
                columns = {column: _values(batch.column(column), pa) for column in COLUMNS[table]}
                for place in range(batch.num_rows):
                    row += 1
                    yield row, {column: values[place] for column, values in columns.items()}
    except InputError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as mistake:
        raise refusal(path.name, f"cannot be read: {str(mistake).splitlines()[0]}") from None


def _values(column: Any, pa: Any) -> list[Any]:
    """Python values of a Parquet column; finer timestamps must fit microseconds exactly."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=column.type.tz))
    try:
        values: list[Any] = column.to_pylist()
    except OverflowError:
        values = [_python_value(each) for each in column]
    return values


def _python_value(scalar: Any) -> Any:
    """A time that the calendar does not know stays a number, which no time may be."""
    try:
        return scalar.as_py()
    except OverflowError:
        return scalar.value
