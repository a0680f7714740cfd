"""Writes `tables.py`: the two small character tables which the chain reader carries with it.

Run `python -m kaituan.ordering.chain.build_tables` after a change here. It needs two development packages,
OpenCC (Traditional to Simplified) and pypinyin (how a character is read); the reader itself needs neither.
The characters are those of GB 2312 and what OpenCC maps onto something else, one character to one character.
"""

from pathlib import Path

HEADER = '''"""Written by build_tables.py from OpenCC and pypinyin data; do not edit by hand.

TRADITIONAL and SIMPLIFIED run side by side: the n-th character of one is written as the n-th of the other.
SOUNDS maps a toneless, slurred reading (zh=z, ch=c, sh=s, ang=an, eng=en, ing=in) to the characters that
can be read so; two characters under one reading are easily mistaken for each other in pinyin typing.
"""

# ruff: noqa: E501
'''


def gb2312_characters() -> list[str]:
    """All Chinese characters of GB 2312, in its order."""
    found = []
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.append(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def script_pairs() -> list[tuple[str, str]]:
    """Every character that OpenCC turns into one other character."""
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    pairs = []
    for point in [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFB00)]:
        simple = convert(chr(point))
        if len(simple) == 1 and simple != chr(point) and ord(simple) < 0x10000:
            pairs.append((chr(point), simple))
    return pairs


def slur(syllable: str) -> str:
    """The reading as a careless ear hears it."""
    for clear, slurred in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(clear):
            syllable = slurred + syllable[2:]
    return syllable[:-1] if len(syllable) > 2 and syllable[-3:] in ("ang", "eng", "ing") else syllable


def sounds() -> dict[str, str]:
    """Reading to the characters of GB 2312 that have it."""
    from pypinyin import Style, pinyin

    found: dict[str, list[str]] = {}
    for char in gb2312_characters():
        for reading in {slur(r) for r in pinyin(char, style=Style.NORMAL, heteronym=True)[0] if r.isascii()}:
            found.setdefault(reading, []).append(char)
    return {reading: "".join(chars) for reading, chars in sorted(found.items()) if len(chars) > 1}


def main() -> None:
    pairs = script_pairs()
    lines = [HEADER]
    lines.append(f'TRADITIONAL = "{"".join(a for a, _ in pairs)}"')
    lines.append(f'SIMPLIFIED = "{"".join(b for _, b in pairs)}"')
    lines.append("SOUNDS = {")
    lines += [f'    "{reading}": "{chars}",' for reading, chars in sounds().items()]
    lines.append("}\n")
    Path(__file__).with_name("tables.py").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
