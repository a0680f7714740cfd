"""Rooms, desks and places among the tokens of an entry, and the numbers that are doors rather than amounts."""

import re
from typing import TYPE_CHECKING

from . import places, vocabulary
from .lexer import Token
from .quantities import Amount

if TYPE_CHECKING:
    from .head import HeadReader

ENDS_CHUNK = frozenset({"SP", "SEP", "NL", "COLON", "LP", "RP", "PAUSE", "SLASH"})
_PLAUSIBLE_FLAT = re.compile(r"[a-z]?\d{1,2}(?:0[1-9]|[1-5]\d|60)[a-z]?$")
_PLACE_END = re.compile(
    r"(?:里|苑|园|城|府|庭|湾|居|寓|郡|邸|厦|庄|小区|花园|广场|家园|公寓|大厦|新村|院|中心|村|谷)$"
)


def plausible_flat(digits: str) -> bool:
    """1502, 903: a floor and a door. 888 and 100 are not."""
    return bool(places.LOOSE_ROOM.fullmatch(digits) and _PLAUSIBLE_FLAT.match(digits))


def is_loose_room(token: Token, text: str) -> bool:
    if token.kind != "Q" or not isinstance(token.value, Amount) or not token.value.bare:
        return False
    return plausible_flat(text[token.start : token.end].strip())


def place_prefix(reader: "HeadReader", at: int, i: int, end: int) -> bool:
    """云谷 in 云谷11栋-陶然: a place before the building, when a name follows or it cannot be a person."""
    before = reader.text[reader.tokens[at].start : reader.tokens[i].start]
    room = reader.text[reader.tokens[i].start : reader.tokens[i].end]
    if not reader.text_only(at, i) or not re.fullmatch(r"[\u4e00-\u9fff]{2,8}", before):
        return False
    known = before in reader.style.places or bool(_PLACE_END.search(before))
    if places.person_like(before) and not known:
        return False
    span = (reader.tokens[at].start, reader.tokens[i].end)
    after = i + 1
    while after < len(reader.tokens) and reader.tokens[after].kind in ("DASH", "SP", "SEP", "SLASH"):
        after += 1
    if after < len(reader.tokens) and names_somebody(reader, after):
        reader.head.room = span
        reader.head.used.update(range(at, i + 1))
        reader.name_from(after)
        return True
    if re.search(r"\d{3,}", room) and known:
        reader.head.room = span
        reader.head.used.update(range(at, i + 1))
        return True
    if not re.search(r"\d{3,}", room):
        reader.head.name = reader.head.room = span
        reader.head.used.update(range(at, i + 1))
        return True
    return False


def names_somebody(reader: "HeadReader", at: int) -> bool:
    """Whether a chunk of nothing but text starts here that reads like a name."""
    end = reader.chunk_end(at)
    stop = reader.boundary(at, end) if end > at else at
    word = reader.text[reader.tokens[at].start : reader.tokens[stop - 1].end] if stop > at else ""
    if not word or reader.tokens[at].kind not in ("TEXT",):
        return False
    return len(word) <= 6 and (places.person_like(word) or not vocabulary.NOTE_HINTS.search(word))


def place_after(reader: "HeadReader", at: int) -> None:
    """-云谷 or a lone place word behind the name."""
    tokens, head = reader.tokens, reader.head
    if at >= len(tokens) or head.room[1]:
        return
    dashed = tokens[at].kind in ("DASH", "SLASH")
    start = at
    while start < len(tokens) and tokens[start].kind in ("DASH", "SP", "SEP", "SLASH"):
        start += 1
    end = reader.chunk_end(start)
    if start >= len(tokens) or tokens[start].kind != "TEXT" or start == at:
        return
    stop = start + 1
    word = reader.text[tokens[start].start : tokens[start].end]
    if not re.fullmatch(r"[\u4e00-\u9fffa-z]{2,8}", word) or reader.lexer.catalogue.slip(word):
        return
    if stop < end and tokens[stop].kind == "ROOM":
        head.room = (tokens[start].start, tokens[stop].end)
        head.used.update((start, stop))
        return
    closed = stop == end
    known = word in reader.style.places
    if not closed or not (known or (vocabulary.NOTE_HINTS.search(word) is None and not goods(word) and (
        dashed or (reader.style.rooms_common and reader.single)) and not places.is_kin(word))):  # fmt: skip
        return
    head.room = (tokens[start].start, tokens[start].end)
    head.used.add(start)


