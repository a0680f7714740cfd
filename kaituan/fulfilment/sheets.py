"""A printable list as data: the page, the print and the Excel file show the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    """A whole number."""
    MONEY = "money"
    """Fen; shown as yuan."""
    BOX = "box"
    """Empty: to be ticked or written into by hand."""


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    kind: Kind = Kind.TEXT


Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """facts: what stands above the table, as (what, value); one of them names the snapshot. rows: one cell per
    column. totals: the same, or empty."""

    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell] = field(default_factory=tuple)
    file_name: str = "list"

    def column(self, key: str) -> list[Cell]:
        """The cells of one column, top to bottom."""
        place = [column.key for column in self.columns].index(key)
        return [row[place] for row in self.rows]
