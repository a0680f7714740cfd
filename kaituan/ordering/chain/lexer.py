# ruff: noqa: E501
"""From the characters of one entry to tokens: product, quantity, room, phone, time, money, and words with a
meaning. What nothing recognises stays TEXT: it becomes the name, a note, or a product nobody sells."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import places, vocabulary
from .catalogue import FULL, LABEL, PART, SIZE, Catalogue
from .goods_words import STARTS_WITH_A_NUMERAL
from .quantities import COUNTERS, NUMERAL, UNIT, Amount, read_quantity


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
    """

    bare_digits: bool = False
    columns: tuple[int, ...] = ()
    places: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    rooms_common: bool = False
    prices_follow: bool = False


_TIME = re.compile(
    r"(?:今天|明天|后天|大后天|今晚|明晚|今早|明早|周末|早上|晚上|上午|下午|中午|傍晚|凌晨|夜里|下班|上班|(?:下|本|这)?(?:周|星期|礼拜)[一二三四五六日天末]|工作日|节假日|月底)"
    r"|\d{1,2}\s?[:：]\s?[0-5]\d(?:\s?[-~到至]\s?\d{1,2}[:：][0-5]\d)?(?:am|pm)?"
    r"|(?!一点(?![钟半前后左之以来取到送]))(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?(?:[-~到至]\s?(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?)?(?:点钟|点半|点(?:\d{1,2}分?)?(?!的|心|点)|时(?![令蔬]))(?:左右|前后|以后|之后|之前|以前|前|后|多)?"
    r"|(?:20\d\d)[年\-/.]\d{1,2}[月\-/.]\d{1,2}[日号]?"
    r"|\d{1,2}月\d{1,2}[日号]?"
    r"|\d{1,2}[号日](?=早|晚|上午|下午|中午|来|取|到|后|前|之|再|回|送|发|下班|拿|以)"
    r"|(?:\d{1,2}/\d{1,2})(?=再|来|取|到|后|前|之|拿|号|日|\s?(?:来|取|到|拿)|送|发)"
    r"|\d{1,2}\s?(?:am|pm)(?![a-z])|\d{1,3}\s?(?:分钟|小时|天(?!然)|个月|年|岁|折|%|度|公里|月|日)"
)
_MONEY = re.compile(
    r"(?P<head>共计|总共|合计|总计|一共|共付|共|计|总价|总额|金额|小计|应付|实付|总|=(?=\s?\d{2}|\s?\d\.))?\s?[:：]?\s?"
    r"(?:(?P<sign>[¥$]|rmb)\s?(?P<a>\d{1,6}(?:\.\d{1,2})?)(?:\s?(?:元|块钱|块))?"
    r"|(?P<b>\d{1,6}(?:\.\d{1,2})?)\s?(?P<word>元钱|元|块钱|圆|rmb|yuan|米金)"
    rf"|(?P<c>\d{{1,6}}(?:\.\d{{1,2}})?)\s?(?P<kuai>块)"
    rf"|(?![13]/[24]\s?斤)(?P<d>\d{{1,6}}(?:\.\d{{1,2}})?)(?P<per>(?:元|块)?\s?/\s?\d*(?:{UNIT}))"
    rf"|(?<=[共计总额付价])\s?(?P<e>\d{{1,6}}(?:\.\d{{1,2}})?)(?!\s?{UNIT}|\d|样|种|款))"
    rf"(?P<tail>\s?(?:/\s?|一|每|1)(?:{UNIT}))?"
)
_MONEY_START = frozenset("共总合一计小应实金=¥$r0123456789")
_LABEL = re.compile(
    "(" + "|".join(sorted((re.escape(w) for w in vocabulary.LABEL), key=len, reverse=True)) + r")\s?[:：]\s?"
)
_BRACKETED_LABEL = re.compile(r"[\[(](备注|姓名|房号|电话|地址|数量|商品)[\])]")
_LATIN = re.compile(r"[a-z][a-z'’.&]*")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_SEPARATORS = {",": "SEP", "，": "SEP", "、": "PAUSE", ";": "SEP", "；": "SEP", "。": "SEP", "!": "SEP", "|": "SEP", "~": "SEP", "…": "SEP", "?": "SEP", ":": "COLON", "/": "SLASH", "+": "PLUS", "&": "PLUS", "-": "DASH", "\n": "NL", " ": "SP", "\t": "SP",
               "(": "LP", "[": "LP", "<": "LP", "{": "LP", ")": "RP", "]": "RP", ">": "RP", "}": "RP", "_": "SP", "·": "SP", "•": "SP", "\\": "SEP", '"': "SP", "“": "SP", "”": "SP", "「": "SP", "」": "SP", "*": "SP", ".": "DOT", "@": "SP", "#": "SP", "=": "COLON", "^": "SP", "’": "SP", "‘": "SP", "'": "SP"}  # fmt: skip

