"""The oracle: a whole settlement in plain Python, one rule after the other as the contract tells them.

It shares the rules of one line with preview and explanation, and nothing with the vectorised engines.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from kaituan.commission.plan import Plan
from kaituan.commission.rules import Earning, Holder, LineFacts, explain_line
from kaituan.money.fen import BASIS_POINTS, floor_share, split_largest_remainder
from kaituan.settlement.engines.case_reader import Case, read_case
from kaituan.settlement.engines.output import appearing_whole, check_ending, total_rows, write_rows
from kaituan.settlement.engines.records import CommissionRow, Line, Refund


def settle_folder(
    folder: Path,
    out: Path,
    *,
    totals: bool = False,
    progress: Callable[[str, float], None] = lambda step, part: None,
) -> None:
    """Settle the case in `folder` and write its rows to `out`. Raises InputError; then nothing is written."""
    check_ending(out)
    progress("reading", 0.0)
    case = read_case(folder)
    progress("rules", 0.5)
    rows = settle(case)
    progress("rows", 0.9)
    with appearing_whole(out) as unfinished:
        write_rows(total_rows(rows) if totals else rows, unfinished, totals=totals)
    progress("done", 1.0)


def settle(case: Case) -> list[CommissionRow]:
    """Every commission row of the case's period, sorted by leader, rule and line (UTF-8 bytes)."""
    settlement = _Settlement(case)
    rows = [*settlement.line_rows(), *settlement.team_ladder_rows(), *settlement.dividend_rows()]
    return sorted(rows, key=CommissionRow.sort_key)


