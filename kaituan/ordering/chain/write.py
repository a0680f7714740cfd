# ruff: noqa: E501
"""The way back: a campaign's orders as a chain to copy into the chat, which reads back to the same orders.

One line per order, its fields between bars: `12. 王姐｜3-502｜橙子×2、草莓×1｜备注：放门口｜已付`. Members go on below in
their own words. The reader knows these lines by their bars and takes the fields as they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .head import Head
from .model import Product, Quantity
from .normalise import _DROPPED, plain, plain_char
from .quantities import Amount, measure
from .statement import PLAIN, Statement, Step

MENU_MARK = "·"
_LINE = re.compile(r"(?P<seq>\d{1,9})\. (?P<fields>[^|\n]*(?:\|[^|\n]*)+)$")
_ITEM = re.compile(r"(?P<label>.+)\*(?P<qty>\d{1,9}(?:\.\d{1,6})?)(?P<unit>[^\d*]*)$")


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One order to write. seq: its follow number; lines: (product code, quantity); room and phone_tail may be empty."""

    seq: int
    name: str
    lines: tuple[tuple[str, Quantity], ...]
    room: str = ""
    phone_tail: str = ""
    note: str = ""
    paid: bool = False


def write_chain(
    title: str, products: Sequence[Product], entries: Sequence[ChainEntry], *, menu: bool = True
) -> str:
    """The chain as text. Orders without lines are left out; bars and line breaks inside names become / and spaces.

    Raises KeyError for a line whose code is not in products.
    """
    labels = {p.code: label for p, label in zip(products, labels_of(products), strict=True)}
    units = {p.code: p.unit if measure("", plain(p.unit)).loose_g else "" for p in products}
    out = ["#接龙 " + re.sub(r"(\d)\s*[.、)）．:：](?!\d)", r"\1 ", clean(title))]
    if menu:
        out += [f"{MENU_MARK} {labels[p.code]} {_yuan(p.price_fen)}元/{clean(p.unit)}" for p in products]
    out.append("")
    for entry in sorted(entries, key=lambda e: e.seq):
        if entry.lines:
            out.append(f"{entry.seq}. " + "｜".join(_fields(entry, labels, units)))
    return "\n".join(out) + "\n"


def _fields(entry: ChainEntry, labels: dict[str, str], units: dict[str, str]) -> list[str]:
    items = "、".join(f"{labels[code]}×{_number(qty)}{units[code]}" for code, qty in entry.lines)
    fields = [clean(entry.name), clean(entry.room), items]
    if not fields[1]:
        del fields[1]
    if entry.phone_tail:
        fields.append(f"尾号：{entry.phone_tail}")
    if note := clean(entry.note):
        fields.append(f"备注：{note}")
    return [*fields, "已付"] if entry.paid else fields


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}" if fen % 100 else str(fen // 100)


def _number(qty: Quantity) -> str:
    return format(Decimal(qty).normalize(), "f")


def clean(text: str) -> str:
    """Text that fits between two bars: no bar, no line break, nothing that cannot be seen."""
    out = []
    for char in text:
        form = plain_char(char)
        if (char in _DROPPED and char != "\u20e3") or (form and form.strip() and "|" not in form):
            out.append(char)
        elif "|" in form:
            out.append("/")
        elif form:
            out.append(" ")
    return re.sub(r"\s+", " ", "".join(out)).strip().lstrip("".join(_DROPPED)).strip()


def labels_of(products: Sequence[Product]) -> list[str]:
    """A label per product that no other product has: the name, with the code where names repeat."""
    names = [re.sub("[、，,]", "/", clean(p.name)) or clean(p.code) for p in products]
    plain_names = [plain(n) for n in names]
    labels = [
        n if plain_names.count(plain(n)) == 1 and not plain(n)[-1:].isdigit() else f"{n}（{clean(p.code)}）"
        for n, p in zip(names, products, strict=True)
    ]
    if len({plain(label) for label in labels}) < len(labels):
        labels = [f"{label} #{i}号" for i, label in enumerate(labels, 1)]
    return labels


class WrittenLines:
    """Recognises the lines that `write_chain` made for this product list."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._index = {plain(label): i for i, label in enumerate(labels_of(products))} if products else {}
        self._loose = [bool(measure("", plain(p.unit)).loose_g) for p in products]

    def read(self, text: str) -> tuple[int, int, Statement] | None:
        """(number, where the fields begin, what they say) of a line in plain form; None for any other line."""
        if "|" not in text:
            return None
        found = _LINE.match(text)
        if found is None:
            return None
        start = found.start("fields")
        statement = Statement(text[start:], Head())
        at = 0
        spans = []
        for field in found["fields"].split("|"):
            spans.append((at, at + len(field), field))
            at += len(field) + 1
        goods = [i for i, (_, _, field) in enumerate(spans) if i and self._goods(field) is not None]
        if not goods or goods[0] > 2:
            return None
        statement.head.name = spans[0][:2]
        if goods[0] == 2:
            statement.head.room = spans[1][:2]
        for begin, product, qty in self._goods(spans[goods[0]][2]) or ():
            offset = spans[goods[0]][0] + begin
            end = offset + len(spans[goods[0]][2][begin:].split("、")[0])
            statement.steps.append(
                Step(PLAIN, product, Amount(Decimal(qty), "", "", "1"), qty, "", 0, offset, end)
            )
        for begin, end, field in spans[goods[0] + 1 :]:
            if field.startswith("备注:"):
                statement.notes.append((begin + 3, end))
            elif field.startswith("尾号:"):
                statement.head.tail = field[3:]
            elif field == "已付":
                statement.paid = True
            else:
                return None
        return int(found["seq"]), start, statement

    def _goods(self, field: str) -> list[tuple[int, int, Quantity]] | None:
        """(offset, product, quantity) of every item; None when the field is not a list of goods."""
        out: list[tuple[int, int, Quantity]] = []
        at = 0
        for item in field.split("、"):
            found = _ITEM.match(item)
            product = self._index.get(found["label"].strip()) if found else None
            if found is None or product is None or bool(found["unit"]) != self._loose[product]:
                return None
            qty = Decimal(found["qty"])
            whole = qty == qty.to_integral_value()
            if not qty or (not whole and not self._loose[product]):
                return None
            out.append((at, product, int(qty) if whole else qty))
            at += len(item) + 1
        return out