_REF_NUMBER = re.compile(
    r"(?:同|照|抄|学|复制|same as )\s?第?\s?(?:#|no\.?)?(\d{1,3})(?!\d|[-#栋号幢]\d|号楼)(?:号|楼|位|#)?(?:的|那个|那位)?(?:一样的?|一致|相同)?"
    r"|(?:跟|和|与)\s?第?\s?(?:#|no\.?)?(\d{1,3})(?:号|楼|位|#)?\s?(?:的|那个|那位)?\s?(?:一样的?|一致|相同|同款)"
)
_REF_NAME = re.compile(
    r"(?:同|跟|和|与|照|抄|学)\s?([^\s,，。;；、()\n]{1,12}?)\s?(?:的|家|家的|买的|订的)?(?:一模一样|一样的?(?![一二两三\d半各])|一致|相同|同款|那样|的来|来一份一样的)"
    r"|same as ([a-z][a-z ]{0,15})"
)

_OLD_NEW = re.compile(
    r"(原(?:来|先|定|订|本|是)*(?=\s?[\d一二两三四五六七八九十半]))|(现(?:在|改|要|为|成)*(?=\s?[\d一二两三四五六七八九十半]))"
)
_WITHOUT = re.compile(r"(没有?|无|缺)[^\s,;。()\d]{1,7}?(?:就|的话|则|换|可以换|可换)")
_STARTS_COUNTED = re.compile(rf"\s?(?:x\s?)?(?:\d{{1,2}}|[一二两三四五六七八九十半])\s?{UNIT}|x\d")
_ADJECTIVES = frozenset("肥瘦大小甜熟生嫩硬软脆辣淡咸酸快早晚厚薄干湿鲜好细粗长短高低热冷浓轻重满")
_GETS = re.compile(r"[整称割搞弄薅捎](?=\s?(?:\d|[一二两三四五六七八九十半俩仨]))")
"""整俩, 称2斤: a verb of getting, in front of an amount."""
_STARTS_AMOUNT = re.compile(r"[\d一二两三四五六七八九十半]")

_REF_KNOWN = re.compile(r"(?:同|跟|照|抄|学)\s?([^\s,，。;；、()\n]{1,10}?)(?:的|家)?(?=$|[\s,，。;；、()])")
_BEFORE_UNIT = re.compile(rf"(?:[x*+\-]\s?)?{NUMERAL}")
_MEASURED = re.compile(
    r"(?:身高|体重|腰围|胸围|臀围|脚长|年龄|鞋码|尺码|裤长|衣长|臂长|度数|净高)\s?[:：]?\s?\d+(?:\.\d+)?\s?(?:cm|kg|厘米|公分|公斤|斤|岁|码|度|米)?|spf\s?\d+\+*|pa\+{2,}"
)
"""身高165, SPF50: a measure of somebody or of the goods; never an amount."""
_HANDLE = re.compile(r"[a-z][a-z0-9.]*_[a-z0-9_]+")
"""peter_2021: one name."""
_ORDINAL = re.compile(r"第(?:\d{1,3}|[一二三四五六七八九十]{1,3})[次回天批期轮波排单年]?")
_DAY = re.compile(r"(?:[12]?\d|3[01])[号日](?!\d{2}|[楼#\-])")
"""8号: what is no code and no building is a day, never eight of something."""
_FIRST: dict[str, int] = {}
for _word in vocabulary.WORDS:
    _FIRST[_word[0]] = max(_FIRST.get(_word[0], 0), len(_word))


