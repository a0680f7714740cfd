"""The paste in one plain form (half-width, Simplified, one kind of dash), each character still knowing
where it stood in the paste. Rules read the plain form; names and evidence are cut from the original."""

import re
import unicodedata
from array import array
from dataclasses import dataclass
from functools import lru_cache

from .model import Evidence
from .tables import SIMPLIFIED, TRADITIONAL

_SCRIPT = dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))
_SCRIPT |= {
    "乾": "干",
    "並": "并",
    "喫": "吃",
    "孃": "娘",
    "甁": "瓶",
    "箇": "个",
    "嚐": "尝",
    "麪": "面",
    "粿": "果",
}

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_PLAIN = {
    **dict.fromkeys("×✖✕╳＊∗⨯⨉✳", "*"),
    **dict.fromkeys("➕＋﹢", "+"),
    **dict.fromkeys("➖－—–―‐‑‒−﹣─━➝", "-"),
    **dict.fromkeys("→➡⇒➜⟶►▶👉", "→"),
    **dict.fromkeys("～〜∼", "~"),
    **dict.fromkeys("｜│¦┃︱", "|"),
    **dict.fromkeys("…。", None),
    **dict.fromkeys("｡．", None),
    **dict.fromkeys("【〔［〖", "["),
    **dict.fromkeys("】〕］〗", "]"),
    **dict.fromkeys("⟨〈", "<"),
    **dict.fromkeys("\u2028\u2029\x0b\x0c\x85", "\n"),
    "№": "no.",
    "🔟": "⑩",
    "½": "半",
    "¥": "¥",
    "￥": "¥",
}
_PLAIN |= {"…": "…", "。": "。", "｡": "。", "．": ".", "﹒": "."}
for _first, _count in (("❶", 10), ("➀", 10), ("➊", 10), ("⓵", 10)):
    _PLAIN |= {chr(ord(_first) + n): _CIRCLED[n] for n in range(_count)}
_PLAIN |= {chr(ord("⓫") + n): _CIRCLED[10 + n] for n in range(10)}
_PLAIN |= {c: c for c in _CIRCLED}
_PLAIN |= {chr(ord("㉑") + n): chr(ord("㉑") + n) for n in range(15)}

_DROPPED = {"\u20e3", "\u200d", *map(chr, range(0xFE00, 0xFE10))}
"""Joiners inside emoji: no rule looks at them, but a name made of emoji keeps them."""


@lru_cache(maxsize=20_000)
def plain_char(char: str) -> str:
    """The plain form of one character; empty for what nobody can see."""
    if char in _PLAIN:
        return _PLAIN[char] or ""
    if "a" <= char <= "z" or "0" <= char <= "9" or char in "\n\t":
        return char
    category = unicodedata.category(char)
    if category == "Cf" or char in _DROPPED or char == "\u00ad":
        return ""
    if category in ("Zs", "Cc"):
        return " "
    wide = unicodedata.normalize("NFKC", char)
    wide = "".join(_PLAIN.get(c, c) or "" for c in wide) if wide != char else wide
    wide = "".join(_SCRIPT.get(c, c) for c in wide)
    return wide.lower() if wide.isascii() else wide.replace("\n", " ")


def circled_value(char: str) -> int | None:
    """1 for ①, up to 35 for ㉟; None for any other character."""
    if "①" <= char <= "⑳":
        return ord(char) - ord("①") + 1
    if "㉑" <= char <= "㉟":
        return ord(char) - ord("㉑") + 21
    return None


_KEYCAP = re.compile("([0-9])\ufe0f?\u20e3")
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Source:
    """text: the plain form. offsets[i]: where text[i] came from; one more entry closes the last character."""

    original: str
    text: str
    offsets: "array[int]"

    def evidence(self, start: int, end: int) -> Evidence:
        """What stands in the paste behind text[start:end]."""
        if start >= end:
            at = self.offsets[min(start, len(self.text))]
            return Evidence(at, at, "")
        first, last = self.offsets[start], self.offsets[end - 1] + 1
        # One original character may have become several, and unseen ones may follow: stop before the next.
        return Evidence(first, last, self.original[first:last])

    def written(self, start: int, end: int) -> str:
        """The same as a person sees it: without characters of no width."""
        while start < end and self.text[start] in " \t\n":
            start += 1
        while end > start and self.text[end - 1] in " \t\n":
            end -= 1
        if start >= end:
            return ""
        last = self.offsets[end - 1] + 1
        while last < len(self.original) and last < self.offsets[end] and not plain_char(self.original[last]):
            last += 1
        return _UNSEEN.sub("", self.original[self.offsets[start] : last]).strip()


def normalise(original: str) -> Source:
    """Plain form with offsets. Line ends become \\n; unseen characters vanish; keycap digits become ①."""
    mapping = {char: plain_char(char) for char in set(original)}
    if "\r" not in mapping and "½" not in mapping and all(len(form) == 1 for form in mapping.values()):
        # Nothing vanishes and nothing grows: the offsets are the positions.
        return Source(
            original,
            original.translate({ord(c): f for c, f in mapping.items()}),
            array("q", range(len(original) + 1)),
        )
    keycaps = {m.start(): m.group(1) for m in _KEYCAP.finditer(original)} if "\u20e3" in original else {}
    out: list[str] = []
    offsets = array("q")
    plain = plain_char
    previous = ""
    for at, char in enumerate(original):
        if char == "\r":
            if original[at + 1 : at + 2] == "\n":
                continue
            form = "\n"
        elif at in keycaps and char != "0":
            form = _CIRCLED[int(char) - 1]
        elif char == "½" and previous.isdigit():
            form = ".5"
        else:
            form = plain(char)
        if not form:
            continue
        previous = form
        out.append(form)
        if len(form) == 1:
            offsets.append(at)
        else:
            offsets.extend([at] * len(form))
    offsets.append(len(original))
    return Source(original, "".join(out), offsets)


def plain(text: str) -> str:
    """The plain form alone, for the product list and for vocabularies."""
    return "".join(plain_char(c) for c in text).strip()


_SQUASH = re.compile(r"[^\w]|_")


def squash(text: str) -> str:
    """Letters and digits only, for comparing names; what has none is compared as it is."""
    return _SQUASH.sub("", plain(text)) or re.sub(r"\s", "", text)
