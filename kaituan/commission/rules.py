"""The rules for one order line, in plain Python: what each leader earns and how it came about.

This is the readable form of the contract, step by step, used to preview an order, to explain an amount and
to check the engines that settle whole periods. All amounts are whole fen, all rates whole basis points; each
division drops the fraction. Nothing here reads a clock or a database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kaituan.commission.plan import Plan
from kaituan.money.fen import BASIS_POINTS, floor_share

Rule = Literal["sale", "service", "differential", "peer", "team_ladder", "dividend"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A leader and the tier that counts for the line: the one held at its completed_at, or None."""

    leader_id: str
    tier: str | None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the rules need to know of one order line.

    paid_fen: paid by the buyer for the line, discounts already off. cost_fen: of the whole line.
    net_fen: paid_fen less the refunds that count at the period's end. service_net_fen: paid_fen less the
    refunds up to completed_at. sale_rate_bp: the 帮卖 rate promised to this seller, or None.
    """

    paid_fen: int
    cost_fen: int
    category: str
    net_fen: int
    service_net_fen: int
    sale_rate_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a calculation: a sentence with named values, so that a page can say it in its own language."""

    sentence: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        return self.sentence % self.values


@dataclass(frozen=True, slots=True)
class Earning:
    """What one leader earns by one rule on one line.

    rate_bp of base_fen gives uncapped_fen; amount_fen is what remains after the line cap. steps_above is the
    number of referral steps between the seller and this leader (0: the seller or the pickup leader).
    """

    leader_id: str
    rule: Rule
    amount_fen: int
    uncapped_fen: int
    rate_bp: int
    base_fen: int
    steps_above: int
    plan_version: str
    how: tuple[Step, ...] = field(default=())


def explain_line(
    plan: Plan,
    line: LineFacts,
    *,
    seller: Holder,
    ancestors: Sequence[Holder] = (),
    pickup_leader_id: str | None = None,
) -> list[Earning]:
    """Every earning of one line under its own plan version, each with its steps; amounts of 0 are left out.

    ancestors: the referrers above the seller, nearest first, as many as there are (those out of reach are
    ignored here).
    """
    reached = in_reach(plan, ancestors)
    base_fen, base_steps = commission_base(plan, line)
    sale = sale_earning(plan, line, seller, base_fen, base_steps)
    others = differential_earnings(plan, line, seller, reached, base_fen, sale.rate_bp)
    others += peer_earning(plan, seller, reached, sale.amount_fen)
    earnings = [sale, *capped(plan, line, sale.amount_fen, others)]
    if pickup_leader_id:
        earnings += service_earning(plan, line, pickup_leader_id)
    return [earning for earning in earnings if earning.amount_fen]


def in_reach(plan: Plan, ancestors: Sequence[Holder]) -> Sequence[Holder]:
    """The ancestors that are at most paid_depth referral steps above the seller; all where the guard is off."""
    depth = plan.guards.paid_depth
    return ancestors if depth is None else ancestors[:depth]


def commission_base(plan: Plan, line: LineFacts) -> tuple[int, tuple[Step, ...]]:
    """The amount in fen that the sale rate applies to, and how it was found."""
    net = line.net_fen
    steps = [Step("paid %(paid_fen)d fen", {"paid_fen": line.paid_fen})]
    if net != line.paid_fen:
        refunded = line.paid_fen - net
        steps.append(Step("less refunds of %(refunded_fen)d fen", {"refunded_fen": refunded}))
    if plan.sale.base == "paid":
        return net, tuple(steps)
    margin = max(0, line.paid_fen - line.cost_fen)
    base = margin * net // line.paid_fen if line.paid_fen else 0
    steps.append(
        Step(
            "margin %(margin_fen)d fen, of which %(net_fen)d / %(paid_fen)d remains: %(base_fen)d fen",
            {"margin_fen": margin, "net_fen": net, "paid_fen": line.paid_fen, "base_fen": base},
        )
    )
    return base, tuple(steps)


def sale_earning(
    plan: Plan, line: LineFacts, seller: Holder, base_fen: int, base_steps: tuple[Step, ...]
) -> Earning:
    """Step 1, 零售佣金 or 帮卖佣金: a promise to the seller that no guard cuts."""
    if line.sale_rate_bp is not None:
        rate = line.sale_rate_bp
        source = Step("promised by the campaign: %(rate_bp)d bp", {"rate_bp": rate})
    else:
        rate = plan.rate_bp(line.category, seller.tier)
        source = Step(
            "tier %(tier)s, category %(category)s: %(rate_bp)d bp",
            {"tier": seller.tier, "category": line.category, "rate_bp": rate},
        )
    amount = floor_share(base_fen, rate)
    how = (*base_steps, source, _rate_step(rate, base_fen, amount))
    return Earning(seller.leader_id, "sale", amount, amount, rate, base_fen, 0, plan.version, how)


