"""Reading and writing price lists as Excel workbooks. Nothing here knows the database.

openpyxl is imported inside the functions: a web worker that never sees a price list never loads it.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from kaituan.catalogue.refusals import PriceListUnreadable
from kaituan.money.fen import MoneyError, parse_yuan

MAX_FILE_BYTES = 5 * 2**20
MAX_UNPACKED_BYTES = 60 * 2**20
MAX_PARTS = 400
MAX_ROWS = 3_000
MAX_COLUMNS = 40
HEADING_ROWS = 15
"""The row with the columns' names stands among the first so many: letterheads come before it."""
MAX_PRICE_FEN = 100_000_000
"""A million yuan for one unit is a slip of the keyboard."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "sku": ("货号", "商品编码", "商品编号", "编码", "编号", "sku", "item no", "item number"),
    "name": ("商品名称", "品名", "名称", "商品", "产品名称", "product", "name", "product name"),
    "variant_name": ("规格", "规格型号", "型号", "size", "variant", "specification"),
    "category": ("品类", "品类编码", "分类", "类别", "category"),
    "sale_unit": ("销售单位", "零售单位", "sale unit"),
    "counted_in": ("计量", "计量方式", "counted in"),
    "steps_per_sale_unit": ("每销售单位含", "销售换算", "steps per sale unit"),
    "purchase_unit": ("采购单位", "供货单位", "单位", "purchase unit", "unit"),
    "steps_per_purchase_unit": ("每采购单位含", "采购换算", "装箱数", "箱规", "steps per purchase unit"),
    "purchase_price": ("采购价", "供货价", "进价", "单价", "purchase price", "price"),
    "sale_price": ("建议零售价", "零售价", "建议售价", "sale price", "retail price"),
    "origin": ("产地", "origin"),
    "storage": ("储存", "储存条件", "保存方式", "storage"),
    "aliases": ("别名", "俗称", "aliases", "other names"),
}
"""Our name of a column -> what suppliers call it; the first is what the template says."""
COUNTED_IN = {
    "": "piece",
    "件": "piece",
    "个": "piece",
    "piece": "piece",
    "克": "gram",
    "g": "gram",
    "gram": "gram",
}
_NOISE = re.compile(r"[\s*＊:：]|[（(].*?[)）]")


@dataclass(slots=True)
class ReadRow:
    """One row of a list as it was read. number: as Excel shows it. Prices in fen, None when the cell is empty.

    errors: one sentence for each cell that cannot be read.
    """

    number: int
    sku: str = ""
    name: str = ""
    variant_name: str = ""
    category: str = ""
    sale_unit: str = ""
    counted_in: str = ""
    steps_per_sale_unit: int | None = None
    purchase_unit: str = ""
    steps_per_purchase_unit: int | None = None
    purchase_price: int | None = None
    sale_price: int | None = None
    origin: str = ""
    storage: str = ""
    aliases: str = ""
    errors: list[str] = field(default_factory=list)


TEXT_LIMITS = {
    "sku": 40,
    "name": 100,
    "variant_name": 60,
    "category": 40,
    "sale_unit": 20,
    "purchase_unit": 20,
    "origin": 60,
    "storage": 60,
    "aliases": 300,
}


def read_price_list(data: bytes) -> list[ReadRow]:
    """The rows of the first sheet below its heading. Raises PriceListUnreadable for the file as a whole.

    Formulas are neither computed nor believed: a cell with one is an error of its row.
    """
    check_workbook(data)
    cells = _cells(data)
    heading: dict[int, str] = {}
    rows: list[ReadRow] = []
    for number, values in cells:
        if not heading:
            heading = _as_heading(values)
            if not heading and number >= HEADING_ROWS:
                break
            continue
        if any(value is not None and str(value).strip() for value in values):
            if len(rows) == MAX_ROWS:
                raise PriceListUnreadable(
                    _("The list has more than %(rows)d rows: split it.") % {"rows": MAX_ROWS}
                )
            rows.append(_read_row(number, values, heading))
    if not heading:
        raise PriceListUnreadable(
            _("No row names the columns: there must be at least %(name)s or %(sku)s, and %(price)s.")
            % {"name": COLUMNS["name"][0], "sku": COLUMNS["sku"][0], "price": COLUMNS["purchase_price"][0]}
        )
    if not rows:
        raise PriceListUnreadable(_("There is no row below the names of the columns."))
    return rows


def check_workbook(data: bytes) -> None:
    """Refuse what is no workbook, and what would grow out of all proportion when it is unpacked.

    zipfile never unpacks more of a part than its directory promises, so the promised sizes may be trusted.
    """
    if len(data) > MAX_FILE_BYTES:
        raise PriceListUnreadable(_("The file is larger than %(mb)d MB.") % {"mb": MAX_FILE_BYTES // 2**20})
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise PriceListUnreadable(_("The workbook is too large once it is unpacked."))
            if "xl/workbook.xml" not in archive.namelist():
                raise PriceListUnreadable(_("This is no Excel workbook (.xlsx)."))
            for part in parts:
                # No workbook needs a document type; entities declared in one can be made to grow without end.
                if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.read(part):
                    raise PriceListUnreadable(_("This is no Excel workbook (.xlsx)."))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        raise PriceListUnreadable(
            _("This is no Excel workbook (.xlsx); save an old .xls file as .xlsx first.")
        ) from error


def _cells(data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    """(row number, values) of the first sheet; a formula is a value of type Formula."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            # openpyxl warns of decoration that it does not understand; prices are none.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            sheet = book.worksheets[0]
            rows = sheet.iter_rows(max_row=HEADING_ROWS + MAX_ROWS + 2, max_col=MAX_COLUMNS)
            for number, row in enumerate(rows, start=1):
                yield number, [Formula() if cell.data_type == "f" else cell.value for cell in row]
    except PriceListUnreadable:
        raise
    # A damaged part surfaces from openpyxl as almost any exception; all of them mean the same to the reader.
    except Exception as error:
        raise PriceListUnreadable(_("The workbook is damaged and cannot be read.")) from error


