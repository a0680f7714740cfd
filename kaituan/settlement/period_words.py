"""How an amount of a whole period came about: the team's turnover through its ladder, a share of the pool.

The figures are reckoned again from what is recorded now. They are shown only where they give the settled amount
to the fen; an explanation that does not add up would be worse than none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from kaituan.commission.plan import Plan
from kaituan.commission.queries import read_version
from kaituan.commission.rules import ladder
from kaituan.commission.tier_figures import leader_figures, team_ids
from kaituan.ledger.models import Period
from kaituan.money.fen import floor_share
from kaituan.people.models import Leader
from kaituan.settlement.models import CommissionRow


@dataclass(frozen=True, slots=True)
class WayStep:
    """One figure on the way to an amount. fen: signed; rate_bp: None where it is no rate's doing."""

    what: str
    fen: int
    rate_bp: int | None = None


def way_of_period_row(*, row: CommissionRow) -> list[WayStep]:
    """The steps to a team ladder's or dividend's amount, the amount last; the amount alone where what is recorded
    now does not give it any more. Reads the turnover of the team, for a dividend of everybody."""
    plan = read_version(row.plan_version)
    period = Period.objects.get(pk=row.period_id)
    steps: list[WayStep] = []
    if row.rule == "team_ladder" and plan.team_ladder is not None:
        steps = _ladder_steps(row, plan, period)
    elif row.rule == "dividend" and plan.dividend is not None:
        steps = _pool_steps(row, plan, period)
    return [*steps, WayStep(_("Amount"), row.amount_fen)]


def _ladder_steps(row: CommissionRow, plan: Plan, period: Period) -> list[WayStep]:
    assert plan.team_ladder is not None
    team_fen = _team_fen(period, team_ids(leader_id=row.leader_id))
    own_fen = ladder(plan.team_ladder.brackets, team_fen[row.leader_id])
    referred = Leader.objects.filter(referrer_id=row.leader_id).select_related("person").order_by("pk")
    theirs = [(each.person.name, ladder(plan.team_ladder.brackets, team_fen[each.pk])) for each in referred]
    if max(0, own_fen - sum(fen for _name, fen in theirs)) != row.amount_fen:
        return []
    return [
        WayStep(_("Your team's turnover in the period"), team_fen[row.leader_id]),
        *_bracket_steps(plan, team_fen[row.leader_id]),
        WayStep(_("Together by the ladder"), own_fen),
        *(WayStep(_("Less the ladder of %(name)s") % {"name": name}, -fen) for name, fen in theirs if fen),
    ]


def _bracket_steps(plan: Plan, team_fen: int) -> list[WayStep]:
    """The part of the turnover in each bracket that pays, with its rate."""
    assert plan.team_ladder is not None
    brackets = plan.team_ladder.brackets
    ends = [threshold for threshold, _rate in brackets[1:]] + [team_fen]
    return [
        WayStep(_("of it in this bracket"), min(team_fen, end) - threshold, rate_bp)
        for (threshold, rate_bp), end in zip(brackets, ends, strict=True)
        if rate_bp and team_fen > threshold
    ]


def _pool_steps(row: CommissionRow, plan: Plan, period: Period) -> list[WayStep]:
    assert plan.dividend is not None
    assert period.ends_at is not None
    figures = leader_figures(starts_at=period.starts_at, ends_at=period.ends_at)
    turnover_fen = sum(each.own_turnover_fen for each in figures.values())
    pool_fen = floor_share(max(0, turnover_fen), plan.dividend.pool_bp)
    shares = CommissionRow.objects.filter(period_id=row.period_id, rule="dividend")
    amounts = list(shares.values_list("amount_fen", flat=True))
    if sum(amounts) != pool_fen:
        return []
    return [
        WayStep(_("Turnover of everybody in the period"), turnover_fen),
        WayStep(_("The pool"), pool_fen, plan.dividend.pool_bp),
        WayStep(_("Less the shares of %(count)s others") % {"count": len(amounts) - 1}, row.amount_fen - pool_fen),
    ]  # fmt: skip


def _team_fen(period: Period, leader_ids: list[int]) -> Mapping[int, int]:
    assert period.ends_at is not None
    figures = leader_figures(starts_at=period.starts_at, ends_at=period.ends_at, leader_ids=leader_ids)
    return {leader_id: each.team_turnover_fen for leader_id, each in figures.items()}
