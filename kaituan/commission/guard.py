"""The lawful guard: which plans and promises may go live, with the rule they would break and its source.

The engines compute any plan that the contract allows; this guard says which of them a station may use.
A finding is data: a code, a sentence with values (for translation), the source, and whether it refuses or
only warns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kaituan.commission.plan import ANTI_PYRAMID_LAW, Plan
from kaituan.money.fen import BASIS_POINTS, floor_share

LAWFUL_DEPTH = 2
SPLIT_CEILING_BP = 3_000
HOUSE_RULE = "Kaituan lawful guard"
SPLIT_PAYMENT_SOURCE = "payment channels' profit-sharing ceiling, 30 % of an order"

PayOnOthersSales = Literal["differential", "peer", "team_ladder", "dividend"]
PAY_ON_OTHERS_SALES: tuple[PayOnOthersSales, ...] = ("differential", "peer", "team_ladder", "dividend")


@dataclass(frozen=True, slots=True)
class Switch:
    """The recorded decision to allow one kind of pay on other people's sales."""

    rule: PayOnOthersSales
    reason: str
    name: str
    date: date

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.name.strip():
            raise ValueError(f"the switch for {self.rule} needs a reason and the name of who decided")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the guard has to say about a plan or a promise."""

    code: str
    severity: Literal["refused", "warned"]
    sentence: str
    values: Mapping[str, Any]
    source: str

    @property
    def text(self) -> str:
        return f"{self.sentence % self.values} ({self.source})"


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that one line may cost under a plan, in fen, on a line of paid_fen that cost cost_fen.

    sale_fen: the promise to the seller. above_fen: differential and peer together, after the line cap.
    service_fen, team_fen, dividend_fen: handing over, the steepest bracket, the pool's share of this line.
    cap_fen: what the line cap leaves for sale, differential and peer together; None without a cap.
    """

    paid_fen: int
    cost_fen: int
    sale_fen: int
    above_fen: int
    service_fen: int
    team_fen: int
    dividend_fen: int
    cap_fen: int | None

    @property
    def total_fen(self) -> int:
        return self.sale_fen + self.above_fen + self.service_fen + self.team_fen + self.dividend_fen

    @property
    def margin_fen(self) -> int:
        return self.paid_fen - self.cost_fen

    @property
    def passes_cap(self) -> bool:
        return self.cap_fen is not None and self.sale_fen > self.cap_fen

    @property
    def passes_margin(self) -> bool:
        return self.total_fen > self.margin_fen


@dataclass(frozen=True, slots=True)
class GuardReport:
    """All findings, refusals first, with the worst case they were judged by (None where it was not asked), and the
    goods that it is a line of where they are known."""

    findings: tuple[Finding, ...]
    worst_case: WorstCase | None = None
    goods: str = ""

    @property
    def allowed(self) -> bool:
        return not any(finding.severity == "refused" for finding in self.findings)


def check_plan(
    plan: Plan,
    *,
    switches: Sequence[Switch] = (),
    paid_fen: int = 10_000,
    margin_bp: int | None = None,
    sale_rate_bp: int | None = None,
) -> GuardReport:
    """Judge a plan, and with sale_rate_bp a campaign's 帮卖 rate under it.

    paid_fen: a line to show the worst case on; take the cheapest one sold, for a fee per line weighs most
    there. margin_bp: the thinnest margin of the goods, bp of what is paid; None where nothing is known of
    them, and then the margin is not judged.
    """
    findings = [*_others_sales(plan, switches), *_depth(plan), *_unused_names(plan), *_falling_brackets(plan)]
    margin_fen = None if margin_bp is None else floor_share(paid_fen, margin_bp)
    worst = worst_case(plan, paid_fen=paid_fen, margin_fen=margin_fen, sale_rate_bp=sale_rate_bp)
    findings += limit_findings(worst, judge_margin=margin_bp is not None)
    findings.sort(key=lambda finding: finding.severity != "refused")
    return GuardReport(tuple(findings), worst)


def worst_case(
    plan: Plan, *, paid_fen: int, margin_fen: int | None = None, sale_rate_bp: int | None = None
) -> WorstCase:
    """The dearest line of paid_fen that this plan, or a promised sale_rate_bp under it, can bring about.

    margin_fen: what the goods of the line bring in; without it they are taken to have cost nothing, which makes a
    margin base its largest.
    """
    if margin_fen is None:
        margin_fen = paid_fen
    base_fen = paid_fen if plan.sale.base == "paid" else margin_fen
    cap_bp = plan.guards.line_cap_bp
    cap_fen = None if cap_bp is None else floor_share(paid_fen, cap_bp)
    pairs = (
        _sale_and_above(plan, rates, tier, base_fen, cap_fen, sale_rate_bp)
        for rates in _rate_tables(plan)
        for tier in (None, *plan.tiers)
    )
    sale_fen, above_fen = max(pairs, key=lambda pair: (sum(pair), pair[0]))
    return WorstCase(
        paid_fen=paid_fen,
        cost_fen=paid_fen - margin_fen,
        sale_fen=sale_fen,
        above_fen=above_fen,
        service_fen=_service_fen(plan, paid_fen),
        team_fen=floor_share(paid_fen, max((bp for _, bp in _brackets(plan)), default=0)),
        dividend_fen=floor_share(paid_fen, plan.dividend.pool_bp) if plan.dividend else 0,
        cap_fen=cap_fen,
    )


