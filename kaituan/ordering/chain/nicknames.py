"""Names that do not look like names: 八月十五, 半斤八两, 测试部, a name behind the goods, the leader."""

import itertools
import re
from typing import TYPE_CHECKING

from . import places
from .lexer import FULL, LABEL
from .rooms import ENDS_CHUNK

if TYPE_CHECKING:
    from .head import HeadReader

FIRM = frozenset(
    {"PHONE", "TAIL", "ADDRESS", "ROOM", "PAID", "UNPAID", "DEPOSIT", "MONEY", "LABEL", "REFNO", "REFNAME"}
)
GAPS = frozenset({"SP", "SEP", "NL", "PAUSE", "SLASH", "COLON", "DASH", "DOT", "PLUS"})


def whole_nickname(reader: "HeadReader", at: int, end: int) -> bool:
    """八月十五, 半斤八两, 禅茶一味 or 周奶奶 first, when counted goods follow: all of it is a nickname."""
    run = reader.tokens[at:end]
    word = reader.text[run[0].start : run[-1].end]
    if (
        len(word) > 8
        or re.search(r"[\d+*]", word)
        or any(t.kind in FIRM or t.kind in ("EACH", "REPL", "DASH") for t in run)
    ):
        return False
    if run[0].kind == "P" and run[0].strength == LABEL and any(t.kind == "ROOM" for t in reader.tokens[:at]):
        return False  # 15-602 A一 D一
    if run[0].kind in ("FILL", "ADD", "CANCEL", "REF", "SUB") and reader.is_verb(at, end):
        return False
    if places.is_kin(word) and not any(t.kind == "Q" and t.value.unit for t in run):
        return True
    if {t.kind for t in run} <= {"TEXT", "P", "FILL"} and not any(
        t.kind == "P" and t.strength < FULL for t in run
    ):
        return False
    if any(t.kind == "P" and t.strength == FULL and t.end - t.start > 1 for t in run):
        return False
    rest = [t for t in reader.tokens[end:] if t.kind not in ("SP", "COLON", "FILL")]
    counted = any(
        a.kind == "P" and b.kind == "Q" and a.end - a.start + a.strength > 2
        for a, b in itertools.pairwise(rest)
    )
    bare = len(run) == 1 and run[0].kind == "Q"
    return counted or (bare and run[0].value.bare and any(t.kind == "Q" for t in rest))


def counted_goods(reader: "HeadReader", at: int) -> bool:
    """Tina croissant 2: with several products and none of them named, the word at the number is goods."""
    goods, _ = reader.rest(at + 1)
    amount = next((t for t in reader.tokens[at + 1 :] if t.kind != "SP"), None)
    return not reader.single and not goods and amount is not None and amount.kind == "Q"


def department_name(reader: "HeadReader") -> None:
    """测试部 套餐3: where nobody else is named, the department orders."""
    for i, token in enumerate(reader.tokens[:2]):
        found = token.kind == "ROOM" and token.value == "area" and i not in reader.head.used
        written = reader.text[token.start : token.end]
        if found and (places.DEPARTMENT.fullmatch(written) or places.AREA.fullmatch(written)):
            reader.head.name = (token.start, token.end)
            reader.head.used.add(i)


def courtesy_name(reader: "HeadReader") -> None:
    """团长 1张: where nothing else is a name, the leader (or a heart) is one."""
    for i, token in enumerate(reader.tokens):
        if token.kind == "POLITE" and i not in reader.head.used and not reader.head.room[1]:
            reader.head.name = (token.start, token.end)
            reader.head.used.add(i)
            return
        if token.kind not in GAPS:
            return


def name_behind(reader: "HeadReader") -> None:
    """三鲜1 6-602 杨哥: the goods came first, the name stands alone at the end."""
    tokens = reader.tokens
    for i in range(len(tokens) - 1, max(-1, len(tokens) - 8), -1):
        token = tokens[i]
        if token.kind != "TEXT" or i in reader.head.used:
            continue
        apart = (i == 0 or tokens[i - 1].kind in ENDS_CHUNK or tokens[i - 1].kind in ("DASH", "ROOM")) and (
            i + 1 == len(tokens) or tokens[i + 1].kind in ENDS_CHUNK
        )
        word = reader.text[token.start : token.end]
        if apart and places.person_like(word) and len(word) <= 5 and not reader.lexer.catalogue.slip(word):
            reader.head.name = (token.start, token.end)
            reader.head.used.add(i)
            return
