# ruff: noqa: E501
"""The paste as messages, copies of the chain and entries: who wrote which lines, and where an entry ends.

Menus, examples, rules, tallies and closing remarks are left out here; copies are kept apart."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import vocabulary
from .normalise import Source, circled_value
from .quantities import numeral_value
from .statement import Statement


@dataclass(slots=True)
class Line:
    """text[start:end] of the plain text, without the spaces around it."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class RawEntry:
    """One entry: its number, its pieces in the plain text, who sent it (chat) and the copy it stands in.

    quoted: whose message a chat message answers. ready: what a table row says, read already. continues: a table row of the member above.
    """

    seq: int | None
    pieces: list[tuple[int, int]]
    sender: str = ""
    block: int = 0
    chat: bool = False
    ready: Statement | None = None
    continues: bool = False
    quoted: str = ""

    def text(self, source: Source) -> str:
        return "\n".join(source.text[a:b] for a, b in self.pieces)

    def at(self, offset: int) -> int:
        """Where an offset of `text` stands in the plain text."""
        for start, end in self.pieces:
            length = end - start
            if offset <= length:
                return start + offset
            offset -= length + 1
        return self.pieces[-1][1] if self.pieces else 0


@dataclass(slots=True)
class Message:
    """Lines of one chat message; sender is empty for a paste that is no export. quoted: whose words it answers."""

    sender: str
    lines: list[Line] = field(default_factory=list)
    quoted: str = ""


def lines_of(source: Source) -> list[Line]:
    """All lines, stripped; empty ones stay as gaps."""
    out = []
    at = 0
    for raw in source.text.split("\n"):
        text = raw.strip()
        if raw[:1] == "\t" and "\t" in text:
            text = raw.rstrip()  # a row whose first cells are empty
        start = at + raw.find(text) if text else at
        out.append(Line(start, start + len(text), text))
        at += len(raw) + 1
    return out


# Numbers in front of entries

_CN = r"[一二三四五六七八九十]{1,3}"
_MARKER = re.compile(
    r"(?:第)?(?:"
    r"[(\[]\s?(?P<round>\d{1,4}|" + _CN + r")\s?[)\]]\s?[.、,:]?"
    r"|(?P<dot>\d{1,4})\s?(?:\.(?!\d)|\.(?=\d{1,4}[-#栋号幢]|\d{3,5}(?!\d|元)|1[3-9]\d{9})|、|\)|,(?!\d)|。|:(?!\d)|号?[:.](?!\d)|#(?![\d\-]))\s*"
    r"|(?P<circle>[①-⑳㉑-㉟])\s*[.、:]?"
    r"|(?P<cn>" + _CN + r")\s?[、.)。:]\s?"
    r"|no\.?\s?(?P<no>\d{1,4})[.、: ]\s?"
    r"|#(?P<hash>\d{1,3})[.、: ]\s?"
    r")"
)
_SPACED = re.compile(r"(?P<n>\d{1,3})(?:\s+|(?=[\u4e00-\u9fffa-z]))")
_INNER = re.compile(
    r"(?:(?<=[\s;,。!:])|(?<=[\u4e00-\u9fff)]))(?P<m>(?P<dot>\d{1,4})\s?(?:\.(?!\d)|\.(?=\d{1,4}[-#栋号幢])|、|\)|:(?!\d))|[(\[](?P<round>\d{1,4})[)\]]|(?P<circle>[①-⑳㉑-㉟]))"
)
_HEAD = re.compile(
    r"^\W{0,6}#?\s*(?:接龙|group note|group buy|chain)(?:\b|$|[^的格方示例统数结了成表]?)|^#\s?接龙|接龙[:：]?\s*$|^#\s?[^\d\s]|^\W{0,4}\[[^\]]{1,12}(?:团|接龙|拼单|团购)\]"
)


_NOTICE = re.compile(
    r"(?:注意(?:事项)?|规则|须知|说明|要求|提示|提醒|公告|通知|约定|声明|ps|p\.s\.|notes?|rules?)[)\]]?\s?[:!]?\s?$"
)
"""注意：1.周四前接龙 2.不退不换: a list of rules in one line."""


@dataclass(slots=True)
class Record:
    """A line, or the part of one that belongs to one number. kind: head, entry, line or blank."""

    kind: str
    start: int
    end: int
    seq: int | None = None
    style: str = ""
    ready: Statement | None = None


def _marker(text: str, *, spaced: bool) -> tuple[int, int, str] | None:
    """(number, length, style) of the number in front of a line."""
    found = _MARKER.match(text)
    if found:
        for style in ("round", "dot", "cn", "no", "hash"):
            if found[style]:
                value = numeral_value(found[style])
                return (
                    (int(value), found.end(), style + text[found.end(style) : found.end(style) + 1])
                    if value is not None
                    else None
                )
        if found["circle"]:
            return circled_value(found["circle"]) or 0, found.end(), "circle"
    if spaced and (found := _SPACED.match(text)):
        return int(found["n"]), found.end(), "spaced"
    return None


def _uses_spaced(lines: list[Line]) -> bool:
    """Whether lines are numbered 1, 2, 3 with nothing but a space behind the number."""
    expected, count = 1, 0
    for line in lines:
        found = _SPACED.match(line.text)
        if found and int(found["n"]) == expected:
            expected += 1
            count += 1
    return count >= 3


