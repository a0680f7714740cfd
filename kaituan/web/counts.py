"""Counts of goods as people type them into a form."""

from decimal import Decimal, InvalidOperation

from kaituan.money.quantities import QuantityError, to_base_steps

MOST_STEPS = 10**12
"""More than anybody ships: a million tonnes in grams. What is dearer than that is a slip of the finger."""


def read_count(text: str, *, steps_per_unit: int) -> int:
    """Base steps of what was typed in units; nothing typed is none.

    Raises QuantityError for what is no number, negative, no whole number of steps, or beyond all reason.
    """
    try:
        units = Decimal(text or "0")
    except InvalidOperation as error:
        raise QuantityError(f"{text!r} is no number.") from error
    if not units.is_finite() or units > MOST_STEPS:
        raise QuantityError(f"{text!r} is no number of goods.")
    steps = to_base_steps(units, steps_per_unit=steps_per_unit)
    if steps > MOST_STEPS:
        raise QuantityError(f"{text!r} is no number of goods.")
    return steps