class Formula:
    """Stands for a cell that computes its value."""


def _as_heading(values: Sequence[Any]) -> dict[int, str]:
    """Column index -> our name, if this row names the columns; else empty."""
    known = {_plain(alias): ours for ours, aliases in COLUMNS.items() for alias in aliases}
    found: dict[int, str] = {}
    for index, value in enumerate(values):
        ours = known.get(_plain(value)) if isinstance(value, str) else None
        if ours and ours not in found.values():
            found[index] = ours
    names = set(found.values())
    return found if "purchase_price" in names and names & {"sku", "name"} else {}


def _plain(text: str) -> str:
    """`采购价（元） *` -> `采购价`."""
    return _NOISE.sub("", text).casefold()


def _read_row(number: int, values: Sequence[Any], heading: dict[int, str]) -> ReadRow:
    row = ReadRow(number=number)
    for index, ours in heading.items():
        value = values[index] if index < len(values) else None
        label = COLUMNS[ours][0]
        try:
            setattr(row, ours, _read_cell(ours, value))
        except ValueError as error:
            row.errors.append(f"{label}: {error}")
    return row


def _read_cell(ours: str, value: Any) -> str | int | None:
    """Raises ValueError with a sentence."""
    if isinstance(value, Formula):
        raise ValueError(_("The cell holds a formula: paste its value instead."))
    text = _as_text(value)
    if ours in ("purchase_price", "sale_price"):
        return _read_price(text)
    if ours in ("steps_per_sale_unit", "steps_per_purchase_unit"):
        if text and not (text.isdecimal() and 0 < int(text) <= 1_000_000):
            raise ValueError(_("“%(text)s” is no whole number of 1 or more.") % {"text": text[:30]})
        return int(text) if text else None
    if ours == "counted_in":
        if text.casefold() not in COUNTED_IN:
            raise ValueError(_("“%(text)s” is neither 件 (pieces) nor 克 (grams).") % {"text": text[:30]})
        return COUNTED_IN[text.casefold()] if text else ""
    if len(text) > TEXT_LIMITS[ours]:
        raise ValueError(_("The text is longer than %(limit)d characters.") % {"limit": TEXT_LIMITS[ours]})
    return text


