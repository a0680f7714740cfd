import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.money.fen import (
    MoneyError,
    floor_share,
    format_yuan,
    line_amount_fen,
    parse_yuan,
    split_largest_remainder,
)

FEN = st.integers(min_value=0, max_value=10**12)


@given(FEN, st.lists(st.integers(min_value=0, max_value=10**9), min_size=1).filter(any))
def test_parts_add_up_to_the_whole_and_stay_within_a_fen_of_their_share(amount, weights):
    parts = split_largest_remainder(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part - amount * weight // sum(weights) <= 1


def test_the_left_over_fen_goes_to_the_largest_remainder_then_to_the_earlier_part():
    assert split_largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert split_largest_remainder(101, [2, 1]) == [67, 34]


def test_splitting_by_nothing_is_refused():
    with pytest.raises(MoneyError, match="all weights are 0"):
        split_largest_remainder(1, [0, 0])


@given(FEN)
def test_an_amount_survives_printing_and_reading(amount):
    assert parse_yuan(format_yuan(amount)) == amount
    assert parse_yuan(f"¥{format_yuan(amount)}元") == amount


@pytest.mark.parametrize("text", ["", "十块", "1.234", "1e5", "--1", "1.2.3", "99999999999999999999"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(MoneyError):
        parse_yuan(text)


def test_full_width_digits_are_read():
    assert parse_yuan("１２．５") == 1250


def test_loose_goods_round_half_a_fen_up():
    # 3.99 yuan per 斤, 250 g: 199.5 fen
    assert line_amount_fen(price_fen=399, price_quantity=500, quantity=250) == 200
    assert line_amount_fen(price_fen=3990, price_quantity=1, quantity=2) == 7980


@given(FEN, st.integers(min_value=0, max_value=10_000))
def test_a_share_drops_its_fraction(amount, rate):
    share = floor_share(amount, rate)
    assert share * 10_000 <= amount * rate < (share + 1) * 10_000
