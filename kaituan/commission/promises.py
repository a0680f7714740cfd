"""The judge of promised rates (帮卖): each is held against every offer of its campaign, under the campaign's plan.

`campaigns.promises` calls it at every door: publishing, promising, listing at a rate, lowering a price. Publishing a
plan asks here too, for its team ladder and dividend are paid on the lines of campaigns that run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.promises import highest_promise_bp
from kaituan.campaigns.refusals import RateRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.commission import guard
from kaituan.commission.explanations import percent
from kaituan.commission.finding_words import finding_words
from kaituan.commission.plan import Plan
from kaituan.commission.queries import Goods, offer_goods, plans_from, read_version, worst_of


class RateUnlawful(RateRefused):
    """The guard refuses a promised rate. `report` holds every finding and the worst case."""

    def __init__(self, report: guard.GuardReport, *, sale_rate_bp: int, lowers_price: bool = False) -> None:
        self.report = report
        sentence = (
            _("At this price the rate of %(rate)s that was promised cannot be paid: %(findings)s")
            if lowers_price
            else _("A rate of %(rate)s cannot be promised: %(findings)s")
        )
        refused = [finding_words(each) for each in report.findings if each.severity == "refused"]
        super().__init__(sentence % {"rate": percent(sale_rate_bp), "findings": "; ".join(refused)})


def require_bearable(
    *, campaign: Campaign, sale_rate_bp: int, prices_fen: Mapping[int, int] | None = None
) -> None:
    """`campaigns.promises.Judge`. prices_fen: offer id -> the price to judge it at; then those offers alone. Raises
    RateUnlawful."""
    report = judge_promise(campaign=campaign, sale_rate_bp=sale_rate_bp, prices_fen=prices_fen)
    if not report.allowed:
        raise RateUnlawful(report, sale_rate_bp=sale_rate_bp, lowers_price=prices_fen is not None)


def judge_promise(
    *,
    campaign: Campaign,
    sale_rate_bp: int | None,
    prices_fen: Mapping[int, int] | None = None,
    period_plan: Plan | None = None,
) -> guard.GuardReport:
    """What the guard finds in a promised rate; where there is None, in the plan's own rates. Each finding once, about
    the goods on which it weighs most, and the worst case of those whose margin is passed the furthest (or is nearest
    to being passed).

    The team ladder and the dividend on top are those of the campaign's plan, of `period_plan`, or of the plans that
    hold from its cut-off on, for its lines are completed after that: whichever costs most.
    """
    plan = read_version(campaign.plan_version)
    later = [period_plan] if period_plan is not None else plans_from(at=campaign.closes_at)
    plans = [plan, *(_paid_on_top(plan, each) for each in later if each.team_ladder or each.dividend)]
    worst = [
        (_dearest(plans, item, sale_rate_bp), item)
        for item in offer_goods(campaign=campaign, prices_fen=prices_fen)
    ]
    worst.sort(key=lambda pair: pair[0].total_fen - pair[0].margin_fen, reverse=True)
    findings: dict[str, guard.Finding] = {}
    for case, item in worst:
        for finding in guard.limit_findings(case):
            named = replace(finding, values={**finding.values, "goods": item.name})
            findings.setdefault(finding.code, named)
    ordered = sorted(findings.values(), key=lambda finding: finding.severity != "refused")
    if not worst:
        return guard.GuardReport(())
    case, item = worst[0]
    return guard.GuardReport(tuple(ordered), case, item.name)


def promises_broken_by(plan: Plan) -> list[tuple[Campaign, int, guard.GuardReport]]:
    """Campaigns that take orders whose promised rate a new plan's team ladder or dividend would carry past the margin,
    each with that rate and what the guard says."""
    if plan.team_ladder is None and plan.dividend is None:
        return []
    found = []
    for campaign in Campaign.objects.filter(status__in=TAKING_ORDERS).order_by("pk"):
        sale_rate_bp = highest_promise_bp(campaign)
        if sale_rate_bp is None:
            continue
        report = judge_promise(campaign=campaign, sale_rate_bp=sale_rate_bp, period_plan=plan)
        if not report.allowed:
            found.append((campaign, sale_rate_bp, report))
    return found


def _paid_on_top(plan: Plan, period_plan: Plan) -> Plan:
    """A line keeps the rates of its plan; what is paid for a whole period goes by the plan of that period."""
    return plan.model_copy(update={"team_ladder": period_plan.team_ladder, "dividend": period_plan.dividend})


def _dearest(plans: Sequence[Plan], item: Goods, sale_rate_bp: int | None) -> guard.WorstCase:
    cases = [worst_of(plan, item, sale_rate_bp=sale_rate_bp) for plan in plans]
    return max(cases, key=lambda case: case.total_fen)
