"""Tables copied from a spreadsheet: a heading row that names the columns, then one member per row."""

import re
from decimal import Decimal

from . import places, vocabulary
from .catalogue import FULL, Catalogue
from .entry import read_entry
from .head import Head
from .layout import Line, RawEntry
from .lexer import Lexer
from .quantities import Amount, in_unit, read_quantity
from .statement import PLAIN, Statement, Step

_COLUMNS = (
    ("seq", r"序号|编号|接龙号|跟团号|序|号|no\.?|#|id"),
    ("name", r"姓名|昵称|名字|群昵称|微信名|微信昵称|客户|顾客|成员|称呼|收货人|name|member|接龙人|下单人"),
    ("phone", r"电话|手机|手机号|手机号码|联系电话|联系方式|电话号码|phone|tel"),
    ("tail", r"尾号|手机尾号|后四位"),
    ("room", r"房号|门牌|门牌号|楼号|楼栋|房间|房间号|楼栋房号|室号|地址|自提点|工位|住址|单元|room"),
    ("goods", r"商品|品名|产品|商品名称|内容|接龙内容|规格|品种|订单|订购|购买|商品规格|item|product"),
    ("qty", r"数量|份数|件数|个数|数|qty|quantity"),
    ("note", r"备注|说明|留言|要求|note|remark"),
    ("paid", r"付款|已付|是否付款|支付|支付状态|付款状态|是否已付|已付款|付款情况|paid"),
    ("sum", r"金额|合计|总价|小计|总额|应付|实付|总计|价格|单价|amount|price"),
    ("skip", r"时间|日期|下单时间|状态|团长|群名|头像"),
)
_HEADS = [(kind, re.compile(rf"(?:{words})(?:\(.*\))?$")) for kind, words in _COLUMNS]
_YES = re.compile(r"^(?:是|已付款?|已支付|√|✓|✔|✅|y|yes|1|付|已|paid|ok|💰)$")


def cells_of(line: Line) -> list[tuple[int, int]]:
    """Spans of the cells in the line's own text; one cell when it has no separator."""
    separator = (
        "\t"
        if "\t" in line.text
        else "|"
        if line.text.count("|") >= 1
        else ","
        if line.text.count(",") >= 2
        else ""
    )
    if not separator:
        return [(0, len(line.text))]
    out, at = [], 0
    text = line.text.strip("|") if separator == "|" else line.text
    shift = len(line.text) - len(line.text.lstrip("|")) if separator == "|" else 0
    for cell in text.split(separator):
        left = len(cell) - len(cell.lstrip())
        out.append((shift + at + left, shift + at + max(left, len(cell.rstrip()))))
        at += len(cell) + 1
    return out


def heading_of(line: Line, catalogue: Catalogue) -> list[str] | None:
    """The kind of every column ("product:2" for the product with index 2); None when it is no heading."""
    cells = cells_of(line)
    if len(cells) < 2:
        return None
    kinds = [_kind(line.text[a:b], catalogue) for a, b in cells]
    known = [k for k in kinds if k]
    if "name" not in known and "room" not in known:
        return None
    if not any(k.startswith("product:") or k in ("goods", "qty") for k in known):
        return None
    return kinds if len(known) * 10 >= len(kinds) * 6 else None


def _kind(cell: str, catalogue: Catalogue) -> str:
    word = cell.strip()
    if not word:
        return ""
    for kind, pattern in _HEADS:
        if pattern.fullmatch(word):
            return kind
    match = catalogue.name_at(word, 0, len(word))
    if match is not None and not match.mask & (match.mask - 1) and (match.strength == FULL or match.end > 1):
        rest = word[match.end :].strip(" ()/元块:0123456789.")
        if len(rest) <= 3:
            return f"product:{catalogue.bits(match.mask)[0]}"
    return ""


def rows_of(lines: list[Line], at: int, lexer: Lexer) -> tuple[list[RawEntry], int] | None:
    """The entries of the table whose heading is lines[at], and the line after it; None when there is no table."""
    kinds = heading_of(lines[at], lexer.catalogue)
    if kinds is None:
        return None
    entries: list[RawEntry] = []
    stop = at + 1
    previous = False
    while stop < len(lines):
        line = lines[stop]
        cells = cells_of(line)
        if line.text and re.fullmatch(r"[|:\-\s]+", line.text):
            stop += 1
            continue
        if not line.text or len(cells) < 2:
            break
        entry = _row(line, cells, kinds, lexer, previous)
        if entry is not None:
            entries.append(entry)
            previous = True
        stop += 1
    return (entries, stop) if entries else None