def _may_be_tail(text: str, at: int) -> bool:
    """A cheap look before the long pattern: digits need three more digits or the stars of a masked phone."""
    char = text[at]
    if not (char.isdigit() or char == "*"):
        return True
    return text[at : at + 4].isdigit() or "*" in text[at : at + 4]


def word_at(text: str, at: int, end: int) -> tuple[str, int] | None:
    """The longest word with a meaning at `at`: its kind and its end."""
    longest = _FIRST.get(text[at])
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


_SIMPLE = {c: k for c, k in _SEPARATORS.items() if c not in "([<{+-*/#.~=:@"}
_LABEL_START = frozenset(word[0] for word in vocabulary.LABEL)
_TIME_START = frozenset("今明后大周早晚上下中傍凌夜本这星礼工节月0123456789一二三四五六七八九十")
_HOUSEHOLD_START = frozenset("一全两二三四五六七八九0123456789")
_GOODS_NUMERALS = frozenset(word[0] for word in STARTS_WITH_A_NUMERAL)
_NUMERALS = frozenset("零〇一二两三四五六七八九十百廿卅壹贰叁肆伍陆柒捌玖拾佰弍弎俩仨半斤公")
_STARTS = (
    frozenset(_FIRST) | _MONEY_START | _LABEL_START | _TIME_START | _HOUSEHOLD_START | _NUMERALS
    | frozenset("双身体腰胸臀脚年鞋尺裤衣臂度净整称割搞弄薅捎前头开上下最第手电联尾后末*([+-#x东南西北甲乙丙丁工座卡门房室同照抄学复跟和与没无缺转原现①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳")
)  # fmt: skip
"""Characters at which something other than plain text can begin, besides Latin letters, digits and products."""
_PLAIN_NUMBER = re.compile(
    r"\d+\s?(?:$|(?<=\d)[,、;。!)\n]|(?<=\s)(?![号#栋幢座楼弄期区苑组单门室房户层桌工卡位点时年月日分小天个岁折%度次米公元块圆会办教病宿寝铺诊机/\-~:.到至a-zx*¥$人口]|\d)"
    r"|(?<=\d)(?![号#栋幢座楼弄期区苑组单门室房户层桌工卡位点时年月日分小天个岁折%度次米公元块圆钱会办教病宿寝铺诊机/\-~:.到至a-z\d\s¥$人口]))"
)
"""A number behind which no room, time or money can go on: most quantities, passed over quickly."""
_POSTAL = re.compile(r"省|市|自治区|区[\u4e00-\u9fff]{1,10}(?:路|街|道)|县|路\d|街\d|道\d|巷\d|胡同\d|弄\d")


