"""Withholding by the published rules: worked examples of the tax office, and what must hold for any income."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.settlement import tax

RULES = {
    rule["version"]: tax.read_terms(rule["method"], rule["terms"])
    for rule in json.loads((Path(tax.__file__).parent / "data" / "tax_rules.json").read_text("utf-8"))
}
PER_TIME = RULES["labour-per-time-2019"]
PLATFORM = RULES["platform-cumulative-2025"]
YUAN = 100


def nothing_yet(month: int = 10) -> tax.YearSoFar:
    return tax.YearSoFar(month, {}, {})


@pytest.mark.parametrize(
    ("income", "due"),
    [
        (800, 0),
        (2_000, 240),  # (2000 - 800) × 20 %, the example in the explanation of 公告2018年第61号
        (4_000, 640),
        (5_000, 800),  # 5000 × 80 % × 20 %
        (25_000, 4_000),  # exactly 20,000 taxable: still the first bracket
        (40_000, 7_600),  # 32,000 × 30 % - 2,000
        (100_000, 25_000),  # 80,000 × 40 % - 7,000
    ],
)
def test_labour_income_per_time(income, due):
    assert tax.withholding_fen(PER_TIME, income_fen=income * YUAN, so_far=nothing_yet()) == due * YUAN


def test_two_payments_within_one_month_are_one_time():
    first = tax.withholding_fen(PER_TIME, income_fen=3_000 * YUAN, so_far=nothing_yet())
    so_far = tax.YearSoFar(10, {9: 9_000 * YUAN, 10: 3_000 * YUAN}, {9: 1_440 * YUAN, 10: first})
    second = tax.withholding_fen(PER_TIME, income_fen=2_000 * YUAN, so_far=so_far)
    assert (first, second) == (440 * YUAN, 360 * YUAN)
    assert first + second == tax.per_time_tax_fen(PER_TIME, income_fen=5_000 * YUAN)


def test_the_cumulative_method_gives_the_tax_offices_months():
    """The salary of the explanation of 公告2018年第56号: 30,000 a month, 4,500 + 2,000 of other deductions."""
    wages = tax.Cumulative(0, PLATFORM.monthly_deduction_fen, "consecutive", PLATFORM.brackets)
    year = [
        tax.cumulative_tax_fen(
            wages, income_fen=m * 30_000 * YUAN, months=m, other_deductions_fen=m * 6_500 * YUAN
        )
        for m in (1, 2, 3)
    ]
    assert [year[0], year[1] - year[0], year[2] - year[1]] == [555 * YUAN, 625 * YUAN, 1_850 * YUAN]


def test_a_platform_workers_year_adds_up():
    """10,000 a month: 8,000 after expenses, 5,000 free each month, 3 % of the rest up to 36,000, 10 % above."""
    income: dict[int, int] = {}
    withheld: dict[int, int] = {}
    for month in range(1, 13):
        so_far = tax.YearSoFar(month, dict(income), dict(withheld))
        withheld[month] = tax.withholding_fen(PLATFORM, income_fen=10_000 * YUAN, so_far=so_far)
        income[month] = 10_000 * YUAN
    assert set(withheld.values()) == {90 * YUAN}, "36,000 taxable at the end of the year: all of it at 3 %"
    more = tax.withholding_fen(
        PLATFORM, income_fen=1_250 * YUAN, so_far=tax.YearSoFar(12, dict(income), dict(withheld))
    )
    assert more == 100 * YUAN


def test_a_month_without_income_starts_the_row_of_months_again():
    counted = tax.months_counted(PLATFORM, month=6, with_income=[1, 2, 3, 5])
    all_months = tax.Cumulative(2000, 500_000, "with_income", PLATFORM.brackets)
    assert (counted, tax.months_counted(all_months, month=6, with_income=[1, 2, 3, 5])) == (2, 5)


def test_half_a_fen_is_rounded_up():
    brackets = (tax.Bracket(0, 300, 0),)
    assert [tax.bracket_tax_fen(brackets, taxable_fen=fen) for fen in (16, 17, 50)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("method", "terms"),
    [
        ("per_month", {"brackets": [[0, 300, 0]]}),
        ("cumulative", {"brackets": [[0, 300, 0]], "months": "some"}),
        ("cumulative", {"brackets": [[100, 300, 0]], "months": "consecutive"}),
        ("per_time", {"brackets": [[0, 300, 0], [0, 400, 0]]}),
        ("per_time", {"brackets": [[0, 20_000, 0]]}),
        ("per_time", {"brackets": [[0, 300, 0]]}),
    ],
)
def test_terms_that_make_no_sense_are_refused(method, terms):
    with pytest.raises(tax.TaxTermsRefused):
        tax.read_terms(method, terms)


@given(st.lists(st.integers(0, 20_000_000), min_size=1, max_size=12))
def test_what_is_withheld_over_a_year_is_the_tax_on_the_year(payments):
    withheld: dict[int, int] = {}
    income: dict[int, int] = {}
    for month, fen in enumerate(payments, start=1):
        taken = tax.withholding_fen(
            PLATFORM, income_fen=fen, so_far=tax.YearSoFar(month, dict(income), dict(withheld))
        )
        assert 0 <= taken <= fen
        withheld[month], income[month] = taken, fen
    months = tax.months_counted(
        PLATFORM, month=len(payments), with_income=[m for m, fen in income.items() if fen]
    )
    due = tax.cumulative_tax_fen(PLATFORM, income_fen=sum(payments), months=months)
    assert sum(withheld.values()) >= due or payments[-1] < due


@given(st.sampled_from([PER_TIME]), st.integers(0, 50_000_000))
def test_tax_never_falls_when_income_rises_by_a_fen_within_the_rules(terms, fen):
    assert tax.per_time_tax_fen(terms, income_fen=fen) <= tax.per_time_tax_fen(terms, income_fen=fen + 1)
