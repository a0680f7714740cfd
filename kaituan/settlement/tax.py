"""Income tax withheld from payouts to leaders: pure arithmetic over dated rules, which are data.

A rule's terms hold amounts in fen, rates in bp, and brackets as [over_fen, rate_bp, quick_deduction_fen]
(预扣率、速算扣除数). Tax is rounded to the fen, half a fen up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from kaituan.money.fen import BASIS_POINTS, floor_share

PER_TIME = "per_time"
CUMULATIVE = "cumulative"


class TaxTermsRefused(ValueError):
    """Terms that no tax can be computed by; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Taxable amounts over `over_fen` pay `rate_bp` of the whole, less `quick_deduction_fen`."""

    over_fen: int
    rate_bp: int
    quick_deduction_fen: int


@dataclass(frozen=True, slots=True)
class PerTime:
    """Labour income taken one payment (or one month) at a time."""

    flat_up_to_fen: int
    flat_deduction_fen: int
    deduction_bp: int
    brackets: tuple[Bracket, ...]


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Labour income of platform workers, added up over the year.

    months: `consecutive` counts the months in a row up to this one, `with_income` all months with income.
    """

    expense_bp: int
    monthly_deduction_fen: int
    months: Literal["consecutive", "with_income"]
    brackets: tuple[Bracket, ...]


@dataclass(frozen=True, slots=True)
class YearSoFar:
    """What a leader was paid this calendar year before this payment, by month 1 to 12: income and tax withheld."""

    month: int
    income_fen: Mapping[int, int]
    withheld_fen: Mapping[int, int]


def read_terms(method: str, terms: Mapping[str, Any]) -> PerTime | Cumulative:
    """The terms of a rule, checked. Raises TaxTermsRefused."""
    try:
        brackets = _brackets(terms["brackets"])
        if method == PER_TIME:
            return PerTime(
                flat_up_to_fen=_whole(terms["flat_up_to_fen"]),
                flat_deduction_fen=_whole(terms["flat_deduction_fen"]),
                deduction_bp=_whole(terms["deduction_bp"], most=BASIS_POINTS),
                brackets=brackets,
            )
        if method == CUMULATIVE:
            if terms["months"] not in ("consecutive", "with_income"):
                raise TaxTermsRefused("months must be consecutive or with_income")
            return Cumulative(
                expense_bp=_whole(terms["expense_bp"], most=BASIS_POINTS),
                monthly_deduction_fen=_whole(terms["monthly_deduction_fen"]),
                months=terms["months"],
                brackets=brackets,
            )
    except KeyError as missing:
        raise TaxTermsRefused(f"{missing.args[0]} is missing") from None
    raise TaxTermsRefused(f"there is no method {method!r}")


def withholding_fen(terms: PerTime | Cumulative, *, income_fen: int, so_far: YearSoFar) -> int:
    """Tax to withhold from a payment of `income_fen` (before tax), given what was paid and withheld before."""
    if isinstance(terms, PerTime):
        # Income that goes on within one month is one "time".
        month_fen = so_far.income_fen.get(so_far.month, 0) + income_fen
        due_fen = per_time_tax_fen(terms, income_fen=month_fen)
        withheld_fen = so_far.withheld_fen.get(so_far.month, 0)
    else:
        months = months_counted(terms, month=so_far.month, with_income=_months(so_far.income_fen))
        year_fen = sum(so_far.income_fen.values()) + income_fen
        due_fen = cumulative_tax_fen(terms, income_fen=year_fen, months=months)
        withheld_fen = sum(so_far.withheld_fen.values())
    return min(income_fen, max(0, due_fen - withheld_fen))


def per_time_tax_fen(terms: PerTime, *, income_fen: int) -> int:
    """Tax on labour income of one time: less the flat deduction up to a limit, less a share above it."""
    if income_fen <= terms.flat_up_to_fen:
        taxable_fen = max(0, income_fen - terms.flat_deduction_fen)
    else:
        taxable_fen = income_fen - floor_share(income_fen, terms.deduction_bp)
    return bracket_tax_fen(terms.brackets, taxable_fen=taxable_fen)


def cumulative_tax_fen(
    terms: Cumulative, *, income_fen: int, months: int, other_deductions_fen: int = 0
) -> int:
    """Tax on all income of the year so far, before what was withheld already."""
    expenses_fen = floor_share(income_fen, terms.expense_bp)
    taxable_fen = income_fen - expenses_fen - months * terms.monthly_deduction_fen - other_deductions_fen
    return bracket_tax_fen(terms.brackets, taxable_fen=max(0, taxable_fen))


def bracket_tax_fen(brackets: Sequence[Bracket], *, taxable_fen: int) -> int:
    """Rate of the bracket that the taxable amount falls in, less its quick deduction, half a fen up."""
    reached = [bracket for bracket in brackets if taxable_fen > bracket.over_fen] or [brackets[0]]
    bracket = reached[-1]
    tax = taxable_fen * bracket.rate_bp - bracket.quick_deduction_fen * BASIS_POINTS
    return max(0, (2 * tax + BASIS_POINTS) // (2 * BASIS_POINTS))


def months_counted(terms: Cumulative, *, month: int, with_income: Iterable[int]) -> int:
    """Months that the monthly deduction is given for; the month of this payment is one of them."""
    paid = {*with_income, month}
    if terms.months == "with_income":
        return len([each for each in paid if each <= month])
    first = month
    while first - 1 in paid:
        first -= 1
    return month - first + 1


def _months(income_fen: Mapping[int, int]) -> list[int]:
    return [month for month, fen in income_fen.items() if fen > 0]


def _brackets(rows: Sequence[Sequence[int]]) -> tuple[Bracket, ...]:
    brackets = tuple(Bracket(_whole(o), _whole(r, most=BASIS_POINTS), _whole(q)) for o, r, q in rows)
    if not brackets or brackets[0].over_fen != 0:
        raise TaxTermsRefused("brackets start at 0")
    for low, high in pairwise(brackets):
        if high.over_fen <= low.over_fen:
            raise TaxTermsRefused("brackets rise")
    return brackets


def _whole(value: object, *, most: int | None = None) -> int:
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < 0
        or (most is not None and value > most)
    ):
        raise TaxTermsRefused(f"{value!r} is no whole number in range")
    return value
