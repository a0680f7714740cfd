# ruff: noqa: E501
"""Which product a stretch of tokens means: neighbouring parts meet (白色 + L), suffixes and slips are mended,
and a product word inside a longer unknown word (苹果醋 where only 苹果 is sold) is nobody's product."""

import re
from dataclasses import dataclass
from typing import Any

from .catalogue import FULL, PART, Catalogue
from .goods_words import is_remark, is_size
from .lexer import Token
from .normalise import plain
from .quantities import COUNTERS, WEIGHTS_G, Amount

JOINTS = frozenset("色码款味号装型版的子儿类口馅巾人")
CLASS_WORDS = frozenset("肉鱼虾果菜酒茶饭面粉油米包饼糕奶水汤豆瓜鸡鸭牛羊猪蛋纸衣鞋票花套皮条片块干粥酱糖盐")
"""One character that says what kind of goods it is, not which."""
SOFT = re.compile(
    rf"^(?:[{COUNTERS}]|新鲜|精品|特级|优质|正宗|大份?|好吃的|那种|那款|那个|这款|这种|你家|咱家|家的|款|种|口味|味的|色的|码的|号的|装的|的那种|那|这|全|都|全部|外|以外|之外|单独|普通|传统|经典)$"
)


@dataclass(slots=True)
class Atom:
    """A token seen by the grammar, or several that make one. parts: the masks that met in a product.

    kind U is a word which contains a product but is not one; mask holds what it comes near to.
    """

    kind: str
    start: int
    end: int
    value: Any = None
    mask: int = 0
    strength: int = 0
    parts: tuple[int, ...] = ()
    first: int = 0
    last: int = 0
    claimed: bool = False


def atoms_of(tokens: list[tuple[int, Token]], text: str, catalogue: Catalogue, heading: str) -> list[Atom]:
    """The tokens of one clause as atoms. Each tuple is (index in the entry, token)."""
    atoms = [
        Atom(t.kind, t.start, t.end, t.value, t.value if t.kind == "P" else 0, t.strength, (t.value,) if t.kind == "P" else (), i, i)
        for i, t in tokens
    ]  # fmt: skip
    atoms = _times(_pack_names(_not_counting(atoms, text), text, catalogue), text)
    atoms = _mend_words(atoms, text, catalogue, heading)
    return _mixtures(_meet(atoms, text, catalogue), text)


def _join(left: Atom, right: Atom, kind: str, mask: int, strength: int, parts: tuple[int, ...]) -> Atom:
    return Atom(kind, left.start, right.end, None, mask, strength, parts, left.first, right.last)


def _pack_names(atoms: list[Atom], text: str, catalogue: Catalogue) -> list[Atom]:
    """5斤装, 5斤的, 9斤x2: a pack size that names the product."""
    out: list[Atom] = []
    i = 0
    while i < len(atoms):
        atom = atoms[i]
        mask = 0
        if atom.kind == "Q" and isinstance(atom.value, Amount) and atom.value.unit and not atom.value.sign:
            mask = catalogue.by_pack(atom.value)
            if out and out[-1].kind == "P" and out[-1].end == atom.start and not out[-1].mask & mask:
                mask = 0  # 土鸡蛋20枚 鸭蛋20枚
        if mask:
            after = atoms[i + 1] if i + 1 < len(atoms) else None
            said = after is not None and after.start == atom.end and text[after.start] in "装的"
            counted = _counted_behind(atoms, i + 1, mask)
            if said or counted:
                stop = atom.end + (1 if said else 0)
                last = i + 1 if said and after is not None and after.end == stop else i
                out.append(
                    Atom("P", atom.start, stop, None, mask, PART, (mask,), atom.first, atoms[last].last)
                )
                if said and after is not None and after.end > stop:
                    after.start = stop
                i = last + 1
                continue
        out.append(atom)
        i += 1
    return out


def _not_counting(atoms: list[Atom], text: str) -> list[Atom]:
    """二细, 三清: a Chinese numeral without a counter, with a word behind it and no goods before, counts nothing."""
    out: list[Atom] = []
    for k, atom in enumerate(atoms):
        behind = atoms[k + 1] if k + 1 < len(atoms) else None
        if (
            atom.kind == "Q"
            and isinstance(atom.value, Amount)
            and atom.value.bare
            and not text[atom.start].isascii()
            and text[atom.start] not in "俩仨"
            and behind is not None
            and behind.kind == "TEXT"
            and behind.start == atom.end
            and (k == 0 or atoms[k - 1].end != atom.start or atoms[k - 1].kind == "SP")
            and any(a.kind == "Q" for a in atoms[:k])
        ):
            behind.start, behind.first = atom.start, atom.first
            continue
        out.append(atom)
    return out


