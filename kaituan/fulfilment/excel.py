"""A sheet as an Excel file, ready to print. openpyxl is loaded when it is needed: pages do without it."""

import io
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from kaituan.fulfilment.sheets import Cell, Column, Kind, Sheet

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MIN_WIDTH, MAX_WIDTH = 6, 44
FORBIDDEN_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_bytes(sheet: Sheet) -> bytes:
    """An .xlsx file of one sheet: facts on top, a header that repeats on every printed page, A4 upright."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    assert page is not None
    page.title = CONTROL.sub(" ", sheet.title.translate(FORBIDDEN_IN_TITLES))[:31] or "1"
    _write(page, 1, 1, sheet.title, size=14, bold=True)
    for row, (what, value) in enumerate(sheet.facts, start=2):
        _write(page, row, 1, what)
        _write(page, row, 2, value)
    header = len(sheet.facts) + 3
    for place, column in enumerate(sheet.columns, start=1):
        _write(page, header, place, column.title, bold=True, framed=True)
    for row, cells in enumerate([*sheet.rows, *([sheet.totals] if sheet.totals else [])], start=header + 1):
        is_total = row > header + len(sheet.rows)
        for place, (column, cell) in enumerate(zip(sheet.columns, cells, strict=True), start=1):
            _write(page, row, place, cell, kind=column.kind, bold=is_total, framed=True)
    _lay_out(page, sheet, header)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _write(
    page: "Worksheet", row: int, column: int, value: Cell, *, kind: Kind = Kind.TEXT, bold: bool = False,
    framed: bool = False, size: int = 11,
) -> None:  # fmt: skip
    from openpyxl.styles import Alignment, Border, Font, Side

    cell: Any = page.cell(row=row, column=column)
    if kind == Kind.MONEY and isinstance(value, int):
        # Excel keeps binary fractions; two decimals of fewer than 15 digits come back exactly.
        cell.value, cell.number_format = value / 100, "#,##0.00"
    else:
        # A workbook holds no control characters; one in a note must not keep the whole list from being printed.
        cell.value = CONTROL.sub(" ", value) if isinstance(value, str) else value
        if isinstance(value, str):
            # Text stays text: a name that begins with "=" must not become a formula.
            cell.data_type = "s"
    cell.font = Font(bold=bold, size=size)
    cell.alignment = Alignment(vertical="center", wrap_text=framed and kind == Kind.TEXT)
    if framed:
        side = Side(style="thin", color="FF999999")
        cell.border = Border(left=side, right=side, top=side, bottom=side)


def _lay_out(page: "Worksheet", sheet: Sheet, header: int) -> None:
    from openpyxl.utils import get_column_letter

    for place, column in enumerate(sheet.columns):
        page.column_dimensions[get_column_letter(place + 1)].width = _width(sheet, place, column)
    page.freeze_panes = page.cell(row=header + 1, column=1)
    page.print_title_rows = f"{header}:{header}"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.oddFooter.right.text = "&P / &N"


def _width(sheet: Sheet, place: int, column: Column) -> int:
    """Wide enough for the longest cell; a Chinese character takes two."""
    texts = [column.title, *(str(row[place]) for row in sheet.rows if row[place] is not None)]
    longest = max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) for text in texts)
    return max(MIN_WIDTH, min(MAX_WIDTH, longest + 2))
