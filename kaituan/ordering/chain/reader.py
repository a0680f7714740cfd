"""text + products to a Reading: the five steps, one after the other.

normalise -> messages, copies and entries -> each entry by its grammar -> members over copies -> book or ask."""

import gc
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from . import places, vocabulary
from .catalogue import FULL, LABEL, Catalogue
from .chat import chat_entry
from .copies import Block, ChainReader
from .entry import LONGEST, read_entry
from .exports import messages_of
from .layout import Message, RawEntry, lines_of
from .lexer import Lexer, Style
from .members import Said
from .model import Product, Reading
from .normalise import Source, circled_value, normalise, plain, squash
from .quantities import UNIT, numeral_value
from .resolve import Resolver
from .sheet import rows_of
from .statement import Statement

_ROOM_WORDS = re.compile(r"[a-z]+|\d+|[零〇一二三四五六七八九十百]+|[东南西北甲乙丙丁]")
_NOISE = frozenset({"apt", "room", "rm", "unit", "no", "bldg", "building", "flat"})


def room_key(room: str) -> str:
    """Numbers and letters of a room, Chinese numerals as digits: 3号楼502 and 3-502 are one."""
    parts = []
    for part in _ROOM_WORDS.findall(room):
        value = numeral_value(part) if not part.isascii() and part[0] not in "东南西北甲乙丙丁" else None
        part = str(value) if value is not None else part
        if part not in _NOISE:
            parts.append(part.lstrip("0") or "0")
    return " ".join(parts) or room


def read_chain(text: str, products: Sequence[Product]) -> Reading:
    """Every order in a pasted chain or chat, and every question a careful person would ask.

    Never raises for any text; an empty product list reads as a chain of another campaign.
    """
    if not products:
        return Reading()
    with _no_collection():
        return _read(text, products)