def _times(atoms: list[Atom], text: str) -> list[Atom]:
    """500g*2, 2*500g: a weight so many times is one amount."""
    out: list[Atom] = []
    for atom in atoms:
        left = out[-1] if out else None
        if left is not None and left.kind == atom.kind == "Q" and not text[left.end : atom.start].strip():
            one, two = left.value, atom.value
            if one.amount is not None and two.amount is not None and two.sign == "x" and one.sign != "-":
                weights = [a.unit in WEIGHTS_G for a in (one, two)]
                other = two if weights[0] else one
                if weights[0] != weights[1] and other.unit in ("", "份") and other.amount % 1 == 0:
                    unit = one.unit if weights[0] else two.unit
                    total = Amount(one.amount * two.amount, unit, one.sign, one.digits)
                    out[-1] = Atom("Q", left.start, atom.end, total, first=left.first, last=atom.last)
                    continue
        out.append(atom)
    return out


def _counted_behind(atoms: list[Atom], k: int, mask: int) -> bool:
    """Whether a count follows, directly (9斤x2) or behind the product itself (5斤橙子1份)."""
    while k < len(atoms) and atoms[k].kind == "SP":
        k += 1
    over_product = False
    while k < len(atoms) and (atoms[k].kind in ("SP", "FILL") or (atoms[k].kind == "P" and atoms[k].mask & mask) or (
        over_product and atoms[k].kind == "TEXT" and atoms[k].end - atoms[k].start == 1)):  # fmt: skip
        over_product = over_product or atoms[k].kind == "P"
        k += 1
    if k >= len(atoms) or atoms[k].kind != "Q":
        return False
    amount = atoms[k].value
    return bool(
        amount.sign == "x"
        or amount.unit not in ("", *WEIGHTS_G)
        or (over_product and amount.unit not in WEIGHTS_G)
    )


def _mend_words(atoms: list[Atom], text: str, catalogue: Catalogue, heading: str) -> list[Atom]:
    """Looks at every unbroken run of text and product words."""
    out: list[Atom] = []
    i = 0
    while i < len(atoms):
        j = i
        while (
            j < len(atoms)
            and atoms[j].kind in ("TEXT", "P")
            and (j == i or atoms[j].start == atoms[j - 1].end)
        ):
            j += 1
        if j == i:
            out.append(atoms[i])
            i += 1
            continue
        out += _mend_run(atoms[i:j], text, catalogue, heading)
        i = j
    return out


def _mend_run(run: list[Atom], text: str, catalogue: Catalogue, heading: str) -> list[Atom]:
    absorbed = _absorb_joints(run, text)
    if all(a.kind == "P" for a in absorbed):
        return absorbed
    word = text[run[0].start : run[-1].end]
    if slip := _slip(word, catalogue):
        return [_join(run[0], run[-1], "P", slip, FULL, (slip,))]
    if all(a.kind == "TEXT" for a in run):
        return run
    run = absorbed
    products = [a for a in run if a.kind == "P"]
    texts = [a for a in run if a.kind == "TEXT"]
    if not texts:
        return run
    mask = catalogue.everything
    for atom in products:
        mask &= atom.mask
    inner = [a for a in texts if a.start > products[0].start and a.end < products[-1].end]
    if mask and inner == texts:
        return [
            _join(
                run[0], run[-1], "P", mask, max(a.strength for a in products), tuple(a.mask for a in products)
            )
        ]
    return _edges(run, products, text, heading, catalogue)


def _size_differs(run: list[Atom], products: list[Atom], text: str, catalogue: Catalogue) -> bool:
    """芒果蛋糕8寸 where only 6寸 is sold; where the list tells no sizes (布鞋37码), a size is a remark."""
    if not catalogue.sized:
        return False
    sizes = [text[a.start : a.end] for a in run if a.kind == "TEXT" and a.value == "size"]
    names = [
        "".join(plain(catalogue.products[i].name).split()) for a in products for i in catalogue.bits(a.mask)
    ]
    return any(size.replace(" ", "") not in name for size in sizes for name in names)


def _edges(
    run: list[Atom], products: list[Atom], text: str, heading: str, catalogue: Catalogue
) -> list[Atom]:
    """Text stuck to the front or back of a product word: a remark, a softener, or another product."""
    word = text[run[0].start : run[-1].end]
    if (
        heading
        and len(word) < 20
        and word in heading
        and any(a.strength > 1 or a.end - a.start > 1 for a in products)
    ):
        best = max(products, key=lambda a: (a.strength, a.end - a.start))
        return [_join(run[0], run[-1], "P", best.mask, best.strength, best.parts)]
    strong = [a for a in products if a.strength == FULL or not _lone_part(a, text)]
    if not strong:
        return [_join(run[0], run[-1], "TEXT", 0, 0, ())]
    fine = not _size_differs(run, products, text, catalogue)
    for atom in run:
        if atom.kind == "TEXT" and atom.value != "size":
            piece = text[atom.start : atom.end]
            fine = fine and bool(
                SOFT.match(piece)
                or is_remark(piece, counted=True)
                or is_size(piece)
                or not any(c.isalnum() for c in piece)
            )
    if fine:
        return run
    mask = 0
    for atom in strong:
        mask |= atom.mask
    return [_join(run[0], run[-1], "U", mask, 0, ())]


