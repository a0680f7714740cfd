"""How much: numerals of every kind, counters and weights, and what they come to in a product's own unit.

半斤, 斤半, 一斤二两 are read in `read_quantity`; 公斤 and g are converted in `in_unit`."""

import re
from dataclasses import dataclass
from decimal import Decimal

from .model import Quantity

DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
DIGITS |= dict(zip("壹贰叁肆伍陆柒捌玖弍弎俩仨", (1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 2, 3), strict=True))
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000}
_SCORES = {"廿": 20, "卅": 30}

WEIGHTS_G = {
    "斤": Decimal(500), "市斤": Decimal(500), "两": Decimal(50), "公斤": Decimal(1000), "千克": Decimal(1000),
    "kg": Decimal(1000), "kgs": Decimal(1000), "g": Decimal(1), "克": Decimal(1), "jin": Decimal(500),
}  # fmt: skip
VOLUMES_ML = {"升": Decimal(1000), "l": Decimal(1000), "毫升": Decimal(1), "ml": Decimal(1)}

COUNTERS = (
    "份单盒箱袋包瓶罐桶个只条件套支枝把束串块片张板提本双对打杯碗根颗粒枚盆株棵捆扎筐篮排卷筒听坛壶朵头尾台部组"
    "例盘碟锅笼屉兜网托版位人名匹挂刀节截段听坨匣领床顶副幅饼次米"
)
_SAME = {
    "盒子": "盒", "箱子": "箱", "袋子": "袋", "包": "袋", "包子": "包子", "瓶子": "瓶", "罐子": "罐", "桶子": "桶",
    "单": "份", "枝": "支", "boxes": "box", "bags": "bag", "loaves": "loaf", "packs": "pack", "bottles": "bottle",
    "pcs": "pc", "pieces": "pc", "piece": "pc", "portions": "份", "portion": "份", "orders": "份", "order": "份",
    "sets": "set", "cups": "cup", "jars": "jar", "cans": "can", "dozens": "dozen", "servings": "份", "serving": "份",
    "市斤": "斤", "kgs": "kg", "jin": "斤", "小份": "份", "袋装": "袋", "盒装": "盒", "人份": "份",
}  # fmt: skip
_ENGLISH = [
    "box",
    "bag",
    "loaf",
    "pack",
    "bottle",
    "pc",
    "set",
    "cup",
    "jar",
    "can",
    "dozen",
    "pair",
    "bunch",
    "tray",
    "tub",
    "carton",
    "roll",
    "piece",
]
_WORDS = sorted(
    {*WEIGHTS_G, *VOLUMES_ML, *COUNTERS, *_ENGLISH, "盒子", "箱子", "袋子", "瓶子", "罐子", "桶子", "人份"}
    | {k for k in _SAME if k not in ("包子", "小份", "袋装", "盒装")},
    key=lambda w: (-len(w), w),
)
_NOT_BEFORE = {
    "尾": "号数4四",
    "条": "件",
    "头": "像",
    "名": "字",
    "位": "置",
    "件": "套",
    "部": "分",
    "节": "日假",
    "朵": "朵",
    "饼": "干店",
    "本": "来月周",
}
UNIT = "(?:" + "|".join(
    w + r"(?![a-z])" if w.isascii() else w + (f"(?![{_NOT_BEFORE[w]}])" if w in _NOT_BEFORE else "") for w in _WORDS
) + ")"  # fmt: skip
NUMERAL = r"(?:\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百廿卅壹贰叁肆伍陆柒捌玖拾佰弍弎]+|俩|仨)"

PIECES = frozenset("个枚只颗粒片块张支条包瓶罐听袋卷抽头朵根")
"""Counters that count what is inside a pack."""

_SEVERAL = {"打": 12, "对": 2, "双": 2}
"""Counters that stand for several pieces: 一打, 一对."""