def records(
    lines: list[Line],
    is_goods: Callable[..., bool],
    written: Callable[[str], tuple[int, int, Statement] | None],
) -> list[Record]:
    """Lines cut at the numbers of entries, several on one line too."""
    spaced = _uses_spaced(lines)
    out: list[Record] = []
    last = 0
    for line in lines:
        if not line.text:
            out.append(Record("blank", line.start, line.end))
            continue
        if (ours := written(line.text)) is not None:
            out.append(Record("entry", line.start + ours[1], line.end, ours[0], "written", ours[2]))
            last = ours[0]
            continue
        if line.text.startswith("·"):
            out.append(Record("menu", line.start, line.end))
            continue
        if vocabulary.EXAMPLE.match(line.text):
            out.append(Record("example", line.start, line.end))
            continue
        marker = _marker(line.text, spaced=spaced)
        if marker and marker[2] == "circle" and is_goods(line.text, marker[1]):
            marker = None  # ①酱牛肉38 ②卤猪蹄26: a menu, or codes that are ordered
            out.append(Record("line", line.start, line.end))
            continue
        if marker and marker[0] <= max(last + 300, 400) and not _only_date(line.text):
            number, length, style = marker
            last = yield_inner(out, line, number, length, style, is_goods)
            continue
        kind = "head" if _HEAD.match(line.text) else "line"
        cut = _one_line(line, last, is_goods)
        if cut is None:
            out.append(Record(kind, line.start, line.end))
            if kind == "head":
                last = 0
            continue
        number, at, length, style = cut
        if at:
            out.append(Record(kind, line.start, line.start + at))
        last = yield_inner(out, line, number, at + length, style, is_goods)
    return out


def _only_date(text: str) -> bool:
    """6.21, 1.6, 2026.6.1: dates, not entries."""
    return bool(
        re.match(
            r"(?:20\d\d[.年/-])?\d{1,2}[.月/-]\d{1,2}(?:日|号)?(?:\s|$|[^\d\-#栋号幢元斤]{0,12}(?:接龙|菜单|团|预定))",
            text,
        )
    )


def _one_line(line: Line, last: int, is_goods: Callable[..., bool]) -> tuple[int, int, int, str] | None:
    """The first of at least two consecutive numbers inside a line: (number, offset, length, style)."""
    found = [(m, _value(m)) for m in _inner(line.text, 0, is_goods)]
    if found and _NOTICE.search(line.text[: found[0][0].start("m")]):
        return None
    for (first, number), (_, following) in itertools.pairwise(found):
        if number in (1, last + 1) and following == number + 1:
            return number, first.start("m"), len(first["m"]), _style(first)
    return None


def _goods_behind(text: str, found: re.Match[str], is_goods: Callable[..., bool]) -> bool:
    """Whether goods, rather than a name, follow a number inside a line."""
    return is_goods(text, found.end(), strict=not found["circle"])


def _inner(text: str, at: int, is_goods: Callable[..., bool]) -> list[re.Match[str]]:
    """Numbers inside a line; ① in front of goods is a code or a label, not a number."""
    found = []
    for match in _INNER.finditer(text, at):
        glued = match.start("m") > 0 and text[match.start("m") - 1] not in " ;,。!:\t"
        if (glued and match["m"][-1] not in ".)]" and not match["circle"]) or _goods_behind(
            text, match, is_goods
        ):
            continue  # 脐橙6、草莓1盒: an amount and a comma
        found.append(match)
    return found


def _value(found: re.Match[str]) -> int:
    if found["circle"]:
        return circled_value(found["circle"]) or 0
    return int(found["dot"] or found["round"])


def _style(found: re.Match[str]) -> str:
    if found["circle"]:
        return "circle"
    return "dot" + found["m"].lstrip("0123456789 ")[:1] if found["dot"] else "round" + found["m"][-1]


def yield_inner(
    out: list[Record], line: Line, number: int, at: int, style: str, is_goods: Callable[..., bool]
) -> int:
    """Cuts the rest of a line at number + 1, number + 2 ... Returns the last number."""
    rest = line.text
    start = at
    inner = _inner(rest, at, is_goods)
    has_list = number == 1 and any(_value(m) == 1 for m in inner)
    for found in inner:
        value = _value(found)
        if value != number + 1 or has_list or _style(found)[:3] != style[:3]:
            continue
        if rest[found.start("m") - 1] not in " ;,。!:" and not rest[found.end("m") :].strip():
            continue
        out.append(Record("entry", line.start + start, line.start + found.start("m"), number, style))
        number, start = value, found.end("m")
    out.append(Record("entry", line.start + start, line.end, number, style))
    return number


def trimmed(source: Source, start: int, end: int) -> tuple[int, int]:
    text = source.text
    while start < end and text[start] in " \t":
        start += 1
    while end > start and text[end - 1] in " \t,;":
        end -= 1
    return start, end


def runs_of(found: list[Record]) -> Iterator[list[Record]]:
    """Records between restarts of the numbering; a head always begins a new run."""
    run: list[Record] = []
    first = last = None
    count, style = 0, ""
    for record in found:
        restart = False
        if record.kind == "head":
            restart = count > 0
        elif record.kind == "entry" and first is not None and last is not None and record.seq is not None:
            restart = (
                record.seq <= last
                and record.seq in (1, first)
                and (count > 1 or (style == "circle" and record.style != style))
            )
        if restart:
            yield run
            run, first, last, count = [], None, None, 0
        run.append(record)
        if record.kind == "entry":
            first = record.seq if first is None else first
            style = record.style
            last, count = record.seq, count + 1
    if run:
        yield run
