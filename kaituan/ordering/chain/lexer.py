"""From the characters of one entry to tokens: product, quantity, room, phone, time, money, and words with a
meaning. What nothing recognises stays TEXT: it becomes the name, a note, or a product nobody sells."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import patterns, places, vocabulary
from .catalogue import FULL, LABEL, PART, SIZE, Catalogue, Match
from .goods_words import STARTS_WITH_A_NUMERAL
from .quantities import COUNTERS, UNIT, Amount, read_quantity


@dataclass(slots=True)
class Token:
    """text[start:end] of the entry. kind is one of the names below; value depends on it:

    P product mask and strength | Q an Amount | MONEY fen | PHONE TAIL digits | LABEL its kind | others the words.
    """

    kind: str
    start: int
    end: int
    value: Any = None
    strength: int = 0
    depth: int = 0


@dataclass(slots=True)
class Style:
    """What the chain as a whole tells about its entries.

    bare_digits: plain numbers are product codes. columns: the products a row of numbers answers, in order.
    places: words that name an area. prices_follow: people write the price behind the product.
    rooms_common: two members or more tell a room. doors: digits behind a nickname may be one.
    """

    bare_digits: bool = False
    columns: tuple[int, ...] = ()
    places: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    rooms_common: bool = False
    doors: bool = True
    prices_follow: bool = False


def _may_be_tail(text: str, at: int) -> bool:
    """A cheap look before the long pattern: digits need three more digits or the stars of a masked phone."""
    char = text[at]
    if not (char.isdigit() or char == "*"):
        return True
    return text[at : at + 4].isdigit() or "*" in text[at : at + 4]


def word_at(text: str, at: int, end: int) -> tuple[str, int] | None:
    """The longest word with a meaning at `at`: its kind and its end."""
    longest = patterns.FIRST.get(text[at])
    if not longest:
        return None
    for stop in range(min(end, at + longest), at, -1):
        kind = vocabulary.WORDS.get(text[at:stop])
        if kind is None:
            continue
        if (
            text[at].isascii()
            and text[at].isalpha()
            and text[stop : stop + 1].isascii()
            and text[stop : stop + 1].isalpha()
        ):
            continue
        return kind, stop
    return None


@dataclass(slots=True)
class Lexer:
    """Cuts entries into tokens for one product list and one chain's style."""

    catalogue: Catalogue
    style: Style = field(default_factory=Style)
    unit_is_block: bool = False
    _cache: dict[str, list[Token]] = field(default_factory=dict)
    _starts: frozenset[str] = frozenset()
    _dull: re.Pattern[str] = re.compile("")
    _postal: bool = False
    _behind_goods: bool = False
    _last_mask: int = 0

    def __post_init__(self) -> None:
        self._starts = (
            patterns.STARTS
            | self.catalogue.first_characters
            | frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
        )
        known = "".join(sorted(self._starts | frozenset(patterns.SEPARATORS)))
        self._dull = re.compile(f"[^A-Z{re.escape(known)}]+")
        self.unit_is_block = any(m.unit == "块" for m in self.catalogue.measures)

    def tokens(self, text: str) -> list[Token]:
        """All tokens of text, in order and without gaps; time is linear in its length. Not to be changed."""
        found = self._cache.get(text)
        if found is None:
            found = self._cache[text] = self._cut(text)
        return found

    def _cut(self, text: str) -> list[Token]:
        out: list[Token] = []
        at, end, depth = 0, len(text), 0
        self._postal = bool(patterns.POSTAL.search(text))
        departments = {m.start(): m.end() for m in places.DEPARTMENT.finditer(text[:60])}
        while at < end:
            char = text[at]
            self._last_mask = self._goods_before(out, text)
            self._behind_goods = bool(out) and out[-1].kind == "P" and not text[at - 1].isdigit()
            if at in departments and not self.catalogue.name_at(text, at, end):
                out.append(Token("ROOM", at, departments[at], "area", depth=depth))
                at = departments[at]
                continue
            if char in self._starts or (self._postal and char >= "\u4e00"):
                found = (
                    self._contact(text, at, end) or self._best(text, at, end) or self._number(text, at, end)
                    or self._separator(text, at, end) or self._text(text, at, end)
                )  # fmt: skip
            elif (simple := patterns.SIMPLE.get(char)) is not None:
                found = Token(simple, at, at + 1)
            elif not self._postal and (run := self._dull.match(text, at)):
                found = Token("TEXT", at, run.end())
            else:
                found = self._separator(text, at, end) or self._text(text, at, end)
            if found.kind == "RP":
                depth = max(0, depth - 1)
            found.depth = depth
            if found.kind == "LP":
                depth += 1
            at = found.end
            if found.kind == "TEXT" and out:
                last = out[-1]
                torn = self._latin(text[found.start]) and self._latin(text[found.start - 1])
                if last.kind == "TEXT" and last.depth == depth and not torn:
                    last.end = found.end
                    continue
            out.append(found)
        return out

    @staticmethod
    def _goods_before(out: list[Token], text: str) -> int:
        """The products meant by the word that ends here, with 色 or 款 behind it."""
        last = out[-1] if out else None
        if (
            last is not None
            and last.kind == "TEXT"
            and text[last.start : last.end] in ("色", "款", "码")
            and len(out) > 1
        ):
            last = out[-2]
        return int(last.value) if last is not None and last.kind == "P" else 0

    def _size_of_goods(self, text: str, at: int, name: Match) -> bool:
        """37 in 黑色37, 36码: the list tells its goods apart by this number."""
        if text[at : name.end] not in self.catalogue.segments:
            return False
        return bool(self._last_mask & name.mask) or text[name.end : name.end + 1] == "码"

    @staticmethod
    def _latin(char: str) -> bool:
        return char.isascii() and char.isalpha()

    def _contact(self, text: str, at: int, end: int) -> Token | None:
        """Phones, tails, postal addresses and labels come before everything else."""
        char = text[at]
        fresh = at == 0 or not text[at - 1].isdigit()
        if fresh and char in "1+8" and (found := places.PHONE.match(text, at, end)):
            return Token("PHONE", at, found.end(), re.sub(r"\D", "", found[1]))
        if (
            char in "手电联尾后末tpe1*0123456789"
            and _may_be_tail(text, at)
            and (found := places.TAIL.match(text, at, end))
        ) and (at == 0 or not text[at - 1].isdigit()):
            return Token("TAIL", at, found.end(), found[1] or found[2] or found[3] or found[4])
        if (
            self._postal
            and "\u4e00" <= char <= "\u9fff"
            and (found := places.ADDRESS.match(text, at, min(end, at + 120)))
        ) and (any(c.isdigit() for c in found[0]) or len(found[0]) > 9):
            return Token("ADDRESS", at, found.end())
        if (
            char in "一总共合"
            and not self.catalogue.single
            and (found := patterns.TOTAL.match(text, at, end))
        ):
            read = read_quantity(text, found.end(), end)
            if read is not None and read[1].unit and read[1].amount is not None:
                return Token("TOTAL", at, read[0], read[1])
        if char == "一" and (found := patterns.HALVES.match(text, at, end)):
            return Token("TEXT", at, found.end())
        if (char in "身体腰胸臀脚年鞋尺裤衣臂度净sp一二三四五六七八九" or char.isdigit()) and (
            found := patterns.MEASURED.match(text, at, end)
        ):
            return Token("TEXT", at, found.end(), "measure")
        if (
            self._latin(char)
            and (at == 0 or not text[at - 1].isalnum())
            and (found := patterns.HANDLE.match(text, at, end))
        ):
            return Token("TEXT", at, found.end())
        if char in "[(" and (found := patterns.BRACKETED_LABEL.match(text, at, end)):
            return Token("LABEL", at, found.end(), vocabulary.LABEL[found[1]])
        if char in "同照抄学复跟和与s" and (reference := self._reference(text, at, end)):
            return reference
        if char in patterns.LABEL_START and (found := patterns.LABEL.match(text, at, end)):
            return Token("LABEL", at, found.end(), vocabulary.LABEL[found[1]])
        return None

    def _reference(self, text: str, at: int, end: int) -> Token | None:
        """同3, 和李姐一样, same as Amy; 草莓和橙子一样一份 is none, for 橙子 is a product."""
        if found := patterns.REF_NUMBER.match(text, at, end):
            return Token("REFNO", at, found.end(), int(found[1] or found[2]))
        found = patterns.REF_NAME.match(text, at, end)
        if found is None:
            return self._known_name(text, at, end)
        who = (found[1] or found[2]).strip()
        named = self.catalogue.name_at(who, 0, len(who))
        if vocabulary.WORDS.get(text[at : found.end()]) == "REF" or (named and named.end == len(who)):
            return None
        return Token("REFNAME", at, found.end(), who)

    def _known_name(self, text: str, at: int, end: int) -> Token | None:
        """同雅婷: a name of the chain right behind the word, and nothing more."""
        found = patterns.REF_KNOWN.match(text, at, end)
        if found and found[1] in self.style.people:
            return Token("REFNAME", at, found.end(), found[1])
        return None

    def _best(self, text: str, at: int, end: int) -> Token | None:
        """The longest of product, word, room, time and money; a product wins a draw."""
        catalogue, best = self.catalogue, None
        whole_word = patterns.LATIN.match(text, at, end) if self._latin(text[at]) else None
        candidates: list[Token] = []
        name = catalogue.name_at(text, at, end)
        if (
            name is not None
            and name.strength == PART
            and text[at : name.end].isdigit()
            and not patterns.STARTS_COUNTED.match(text, name.end)
            and not self._size_of_goods(text, at, name)
        ):
            name = None  # 84一瓶 is 84消毒液, 84 alone is a number
        if name is not None and not self._inside_number(text, at):
            candidates.append(Token("P", at, name.end, name.mask, name.strength))
        code = None
        if (char := text[at]).isascii() or "①" <= char <= "㉟" or char in "一二三四五六七八九十":
            code = catalogue.code_at(
                text, at, end, bare_digits=self.style.bare_digits and not self._behind_goods
            )
        if (
            code is not None
            and text[at].isalpha()
            and at
            and text[at - 1] in "库区栋座门柜室楼位层口房"
            and text[code.end : code.end + 2].isdigit()
        ):
            code = None  # 放车库B12
        if code is not None and (best is None or code.end > at):
            candidates.append(Token("P", at, code.end, code.mask, LABEL))
        if word := self._word(text, at, end):
            candidates.append(word)
        candidates += self._fixed(text, at, end)
        for token in candidates:
            if best is None or token.end > best.end:
                best = token
        if (
            best is not None
            and whole_word
            and best.kind == "P"
            and best.end < whole_word.end()
            and best.strength == PART
        ):
            return None
        if best is not None and best.kind == "P" and best.strength == PART:
            word_too = next((t for t in candidates if t.kind not in ("P",) and t.end == best.end), None)
            if word_too is not None and word_too.kind != "FILL":
                return word_too
        return best

    def _word(self, text: str, at: int, end: int) -> Token | None:
        """A word with a meaning; 少, 加, 换 and the like only where something can be less, more or other."""
        if text[at] in "原现" and (found := patterns.OLD_NEW.match(text, at, end)):
            return Token("FILL" if found[1] else "REPL", at, found.end())
        if (
            text[at] in "前后头开末上下最第"
            and not self.catalogue.single
            and (found := vocabulary.POINTING.match(text, at, end))
        ):
            return Token("POINT", at, found.end())
        if text[at] in "没无缺" and (found := patterns.WITHOUT.match(text, at, end)):
            return Token("COND", at, at + len(found[1]))
        if text[at] in "整称割搞弄薅捎" and patterns.GETS.match(text, at, end):
            return Token("FILL", at, at + 1)
        if text[at] == "已" and (found := patterns.PAID_APART.match(text, at, end)):
            return Token("PAID", at, found.end())
        if text.startswith(("转账", "转款"), at) and re.match(r"[:：]?\s?\d", text[at + 2 : at + 5]):
            return Token("PAID", at, at + 2)
        found_word = word_at(text, at, end)
        if found_word is None:
            return None
        kind, stop = found_word
        if stop == at + 1 and text[at] in "少减换减补添退均各另改再加":
            ahead = text[stop : stop + 6].lstrip(" :")
            if text[at] in "少均" and not patterns.STARTS_AMOUNT.match(ahead):
                return None
            if text[at] == "换" and self.catalogue.single:
                return None
        if kind == "VAGUE" and text[stop - 1] in "点些啲" and at and text[at - 1] in patterns.ADJECTIVES:
            return None  # 肥一点: a wish, not an amount
        return Token(kind, at, stop)

    @staticmethod
    def _inside_number(text: str, at: int) -> bool:
        return text[at].isdigit() and at > 0 and (text[at - 1].isdigit() or text[at - 1] in ".-#")

    def _fixed(self, text: str, at: int, end: int) -> list[Token]:
        """Rooms, times and money: everything with a fixed form."""
        out: list[Token] = []
        char = text[at]
        if char.isdigit() and char.isascii() and patterns.PLAIN_NUMBER.match(text, at, end):
            return out
        fresh = at == 0 or not (text[at - 1].isdigit() and char.isdigit())
        if self._behind_goods and char.isdigit() and patterns.MINUS.match(text, at):
            return out  # 草莓2-1: no door
        if fresh and (
            (char.isascii() and char.isalnum())
            or char in "一二三四五六七八九十百东南西北甲乙丙丁工座卡门房室商"
        ):
            found = places.ROOM.match(text, at, end)
            torn = self._latin(char) and at > 0 and self._latin(text[at - 1])
            if found and not torn and not self._sold_so(text, at, found):
                stop = self._room_end(text, at, found.end(), end)
                if tail := places.ROOM_TAIL.match(text, stop, end):
                    stop = tail.end()
                gate = found[0][-1:] == "门" and re.match(r"取|拿|自提|提|见", text[stop : stop + 2])
                if not gate:  # 东门取 is a remark
                    out.append(Token("ROOM", at, stop))
        if (
            self._latin(char)
            and (at == 0 or not text[at - 1].isascii() or not text[at - 1].isalnum())
            and char != "x"
            and not self.catalogue.knows_letter(char)
        ):
            area = places.AREA.match(text, at, end)
            if area and not re.match(rf"\s?{UNIT}|[号款]", text[area.end() : area.end() + 3]):
                out.append(Token("ROOM", at, area.end(), "area"))
        if fresh and char in patterns.TIME_START and (found := patterns.TIME.match(text, at, end)):
            out.append(Token("TIME", at, found.end()))
        if (
            char in patterns.MONEY_START
            and fresh
            and (found := patterns.MONEY.match(text, at, end))
            and self._is_money(found)
        ):
            out.append(Token("MONEY", at, found.end(), self._fen(found), 1 if found["head"] else 0))
        if char in patterns.HOUSEHOLD_START and (household := vocabulary.HOUSEHOLD.match(text, at, end)):
            out.append(Token("Q", at, household.end(), Amount(None, "口")))
        return out

    def _room_end(self, text: str, at: int, stop: int, end: int) -> int:
        """7幢 84消毒液: the room ends where a product begins behind a gap."""
        for gap in range(at + 1, stop):
            if text[gap] in " ,/":
                named = self.catalogue.name_at(text, gap + 1, end) if gap + 1 < end else None
                if named is not None and named.end > stop:
                    return gap
        return stop

    def _sold_so(self, text: str, at: int, found: re.Match[str]) -> bool:
        """5号 is a product code, 2栋 never; 2-3 before a unit is a range of quantities."""
        code = re.fullmatch(r"([a-z]?\d{1,3})号?", found[0])
        dashed = re.fullmatch(r"([a-z])-\d{2,4}", found[0])
        return bool(
            (code and code[1] in self.catalogue.codes)
            or (dashed and dashed[1] in self.catalogue.codes and not self.catalogue.single)
        )

    def _is_money(self, found: re.Match[str]) -> bool:
        if found["kuai"] and self.unit_is_block and not found["head"]:
            return False
        if found["kuai"] and found.string[found.end("kuai") : found.end("kuai") + 1] in ("半",):
            return False
        return any(found[g] for g in "abcde")

    @staticmethod
    def _fen(found: re.Match[str]) -> int:
        digits = next(found[g] for g in "abcde" if found[g])
        return int(Decimal(digits) * 100)

    def _number(self, text: str, at: int, end: int) -> Token | None:
        """A quantity; in front of a Latin word or inside a number it is none."""
        char = text[at]
        if char.isdigit() and SIZE.match(text, at, end):
            return None
        if char == "." and (at == 0 or not text[at - 1].isdigit()) and text[at + 1 : at + 2].isdigit():
            part = read_quantity("0" + text[at : at + 12], 0, min(13, end - at + 1))
            return Token("Q", at, at + part[0] - 1, part[1]) if part is not None else None  # .5斤
        if char == "-" and at and text[at - 1].isdigit() and patterns.DOOR_BEHIND.match(text, at):
            return None  # 王姐-草莓2-3-502
        if char == "第" and (ordinal := patterns.ORDINAL.match(text, at, end)):
            return Token("TEXT", at, ordinal.end())
        if char.isdigit() and (day := patterns.DAY.match(text, at, end)):
            return Token("TIME", at, day.end())
        if char in patterns.GOODS_NUMERALS and (
            word := next((w for w in STARTS_WITH_A_NUMERAL if text.startswith(w, at)), "")
        ):
            return Token("TEXT", at, at + len(word))  # 三明治 is no number
        if (
            char == "-"
            and at
            and (text[at - 1].isalnum() and not text[at - 1].isdigit())
            and not re.match(rf"-\d{{1,3}}(?:{UNIT}|\s|$)", text[at : at + 8])
        ):
            return None
        if self._latin(char) and (
            char != "x" or not re.match(r"x\s?[\d一二三四五六七八九十两]", text[at : at + 3])
        ):
            return None
        if (
            char in "+-"
            and at + 1 < end
            and (named := self.catalogue.name_at(text, at + 1, end))
            and named.end > at + 2
        ):
            return None  # -三鲜1: a dash before a product, not minus three
        if char == "+":
            code = at + 1
            while code < end and text[code] == " ":
                code += 1
            bare = self.style.bare_digits
            if bare or (code < end and self.catalogue.code_at(text, code, end, bare_digits=False)):
                return None  # 2+10, 1号+2号: joined codes
        read = self._whole_unit(text, at, end, read_quantity(text, at, end))
        if read is None:
            return None
        stop, amount = read
        if char in "陆伍" and stop == at + 1 and stop < end and not amount.unit:
            return None  # 陆老师
        if not amount.unit and not text[stop - 1].isascii() and text[stop : stop + 1] == "家":
            # 一一一家三口: the last numeral belongs to the household.
            return Token("TEXT", at, stop - 1) if stop - 1 > at else None
        if not amount.sign and not amount.unit and not text[at].isascii() and self._is_word(text, at, stop):
            return None
        return Token("Q", at, stop, amount)

    def _whole_unit(
        self, text: str, at: int, end: int, read: tuple[int, Amount] | None
    ) -> tuple[int, Amount] | None:
        """2双皮奶: the counter is the beginning of a product."""
        if read is None or not read[1].unit or read[0] - at < 2:
            return read
        found = patterns.BEFORE_UNIT.match(text, at, end)
        if found is None or found.end() >= end:
            return read
        unit = found.end() + (text[found.end()] == " ")
        named = self.catalogue.name_at(text, unit, end) if unit < end else None
        if named is None or named.strength != FULL or named.end <= read[0] or named.end - unit < 2:
            return read
        return read_quantity(text, at, found.end())

    @staticmethod
    def _is_word(text: str, at: int, stop: int) -> bool:
        """一下, 一起, 千万: numerals that are part of a word."""
        return text[stop : stop + 1] != "" and text[stop] in "下起直定共边会儿路楼层会切般旦心面方点"

    def _separator(self, text: str, at: int, end: int) -> Token | None:
        kind = patterns.SEPARATORS.get(text[at])
        return Token(kind, at, at + 1) if kind else None

    def _text(self, text: str, at: int, end: int) -> Token:
        if text[at].isdigit() and (found := SIZE.match(text, at, end)):
            return Token("TEXT", at, found.end(), "size")
        if self._latin(text[at]) and (found := patterns.LATIN.match(text, at, end)):
            return Token("TEXT", at, found.end())
        if text[at].isdigit() and (found := patterns.DIGITS.match(text, at, end)):
            return Token("TEXT", at, found.end())
        return Token("TEXT", at, at + 1)


__all__ = ["COUNTERS", "FULL", "LABEL", "PART", "Lexer", "Style", "Token", "word_at"]