@dataclass(slots=True)
class Lexer:
    """Cuts entries into tokens for one product list and one chain's style."""

    catalogue: Catalogue
    style: Style = field(default_factory=Style)
    unit_is_block: bool = False
    _cache: dict[str, list[Token]] = field(default_factory=dict)
    _starts: frozenset[str] = frozenset()
    _postal: bool = False

    def __post_init__(self) -> None:
        self._starts = _STARTS | self.catalogue.first_characters
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
        self._postal = bool(_POSTAL.search(text))
        while at < end:
            char = text[at]
            simple = _SIMPLE.get(char)
            if simple is not None and char not in self._starts:
                found = Token(simple, at, at + 1)
            elif (
                char in self._starts
                or (char.isascii() and char.isalnum())
                or (self._postal and char >= "\u4e00")
            ):
                found = (
                    self._contact(text, at, end) or self._best(text, at, end) or self._number(text, at, end)
                    or self._separator(text, at, end) or self._text(text, at, end)
                )  # fmt: skip
            else:
                found = self._separator(text, at, end) or self._text(text, at, end)
            if found.kind == "RP":
                depth = max(0, depth - 1)
            found.depth = depth
            if found.kind == "LP":
                depth += 1
            at = found.end
            goes_on = found.kind == "TEXT" and out and out[-1].kind == "TEXT" and out[-1].depth == depth
            if goes_on and not (self._latin(text[found.start]) and self._latin(text[found.start - 1])):
                out[-1].end = found.end
                continue
            out.append(found)
        return out

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
        if char in "身体腰胸臀脚年鞋尺裤衣臂度净sp" and (found := _MEASURED.match(text, at, end)):
            return Token("TEXT", at, found.end(), "measure")
        if self._latin(char) and (at == 0 or not text[at - 1].isalnum()) and (found := _HANDLE.match(text, at, end)):
            return Token("TEXT", at, found.end())
        if char in "[(" and (found := _BRACKETED_LABEL.match(text, at, end)):
            return Token("LABEL", at, found.end(), vocabulary.LABEL[found[1]])
        if char in "同照抄学复跟和与s" and (reference := self._reference(text, at, end)):
            return reference
        if char in _LABEL_START and (found := _LABEL.match(text, at, end)):
            return Token("LABEL", at, found.end(), vocabulary.LABEL[found[1]])
        return None

    def _reference(self, text: str, at: int, end: int) -> Token | None:
        """同3, 和李姐一样, same as Amy; 草莓和橙子一样一份 is none, for 橙子 is a product."""
        if found := _REF_NUMBER.match(text, at, end):
            return Token("REFNO", at, found.end(), int(found[1] or found[2]))
        found = _REF_NAME.match(text, at, end)
        if found is None:
            return self._known_name(text, at, end)
        who = (found[1] or found[2]).strip()
        named = self.catalogue.name_at(who, 0, len(who))
        if vocabulary.WORDS.get(text[at : found.end()]) == "REF" or (named and named.end == len(who)):
            return None
        return Token("REFNAME", at, found.end(), who)

    def _known_name(self, text: str, at: int, end: int) -> Token | None:
        """同雅婷: a name of the chain right behind the word, and nothing more."""
        found = _REF_KNOWN.match(text, at, end)
        if found and found[1] in self.style.people:
            return Token("REFNAME", at, found.end(), found[1])
        return None

    def _best(self, text: str, at: int, end: int) -> Token | None:
        """The longest of product, word, room, time and money; a product wins a draw."""
        catalogue, best = self.catalogue, None
        whole_word = _LATIN.match(text, at, end) if self._latin(text[at]) else None
        candidates: list[Token] = []
        name = catalogue.name_at(text, at, end)
        if (
            name is not None
            and name.strength == PART
            and text[at : name.end].isdigit()
            and not _STARTS_COUNTED.match(text, name.end)
        ):
            name = None  # 84一瓶 is 84消毒液, 84 alone is a number
        if name is not None and not self._inside_number(text, at):
            candidates.append(Token("P", at, name.end, name.mask, name.strength))
        code = None
        if (char := text[at]).isascii() or "①" <= char <= "㉟":
            code = catalogue.code_at(text, at, end, bare_digits=self.style.bare_digits)
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
        if text[at] in "原现" and (found := _OLD_NEW.match(text, at, end)):
            return Token("FILL" if found[1] else "REPL", at, found.end())
        if text[at] in "前后头开末上下最第" and not self.catalogue.single and (found := vocabulary.POINTING.match(text, at, end)):
            return Token("POINT", at, found.end())
        if text[at] in "没无缺" and (found := _WITHOUT.match(text, at, end)):
            return Token("COND", at, at + len(found[1]))
        if text[at] in "整称割搞弄薅捎" and _GETS.match(text, at, end):
            return Token("FILL", at, at + 1)
        if text.startswith(("转账", "转款"), at) and re.match(r"[:：]?\s?\d", text[at + 2 : at + 5]):
            return Token("PAID", at, at + 2)
        found_word = word_at(text, at, end)
        if found_word is None:
            return None
        kind, stop = found_word
        if stop == at + 1 and text[at] in "少减换减补添退均各另改再加":
            ahead = text[stop : stop + 6].lstrip(" :")
            if text[at] in "少均" and not _STARTS_AMOUNT.match(ahead):
                return None
            if text[at] == "换" and self.catalogue.single:
                return None
        if kind == "VAGUE" and text[stop - 1] in "点些" and at and text[at - 1] in _ADJECTIVES:
            return None  # 肥一点: a wish, not an amount
        return Token(kind, at, stop)

    @staticmethod
    def _inside_number(text: str, at: int) -> bool:
        return text[at].isdigit() and at > 0 and (text[at - 1].isdigit() or text[at - 1] in ".-#")

    def _fixed(self, text: str, at: int, end: int) -> list[Token]:
        """Rooms, times and money: everything with a fixed form."""
        out: list[Token] = []
        char = text[at]
        if char.isdigit() and char.isascii() and _PLAIN_NUMBER.match(text, at, end):
            return out
        fresh = at == 0 or not (text[at - 1].isdigit() and char.isdigit())
        if fresh and (
            (char.isascii() and char.isalnum())
            or char in "一二三四五六七八九十百东南西北甲乙丙丁工座卡门房室"
        ):
            found = places.ROOM.match(text, at, end)
            torn = self._latin(char) and at > 0 and self._latin(text[at - 1])
            if found and not torn and not self._sold_so(text, at, found):
                out.append(Token("ROOM", at, self._room_end(text, at, found.end(), end)))
        if (
            self._latin(char)
            and (at == 0 or not text[at - 1].isascii() or not text[at - 1].isalnum())
            and char != "x"
            and not self.catalogue.knows_letter(char)
        ):
            area = places.AREA.match(text, at, end)
            if area and not re.match(rf"\s?{UNIT}|[号款]", text[area.end() : area.end() + 3]):
                out.append(Token("ROOM", at, area.end(), "area"))
        if fresh and char in _TIME_START and (found := _TIME.match(text, at, end)):
            out.append(Token("TIME", at, found.end()))
        if (
            char in _MONEY_START
            and fresh
            and (found := _MONEY.match(text, at, end))
            and self._is_money(found)
        ):
            out.append(Token("MONEY", at, found.end(), self._fen(found), 1 if found["head"] else 0))
        if char in _HOUSEHOLD_START and (household := vocabulary.HOUSEHOLD.match(text, at, end)):
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
        return bool(code and code[1] in self.catalogue.codes)

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
        if char == "第" and (ordinal := _ORDINAL.match(text, at, end)):
            return Token("TEXT", at, ordinal.end())
        if char.isdigit() and (day := _DAY.match(text, at, end)):
            return Token("TIME", at, day.end())
        if char in _GOODS_NUMERALS and (word := next((w for w in STARTS_WITH_A_NUMERAL if text.startswith(w, at)), "")):
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
        found = _BEFORE_UNIT.match(text, at, end)
        if found is None or found.end() >= end:
            return read
        named = self.catalogue.name_at(text, found.end(), end)
        if named is None or named.strength != FULL or named.end <= read[0] or named.end - found.end() < 2:
            return read
        return read_quantity(text, at, found.end())

    @staticmethod
    def _is_word(text: str, at: int, stop: int) -> bool:
        """一下, 一起, 千万: numerals that are part of a word."""
        return text[stop : stop + 1] != "" and text[stop] in "下起直定共边会儿路楼层会切般旦心面方点"

    def _separator(self, text: str, at: int, end: int) -> Token | None:
        kind = _SEPARATORS.get(text[at])
        return Token(kind, at, at + 1) if kind else None

    def _text(self, text: str, at: int, end: int) -> Token:
        if text[at].isdigit() and (found := SIZE.match(text, at, end)):
            return Token("TEXT", at, found.end(), "size")
        if self._latin(text[at]) and (found := _LATIN.match(text, at, end)):
            return Token("TEXT", at, found.end())
        if text[at].isdigit() and (found := _DIGITS.match(text, at, end)):
            return Token("TEXT", at, found.end())
        return Token("TEXT", at, at + 1)


__all__ = ["COUNTERS", "FULL", "LABEL", "PART", "Lexer", "Style", "Token", "word_at"]