@contextmanager
def _no_collection() -> Iterator[None]:
    """A long paste makes many small objects that all stay alive to its end: walking them again and again is in vain."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(text: str, products: Sequence[Product]) -> Reading:
    source = normalise(text)
    catalogue = Catalogue(products)
    lexer = Lexer(catalogue)
    lines = lines_of(source)
    lexer.style = chain_style([line.text for line in lines], lexer)
    messages = messages_of(source, lines, lambda word: is_goods(word, catalogue))
    blocks = _live_blocks(_blocks(messages, source, lexer), source, lexer)
    return _resolve(blocks, source, catalogue, lexer)


# Style: what the chain as a whole tells

_LABELLED = re.compile(
    r"(?P<circle>[①-⑳])|(?P<number>\d{1,2})(?:号|#)|(?<![a-z0-9])(?P<letter>[a-z])(?=[.、:：\s\u4e00-\u9fff])"
)
_JOINED = re.compile(r"(?<![\d.])(\d{1,3})(?:\s?\+\s?(\d{1,3}))+(?![\d.])")
_COLUMN_WORDS = re.compile(r"姓名|昵称|名字|称呼|房号|顺序|格式|依次|分别|按|数量|序号|群名|门牌")
_LOOSE_DOOR = re.compile(r"(?<![\d.\-])[1-9]\d{2,3}(?![\d.\-]|\s?[元块])")
_ROUTE = re.compile(r"路线|送餐|配送|自提|地点|区域|楼栋|站点|取餐")


def chain_style(lines: list[str], lexer: Lexer) -> Style:
    """Looks once over all lines for habits: codes joined by +, menu labels, columns, places."""
    catalogue = lexer.catalogue
    style = Style()
    _menu_labels(lines, catalogue)
    rooms = numbered = loose = 0
    places_seen: set[str] = set()
    for line in lines:
        if not line:
            continue
        head = line[:60]
        if catalogue.numeric_codes and not style.bare_digits and (joined := _JOINED.search(line)):
            codes = re.findall(r"\d+", joined[0])
            style.bare_digits = all(
                c in catalogue.codes or c in catalogue.families for c in codes
            ) and not _has_full(line, catalogue)
        if re.match(r"\(?\d{1,3}[.、)]", line):
            numbered += 1
            rooms += bool(places.ROOM.search(head, 2))
            loose += bool(_LOOSE_DOOR.search(head, 2))
        if _ROUTE.search(line):
            places_seen |= {w for w in re.findall(r"[\u4e00-\u9fff]{2,4}", line) if not _ROUTE.search(w)}
        if not style.columns and len(line) < 120 and _COLUMN_WORDS.search(line):
            style.columns = _columns(line, catalogue)
        for found in re.finditer(r"[-\s]([\u4e00-\u9fff]{2,4})(?=[\da-z]{1,2}(?:栋|座|号楼|幢))", head):
            if not places.person_like(found[1]):
                places_seen.add(found[1])
    style.people = people_of(lines)
    style.prices_follow = _prices_follow(lines, catalogue)
    style.places = frozenset(places_seen)
    style.rooms_common = rooms >= 2
    style.doors = rooms > 0 or loose >= 3 or loose * 2 >= numbered
    return style


def _prices_follow(lines: list[str], catalogue: Catalogue) -> bool:
    """Whether at least three lines, and half of all, write 贝果 12 where 12 is the price of a 贝果."""
    priced = [
        re.escape(plain(name)) + rf"\s?{p.price_fen // 100}(?![\d.]|\s?{UNIT})"
        for p in catalogue.products
        if p.price_fen >= 1000 and p.price_fen % 100 == 0
        for name in (p.name, *p.aliases)
    ]
    if not priced:
        return False
    pattern = re.compile("|".join(priced))
    numbered = [line for line in lines if re.match(r"\(?\d{1,3}[.、)]", line)]
    count = sum(1 for line in numbered if pattern.search(line))
    return count >= 3 and count * 2 >= len(numbered)


_FIRST_WORD = re.compile(
    r"^(?:[(\[]?\d{1,4}\s?[.、)\]:]\s?|[①-⑳]\s?)?(?:[a-z]?\d[\d\-#]*\s?)?@?([^\s,:;、。()\[\]+\d|]{1,10})"
)


def people_of(lines: list[str]) -> frozenset[str]:
    """What may be names: the first word of every line. Only asked after 同, 跟 and the like."""
    return frozenset(
        found[1]
        for line in lines
        if (found := _FIRST_WORD.match(line)) and not found[1].startswith(("同", "跟", "和"))
    )


def is_goods(word: str, catalogue: Catalogue) -> bool:
    """Whether a whole word is the name of a product or a label of the menu."""
    match = catalogue.name_at(word, 0, len(word)) if word else None
    return match is not None and match.end == len(word)


def _has_full(line: str, catalogue: Catalogue) -> bool:
    for at in range(len(line)):
        match = catalogue.name_at(line, at, len(line))
        if match and match.strength == FULL and match.end - at > 1:
            return True
    return False


def _menu_labels(lines: list[str], catalogue: Catalogue) -> None:
    """①酱牛肉38: in the menu a number or letter stands for a product, though the list has other codes."""
    labels: dict[str, int] = {}
    clash: set[str] = set()
    for line in lines[:80]:
        for found in _LABELLED.finditer(line[:200]):
            at = found.end()
            while at < len(line) and line[at] in " .、::：":
                at += 1
            match = catalogue.name_at(line, at, len(line)) if at < len(line) else None
            if match is None or match.strength != FULL or match.mask & (match.mask - 1) or match.end - at < 2:
                continue
            label = found["number"] or found["letter"] or str(circled_value(found["circle"]))
            if labels.setdefault(label, match.mask) != match.mask:
                clash.add(label)
    good = {k: v for k, v in labels.items() if k not in clash}
    if len(good) >= 2 and len(set(good.values())) == len(good):
        catalogue.add_labels(good)


def _columns(line: str, catalogue: Catalogue) -> tuple[int, ...]:
    """The products that a heading such as 姓名 橙子 草莓 announces, in order."""
    if re.search(r"\d+\.\d|元|块|/\s?[盒斤箱份]", line):
        return ()
    found: list[int] = []
    at = 0
    while at < len(line):
        match = catalogue.name_at(line, at, len(line))
        if match and not match.mask & (match.mask - 1) and (match.strength == FULL or match.end - at > 1):
            found.append(catalogue.bits(match.mask)[0])
            if re.match(r"\s?\d", line[match.end : match.end + 2]):
                return ()
            at = match.end
        else:
            at += 1
    return tuple(found) if len(found) >= 2 and len(set(found)) == len(found) else ()


# Blocks


def _blocks(messages: list[Message], source: Source, lexer: Lexer) -> list[Block]:
    """All copies of the chain and all chat messages, in the order of the paste."""
    reader = ChainReader(source, lexer)
    blocks: list[Block] = []
    for message in messages:
        tables = _tables(message, lexer)
        blocks += tables
        found = reader.read(message) if not message.sender or _has_numbers(message) else []
        if found:
            blocks += found
        elif message.sender and (entry := chat_entry(message, source, lexer)):
            blocks.append(Block(entries=[entry], sender=message.sender))
    return blocks


def _tables(message: Message, lexer: Lexer) -> list[Block]:
    """Takes the tables out of a message, as blocks of their own."""
    out: list[Block] = []
    at = 0
    while at < len(message.lines):
        text = message.lines[at].text
        table = (
            rows_of(message.lines, at, lexer)
            if text and len(text) < 300 and ("\t" in text or "|" in text or "," in text)
            else None
        )
        if table is None:
            at += 1
            continue
        entries, stop = table
        out.append(Block(entries=entries, headed=True))
        message.lines[at:stop] = []
    return out


def _has_numbers(message: Message) -> bool:
    return any(
        re.match(r"[(\[]?\d{1,3}\s?[.、)\]:]\s*\S|[①-⑳]\s*\S", line.text) or "接龙" in line.text
        for line in message.lines
    )


def _live_blocks(blocks: list[Block], source: Source, lexer: Lexer) -> list[Block]:
    """Without the chains of another campaign or of a round that is marked as over."""
    chains = [b for b in blocks if not all(e.chat for e in b.entries)]
    if len(chains) < 2:
        return blocks
    dead: set[int] = set()
    for i, block in enumerate(chains):
        over_here = vocabulary.OVER.search(block.heading) and i + 1 < len(chains)
        over_below = vocabulary.OVER_BELOW.search(block.below) and i + 1 < len(chains)
        if over_here or over_below:
            dead.add(id(block))
            if over_below:
                dead |= {id(b) for b in chains[:i]}
    ours = {id(b) for b in chains if _mentions_goods(b.heading, lexer)}
    if ours:
        titles = {_title(b.heading) for b in chains if id(b) in ours}
        for block in chains:
            if (
                id(block) not in ours
                and block.headed
                and block.heading.strip()
                and _title(block.heading) not in titles
                and _foreign(block, source, lexer)
            ):
                dead.add(id(block))
    else:
        named = [b for b in chains if not _foreign(b, source, lexer)]
        if named:
            titles = {_title(b.heading) for b in named}
            dead |= {
                id(b)
                for b in chains
                if b.headed and _title(b.heading) not in titles and _foreign(b, source, lexer)
            }
    return [b for b in blocks if id(b) not in dead]


def _title(heading: str) -> str:
    return squash(re.sub(r"接龙", "", heading))[:40]


def _mentions_goods(heading: str, lexer: Lexer) -> bool:
    return any(
        t.kind == "P" and t.end - t.start > 1 and t.strength != LABEL for t in lexer.tokens(heading[:600])
    )


def _foreign(block: Block, source: Source, lexer: Lexer) -> bool:
    """No entry names a product of this campaign."""
    for entry in block.entries:
        for token in lexer.tokens(entry.text(source)[:LONGEST]):
            if token.kind == "P" and token.strength > 1:
                return False
    return True


# Entries to orders

_LIST_MARK = re.compile(r"(?:(?<=[\s:,;])|^)(?:\d{1,2}\s?[.、)]|\(\d{1,2}\)|[①-⑳])\s*(?!\d)")


def _read_entry(entry: RawEntry, text: str, lexer: Lexer, heading: str) -> Statement:
    return read_entry(text, lexer, sender=bool(entry.sender), heading=heading)


def _resolve(blocks: list[Block], source: Source, catalogue: Catalogue, lexer: Lexer) -> Reading:
    said: list[Said] = []
    above: dict[int, Said] = {}
    seen: dict[tuple[str, bool], Statement] = {}
    previous: Said | None = None
    heading = "\n".join(b.heading for b in blocks[:3])[:2000]
    for index, block in enumerate(blocks):
        for position, entry in enumerate(block.entries):
            text = _unlisted(entry.text(source), lexer)
            key = (text, bool(entry.sender))
            statement = entry.ready or seen.get(key)
            if statement is None:
                statement = seen[key] = _read_entry(entry, text, lexer, heading)
            one = _said(entry, statement, source, index, len(said))
            if entry.continues and previous is not None:
                one.name, one.name_key, one.room, one.room_key = (
                    previous.name,
                    previous.name_key,
                    previous.room,
                    previous.room_key,
                )
            if previous is not None and (position or entry.chat):
                above[id(one)] = previous
            said.append(one)
            previous = one
    resolver = Resolver(source, catalogue)
    resolver.set_above(above)
    return resolver.run(said)


def _unlisted(text: str, lexer: Lexer) -> str:
    """耿耿 1.香菇2斤 2.粉丝1: the numbers of a list inside an entry become blanks."""
    if not re.search(r"\d[.、)]\s?[^\d\s]", text):
        return text
    marks = list(_LIST_MARK.finditer(text))
    values = [int(re.sub(r"\D", "", m[0])) if re.search(r"\d", m[0]) else 0 for m in marks]
    if values[:1] != [1] or any(b != a + 1 for a, b in itertools.pairwise(values)):
        return text
    for mark in marks:
        token = lexer.catalogue.name_at(text, mark.end(), len(text)) if mark.end() < len(text) else None
        if token is None:
            return text
    for mark in marks:
        text = text[: mark.start()] + " " * (mark.end() - mark.start()) + text[mark.end() :]
    return text


def _said(entry: RawEntry, statement: Statement, source: Source, block: int, order: int) -> Said:
    head = statement.head
    name = entry.sender
    if not name and head.name[1]:
        whole = source.written(entry.at(head.name[0]), entry.at(head.name[1] - 1) + 1)
        name = whole if entry.ready else whole.strip("@ ,，:：;；-—、.。") or whole
    room = source.written(entry.at(head.room[0]), entry.at(head.room[1] - 1) + 1) if head.room[1] else ""
    key = room_key(statement.text[head.room[0] : head.room[1]]) if room else ""
    if entry.sender and (spans := places.room_of_nickname((nickname := normalise(name)).text)):
        door = nickname.written(*spans[0])
        name = nickname.written(*spans[1]).strip(" -_/|()（）[]【】")
        room, key = (room, key) if room else (door, room_key(plain(door)))
    return Said(entry, statement, name, squash(name) if name else "", room, key, block, order)