def _row(
    line: Line, cells: list[tuple[int, int]], kinds: list[str], lexer: Lexer, previous: bool
) -> RawEntry | None:
    text = line.text
    head = Head()
    statement = Statement(text, head)
    keep = [" "] * len(text)
    seq: int | None = None
    quantity: tuple[int, int] | None = None
    for (start, end), kind in zip(cells, kinds, strict=False):
        cell = text[start:end]
        if not cell:
            continue
        if vocabulary.TALLY.match(cell) and kind not in ("note", "goods"):
            return None  # 合计 in the column of numbers or names: the leader's own sums
        if kind == "seq" and cell.isdigit():
            seq = int(cell)
        elif kind == "name":
            if vocabulary.TALLY.match(cell):
                return None
            head.name = (start, end)
        elif kind == "room":
            head.room = (start, end)
        elif kind in ("phone", "tail"):
            _phone(head, cell)
        elif kind == "note" and cell not in ("无", "-", "/", "没有"):
            _remark(statement, cell, start, end)
        elif kind == "paid":
            statement.paid = statement.paid or bool(_YES.match(cell))
        elif kind == "qty":
            quantity = (start, end)
        elif kind.startswith("product:"):
            _column(statement, int(kind[8:]), text, start, end, lexer.catalogue)
        elif kind in ("goods", ""):
            keep[start:end] = cell
    if quantity:
        keep[quantity[0] : quantity[1]] = text[quantity[0] : quantity[1]]
    if "".join(keep).strip():
        _goods(statement, "".join(keep), lexer)
    if head.name == (0, 0) and head.room == (0, 0) and not previous:
        return None
    entry = RawEntry(seq, [(line.start, line.end)])
    entry.ready = statement
    if head.name == (0, 0) and head.room == (0, 0):
        entry.continues = True
    return entry


def _phone(head: Head, cell: str) -> None:
    if found := places.PHONE.search(cell):
        head.phone = re.sub(r"\D", "", found[1])
    elif re.fullmatch(r"\d{4}", cell):
        head.tail = cell


def _remark(statement: Statement, cell: str, start: int, end: int) -> None:
    """A remark may say that it is paid, or that all is withdrawn."""
    kind = vocabulary.WORDS.get(cell)
    if kind == "PAID":
        statement.paid = True
    elif kind == "CANCEL":
        statement.steps.append(Step("cancel", start=start, end=end))
    else:
        statement.notes.append((start, end))


def _column(
    statement: Statement, product: int, text: str, start: int, end: int, catalogue: Catalogue
) -> None:
    """A quantity under the heading of its product; 0, - and blank are none."""
    cell = text[start:end]
    if cell in ("-", "/", "0", "无", "—", "×", "x"):
        return
    if cell in ("√", "✓", "✔", "✅"):
        amount: Amount | None = Amount(Decimal(1), "", "", "1")
    else:
        read = read_quantity(text, start, end)
        amount = read[1] if read is not None and read[0] == end else None
    if amount is None:
        statement.issues.append(("ambiguous_qty", start, end, 1 << product))
        return
    if amount.amount == 0:
        return
    qty = in_unit(amount, catalogue.measures[product])
    issue = "" if qty is not None else "unit_mismatch"
    statement.steps.append(Step(PLAIN, product, amount, qty, issue, 1 << product, start, end))


def _goods(statement: Statement, text: str, lexer: Lexer) -> None:
    """The cells with goods in words, read like an entry whose sender is known."""
    read = read_entry(text, lexer, sender=True)
    statement.steps += read.steps
    statement.issues += read.issues
    statement.notes += read.notes
    statement.paid = statement.paid or read.paid
    statement.unpaid = read.unpaid
    head, found = statement.head, read.head
    head.phone, head.tail = head.phone or found.phone, head.tail or found.tail
    head.room = head.room if head.room[1] else found.room
    head.address = head.address if head.address[1] else found.address
