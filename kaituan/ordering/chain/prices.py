"""Money in an entry: 19.9 behind a product is its price, 39.9的 alone names one, 共69.7 is the sum."""

import itertools

from .draft import Draft
from .goods import Atom
from .lexer import Token
from .quantities import in_unit
from .rooms import is_loose_room, plausible_flat


def prices(draft: Draft, atoms: list[Atom]) -> None:
    """19.9 behind a product is its price; 39.9的 without one names the product."""
    products = [a for a in atoms if a.kind == "P"]
    for k, atom in enumerate(atoms):
        if atom.claimed or atom.kind not in ("Q", "MONEY"):
            continue
        fen = draft.money_of(atom)
        if (
            atom.kind == "Q"
            and atom.value.sign == "x"
            and not atom.value.unit
            and (atom.value.amount or 1) % 1
        ):
            fen = int(atom.value.amount * 100)  # 2*49.9
            if not draft.is_price_of(fen, products):
                continue
        if fen is None:
            continue
        after = atoms[k + 1] if k + 1 < len(atoms) else None
        names_it = after is not None and draft.text[after.start : after.start + 1] in ("的", "那")
        decimal = atom.kind == "MONEY" or atom.value.amount % 1 != 0
        loose = any(
            draft.catalogue.measures[i].loose_g for a in products for i in draft.catalogue.bits(a.mask)
        )
        if (
            (names_it or (decimal and not products))
            and (mask := draft.catalogue.by_price(fen))
            and sum_unlikely(draft, atom)
        ):
            atom.kind, atom.mask, atom.strength, atom.parts = "P", mask, 2, (mask,)
            near = draft.neighbour(atoms, k, -1)
            if near is not None and near.kind == "P" and near.mask & mask:
                near.mask &= mask
                atom.kind, atom.claimed = "SP", True
        elif (
            atom.kind == "MONEY" or (decimal and not loose) or (decimal and draft.is_price_of(fen, products))
        ):
            draft.out.sums.append((fen, atom.start, atom.end))
            atom.kind, atom.claimed = "SP", True
    whole_prices(draft, atoms)
    pieces_or_money(draft, atoms)


def sum_unlikely(draft: Draft, atom: Atom) -> bool:
    """An amount of money orders nothing when products were named already or it is called a sum."""
    return not draft.items and not draft.numbers and not (atom.kind == "MONEY" and atom.strength)


def pieces_or_money(draft: Draft, atoms: list[Atom]) -> None:
    """黄油32块, where a 块 costs 32: so many pieces, or the price?"""
    for product, number in itertools.pairwise(a for a in atoms if a.kind != "SP"):
        if product.kind == "P" and number.kind == "Q" and number.value.unit == "块" and not number.claimed:
            fen = int((number.value.amount or 0) * 100)
            if fen >= 1000 and draft.is_price_of(fen, [product]):
                draft.out.issues.append(("ambiguous_qty", product.start, number.end, product.mask))
                product.kind = number.kind = "SP"
                product.claimed = number.claimed = True


def whole_prices(draft: Draft, atoms: list[Atom]) -> None:
    """Of two numbers behind a product, the one that is its price (or price times the other) is money."""
    numbers = [a for a in atoms if a.kind == "Q" and not a.claimed]
    products = [a for a in atoms if a.kind == "P"]
    for number in numbers:
        fen = draft.money_of(number)
        if fen is None or fen % 100:
            continue
        product = max((p for p in products if p.end <= number.start), key=lambda p: p.end, default=None)
        if product is None or product.mask & (product.mask - 1):
            continue
        price = draft.catalogue.products[draft.catalogue.bits(product.mask)[0]].price_fen
        upto = min((p.start for p in products if p.start >= product.end), default=len(draft.text))
        if number.start > upto:
            continue
        others = [
            n.value.amount
            for n in numbers
            if n is not number and n.value.amount is not None and product.end <= n.start < upto
        ]
        near_price = bool(price) and abs(price - fen) < 100
        if others and (near_price or any(abs(price * n - fen) < 100 for n in others)) and fen >= 500:
            draft.out.sums.append((fen, number.start, number.end))
            number.kind, number.claimed = "SP", True
        elif not others and near_price and fen >= 1000:
            if fen >= 3000 or draft.lexer.style.prices_follow:
                draft.out.sums.append((fen, number.start, number.end))
                number.kind, number.claimed = "SP", True
            else:
                draft.out.issues.append(("ambiguous_qty", product.start, number.end, product.mask))
                product.kind = number.kind = "SP"
                product.claimed = number.claimed = True


def is_sum(draft: Draft, atom: Atom) -> bool:
    """A lonely number that is the price of what is ordered, or a door that nobody else claimed."""
    fen = draft.money_of(atom)
    if fen is None or fen < 1000 or not draft.items:
        return False
    total = 0
    for item in draft.items:
        if not item.mask or item.mask & (item.mask - 1):
            return False
        index = draft.catalogue.bits(item.mask)[0]
        qty = in_unit(item.amount, draft.catalogue.measures[index]) if item.amount else 1
        if qty is None:
            return False
        total += int(qty * draft.catalogue.products[index].price_fen)
        if abs(draft.catalogue.products[index].price_fen - fen) < 100:
            total = fen
            break
    if total and abs(total - fen) < 100 * max(1, len(draft.items)):
        draft.out.sums.append((fen, atom.start, atom.end))
        return True
    if total and len(str(fen // 100)) == 3 and total <= 2 * fen <= 4 * total and total >= 3000:
        draft.out.sums.append((fen, atom.start, atom.end))  # 雞丁飯一個 150: near the price, but not it
        return True
    token = Token("Q", atom.start, atom.end, atom.value)
    digits = draft.text[atom.start : atom.end].strip()
    if (is_loose_room(token, draft.text) or len(digits) >= 3) and digits.isdigit():
        if plausible_flat(digits) and not draft.out.head.room[1]:
            draft.out.head.room = (atom.start, atom.end)
            return True
        if len(digits) == 3 or len(digits) == 4:
            draft.out.head.room = draft.out.head.room if draft.out.head.room[1] else (atom.start, atom.end)
            return True
    return False
