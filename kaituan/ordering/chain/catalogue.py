"""The campaign's product list, made ready for reading: which products can a stretch of text mean?

A set of products is an int with one bit per product, so that "白色" and "L" meet by `&`.
Longest name first; a full name or alias beats the parts of other names; slips of the pen come last."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from . import slips
from .goods_words import SYNONYMS
from .model import Product
from .normalise import circled_value, plain
from .quantities import COUNTERS, NUMERAL, UNIT, Amount, Measure, is_pack_size, measure, numeral_value

_SEPARATORS = re.compile(r"[\s()\[\]/、,，+&·\-—_|:：;#*“”\"'’]+")
_PACK = re.compile(
    rf"{NUMERAL}\s*(?:市斤|公斤|千克|kg|斤|两|g|克|ml|毫升|l|升|[{COUNTERS}])(?:装|/[{COUNTERS}])?|(?:每|一)[{COUNTERS}]|[大小中]?[{COUNTERS}]?装$"
)
_ASCII_RUN = re.compile(r"[a-z0-9.]+")
_TRAITS = frozenset(
    "辣甜咸酸苦淡冰热冷温鲜香脆软硬嫩老熟生干湿烤炸煎蒸煮炒拌焖炖切片装只瘦肥半细粗厚薄味加要的"
)
"""Single characters that say how goods are; out of a longer name they name nothing."""
_DULL = frozenset(COUNTERS) | frozenset(
    "零〇一二两三四五六七八九十半的号款色味装大小中新鲜斤克和与及"
) - frozenset("")
_DULL_PARTS = frozenset(
    [
        "新鲜",
        "正宗",
        "精品",
        "特级",
        "手工",
        "农家",
        "自制",
        "优质",
        "进口",
        "国产",
        "纯棉",
        "散养",
        "有机",
        "现做",
        "当季",
        "家庭",
        "组合",
        "礼盒装",
        "系列",
        "口味",
        "多个",
        "一盒",
        "一箱",
        "一个",
        "款式",
        "颜色",
    ]
)
_BORING = re.compile(r"^(?:\d*\.\d*|[的装号款色味码]+.*|.*(?:的|/))$")

_CONTENT_TAIL = re.compile(rf"{NUMERAL}(?:市斤|公斤|千克|kg|斤|两|g|克|ml|毫升|l|升|[{COUNTERS}])装?$|\D\d+$")

SIZE = re.compile(
    r"\d{1,2}x{1,3}[sl]|\d+(?:\.\d+)?\s?(?:英?寸|厘米|毫米|cm|mm|码(?!头)|层(?=[^楼])|级|(?<=\d\d)抽|(?<=\d\d)目|头鲍|号色|色号|线|米(?=[的长宽高x*床])|(?<=\.\d)米)(?![a-z])"
)
"""Sizes and levels: never a quantity, and another product when the list has another size."""
_COUNTER_BEHIND = re.compile(UNIT)

FULL, LABEL, PART = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Match:
    """end: where the matched text ends. mask: the products it can mean. strength: FULL, LABEL (code) or PART."""

    end: int
    mask: int
    strength: int


def _cuts_ascii(text: str, start: int, end: int) -> bool:
    """Whether a slice would tear a Latin word or a number apart."""
    left = start > 0 and text[start - 1].isascii() and text[start - 1].isalnum()
    right = end < len(text) and text[end].isascii() and text[end].isalnum()
    return (left and text[start].isascii() and text[start].isalnum()) or (
        right and text[end - 1].isascii() and text[end - 1].isalnum()
    )


def _torn(text: str, start: int, end: int) -> bool:
    """Whether a product word in a text is only a piece of a longer Latin word or number; VC2 is two VC."""
    first, last = text[start], text[end - 1]
    before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
    if (
        first.isascii()
        and before.isascii()
        and ((first.isalpha() and before.isalnum()) or (first.isdigit() and before.isdigit()))
    ):
        return True
    return (
        last.isascii()
        and after.isascii()
        and ((last.isalpha() and after.isalpha()) or (last.isdigit() and after.isdigit()))
    )


class Catalogue:
    """Reads product words. `products[i]` has the bit `1 << i`."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = tuple(products)
        self.everything = (1 << len(self.products)) - 1
        self.measures: list[Measure] = [measure(plain(p.name), plain(p.unit)) for p in self.products]
        self._full: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self.segments: set[str] = set()
        self._longest: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        self.families: dict[str, int] = {}
        for index, item in enumerate(self.products):
            self._add_names(index, item)
            self._add_code(index, item)
        self._add_qualities()
        self._merge_index()

    @cached_property
    def sized(self) -> bool:
        """Whether the list tells its goods apart by sizes or levels: 6寸, 120码, 三层."""
        return any(SIZE.search(plain(word)) for p in self.products for word in (p.name, *p.aliases))

    def _add_qualities(self) -> None:
        """有机 and 精品 tell nothing about goods, except where 有机蓝莓 and 精品蓝莓 are sold side by side."""
        names = [_SEPARATORS.sub("", plain(p.name)) for p in self.products]
        for word in _DULL_PARTS:
            having = [i for i, name in enumerate(names) if word in name]
            rest = {names[i].replace(word, "") for i in having}
            others = [name for i, name in enumerate(names) if i not in having]
            if having and any(len(r) > 1 and r[-2:] == o[-2:] for r in rest for o in others):
                self._parts[word] = sum(1 << i for i in having)

    @property
    def single(self) -> bool:
        """Only one product: it need not be named."""
        return len(self.products) == 1

    def _add_names(self, index: int, item: Product) -> None:
        bit = 1 << index
        for written in (item.name, *item.aliases):
            name = plain(written)
            base = _PACK.sub(" ", name).strip(" ()[]/")
            unbracketed = re.sub(r"[(\[].*?[)\]]", " ", name)
            squeezed = _SEPARATORS.sub("", name)
            for form in {name, squeezed}:
                if form:
                    self._full[form] = self._full.get(form, 0) | bit
            for form in {
                base,
                _SEPARATORS.sub("", base),
                unbracketed.strip(),
                _SEPARATORS.sub("", unbracketed),
            }:
                if len(form) > 1 and form != name:
                    self._parts[form] = self._parts.get(form, 0) | bit
            self.segments.update(_SEPARATORS.split(name))
            for piece in {*_SEPARATORS.split(name), *_SEPARATORS.split(base), squeezed}:
                self._add_parts(piece[:40], bit)

    def _add_parts(self, piece: str, bit: int) -> None:
        """Every stretch of a name that a member may pick out of it."""
        for start in range(len(piece)):
            for end in range(start + 1, min(len(piece), start + 14) + 1):
                part = piece[start:end]
                whole = end - start == len(piece)
                if _cuts_ascii(piece, start, end) or part in _DULL_PARTS:
                    continue
                if len(part) == 1 and (
                    part in _DULL or (part in _TRAITS and not whole) or (part.isascii() and not whole)
                ):
                    continue
                if not whole and _CONTENT_TAIL.search(part):
                    continue
                if not whole and (_BORING.match(part) or _PACK.fullmatch(part)):
                    continue
                if part.isdigit() and (len(part) < 2 or start):
                    continue
                self._parts[part] = self._parts.get(part, 0) | bit

    def _add_code(self, index: int, item: Product) -> None:
        code = plain(item.code)
        if not code:
            return
        bit = 1 << index
        self.codes[code] = self.codes.get(code, 0) | bit
        if found := re.match(r"(\d+|[a-z]+\d*)[^a-z0-9].*|(\d+)[a-z].*|([a-z])\d+$", code):
            family = found[1] or found[2]
            if family:
                self.families[family] = self.families.get(family, 0) | bit
        if not (code.isascii() and code.replace(".", "").isalnum()):
            self._full[code] = self._full.get(code, 0) | bit
            self._full[_SEPARATORS.sub("", code)] = self._full.get(_SEPARATORS.sub("", code), 0) | bit

    def _merge_index(self) -> None:
        self._index: dict[str, tuple[int, int]] = {}
        for part, mask in self._parts.items():
            self._index[part] = (mask, PART)
        for name, mask in self._full.items():
            self._index[name] = (mask, FULL)
        for group in SYNONYMS:
            known = [self._index[word] for word in group if word in self._index]
            for word in group if known else ():
                self._index.setdefault(word, known[0])
        for form in self._index:
            self._longest[form[0]] = max(self._longest.get(form[0], 0), len(form))
        self.numeric_codes = any(code.isdigit() for code in self.codes)

    def add_labels(self, labels: dict[str, int]) -> None:
        """Numbers or letters which the heading's menu gives to products that are not codes already."""
        for label, mask in labels.items():
            if label not in self.codes and label not in self.families:
                self.codes[label] = mask
        self.numeric_codes = any(code.isdigit() for code in self.codes)

    def name_at(self, text: str, at: int, end: int) -> Match | None:
        """The longest product word that starts at `at`."""
        longest = self._longest.get(text[at])
        if not longest:
            return None
        for stop in range(min(end, at + longest), at, -1):
            entry = self._index.get(text[at:stop])
            if entry and not _torn(text, at, stop):
                return Match(stop, *entry)
        return None

    _CHINESE_CODE = re.compile(r"([一二三四五六七八九十]{1,3})号(?![楼院线门桌座位]|\d{3})(?:款|链接)?")
    _CODE = re.compile(
        r"(?P<circle>[①-⑳㉑-㉟])(?P<c_tail>号|款)?"
        r"|[#＃](?P<hash>[a-z]{0,3}\d{1,4}|[a-z])(?![a-z0-9])(?:号|款)?"
        r"|(?:no\.?\s?)?(?P<code>[a-z]{1,3}\d{1,3}|\d{1,3}|[a-z]{1,2})(?P<tail>号款|号链接|号|款|套餐|品|类|#)?"
    )

    def code_at(self, text: str, at: int, end: int, *, bare_digits: bool) -> Match | None:
        """A code: ①, 1号, A款, #02, a lone letter; plain digits only where the chain uses them so."""
        if chinese := self._CHINESE_CODE.match(text, at, end):
            value = numeral_value(chinese[1])
            return self._as_match(str(value), chinese.end()) if value is not None else None
        found = self._CODE.match(text, at, end)
        if found is None:
            return None
        if found["circle"]:
            return self._as_match(str(circled_value(found["circle"])), found.end())
        if found["hash"]:
            return self._as_match(found["hash"], found.end())
        code, stop = found["code"], found.end()
        if at and text[at - 1].isascii() and text[at - 1].isalnum() and not self._in_run(text, at):
            return self._in_counted_run(text, at)
        if found["tail"]:
            if found["tail"] == "号" and re.match(
                r"楼|院|单元|\d{3}|早|晚|上午|下午|中午|来|取|到|后|前|之|再|回|送|发|线|门|下班|拿",
                text[stop : stop + 2],
            ):
                return None
            return self._as_match(code, stop)
        return self._untailed(text, at, end, code, bare_digits=bare_digits)

    def _in_run(self, text: str, at: int) -> bool:
        """Whether a letter stands inside a run of codes such as AB or ABC."""
        start = at
        while start and at - start < 6 and text[start - 1].isascii() and text[start - 1].isalpha():
            start -= 1
        run = re.match(r"[a-z]+(?![a-z0-9.])", text[start : start + 8])
        return bool(
            run
            and len(run[0]) <= 6
            and all(c in self.codes for c in run[0])
            and not text[start - 1 : start].isalnum()
        )

    _COUNTED_RUN = re.compile(r"(?:[a-z](?:x\d{1,3}|\d{1,2})){2,}(?![a-z0-9\-.])")

    def _in_counted_run(self, text: str, at: int) -> Match | None:
        """The B of A2B1, where letters are codes and no code is a letter with a digit."""
        start = at
        while start and at - start < 12 and text[start - 1].isascii() and text[start - 1].isalnum():
            start -= 1
        run = self._COUNTED_RUN.match(text, start)
        if run is None or not text[at].isalpha() or (text[at] == "x" and text[at + 1 : at + 2].isdigit()):
            return None
        letters = [c for c in re.sub(r"x(?=\d)", "", run[0]) if c.isalpha()]
        if not all(c in self.codes for c in letters) or any(
            p in self.codes for p in re.findall(r"[a-z]\d+", run[0])
        ):
            return None
        return self._as_match(text[at], at + 1)

    def _untailed(self, text: str, at: int, end: int, code: str, *, bare_digits: bool) -> Match | None:
        """A code with nothing after it: whole letters, letters before a number (b2), padded digits (01)."""
        stop = at + len(code)
        follows = text[stop : stop + 1]
        if code.isdigit():
            torn = follows.isascii() and follows.isalnum() and not re.match(r"x\s?\d", text[stop : stop + 3])
            if torn or (follows == "." and text[stop + 1 : stop + 2].isdigit()):
                return None
            padded = len(code) > 1 and code[0] == "0"
            counts = not padded and bool(_COUNTER_BEHIND.match(text, stop))  # ④2份
            return self._as_match(code, stop) if padded or (bare_digits and not counts) else None
        counted = len(code) > 1 and re.match(r"x\s?\d", text[stop : stop + 3])
        if code in self.codes and (counted or not (follows.isascii() and follows.isalnum())):
            return (
                None
                if code == "x" and re.match(r"\s?\d", text[stop : stop + 2])
                else self._as_match(code, stop)
            )
        run = re.match(r"[a-z]+(?![a-z0-9.])", text[at:end])
        if run and 1 < len(run[0]) <= 6 and all(c in self.codes for c in run[0]):
            return self._as_match(code[0], at + 1)  # AB各一份
        letters = re.match(r"[a-z]+", code)
        if letters and len(letters[0]) <= 2:
            head, digits = letters[0], text[at + len(letters[0]) : end]
            if (
                head in self.codes
                and head != "x"
                and re.match(r"(?:x\s?)?\d{1,3}(?!\d)(?![区座栋幢楼室\-])|x\d", digits)
            ):
                return self._as_match(head, at + len(head))
        return None

    def _as_match(self, code: str, stop: int) -> Match | None:
        mask = self.codes.get(code) or self.families.get(code) or self.codes.get(code.lstrip("0") or "0")
        if not mask and code.isdigit():
            mask = self.codes.get(code.zfill(2))
        return Match(stop, mask, LABEL) if mask else None

    def by_price(self, fen: int, *, rounded: bool = True) -> int:
        """The products that cost so much; to the fen first, then rounded to whole yuan."""
        exact = sum(1 << i for i, p in enumerate(self.products) if p.price_fen == fen)
        if exact or not rounded or fen % 100:
            return exact
        near = [
            i
            for i, p in enumerate(self.products)
            if p.price_fen and fen in (p.price_fen // 100 * 100, -(-p.price_fen // 100) * 100)
        ]
        return sum(1 << i for i in near)

    def alike(self, index: int, mask: int) -> int:
        """Those of `mask` which share most of what tells a product from all others: 白 L for 白 M."""
        words = [set(_SEPARATORS.split(plain(p.name))) for p in self.products]
        common = set.intersection(*words)
        shared = {i: len((words[i] & words[index]) - common) for i in self.bits(mask) if i != index}
        best = max(shared.values(), default=0)
        return sum(1 << i for i, count in shared.items() if count == best) if best else 0

    def by_counter(self, unit: str) -> int:
        """The products which are counted in this unit."""
        return sum(1 << i for i, m in enumerate(self.measures) if unit and m.unit == unit)

    def by_pack(self, size: Amount) -> int:
        """The products whose pack is exactly this weight, volume or number of pieces."""
        return sum(1 << i for i, m in enumerate(self.measures) if is_pack_size(size, m))

    @cached_property
    def _slip_index(self) -> slips.SlipIndex:
        known = {n: m for n, m in {**self._parts, **self._full}.items() if len(n) > 1}
        full = {n for n in known if n in self._full}
        for item in self.products:
            base = _SEPARATORS.sub("", _PACK.sub(" ", plain(item.name)))
            full.add(base)
        return slips.SlipIndex({n: m for n, m in known.items() if n in full})

    def slip(self, word: str) -> int:
        """The products of which `word` is a slip of the pen; 0 when it is none."""
        return self._slip_index.find(word)

    def near(self, word: str) -> int:
        """The products that a word comes close to: offered as choices, never booked."""
        mask = 0
        for char in set(word):
            entry = self._parts.get(char)
            mask |= entry if entry else 0
        return mask

    def bits(self, mask: int) -> list[int]:
        """The indexes of the products in a mask."""
        return [i for i in range(len(self.products)) if mask >> i & 1]

    def codes_of(self, mask: int) -> tuple[str, ...]:
        return tuple(self.products[i].code for i in self.bits(mask))

    @property
    def first_characters(self) -> frozenset[str]:
        """The characters with which a product word or code begins."""
        return frozenset(self._longest) | frozenset(code[0] for code in self.codes)

    def knows_letter(self, letter: str) -> bool:
        """Whether a Latin letter by itself means a product, a size or a family of codes."""
        return letter in self._index or letter in self.codes or letter in self.families


__all__ = ["FULL", "LABEL", "PART", "Catalogue", "Match"]
