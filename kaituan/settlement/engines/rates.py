"""Plans as tables: for every class of lines and every shape of chain, the rates that the rules multiply by.

A *rate class* is a plan version together with one of the categories that any plan lists, or with all the
others (None).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kaituan.commission.plan import Plan
from kaituan.settlement.engines.forest import Cards, Forest, Shape, TierRows, draw_cards

NO_CAP = -1
UNLIMITED = 2**31


@dataclass(frozen=True, slots=True)
class RateClass:
    number: int
    version: str
    category: str | None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tier codes and rate classes of some plans, and how far up the forest they look.

    classes: all versions by all categories, those of a version together, its None first.

    reach: most referral steps that any plan pays for. far: the step from which plans no longer differ, past
    the direct referrer in any case, who alone can be a peer.
    rungs: most ancestors that can earn on one line.
    """

    tier_codes: Mapping[str, int]
    classes: tuple[RateClass, ...]
    reach: int
    far: int
    rungs: int

    def draw(
        self,
        cards: Cards,
        forest: Forest,
        tiers: TierRows,
        begins: int,
        ends: int,
        sellers: Iterable[int] | None = None,
    ) -> None:
        """Add the cards of [begins, ends), which look as far up as these plans do (see `draw_cards`)."""
        reach, far = self.reach, self.far
        draw_cards(cards, forest, tiers, begins=begins, ends=ends, reach=reach, far=far, sellers=sellers)


def vocabulary(plans: Iterable[Plan]) -> Vocabulary:
    """The codes for these plans; a tier that none of them lists has no code and counts as none."""
    plans = list(plans)
    names = dict.fromkeys(tier for plan in plans for tier in plan.tiers)
    listed = dict.fromkeys(category for plan in plans for category in plan.sale.category_rates_bp)
    pairs = [(plan.version, category) for plan in plans for category in (None, *listed)]
    classes = [RateClass(number, *pair) for number, pair in enumerate(pairs)]
    reaches = [_reach(plan) for plan in plans]
    finite = [reach for reach in reaches if reach < UNLIMITED]
    reach = max(reaches, default=0)
    return Vocabulary(
        tier_codes={tier: code for code, tier in enumerate(names, start=1)},
        classes=tuple(classes),
        reach=reach,
        far=max([1, *finite]) + 1,
        rungs=min(reach, len(names)),
    )


def _reach(plan: Plan) -> int:
    """Referral steps above the seller that can earn anything under a plan."""
    depth = plan.guards.paid_depth
    depth = UNLIMITED if depth is None else min(depth, UNLIMITED)
    if plan.differential is not None:
        return depth
    return min(depth, 1) if plan.peer is not None else 0


def rate_rows(plans: Mapping[str, Plan], words: Vocabulary, shapes: Sequence[Shape]) -> list[dict[str, int]]:
    """One row for each shape and rate class: what `vector_rules` reads as the table `rate`. Rows are numbered
    shape by shape, so that a new shape changes no number.

    own_bp: the rate of the seller's tier. up1_bp, up2_bp, ...: the rate of each rung, 0 where it is out of
    reach. peer_bp: the share of the sale for the first rung, 0 where it is no peer. cap_bp: NO_CAP for none.
    service_bp, service_fen: 0 both where the plan pays no service. margin: 1 if the base is the margin.
    """
    tiers = {code: tier for tier, code in words.tier_codes.items()}
    told = {version: _told_once(plan) for version, plan in plans.items()}
    return [
        {"rate_no": number * len(words.classes) + each.number}
        | told[each.version]
        | _shape_rates(plans[each.version], each.category, tiers, shape, words.rungs)
        for number, shape in enumerate(shapes)
        for each in words.classes
    ]


def _told_once(plan: Plan) -> dict[str, int]:
    """What a plan says whatever the category and whoever is above."""
    cap_bp = plan.guards.line_cap_bp
    return {
        "cap_bp": NO_CAP if cap_bp is None else cap_bp,
        "service_bp": plan.service.rate_bp if plan.service else 0,
        "service_fen": plan.service.fen_per_line if plan.service else 0,
        "margin": int(plan.sale.base == "margin"),
    }


def rate_columns(rungs: int) -> list[str]:
    """The columns of `rate_rows`, which a period without any line needs too."""
    named = ["rate_no", "cap_bp", "service_bp", "service_fen", "margin", "own_bp", "peer_bp"]
    return [*named, *(f"up{rung}_bp" for rung in range(1, rungs + 1))]


def _shape_rates(
    plan: Plan, category: str | None, tiers: Mapping[int, str], shape: Shape, rungs: int
) -> dict[str, int]:
    own_code, chain = shape
    own_tier = tiers.get(own_code)
    rates = plan.sale.rates_bp
    if category is not None:
        rates = plan.sale.category_rates_bp.get(category, rates)

    def rate(tier: str | None) -> int:
        return rates.get(tier, 0) if tier in plan.tiers else 0

    depth = plan.guards.paid_depth
    found = {"own_bp": rate(own_tier), "peer_bp": 0}
    for rung in range(1, rungs + 1):
        steps, code = chain[rung - 1] if rung <= len(chain) else (0, 0)
        reached = steps > 0 and (depth is None or steps <= depth)
        paid = reached and plan.differential is not None
        found[f"up{rung}_bp"] = rate(tiers.get(code)) if paid else 0
        if reached and steps == 1 and code == own_code:
            found["peer_bp"] = plan.peer_rate_bp(own_tier)
    return found
