"""How much tax a payout to a leader bears, by the rule in force and the year so far."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kaituan.people.models import Leader
from kaituan.settlement.models import TaxRule, Withdrawal
from kaituan.settlement.tax import YearSoFar, read_terms, withholding_fen

PUBLISHED = Path(__file__).parent / "data" / "tax_rules.json"
TAX_ZONE = ZoneInfo("Asia/Shanghai")
"""The tax year and its months are those of Beijing."""


@dataclass(frozen=True, slots=True)
class Tax:
    """fen: to withhold. rule: the version of the rule it was computed by."""

    fen: int
    rule: str


def rule_in_force(*, at: datetime) -> TaxRule:
    """The rule with the latest effective_from <= at. Raises TaxRule.DoesNotExist before the first."""
    if not TaxRule.objects.exists():
        _write_published_rules()
    rule = TaxRule.objects.filter(effective_from__lte=at).order_by("-effective_from").first()
    if rule is None:
        raise TaxRule.DoesNotExist(f"No tax rule is in force at {at}.")
    return rule


def tax_on(*, leader: Leader, amount_fen: int, now: datetime) -> Tax:
    """Tax on a payment of `amount_fen` (before tax) to a leader at `now`."""
    rule = rule_in_force(at=now)
    terms = read_terms(rule.method, rule.terms)
    fen = withholding_fen(terms, income_fen=amount_fen, so_far=year_so_far(leader=leader, now=now))
    return Tax(fen=fen, rule=rule.version)


def year_so_far(*, leader: Leader, now: datetime) -> YearSoFar:
    """What the leader asked for this year and was not refused: income and tax by month.

    A later rule counts the months under an earlier one too: the law knows one year.
    """
    local = now.astimezone(TAX_ZONE)
    new_year = datetime(local.year, 1, 1, tzinfo=TAX_ZONE)
    income: dict[int, int] = {}
    withheld: dict[int, int] = {}
    stand = (Withdrawal.Status.REQUESTED, Withdrawal.Status.APPROVED, Withdrawal.Status.PAID)
    rows = leader.withdrawals.filter(status__in=stand, requested_at__gte=new_year, requested_at__lte=now)
    for requested_at, amount_fen, tax_fen in rows.values_list("requested_at", "amount_fen", "tax_fen"):
        month = requested_at.astimezone(TAX_ZONE).month
        income[month] = income.get(month, 0) + amount_fen
        withheld[month] = withheld.get(month, 0) + tax_fen
    return YearSoFar(month=local.month, income_fen=income, withheld_fen=withheld)


def _write_published_rules() -> None:
    """Where the migration's rows are gone (an emptied database), the published rules are there again."""
    TaxRule.objects.bulk_create(
        [
            TaxRule(**{**rule, "effective_from": datetime.fromisoformat(rule["effective_from"])})
            for rule in json.loads(PUBLISHED.read_text(encoding="utf-8"))
        ],
        ignore_conflicts=True,
    )
