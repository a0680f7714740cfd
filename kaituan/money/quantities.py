"""Quantities in base steps: a piece, or grams. Only reading and printing know of 斤."""

from decimal import Decimal

GRAMS_PER_JIN = 500
"""One market 斤 is exactly 500 g (《市制》 as used since 1959)."""


class QuantityError(ValueError):
    """A quantity that is not a whole number of base steps."""


def to_base_steps(quantity: Decimal | int | str, *, steps_per_unit: int) -> int:
    """Base steps of `quantity` sale units: 1.5 斤 at 500 g each are 750.

    Raises QuantityError when it is negative, or no whole number of steps.

    >>> to_base_steps("1.5", steps_per_unit=GRAMS_PER_JIN)
    750
    """
    steps = Decimal(quantity) * steps_per_unit
    if steps != steps.to_integral_value() or steps < 0:
        raise QuantityError(f"{quantity} is no whole number of steps of 1/{steps_per_unit}.")
    return int(steps)


def format_units(steps: int, *, steps_per_unit: int) -> str:
    """Sale units as a person writes them: 750 g at 500 g each are `1.5`.

    >>> format_units(750, steps_per_unit=500), format_units(20, steps_per_unit=1)
    ('1.5', '20')
    """
    units = Decimal(steps) / steps_per_unit
    text = format(units.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