def differential_earnings(
    plan: Plan,
    line: LineFacts,
    seller: Holder,
    reached: Sequence[Holder],
    base_fen: int,
    paid_rate_bp: int,
) -> list[Earning]:
    """Step 2, 级差: going up, each higher rate earns what the rates below it left over."""
    if plan.differential is None:
        return []
    top = max(paid_rate_bp, plan.rate_bp(line.category, seller.tier))
    earnings = []
    for steps_above, ancestor in enumerate(reached, start=1):
        rate = plan.rate_bp(line.category, ancestor.tier)
        if rate <= top:
            continue
        amount = floor_share(base_fen, rate - top)
        how = (
            Step(
                "tier %(tier)s has %(own_bp)d bp, %(top_bp)d bp were already given below",
                {"tier": ancestor.tier, "own_bp": rate, "top_bp": top},
            ),
            _rate_step(rate - top, base_fen, amount),
        )
        earnings.append(
            Earning(
                ancestor.leader_id,
                "differential",
                amount,
                amount,
                rate - top,
                base_fen,
                steps_above,
                plan.version,
                how,
            )
        )
        top = rate
    return earnings


def peer_earning(plan: Plan, seller: Holder, reached: Sequence[Holder], sale_fen: int) -> list[Earning]:
    """Step 3, 平级推荐奖: a share of the sale commission for the direct referrer of the same tier."""
    if plan.peer is None or seller.tier not in plan.tiers or not reached:
        return []
    referrer = reached[0]
    if referrer.tier != seller.tier:
        return []
    rate = plan.peer_rate_bp(seller.tier)
    amount = floor_share(sale_fen, rate)
    how = (
        Step("referrer and seller both hold tier %(tier)s", {"tier": seller.tier}),
        _rate_step(rate, sale_fen, amount),
    )
    return [Earning(referrer.leader_id, "peer", amount, amount, rate, sale_fen, 1, plan.version, how)]


def capped(plan: Plan, line: LineFacts, sale_fen: int, others: list[Earning]) -> list[Earning]:
    """Step 4: where differential and peer pass the room under the line cap, each is cut in proportion."""
    cap_bp = plan.guards.line_cap_bp
    if cap_bp is None:
        return others
    room = max(0, floor_share(line.net_fen, cap_bp) - sale_fen)
    total = sum(earning.amount_fen for earning in others)
    if total <= room:
        return others
    return [_cut(earning, room, total) for earning in others]


def service_earning(plan: Plan, line: LineFacts, pickup_leader_id: str) -> list[Earning]:
    """Step 5, 自提服务费: pay for work done, tier or not; no guard cuts it, no later refund takes it back."""
    if plan.service is None or line.service_net_fen <= 0:
        return []
    base, rate, extra = line.service_net_fen, plan.service.rate_bp, plan.service.fen_per_line
    amount = min(base, floor_share(base, rate) + extra)
    how = (
        _rate_step(rate, base, floor_share(base, rate)),
        Step(
            "plus %(extra_fen)d fen for the line, never more than the line: %(amount_fen)d fen",
            {"extra_fen": extra, "amount_fen": amount},
        ),
    )
    return [Earning(pickup_leader_id, "service", amount, amount, rate, base, 0, plan.version, how)]


def _rate_step(rate_bp: int, base_fen: int, amount_fen: int) -> Step:
    return Step(
        "%(rate_bp)d bp of %(base_fen)d fen: %(amount_fen)d fen",
        {"rate_bp": rate_bp, "base_fen": base_fen, "amount_fen": amount_fen},
    )


def _cut(earning: Earning, room: int, total: int) -> Earning:
    amount = earning.uncapped_fen * room // total
    step = Step(
        "the line cap leaves %(room_fen)d fen for %(total_fen)d fen: %(amount_fen)d fen",
        {"room_fen": room, "total_fen": total, "amount_fen": amount},
    )
    return Earning(
        earning.leader_id,
        earning.rule,
        amount,
        earning.uncapped_fen,
        earning.rate_bp,
        earning.base_fen,
        earning.steps_above,
        earning.plan_version,
        (*earning.how, step),
    )


def ladder(brackets: Sequence[tuple[int, int]], team_fen: int) -> int:
    """Marginal brackets: each part of the turnover at the rate of its own bracket, the sum rounded down."""
    total = 0
    for place, (threshold, rate_bp) in enumerate(brackets):
        if team_fen <= threshold:
            break
        reached = min(team_fen, brackets[place + 1][0]) if place + 1 < len(brackets) else team_fen
        total += rate_bp * (reached - threshold)
    return total // BASIS_POINTS
