import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.money.quantities import QuantityError, format_units, to_base_steps


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from([1, 50, 500, 1000]))
def test_steps_survive_printing_and_reading(steps, per_unit):
    assert to_base_steps(format_units(steps, steps_per_unit=per_unit), steps_per_unit=per_unit) == steps


def test_one_and_a_half_jin_are_750_grams():
    assert to_base_steps("1.5", steps_per_unit=500) == 750


def test_half_a_box_is_refused():
    with pytest.raises(QuantityError):
        to_base_steps("0.5", steps_per_unit=1)