def goods(word: str) -> bool:
    return word[-1] in vocabulary.GOODS_ENDINGS


def rooms(reader: "HeadReader") -> None:
    """The first room written anywhere; pieces with nothing but a gap between them are one room."""
    head, tokens = reader.head, reader.tokens
    for i, token in enumerate(tokens):
        if token.kind != "ROOM" or i in head.used:
            continue
        head.used.add(i)
        if head.room[1]:
            if token.start - head.room[1] <= 1:
                head.room = (head.room[0], token.end)
            continue
        last = i
        while (nxt := next_piece(reader, last)) is not None:
            head.used.update(range(last + 1, nxt + 1))
            last = nxt
        start = token.start
        if (
            i
            and tokens[i - 1].kind == "TEXT"
            and i - 1 not in head.used
            and place_word(reader, tokens[i - 1])
        ):
            start = tokens[i - 1].start
            head.used.add(i - 1)
        if last == i and i + 1 < len(tokens) and tokens[i + 1].kind == "TEXT" and gate(reader, tokens[i + 1]):
            last = i + 1
            head.used.add(last)
        head.room = (start, tokens[last].end)
    if not head.room[1]:
        trailing_flat(reader)


def gate(reader: "HeadReader", token: Token) -> bool:
    return reader.text[token.start : token.end] in (
        "东门",
        "西门",
        "南门",
        "北门",
        "门岗",
        "大堂",
        "前台",
        "门卫",
    )


def place_word(reader: "HeadReader", token: Token) -> bool:
    word = reader.text[token.start : token.end]
    return bool(re.fullmatch(r"[\u4e00-\u9fff]{2,6}", word)) and vocabulary.NOTE_HINTS.search(word) is None


def next_piece(reader: "HeadReader", i: int) -> int | None:
    """5栋 502: the door number after the building."""
    j = i + 1
    while j < len(reader.tokens) and reader.tokens[j].kind in ("SP", "DASH", "SLASH") and j - i <= 2:
        j += 1
    if j >= len(reader.tokens) or (j == i + 1 and reader.tokens[j].kind != "ROOM") or j in reader.head.used:
        return None
    token = reader.tokens[j]
    if token.kind == "ROOM":
        return j
    whole = re.search(r"\d{3,}", reader.text[reader.tokens[i].start : reader.tokens[i].end])
    return j if is_loose_room(token, reader.text) and not whole else None


def trailing_flat(reader: "HeadReader") -> None:
    """阿莲 1张 1302: a bare door number that stands apart from every product."""
    tokens = reader.tokens
    for i, token in enumerate(tokens):
        if i in reader.head.used or not is_loose_room(token, reader.text):
            continue
        before = tokens[i - 1] if i else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        apart = (
            before is None or before.kind in ENDS_CHUNK or before.kind == "DASH" or i - 1 in reader.head.used
        )
        if not apart or (
            after is not None
            and after.kind in ("P", "TEXT", "FILL", "MONEY")
            and i - 1 not in reader.head.used
        ):
            continue
        if is_price(reader, token):
            continue
        reader.head.room = (token.start, token.end)
        reader.head.used.add(i)
        return


def is_price(reader: "HeadReader", token: Token) -> bool:
    fen = int(token.value.amount * 100)
    goods = [p for t in reader.tokens if t.kind == "P" for p in reader.lexer.catalogue.bits(t.value)]
    goods = goods or list(range(len(reader.lexer.catalogue.products)))
    amounts = [
        int(t.value.amount)
        for t in reader.tokens
        if t.kind == "Q" and t is not token and t.value.amount is not None and t.value.amount < 100
    ]
    prices = [reader.lexer.catalogue.products[g].price_fen for g in goods]
    if any(p and abs(p * n - fen) < 100 for p in prices for n in (1, *amounts)):
        return True
    near = len(reader.text[token.start : token.end].strip()) == 3 and not reader.style.rooms_common
    if near and any(p >= 3000 and p <= 2 * fen <= 4 * p for p in prices):
        return True  # 雞丁飯一個 150, where it costs 105
    total = sum(p * n for p, n in zip(prices, amounts, strict=False))
    return bool(total) and abs(total - fen) < 100