_RANGE = re.compile("一两|一二|两三|二三|三四|三五|四五|五六|六七|七八|八九")
_QUANTITY = re.compile(
    rf"(?:(?P<sign>[x*+](?!\s*[x*+])|-)\s*)?"
    rf"(?:半(?P<half_unit>{UNIT})|(?P<over>[13])/(?P<under>[24])\s?(?P<part_unit>斤|公斤|kg|{UNIT})|(?P<unit_half>斤|公斤)半"
    rf"|(?P<number>{NUMERAL})(?P<range>\s*(?:-|~|到|至|或者?|还是|or)\s*(?P<upper>{NUMERAL}))?"
    rf"(?P<gap>\s?)(?P<unit>{UNIT})?(?P<half>半(?![天小年价月岁夜个打]))?"
    rf"(?:(?P<small>{NUMERAL})(?P<small_unit>两(?!斤)))?)"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity as written. amount None: a range, or a word that says no number. sign: x, + or -."""

    amount: Decimal | None
    unit: str = ""
    sign: str = ""
    digits: str = ""
    gap: bool = False

    @property
    def bare(self) -> bool:
        return not self.unit and not self.sign


def numeral_value(text: str) -> Decimal | None:
    """12 for 12, 十二, 一十二, 拾贰; 25 for 廿五; None for what is no number."""
    if text[:1].isdigit() and text[0].isascii():
        return Decimal(text) if len(text) <= 12 else None
    total = digit = 0
    plain_digits = len(text) > 1 and all(c in DIGITS for c in text)
    if plain_digits:
        return Decimal("".join(str(DIGITS[c]) for c in text)) if len(text) <= 6 else None
    for char in text:
        if char in _TENS:
            total += (digit or 1) * _TENS[char]
            digit = 0
        elif char in _SCORES:
            total += _SCORES[char]
        elif char in DIGITS:
            digit = DIGITS[char]
        else:
            return None
    return Decimal(total + digit)


def canonical_unit(unit: str) -> str:
    """One spelling per counter: 盒子 is 盒, 包 is 袋, loaves is loaf."""
    unit = _SAME.get(unit, unit)
    return unit[:-1] if len(unit) == 2 and unit.endswith(("装", "子")) and unit[0] in COUNTERS else unit


def read_quantity(text: str, at: int, end: int) -> tuple[int, Amount] | None:
    """The quantity that starts at `at`, and where it ends; None when there is none."""
    if text.startswith("双份", at):
        return at + 2, Amount(Decimal(2), "份", "", "双")
    match = _QUANTITY.match(text, at, end)
    if match is None:
        return None
    sign = match["sign"] or ""
    sign = "x" if sign == "*" else sign
    if match["half_unit"]:
        return match.end(), Amount(Decimal("0.5"), canonical_unit(match["half_unit"]), sign, "半")
    if match["over"]:
        part = Decimal(match["over"]) / Decimal(match["under"])
        return match.end(), Amount(part, canonical_unit(match["part_unit"]), sign, match["over"])
    if match["unit_half"]:
        return match.end(), Amount(Decimal("1.5"), canonical_unit(match["unit_half"]), sign, "半")
    read = _numbered(match, sign)
    if read is not None and not read[1].unit and not sign and _TIMES_BEHIND.match(text, read[0]):
        return read[0] + 1, read[1]  # 2X脐橙
    return read


_TIMES_BEHIND = re.compile(r"x(?=\s?[\u4e00-\u9fff])")
_PLAIN_UNITS = frozenset("份盒箱袋包瓶罐桶个只斤条件套")


def _numbered(match: re.Match[str], sign: str) -> tuple[int, Amount] | None:
    number, unit, stop = match["number"], match["unit"] or "", match.end()
    torn = not number.isascii() or bool(match["half"]) or (len(number) >= 3 and "." not in number)
    if unit and match["gap"] and torn:
        # 301 桶装水: a door, not 301 buckets; 赵六 斤半: a name.
        unit, stop = "", match.end("number")
    if unit in ("l", "g") and match["gap"]:
        unit, stop = "", match.end("number")  # M1 L1: the next size, not a litre
    if unit and match["gap"] and len(unit) == 1 and unit not in _PLAIN_UNITS:
        after = match.string[match.end("unit") : match.end("unit") + 1]
        if "\u4e00" <= after <= "\u9fff" or after.isdigit():  # 草莓1 张姐, 馄饨2 饼5: not one sheet of 姐
            unit, stop = "", match.end("number")
    if match["range"]:
        return stop, Amount(None, canonical_unit(unit), sign, number)
    if number == "一两" and not unit and match.string[stop : stop + 1] not in {*COUNTERS, "斤", "三"}:
        return match.end("number"), Amount(Decimal(1), "两", sign, number)
    if _RANGE.fullmatch(number) or (number == "一" and unit == "两" and match.end() < match.endpos
                                    and match.string[match.end()] in COUNTERS + "斤"):  # fmt: skip
        if unit == "两":
            stop += 1
        return stop, Amount(None, canonical_unit(unit), sign, number)
    if not unit and len(number) == 3 and number[2] == "两" and _RANGE.fullmatch(number[:2]):
        return match.end("number"), Amount(None, "两", sign, number[:2])  # 三四两
    # 三两, 八两: the weight, not 32.
    if not unit and len(number) == 2 and number[1] == "两" and number[0] in DIGITS:
        return match.end("number"), Amount(Decimal(DIGITS[number[0]]), "两", sign, number[0])
    amount = numeral_value(number)
    if amount is None:
        return None
    if unit and match["half"]:
        amount += Decimal("0.5")
    elif match["half"]:
        stop = match.start("half")
    if match["small"]:
        small = numeral_value(match["small"])
        if unit == "斤" and small is not None and not match["half"]:
            amount += small / 10
        else:
            stop = match.start("small")
    if not unit:
        stop = match.end("number")
    return stop, Amount(amount, canonical_unit(unit), sign, number, bool(match["gap"] and unit))


@dataclass(frozen=True, slots=True)
class Measure:
    """What a quantity of 1 of a product means. loose_g: grams of its unit when it is sold by weight.

    pack_g, pack_ml, pack_pieces: the content of one pack where the list says so; 0 where it does not.
    """

    unit: str
    loose_g: Decimal = Decimal(0)
    pack_g: Decimal = Decimal(0)
    pack_ml: Decimal = Decimal(0)
    pack_pieces: Decimal = Decimal(0)
    piece: str = ""


_CONTENT = re.compile(
    rf"(?P<n>{NUMERAL})\s*(?P<u>市斤|公斤|千克|毫升|kg|ml|斤|两|g|克|升|l|[{''.join(PIECES)}])(?![a-z])"
)
_UNIT_PACK = re.compile(rf"(?P<n>{NUMERAL}|半)\s*(?P<u>市斤|公斤|千克|kg|斤|两|g|克)(?:装|/?[{COUNTERS}])?")


def measure(name: str, unit: str) -> Measure:
    """From the product list: 5斤 is a pack of 2500 g, 斤 is loose, 土鸡蛋30枚 a pack of thirty."""
    if unit in WEIGHTS_G:
        return Measure(unit=canonical_unit(unit), loose_g=WEIGHTS_G[unit])
    if pack := _UNIT_PACK.fullmatch(unit):
        each = Decimal("0.5") if pack["n"] == "半" else numeral_value(pack["n"]) or Decimal(0)
        if each == 1 and pack["u"] in ("斤", "市斤", "公斤", "千克", "kg", "两"):
            return Measure(unit=canonical_unit(pack["u"]), loose_g=WEIGHTS_G[pack["u"]])
        return Measure(unit=unit, pack_g=each * WEIGHTS_G[pack["u"]])
    grams = millilitres = pieces = Decimal(0)
    piece = ""
    for found in _CONTENT.finditer(name):
        count, inside = numeral_value(found["n"]) or Decimal(0), found["u"]
        if inside in WEIGHTS_G and not (inside == "两" and found["n"] in "一二"):
            grams = grams or count * WEIGHTS_G[inside]
        elif inside in VOLUMES_ML:
            millilitres = millilitres or count * VOLUMES_ML[inside]
        elif canonical_unit(inside) != canonical_unit(unit) and count > 1:
            pieces, piece = count, canonical_unit(inside)
    return Measure(canonical_unit(unit), pack_g=grams, pack_ml=millilitres, pack_pieces=pieces, piece=piece)


def in_unit(asked: Amount, goods: Measure) -> Quantity | None:
    """How many of the product's own unit are asked for; None when it is not sold so (`unit_mismatch`)."""
    if asked.amount is None or asked.amount <= 0:
        return None
    if goods.loose_g:
        return _loose(asked, goods)
    count = asked.amount
    if asked.unit in ("", "份", goods.unit) or asked.unit == goods.unit.removesuffix("子"):
        return int(count) if count == count.to_integral_value() else None
    if goods.unit == "半" + asked.unit:
        count = count * 2
    elif asked.unit in _SEVERAL and goods.unit in PIECES:
        count = count * _SEVERAL[asked.unit]
    elif asked.unit in WEIGHTS_G and goods.pack_g:
        count = count * WEIGHTS_G[asked.unit] / goods.pack_g
    elif asked.unit in VOLUMES_ML and goods.pack_ml:
        count = count * VOLUMES_ML[asked.unit] / goods.pack_ml
    elif goods.pack_pieces and (asked.unit == goods.piece or {asked.unit, goods.piece} <= set("个枚只颗粒")):
        count = count / goods.pack_pieces
    else:
        return None
    return int(count) if count == count.to_integral_value() else None


def _loose(asked: Amount, goods: Measure) -> Quantity | None:
    assert asked.amount is not None
    if not asked.unit or asked.unit == goods.unit:
        amount = asked.amount
    elif asked.unit in WEIGHTS_G:
        amount = asked.amount * WEIGHTS_G[asked.unit] / goods.loose_g
    else:
        return None
    return int(amount) if amount == amount.to_integral_value() else amount


def is_pack_size(asked: Amount, goods: Measure) -> bool:
    """Whether the amount only repeats the size of one pack, as in 5斤装."""
    if asked.amount is None:
        return False
    if asked.unit in WEIGHTS_G:
        return bool(goods.pack_g) and asked.amount * WEIGHTS_G[asked.unit] == goods.pack_g
    if asked.unit in VOLUMES_ML:
        return bool(goods.pack_ml) and asked.amount * VOLUMES_ML[asked.unit] == goods.pack_ml
    return bool(goods.pack_pieces) and asked.unit == goods.piece and asked.amount == goods.pack_pieces
