"""What is typed as a count is a whole number of steps within reason, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.money.quantities import QuantityError
from kaituan.web.counts import MOST_STEPS, read_count


@pytest.mark.parametrize(("text", "steps"), [("", 0), ("0", 0), ("2", 1000), ("1.5", 750), ("1e2", 50_000)])
def test_units_are_read_in_base_steps(text, steps):
    assert read_count(text, steps_per_unit=500) == steps


@pytest.mark.parametrize("text", ["-1", "x", "nan", "inf", "-inf", "1e400", "1e13", "0.3333", "１２x"])
def test_anything_else_is_refused(text):
    with pytest.raises(QuantityError):
        read_count(text, steps_per_unit=500)


@given(text=st.text(max_size=20), per_unit=st.integers(1, 10_000))
def test_no_text_brings_about_more_than_a_column_can_hold(text, per_unit):
    try:
        steps = read_count(text, steps_per_unit=per_unit)
    except QuantityError:
        return
    assert 0 <= steps <= MOST_STEPS