class _Settlement:
    """One case with what is looked up again and again: the forest, the tiers by time, the refunds by line."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.start, self.end = case.file.start, case.file.end
        self.referrer = {leader.leader_id: leader.referrer_id for leader in case.leaders}
        self.tiers: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for row in sorted(case.tiers, key=lambda row: row.effective_from):
            self.tiers[row.leader_id].append((row.effective_from, row.tier))
        self.refunds: dict[str, list[Refund]] = defaultdict(list)
        for refund in case.refunds:
            self.refunds[refund.line_id].append(refund)
        self.gmv = self._gmv()
        self.team = self._team()

    def tier_at(self, leader_id: str, time: int) -> str | None:
        """The tier with the latest effective_from <= time; None for none."""
        rows = self.tiers.get(leader_id, [])
        place = bisect_right(rows, time, key=lambda row: row[0])
        return (rows[place - 1][1] or None) if place else None

    def tier_at_end(self, leader_id: str) -> str | None:
        """The tier with the latest effective_from < end."""
        rows = self.tiers.get(leader_id, [])
        place = bisect_left(rows, self.end, key=lambda row: row[0])
        return (rows[place - 1][1] or None) if place else None

    def net(self, line: Line, time: int) -> int:
        """paid_fen less the refunds recorded before `time`."""
        return line.paid_fen - sum(
            refund.amount_fen for refund in self.refunds.get(line.line_id, ()) if refund.refunded_at < time
        )

    def above(self, leader_id: str) -> Iterator[str]:
        """The referrers above a leader, nearest first."""
        while leader_id := self.referrer[leader_id]:
            yield leader_id

    def line_rows(self) -> Iterator[CommissionRow]:
        for line in self.case.lines:
            if self.start <= line.completed_at < self.end:
                for earning in self._earnings(line, self.net(line, self.end)):
                    yield CommissionRow(earning.leader_id, earning.rule, line.line_id, earning.amount_fen)
            elif line.completed_at < self.start and line.line_id in self.refunds:
                yield from self._adjustments(line)

    def _adjustments(self, line: Line) -> Iterator[CommissionRow]:
        """What refunds of this period change on a line that an earlier period settled; service stays."""
        old_net, new_net = self.net(line, self.start), self.net(line, self.end)
        if old_net == new_net:
            return
        change: Counter[tuple[str, str]] = Counter()
        for sign, net in ((1, new_net), (-1, old_net)):
            for earning in self._earnings(line, net):
                if earning.rule != "service":
                    change[earning.leader_id, earning.rule] += sign * earning.amount_fen
        for (leader_id, rule), amount in change.items():
            if amount:
                yield CommissionRow(leader_id, rule, line.line_id, amount)

    def _earnings(self, line: Line, net_fen: int) -> list[Earning]:
        plan = self.case.file.plans[line.plan_version]
        time = line.completed_at
        late = sum(r.amount_fen for r in self.refunds.get(line.line_id, ()) if r.refunded_at <= time)
        facts = LineFacts(
            paid_fen=line.paid_fen,
            cost_fen=line.cost_fen,
            category=line.category,
            net_fen=net_fen,
            service_net_fen=line.paid_fen - late,
            sale_rate_bp=line.sale_rate_bp,
        )
        seller = Holder(line.leader_id, self.tier_at(line.leader_id, time))
        ancestors = [Holder(leader, self.tier_at(leader, time)) for leader in self._reached(plan, line)]
        return explain_line(
            plan, facts, seller=seller, ancestors=ancestors, pickup_leader_id=line.pickup_leader_id or None
        )

    def _reached(self, plan: Plan, line: Line) -> Iterator[str]:
        depth = plan.guards.paid_depth
        for step, leader_id in enumerate(self.above(line.leader_id), start=1):
            if depth is not None and step > depth:
                return
            yield leader_id

    def _gmv(self) -> Mapping[str, int]:
        """Turnover of each seller: lines of the period, less the period's refunds of earlier lines."""
        gmv = dict.fromkeys(self.referrer, 0)
        for line in self.case.lines:
            if self.start <= line.completed_at < self.end:
                gmv[line.leader_id] += self.net(line, self.end)
            elif line.completed_at < self.start:
                gmv[line.leader_id] -= self.net(line, self.start) - self.net(line, self.end)
        return gmv

    def _team(self) -> Mapping[str, int]:
        """Turnover of each leader and of everyone below."""
        return self._summed_up(lambda leader_id: [leader_id, *self.above(leader_id)])

    def _summed_up(self, receivers: Callable[[str], Iterable[str]]) -> Mapping[str, int]:
        sums = dict.fromkeys(self.referrer, 0)
        for leader_id, amount in self.gmv.items():
            if amount:
                for receiver in receivers(leader_id):
                    sums[receiver] += amount
        return sums

    def team_ladder_rows(self) -> Iterator[CommissionRow]:
        """Rule 6: the ladder of the team less the ladders of the teams directly below."""
        plan = self.case.file.period_plan
        if plan.team_ladder is None:
            return
        ladder = {leader_id: _ladder(plan, team) for leader_id, team in self.team.items()}
        below: Counter[str] = Counter()
        for leader_id, referrer_id in self.referrer.items():
            if referrer_id:
                below[referrer_id] += ladder[leader_id]
        for leader_id, amount in ladder.items():
            if self.tier_at_end(leader_id) in plan.tiers and amount > below[leader_id]:
                yield CommissionRow(leader_id, "team_ladder", "", amount - below[leader_id])

    def dividend_rows(self) -> Iterator[CommissionRow]:
        """Rule 7: the pool divided among the eligible by largest remainder, ties to the smaller id."""
        plan = self.case.file.period_plan
        if plan.dividend is None:
            return
        pool = floor_share(max(0, sum(self.gmv.values())), plan.dividend.pool_bp)
        eligible = sorted(filter(self._is_eligible, self.referrer), key=str.encode)
        weights = self._weights(eligible)
        if not sum(weights):
            return
        for leader_id, share in zip(eligible, split_largest_remainder(pool, weights), strict=True):
            if share:
                yield CommissionRow(leader_id, "dividend", "", share)

    def _is_eligible(self, leader_id: str) -> bool:
        plan = self.case.file.period_plan
        assert plan.dividend is not None
        listed = set(plan.dividend.tiers) & set(plan.tiers)
        return self.tier_at(leader_id, self.start) in listed and self.tier_at_end(leader_id) in listed

    def _weights(self, eligible: list[str]) -> list[int]:
        plan = self.case.file.period_plan
        assert plan.dividend is not None
        if plan.dividend.weight == "equal":
            return [int(self.team[leader_id] > 0) for leader_id in eligible]
        owners = set(eligible)

        def owner(leader_id: str) -> list[str]:
            chain = (leader_id, *self.above(leader_id))
            return [next_id for next_id in chain if next_id in owners][:1]

        territory = self._summed_up(owner)
        return [max(0, territory[leader_id]) for leader_id in eligible]


def _ladder(plan: Plan, team_fen: int) -> int:
    """Marginal brackets: each part of the team's turnover at the rate of the bracket it falls in."""
    assert plan.team_ladder is not None
    brackets = plan.team_ladder.brackets
    upper: list[int | None] = [*(threshold for threshold, _ in brackets[1:]), None]
    total = 0
    for (threshold, rate_bp), limit in zip(brackets, upper, strict=True):
        reached = team_fen if limit is None else min(team_fen, limit)
        total += rate_bp * max(0, reached - threshold)
    return total // BASIS_POINTS