def _lone_part(atom: Atom, text: str) -> bool:
    """Whether one character of a name is all there is, with or without 子, 馅 and the like behind it."""
    return atom.strength == PART and all(c in JOINTS for c in text[atom.start + 1 : atom.end])


def _absorb_joints(run: list[Atom], text: str) -> list[Atom]:
    """白色, L码, 橙子, A款: a suffix belongs to the product word before it."""
    out: list[Atom] = []
    for atom in run:
        lone = atom.kind == "P" and atom.strength == PART and atom.end - atom.start == 1
        if (
            lone
            and out
            and out[-1].kind == "P"
            and not out[-1].mask & atom.mask
            and text[atom.start] in JOINTS
        ):
            previous = out[-1]
            out[-1] = Atom(
                "P",
                previous.start,
                atom.end,
                None,
                previous.mask,
                previous.strength,
                previous.parts,
                previous.first,
                atom.last,
            )
            continue
        if out and out[-1].kind == "P" and atom.kind == "TEXT" and atom.end - atom.start <= 2:
            piece = text[atom.start : atom.end]
            if all(c in JOINTS for c in piece):
                previous = out[-1]
                out[-1] = Atom(
                    "P",
                    previous.start,
                    atom.end,
                    None,
                    previous.mask,
                    previous.strength,
                    previous.parts,
                    previous.first,
                    atom.last,
                )
                continue
        out.append(atom)
    return out


def _slip(word: str, catalogue: Catalogue) -> int:
    """The product of which a whole word is a slip, with or without 子, 的."""
    if mask := catalogue.slip(word):
        return mask
    trimmed = word.rstrip("的")
    return catalogue.slip(trimmed) if trimmed != word and len(trimmed) > 1 else 0


def _meet(atoms: list[Atom], text: str, catalogue: Catalogue) -> list[Atom]:
    """Neighbouring product words that can be one product become one: 灰 + L, 麻薯的 + 1, 1（原味."""
    out: list[Atom] = []
    for atom in atoms:
        if atom.kind == "P" and out:
            previous = _previous(out)
            if previous is not None and _can_meet(previous, atom, catalogue, text):
                both = previous.mask & atom.mask
                if (
                    text[atom.start : atom.end] in CLASS_WORDS
                    and atom.strength == PART
                    and previous.mask & (previous.mask - 1)
                ):
                    both = previous.mask  # 黑猪肉: 肉 does not tell which
                while out[-1] is not previous:
                    out.pop()
                out[-1] = _join(
                    previous,
                    atom,
                    "P",
                    both,
                    max(previous.strength, atom.strength),
                    (*previous.parts, atom.mask),
                )
                continue
        out.append(atom)
    return out


def _mixtures(atoms: list[Atom], text: str) -> list[Atom]:
    """红酒 where 干红 and 起泡酒 are sold: characters of different products that touch are a word of their own.

    Before 各 they are a list: 红白玫瑰各1.
    """
    out: list[Atom] = []
    for k, atom in enumerate(atoms):
        previous = out[-1] if out else None
        touching = (
            previous is not None
            and previous.end == atom.start
            and previous.kind in ("P", "U")
            and atom.kind == "P"
        )
        if (
            not touching
            or previous is None
            or (previous.kind == "P" and previous.mask & atom.mask and not _both_lone(previous, atom))
            or not _lone(previous, atom)
        ):
            out.append(atom)
            continue
        following = next(
            (a.kind for a in atoms[k + 1 :] if a.kind not in ("SP", "P", "FILL", "PAUSE", "PLUS")), ""
        )
        if following in ("EACH", "ONEEACH", "ALL", "CANCEL"):
            out.append(atom)
        else:
            out[-1] = _join(previous, atom, "U", previous.mask | atom.mask, 0, ())
    return out


def _both_lone(left: Atom, right: Atom) -> bool:
    return all(a.strength == PART and a.end - a.start == 1 for a in (left, right))


def _lone(left: Atom, right: Atom) -> bool:
    """Whether one of two neighbours is a single character out of a longer name."""
    return any(a.kind == "U" or (a.strength == PART and a.end - a.start == 1) for a in (left, right))


def _previous(out: list[Atom]) -> Atom | None:
    """The product atom just before, over spaces and 的."""
    for atom in reversed(out):
        if atom.kind == "P":
            return atom
        if atom.kind not in ("SP", "FILL", "DASH"):
            return None
    return None


def _can_meet(left: Atom, right: Atom, catalogue: Catalogue, text: str) -> bool:
    between = text[left.end : right.start].strip(" -")
    if between not in ("", "的"):
        return False
    if not left.mask & right.mask:
        return False
    if all(
        a.strength == PART and a.end - a.start == 1 and text[a.start : a.end] not in catalogue.segments
        for a in (left, right)
    ):
        return False  # 猪肉 is not 土猪前腿肉
    same = left.mask == right.mask
    return not (
        same
        and left.strength == FULL
        and right.strength == FULL
        and text[left.start : left.end] == text[right.start : right.end]
    )
