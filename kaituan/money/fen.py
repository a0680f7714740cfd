"""Fen and basis points: every rounding and every split of money, each with its name.

All amounts are int fen (1/100 yuan), all rates int basis points (1/10000). No function here takes or
returns a float.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

BASIS_POINTS = 10_000
MAX_FEN = 2**63 - 1


class MoneyError(ValueError):
    """An amount that cannot be read or computed; the message says which."""


def floor_share(amount_fen: int, rate_bp: int) -> int:
    """`rate_bp` of `amount_fen`, fraction dropped (towards minus infinity, as the commission rules say).

    >>> floor_share(3_990, 125), floor_share(-3_990, 125)
    (49, -50)
    """
    return amount_fen * rate_bp // BASIS_POINTS


def line_amount_fen(*, price_fen: int, price_quantity: int, quantity: int) -> int:
    """Price of `quantity` base steps at `price_fen` per `price_quantity` base steps, half a fen up.

    Raises MoneyError when the price quantity is not positive or anything is negative.

    750 g of peppers at 6.90 yuan per 500 g:
    >>> line_amount_fen(price_fen=690, price_quantity=500, quantity=750)
    1035
    """
    if price_quantity <= 0 or price_fen < 0 or quantity < 0:
        raise MoneyError("A price needs a positive quantity and no negative numbers.")
    return (2 * price_fen * quantity + price_quantity) // (2 * price_quantity)


def split_largest_remainder(amount_fen: int, weights: Sequence[int]) -> list[int]:
    """Split `amount_fen` (>= 0) in proportion to `weights` (>= 0); the parts add up to it exactly.

    Each part is rounded down, then one fen each goes to the largest remainders, ties to the earlier weight.
    Raises MoneyError if there is something to split and all weights are 0.

    >>> split_largest_remainder(100, [1, 1, 1])
    [34, 33, 33]
    """
    if amount_fen < 0 or any(weight < 0 for weight in weights):
        raise MoneyError("Only amounts and weights of 0 or more can be split.")
    total = sum(weights)
    if total == 0:
        if amount_fen:
            raise MoneyError("Nothing to split by: all weights are 0.")
        return [0] * len(weights)
    parts = [amount_fen * weight // total for weight in weights]
    missing = amount_fen - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_fen * weights[i] % total), i))
    for i in by_remainder[:missing]:
        parts[i] += 1
    return parts


def parse_yuan(text: str) -> int:
    """Fen of an amount as people type it: `12`, `12.5`, `¥12.50`, full-width digits too.

    Raises MoneyError for anything else, for more than two decimals and for what 64 bits cannot hold.

    >>> parse_yuan("¥12.5"), parse_yuan("３９．９０元")
    (1250, 3990)
    """
    cleaned = text.strip().translate(_FULL_WIDTH).lstrip("¥￥").removesuffix("元").replace(",", "").strip()
    if not cleaned or any(c not in "0123456789.-" for c in cleaned):
        raise MoneyError(f"{text!r} is not an amount of money.")
    try:
        fen = Decimal(cleaned) * 100
    except InvalidOperation as error:
        raise MoneyError(f"{text!r} is not an amount of money.") from error
    if fen != fen.to_integral_value():
        raise MoneyError(f"{text!r} has more than two decimals.")
    if abs(fen) > MAX_FEN:
        raise MoneyError(f"{text!r} is too large.")
    return int(fen)


def format_yuan(amount_fen: int) -> str:
    """`-1234` -> `-12.34`: plain yuan with two decimals, no sign of the currency."""
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{yuan}.{fen:02d}"


_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")
