# ruff: noqa: E501
"""Slips of the pen: 车里子 for 车厘子, 榴连 for 榴莲, sourdoug for sourdough.

A word is taken for a product when it sounds or looks the same, has two neighbours swapped, or (three
characters or more) differs in one character that does not itself make another product of it (红, 牛, 大)."""

from collections.abc import Mapping
from functools import lru_cache

from .tables import SOUNDS

_LOOKALIKES = ("子孑孓", "猴侯候喉猕弥", "未末", "己已巳", "日曰目", "土士", "千干于", "莓梅霉苺", "萄陶淘", "瑰魂槐魁", "玖玫攻", "榴溜瘤柳",
               "柠拧泞", "檬朦", "橙澄登", "柚油袖抽", "桔橘拮结吉", "虾吓下", "鲜蝉", "饺绞狡", "馄混浑", "饨吨钝炖", "粽棕综", "莲连链", "蕉焦礁", "桃挑姚逃",
               "杏否", "李季", "柿市", "菠波玻", "萝罗箩", "卜朴", "芋竽", "茄加", "蘑磨", "菇姑", "鲍饱泡", "蛤哈", "鲈驴芦", "鲫即", "凤风", "玉王主", "米来", "荔茘励", "枝技", "苹平萍",
               "葡匍蒲", "蓝兰篮", "酥稣", "酱奖浆", "薯署暑", "鸭鸦", "鹅饿", "排徘", "肋助", "猪诸", "蹄啼", "糕羔", "糯懦儒", "酪络洛", "烧浇", "蛋旦", "包苞", "牛午", "丸九", "麦变")  # fmt: skip
_LOOK = {char: group[0] for group in _LOOKALIKES for char in group}

_MEANINGFUL = frozenset(
    "红黄绿青白黑紫蓝金银粉橙灰棕大小中老嫩生熟干湿冰热冷甜咸酸辣苦香臭原鸡鸭鹅鱼牛羊猪虾蟹兔驴菜果瓜豆米面粉茶酒奶油盐糖醋酱"
    "草蓝树桑黑梅桃李杏梨柚柑橘桔芒椰枣莓上下左右前后东西南北男女成儿童人双单全半无有低高长短厚薄软硬圆方头尾腿翅爪心肝肚肠皮骨排肉"
    "春夏秋冬早晚日月一二两三四五六七八九十百千野家山水海河湖江田园沙石玉龙凤虎麻花椒葱姜蒜蛋糕饼包饺丸汤粥饭串条块片丝丁粒泥汁露霜膏液"
)
"""Characters that turn one product into another: 红枣 and 黑枣 are not slips of each other."""


@lru_cache(maxsize=1)
def _readings() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for sound, chars in SOUNDS.items():
        for char in chars:
            found.setdefault(char, []).append(sound)
    return {char: tuple(sounds) for char, sounds in found.items()}


def sounds_alike(a: str, b: str) -> bool:
    """Whether two characters share a (slurred) reading or shape."""
    if a == b or _LOOK.get(a, a) == _LOOK.get(b, b):
        return True
    if a in _MEANINGFUL and b in _MEANINGFUL:
        return False  # 李子 and 梨子 sound alike and are two fruits
    readings = _readings()
    return bool(set(readings.get(a, ())) & set(readings.get(b, ())))


class SlipIndex:
    """Product names by length and by all their characters but one, so that a look-up is not a search."""

    def __init__(self, names: Mapping[str, int]) -> None:
        self._names = dict(names)
        self._by_length: dict[int, list[str]] = {}
        for name in self._names:
            self._by_length.setdefault(len(name), []).append(name)
        self._letters = {c for name in names for c in name}
        self._found: dict[str, int] = {}

    def find(self, word: str) -> int:
        """The products that `word` is a slip for; 0 if none. Remembered per word."""
        if word not in self._found:
            self._found[word] = self._search(word) if len(word) <= 30 else 0
        return self._found[word]

    def _search(self, word: str) -> int:
        if word.isascii():
            return self._latin(word)
        if len(word) < 2:
            return 0
        mask = 0
        for name in self._by_length.get(len(word), ()):
            if self._same_length(word, name):
                mask |= self._names[name]
        if not mask and len(word) >= 3:
            for name in (*self._by_length.get(len(word) - 1, ()), *self._by_length.get(len(word) + 1, ())):
                if self._one_more(word, name):
                    mask |= self._names[name]
        return mask

    def _same_length(self, word: str, name: str) -> bool:
        wrong = [i for i, (a, b) in enumerate(zip(word, name, strict=True)) if a != b]
        if not wrong:
            return True
        if (
            len(word) > 2
            and wrong == [0]
            and name[0] in "一二三四五六七八九十百千万"
            and set(_readings().get(word[0], ())) & set(_readings().get(name[0], ()))
        ):
            return True  # 白香果: as long as this, what sounds the same is the same
        if all(sounds_alike(word[i], name[i]) for i in wrong):
            return len(wrong) < len(word) or len(word) > 2
        if (
            len(wrong) == 2
            and wrong[1] == wrong[0] + 1
            and word[wrong[0]] == name[wrong[1]]
            and word[wrong[1]] == name[wrong[0]]
        ):
            return True
        odd = word[wrong[0]]
        if (
            len(wrong) != 1
            or len(word) < 3
            or odd in _MEANINGFUL
            or not ("\u4e00" <= odd <= "\u9fff" and "\u4e00" <= name[wrong[0]] <= "\u9fff")
        ):
            return False
        # Another product has this very character: then it may be a mixture of two names.
        return odd not in self._letters

    def _one_more(self, word: str, name: str) -> bool:
        """One character doubled or left out inside a name of at least three."""
        longer, shorter = (word, name) if len(word) > len(name) else (name, word)
        for i in range(len(longer)):
            if longer[:i] + longer[i + 1 :] == shorter:
                doubled = (i and longer[i - 1] == longer[i]) or longer[i + 1 : i + 2] == longer[i]
                return bool(doubled) or (longer is name and len(name) >= 4 and 0 < i < len(name) - 1)
        return False

    def _latin(self, word: str) -> int:
        if len(word) < 4:
            return 0
        allowed = 1 if len(word) < 8 else 2
        mask = 0
        for name in self._names:
            if (
                name.isascii()
                and abs(len(name) - len(word)) <= allowed
                and edits(word, name, allowed) <= allowed
            ):
                mask |= self._names[name]
        return mask


def edits(a: str, b: str, limit: int) -> int:
    """Letters to change, add or leave out, up to limit + 1."""
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (char != other))
        if min(row) > limit:
            return limit + 1
    return row[-1]
