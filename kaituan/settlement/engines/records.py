"""The typed rows of a settlement case and what is refused when they are read.

Times are whole seconds since 1970 in UTC. Every refusal is an InputError: one line that names the file, the
row and the ids. Rows are counted from 1, the header left out, in CSV and in Parquet alike.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kaituan.money.fen import MAX_FEN

COLUMNS = {
    "leaders": ("leader_id", "referrer_id"),
    "tiers": ("leader_id", "tier", "effective_from"),
    "lines": (
        "line_id",
        "order_id",
        "leader_id",
        "sku",
        "category",
        "qty",
        "paid_fen",
        "cost_fen",
        "sale_rate_bp",
        "pickup_leader_id",
        "plan_version",
        "completed_at",
    ),
    "refunds": ("line_id", "refunded_at", "amount_fen"),
}
# Which ids of a table's row a refusal shows.
SHOWN_IDS = {
    "leaders": ("leader_id",),
    "tiers": ("leader_id",),
    "lines": ("line_id",),
    "refunds": ("line_id",),
}
# Lowest and highest value of each number; None as a third entry: may be empty.
NUMBERS = {
    "lines": {
        "qty": (0, MAX_FEN),
        "paid_fen": (0, MAX_FEN),
        "cost_fen": (0, MAX_FEN),
        "sale_rate_bp": (0, 10_000),
    },
    "refunds": {"amount_fen": (1, MAX_FEN)},
}
TIMES = {"tiers": ("effective_from",), "lines": ("completed_at",), "refunds": ("refunded_at",)}
REQUIRED_TEXTS = {
    "leaders": ("leader_id",),
    "tiers": ("leader_id",),
    "lines": ("line_id", "leader_id", "plan_version"),
    "refunds": ("line_id",),
}
MAY_BE_EMPTY = frozenset({"sale_rate_bp"})

TIME_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
WHOLE_NUMBER = re.compile(r"-?[0-9]+")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years 1 to 9999, in seconds.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799


class InputError(Exception):
    """Bad input of a settlement: one line naming the file, the row and the ids. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Leader:
    leader_id: str
    referrer_id: str


@dataclass(frozen=True, slots=True)
class TierRow:
    leader_id: str
    tier: str
    effective_from: int


@dataclass(frozen=True, slots=True)
class Line:
    line_id: str
    leader_id: str
    category: str
    paid_fen: int
    cost_fen: int
    sale_rate_bp: int | None
    pickup_leader_id: str
    plan_version: str
    completed_at: int


@dataclass(frozen=True, slots=True)
class Refund:
    line_id: str
    refunded_at: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class CommissionRow:
    """One row of the output; line_id is empty for team_ladder and dividend."""

    leader_id: str
    rule: str
    line_id: str
    amount_fen: int

    def sort_key(self) -> tuple[bytes, str, bytes]:
        return (self.leader_id.encode(), self.rule, self.line_id.encode())


def refusal(
    file: str, what: str, *, row: int | None = None, ids: Mapping[str, Any] | None = None
) -> InputError:
    """The one line: file, row, ids, what is wrong."""
    place = file if row is None else f"{file} row {row}"
    shown = ", ".join(f"{name} {value}" for name, value in (ids or {}).items() if value not in (None, ""))
    line = f"{place} ({shown}): {what}" if shown else f"{place}: {what}"
    return InputError(" ".join(line.splitlines()))


def unknown(table: str, file: str, row: int | None, ids: Mapping[str, Any], name: str) -> InputError:
    """A row that names a `name` ("referrer", "seller", ...) which no row of the case defines."""
    return refusal(file, f"unknown {name}", row=row, ids=ids)


def check_columns(table: str, file: str, found: Iterable[str]) -> None:
    """Every column of the contract is there, each once. Others are let pass and not read."""
    names = list(found)
    for column in COLUMNS[table]:
        if column not in names:
            raise refusal(file, f"column {column} is missing")
        if names.count(column) > 1:
            raise refusal(file, f"column {column} is there twice")


def check_row(table: str, file: str, row: int, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The typed values of one row: texts as str, numbers as int or None, times as seconds. Raises InputError.

    raw: what the file holds: text from CSV; text, int, Decimal, datetime or None from Parquet.
    """
    ids = {name: raw[name] for name in SHOWN_IDS[table]}
    typed: dict[str, Any] = {}
    for column in COLUMNS[table]:
        value = raw[column]
        try:
            if column in NUMBERS.get(table, {}):
                typed[column] = read_number(value, *NUMBERS[table][column], optional=column in MAY_BE_EMPTY)
            elif column in TIMES.get(table, ()):
                typed[column] = read_time(value)
            else:
                typed[column] = read_text(value, required=column in REQUIRED_TEXTS[table])
        except ValueError as mistake:
            raise refusal(file, f"{column} {mistake}", row=row, ids=ids) from None
    return typed


def read_text(value: Any, *, required: bool) -> str:
    """A text; null is the empty text. Whole numbers pass as text, since a tool may have typed an id so."""
    if value is None:
        value = ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {value!r}")
    if required and not value:
        raise ValueError("must not be empty")
    return value


def read_number(value: Any, low: int, high: int, *, optional: bool = False) -> int | None:
    """A whole number in [low, high]; None for an empty one that may be empty. Raises ValueError otherwise."""
    if value is None or value == "":
        if optional:
            return None
        raise ValueError("must be a whole number, not empty")
    number = None
    if isinstance(value, str):
        if WHOLE_NUMBER.fullmatch(value) and len(value) <= 40:
            number = int(value)
    # Some tools type a column with gaps as floating point; a value that is whole and exact there may pass.
    elif isinstance(value, float):
        if value.is_integer() and abs(value) <= 2**53:
            number = int(value)
    elif not isinstance(value, bool) and isinstance(value, int | Decimal) and value == int(value):
        number = int(value)
    if number is None:
        raise ValueError(f"must be a whole number, not {value!r}")
    if not low <= number <= high:
        raise ValueError(f"must be from {low} to {high}, not {number}")
    return number


def read_time(value: Any) -> int:
    """Seconds since 1970 of a time in the form YYYY-MM-DDTHH:MM:SSZ or of a timestamp in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is None or value.microsecond:
            raise ValueError(f"must be whole seconds in UTC, not {value.isoformat()}")
        return int((value - EPOCH).total_seconds())
    if isinstance(value, str) and TIME_FORM.fullmatch(value):
        try:
            return int((datetime.fromisoformat(value) - EPOCH).total_seconds())
        except ValueError:
            pass
    raise ValueError(f"must be a UTC time like 2026-10-01T00:00:00Z, not {value!r}")