def limit_findings(worst: WorstCase, *, judge_margin: bool = True) -> list[Finding]:
    """What a worst case says against the plan or promise that it is of: past the line cap, past the margin; and a
    warning where it passes what split payment carries."""
    values = {
        "paid_fen": worst.paid_fen,
        "sale_fen": worst.sale_fen,
        "total_fen": worst.total_fen,
        "cap_fen": worst.cap_fen,
        "margin_fen": worst.margin_fen,
        "sale_bp": worst.sale_fen * BASIS_POINTS // worst.paid_fen if worst.paid_fen else 0,
    }
    findings = []
    if worst.passes_cap:
        sentence = "a line of %(paid_fen)d fen may promise %(sale_fen)d fen, past its cap of %(cap_fen)d fen"
        findings.append(Finding("line_cap", "refused", sentence, values, HOUSE_RULE))
    if judge_margin and worst.passes_margin:
        sentence = (
            "a line of %(paid_fen)d fen may cost %(total_fen)d fen, past its margin of %(margin_fen)d fen"
        )
        findings.append(Finding("margin", "refused", sentence, values, HOUSE_RULE))
    return [*findings, *check_split(order_paid_fen=worst.paid_fen, shared_fen=worst.total_fen)]


def check_split(*, order_paid_fen: int, shared_fen: int) -> list[Finding]:
    """Warn where more of an order (or of a line of it) would be shared out by split payment than the channels allow."""
    ceiling_fen = floor_share(order_paid_fen, SPLIT_CEILING_BP)
    if shared_fen <= ceiling_fen:
        return []
    values = {"paid_fen": order_paid_fen, "total_fen": shared_fen, "ceiling_fen": ceiling_fen}
    sentence = (
        "%(total_fen)d fen of %(paid_fen)d fen would be shared out, split payment carries %(ceiling_fen)d fen"
    )
    return [Finding("split_ceiling", "warned", sentence, values, SPLIT_PAYMENT_SOURCE)]


def _rate_tables(plan: Plan) -> list[dict[str, int]]:
    tables = [plan.sale.rates_bp, *plan.sale.category_rates_bp.values()]
    return [{tier: rate for tier, rate in table.items() if tier in plan.tiers} for table in tables]


def _sale_and_above(
    plan: Plan,
    rates: dict[str, int],
    seller_tier: str | None,
    base_fen: int,
    cap_fen: int | None,
    promised_bp: int | None,
) -> tuple[int, int]:
    """Sale, and differential with peer after the cap, for a seller of one tier under the dearest chain."""
    own_bp = rates.get(seller_tier, 0) if seller_tier else 0
    sale_bp = own_bp if promised_bp is None else promised_bp
    sale_fen = floor_share(base_fen, sale_bp)
    above_fen = 0
    if plan.guards.paid_depth != 0:
        if plan.differential is not None:
            above_fen += floor_share(base_fen, max(0, max(rates.values(), default=0) - max(own_bp, sale_bp)))
        above_fen += floor_share(sale_fen, plan.peer_rate_bp(seller_tier))
    if cap_fen is not None:
        above_fen = min(above_fen, max(0, cap_fen - sale_fen))
    return sale_fen, above_fen


def _service_fen(plan: Plan, paid_fen: int) -> int:
    if plan.service is None:
        return 0
    return min(paid_fen, floor_share(paid_fen, plan.service.rate_bp) + plan.service.fen_per_line)


def _brackets(plan: Plan) -> tuple[tuple[int, int], ...]:
    return plan.team_ladder.brackets if plan.team_ladder else ()


def _others_sales(plan: Plan, switches: Sequence[Switch]) -> list[Finding]:
    switched_on = {switch.rule for switch in switches}
    return [
        Finding(
            f"others_sales.{rule}",
            "refused",
            "%(rule)s pays on other people's sales and stays off until a switch gives reason, name and date",
            {"rule": rule},
            ANTI_PYRAMID_LAW,
        )
        for rule in PAY_ON_OTHERS_SALES
        if getattr(plan, rule) is not None and rule not in switched_on
    ]


def _depth(plan: Plan) -> list[Finding]:
    depth = plan.guards.paid_depth
    if depth is not None and depth <= LAWFUL_DEPTH:
        return []
    sentence = (
        "guards.paid_depth is absent, so pay would reach up without end; it may be %(most)d at most"
        if depth is None
        else "guards.paid_depth is %(depth)d; it may be %(most)d at most"
    )
    return [
        Finding("paid_depth", "refused", sentence, {"depth": depth, "most": LAWFUL_DEPTH}, ANTI_PYRAMID_LAW)
    ]


def _unused_names(plan: Plan) -> list[Finding]:
    """Rates for tiers that the plan does not list: they never apply, which is seldom what was meant."""
    named = {
        "sale.rates_bp": plan.sale.rates_bp,
        **{f"sale.category_rates_bp.{name}": rates for name, rates in plan.sale.category_rates_bp.items()},
        "peer.rates_bp": plan.peer.rates_bp if plan.peer else {},
        "dividend.tiers": plan.dividend.tiers if plan.dividend else (),
    }
    return [
        Finding(
            "unlisted_tier",
            "warned",
            "%(where)s names tier %(tier)s, which the plan does not list: it never applies",
            {"where": where, "tier": tier},
            HOUSE_RULE,
        )
        for where, tiers in named.items()
        for tier in tiers
        if tier not in plan.tiers
    ]


def _falling_brackets(plan: Plan) -> list[Finding]:
    """Where a higher bracket pays less, what a team loses at the top is not taken from those above it."""
    rates = [bp for _, bp in _brackets(plan)]
    if rates == sorted(rates):
        return []
    sentence = "team_ladder.brackets fall in rate, so the same turnover may be paid at more than one level"
    return [Finding("falling_brackets", "warned", sentence, {}, HOUSE_RULE)]
