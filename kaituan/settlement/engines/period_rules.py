"""The rules of a period: team_ladder and dividend, from the turnover of each leader.

Leaders are the numbers of `forest.py`, in the order of their ids' bytes. There are few leaders beside the
lines, so plain Python with its unbounded integers is exact and fast enough here for every engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kaituan.commission.plan import Plan
from kaituan.commission.rules import ladder
from kaituan.money.fen import floor_share, split_largest_remainder
from kaituan.settlement.engines.forest import Forest


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """gmv_fen: turnover of each leader's own lines. listed_at_end: holds a tier of the period's plan at the
    end. eligible: its tier is listed for the dividend both at the start and at the end."""

    forest: Forest
    gmv_fen: Sequence[int]
    listed_at_end: Sequence[bool]
    eligible: Sequence[bool]


def period_rows(plan: Plan, facts: PeriodFacts) -> list[tuple[int, str, int]]:
    """(leader, rule, amount_fen) of every payment of the period."""
    team_fen = summed_upwards(facts.forest, facts.gmv_fen)
    return [*team_ladder_rows(plan, facts, team_fen), *dividend_rows(plan, facts, team_fen)]


def summed_upwards(forest: Forest, own_fen: Sequence[int], stops: Sequence[bool] | None = None) -> list[int]:
    """For each leader the sum of own_fen over itself and everyone below; a leader that `stops` passes
    nothing on to its referrer."""
    sums = list(own_fen)
    parent = forest.parent.tolist()
    for leader in reversed(forest.downward.tolist()):
        if parent[leader] >= 0 and not (stops and stops[leader]):
            sums[parent[leader]] += sums[leader]
    return sums


def team_ladder_rows(plan: Plan, facts: PeriodFacts, team_fen: Sequence[int]) -> list[tuple[int, str, int]]:
    """Rule 6, 团队业绩阶梯奖: the ladder of the whole team less the ladders of those directly below."""
    if plan.team_ladder is None:
        return []
    ladder_fen = [ladder(plan.team_ladder.brackets, team) for team in team_fen]
    pay_fen = list(ladder_fen)
    for leader, referrer in enumerate(facts.forest.parent.tolist()):
        if referrer >= 0:
            pay_fen[referrer] -= ladder_fen[leader]
    return [
        (leader, "team_ladder", pay)
        for leader, pay in enumerate(pay_fen)
        if pay > 0 and facts.listed_at_end[leader]
    ]


def dividend_rows(plan: Plan, facts: PeriodFacts, team_fen: Sequence[int]) -> list[tuple[int, str, int]]:
    """Rule 7, 平台流水分红: the pool by largest remainder; leaders come in the order of their ids' bytes."""
    if plan.dividend is None:
        return []
    owners = [leader for leader, eligible in enumerate(facts.eligible) if eligible]
    if plan.dividend.weight == "equal":
        weights = [int(team_fen[leader] > 0) for leader in owners]
    else:
        territory_fen = summed_upwards(facts.forest, facts.gmv_fen, stops=facts.eligible)
        weights = [max(0, territory_fen[leader]) for leader in owners]
    if not sum(weights):
        return []
    pool_fen = floor_share(max(0, sum(facts.gmv_fen)), plan.dividend.pool_bp)
    shares = split_largest_remainder(pool_fen, weights)
    return [(leader, "dividend", share) for leader, share in zip(owners, shares, strict=True) if share]