def _read_price(text: str) -> int | None:
    if not text:
        return None
    try:
        fen = parse_yuan(text)
    except MoneyError as error:
        raise ValueError(
            _("“%(text)s” is no price in yuan with at most two decimals.") % {"text": text[:30]}
        ) from error
    if not 0 < fen <= MAX_PRICE_FEN:
        raise ValueError(_("“%(text)s” cannot be a price.") % {"text": text[:30]})
    return fen


def _as_text(value: Any) -> str:
    """What the cell shows. Excel keeps numbers with 15 digits: 12.300000000000001 is 12.3."""
    if value is None:
        return ""
    if isinstance(value, float):
        exact = Decimal(format(value, ".15g"))
        return format(
            exact.to_integral_value() if exact == exact.to_integral_value() else exact.normalize(), "f"
        )
    # Control characters would end up in printed lists.
    return "".join(c for c in str(value).strip() if c.isprintable())


def write_price_list(*, title: str, rows: Iterable[dict[str, str]], columns: Sequence[str]) -> bytes:
    """A workbook with a heading, the rows (our column name -> text) and a sheet that explains the columns."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "价目表"
    sheet.append([title])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([COLUMNS[name][0] + ("*" if name in REQUIRED else "") for name in columns])
    for cell in sheet[2]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="C8431F")
        cell.alignment = Alignment(horizontal="center")
    for number, row in enumerate(rows, start=3):
        for index, name in enumerate(columns, start=1):
            _write_cell(sheet.cell(row=number, column=index), name, row.get(name, ""))
    for index, name in enumerate(columns, start=1):
        sheet.column_dimensions[sheet.cell(row=2, column=index).column_letter].width = WIDTHS.get(name, 14)
    sheet.freeze_panes = "A3"
    _explain(book.create_sheet("说明"), columns)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


REQUIRED = frozenset({"name", "purchase_price"})
WIDTHS = {"name": 26, "sku": 16, "aliases": 24}
EXPLANATIONS = {
    "sku": "我们或您的商品编码；留空时按商品名称和规格对应",
    "name": "必填（有货号的老商品可以不填）",
    "variant_name": "同一商品有几种大小时填写，如：5斤装",
    "category": "新商品必填：品类编码或名称",
    "sale_unit": "新商品必填：顾客说的一份是什么，如：盒、5斤、斤",
    "counted_in": "件 或 克；按斤散卖的填 克，其余填 件或留空",
    "steps_per_sale_unit": "一个销售单位含多少件（或克）：盒填 1，散卖的斤填 500",
    "purchase_unit": "新商品必填：您发货的单位，如：箱",
    "steps_per_purchase_unit": "一个采购单位含多少件（或克）：一箱 12 盒填 12",
    "purchase_price": "必填：每个采购单位的价格，单位元，最多两位小数，不要用公式",
    "sale_price": "每个销售单位的建议零售价，单位元；新商品必填，老商品留空表示不变",
    "origin": "选填",
    "storage": "选填，如：冷藏",
    "aliases": "选填：群里常用的叫法，用顿号隔开",
}
"""In Chinese like the columns' names: the list is the supplier's document, not a page of ours."""


def _write_cell(cell: Any, name: str, text: str) -> None:
    if name in ("purchase_price", "sale_price", "steps_per_sale_unit", "steps_per_purchase_unit") and text:
        cell.value = Decimal(text)
        cell.number_format = "0.00" if name.endswith("price") else "0"
        return
    cell.value = text
    # A name that begins with = must not turn into a formula on somebody's desk.
    cell.data_type = "s"


def _explain(sheet: Any, columns: Sequence[str]) -> None:
    for name in columns:
        sheet.append([COLUMNS[name][0], EXPLANATIONS[name]])
    sheet.column_dimensions["A"].width = 18
    sheet.column_dimensions["B"].width = 70
