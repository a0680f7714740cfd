"""Which number belongs to which product: 橙2草1, 2箱橙 1盒草莓, 两大一小, 草莓 2 橙子 1.

The cheapest pairing of neighbours wins; touching is nearer than a space, a space nearer than 、, and a number
is rather behind its product than before it. Linear in the number of atoms."""

from .goods import Atom
from .quantities import Measure, in_unit

_ALONE_PRODUCT, _ALONE_NUMBER, _MISFIT = 2.0, 5.0, 1.5


def _gap(left: Atom, right: Atom, text: str) -> float:
    between = text[left.end : right.start]
    cost = 0.0
    for char in between[:6]:
        cost += 0.3 if char == " " else 1.0 if char in "、+/" else 0.4
    return cost


def _misfit(product: Atom, number: Atom, measures: list[Measure]) -> float:
    """A unit in which the product is not sold speaks against the pair."""
    mask, worst = product.mask, 0.0
    if not number.value.unit or number.value.unit == "份" or number.value.amount is None or not mask:
        return 0.0
    fits = any(in_unit(number.value, m) is not None for i, m in enumerate(measures) if mask >> i & 1)
    if not fits:
        worst = _MISFIT
    return worst


def pair(atoms: list[Atom], text: str, measures: list[Measure]) -> list[tuple[Atom | None, Atom | None]]:
    """Products and numbers in order, as (product, number); None where one has no partner."""
    count = len(atoms)
    # best[i][free]: least cost of atoms[i:], when the atom before i is a product without a number (free).
    best = [[0.0, 0.0] for _ in range(count + 3)]
    choice = [["", ""] for _ in range(count + 1)]
    for i in range(count - 1, -1, -1):
        atom = atoms[i]
        for free in (0, 1):
            if atom.kind == "P":
                best[i][free] = best[i + 1][1] + _ALONE_PRODUCT
                continue
            options = [(best[i + 1][0] + _ALONE_NUMBER, "alone")]
            if free and i:
                cost = _gap(atoms[i - 1], atom, text) + _misfit(atoms[i - 1], atom, measures) - _ALONE_PRODUCT
                if (
                    atom.value.sign == "+"
                    and i + 1 < count
                    and atoms[i + 1].kind == "P"
                    and atoms[i + 1].start == atom.end
                ):
                    cost += 0.6  # 芒果+两箱脐橙: the plus joins two products
                options.append((best[i + 1][0] + cost, "behind"))
            plus = i + 1 < count and atom.value.sign == "+" and (not free or atoms[i + 1].start == atom.end)
            if i + 1 < count and atoms[i + 1].kind == "P" and (not atom.value.sign or plus):
                cost = _gap(atom, atoms[i + 1], text) + _misfit(atoms[i + 1], atom, measures) + 0.2
                options.append((best[i + 2][0] + cost, "before"))
            best[i][free], choice[i][free] = min(options)
    return _walk(atoms, choice)


def _walk(atoms: list[Atom], choice: list[list[str]]) -> list[tuple[Atom | None, Atom | None]]:
    pairs: list[tuple[Atom | None, Atom | None]] = []
    i, free = 0, 0
    while i < len(atoms):
        atom = atoms[i]
        if atom.kind == "P":
            pairs.append((atom, None))
            i, free = i + 1, 1
        elif choice[i][free] == "behind":
            pairs[-1] = (pairs[-1][0], atom)
            i, free = i + 1, 0
        elif choice[i][free] == "before":
            pairs.append((atoms[i + 1], atom))
            i, free = i + 2, 0
        else:
            pairs.append((None, atom))
            i, free = i + 1, 0
    return pairs
