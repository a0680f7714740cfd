"""Tiers by rule: what a leader must reach to rise to a tier and to keep it, as one typed document.

Rules speak of sales, groups and care: turnover in whole fen, rates in whole basis points (bp), counts. The
document forbids every key it does not know, so that a tier by the number of people recruited is not a thing
it can say. Nothing here reads a clock or a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kaituan.commission.plan import DocumentRefused, RateBp, finding_sentence
from kaituan.money.fen import MAX_FEN

FIGURES = (
    "own_turnover_fen", "team_turnover_fen", "group_members", "groups_owned", "claim_rate_bp", "on_time_rate_bp",
)  # fmt: skip
"""Every figure a rule may name, in the order in which pages show them."""
AT_MOST = ("claim_rate_bp",)
"""Figures of which little is good; of all others, much."""

Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Days = Annotated[int, Field(ge=1, le=366)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Conditions(_Part):
    """Limits on figures of the last `window_days` days; None is not asked for.

    need: whether all limits must be met or any one of them. claim_rate_bp is the most that is allowed, every
    other figure the least.
    """

    window_days: Days
    need: Literal["all", "any"] = "all"
    own_turnover_fen: Fen | None = None
    team_turnover_fen: Fen | None = None
    group_members: Count | None = None
    groups_owned: Count | None = None
    claim_rate_bp: RateBp | None = None
    on_time_rate_bp: RateBp | None = None

    @model_validator(mode="after")
    def _ask_something(self) -> Self:
        if not self.limits():
            raise ValueError("at least one condition must be named")
        return self

    def limits(self) -> dict[str, int]:
        """Figure -> limit, of those that are asked for."""
        return {name: value for name in FIGURES if (value := getattr(self, name)) is not None}


class TierRule(_Part):
    """How one tier is reached and kept. promotion None: by hand only. keeping None: once held, it stays."""

    tier: Annotated[str, Field(min_length=1, max_length=30)]
    promotion: Conditions | None = None
    keeping: Conditions | None = None


class TierRules(_Part):
    """The rules of all tiers, from lowest to highest. A tier that is not listed is left alone."""

    tiers: tuple[TierRule, ...] = Field(min_length=1)

    @field_validator("tiers", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        # JSON knows lists only, and a strict tuple would refuse them.
        return tuple(value) if isinstance(value, list) else value

    @field_validator("tiers")
    @classmethod
    def _each_once(cls, value: tuple[TierRule, ...]) -> tuple[TierRule, ...]:
        names = [rule.tier for rule in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"tier {name!r} is listed twice")
        return value

    def windows(self) -> frozenset[int]:
        """The lengths in days of all windows that the rules look at."""
        parts = [part for rule in self.tiers for part in (rule.promotion, rule.keeping) if part]
        return frozenset(part.window_days for part in parts)

    def rank(self, tier: str) -> int | None:
        """Place of a tier, 0 the lowest; -1 for no tier; None for a tier that these rules do not know."""
        if not tier:
            return -1
        return next((place for place, rule in enumerate(self.tiers) if rule.tier == tier), None)


class TierRulesRefused(DocumentRefused):
    """A document that holds no tier rules."""


def read_rules(document: Any) -> TierRules:
    """The rules that a JSON document (already parsed) describes. Raises TierRulesRefused with every problem."""
    try:
        return TierRules.model_validate(document)
    except ValidationError as refusal:
        problems = [finding_sentence(error, document="the tier rules") for error in refusal.errors()]
        raise TierRulesRefused(problems) from None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one leader did in a window. A rate is None where nothing was handed over to reckon it from."""

    own_turnover_fen: int = 0
    team_turnover_fen: int = 0
    group_members: int = 0
    groups_owned: int = 0
    claim_rate_bp: int | None = None
    on_time_rate_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One condition held against one figure."""

    figure: str
    value: int | None
    limit: int
    is_met: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """All conditions of one rule held against a leader's figures."""

    is_met: bool
    need: str
    window_days: int
    checks: tuple[Check, ...]


def judge(conditions: Conditions, figures: Figures) -> Judgement:
    """Hold the conditions against the figures of their window. A rate of nothing meets no condition."""
    checks = []
    for name, limit in conditions.limits().items():
        value = getattr(figures, name)
        met = value is not None and (value <= limit if name in AT_MOST else value >= limit)
        checks.append(Check(name, value, limit, met))
    together = all if conditions.need == "all" else any
    is_met = together(check.is_met for check in checks)
    return Judgement(is_met, conditions.need, conditions.window_days, tuple(checks))


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier a leader holds, since which day, and whether a person took a higher one away to get there."""

    tier: str
    since: date
    lowered_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A change of tier by rule, on which day, and the judgement that caused it."""

    tier: str
    kind: Literal["promoted", "demoted"]
    on: date
    judgement: Judgement


def decide(
    rules: TierRules,
    standing: Standing,
    figures: Mapping[int, Figures],
    *,
    on: date,
    looked_on: date | None,
    rules_since: date,
) -> Decision | None:
    """The change that is due on a day, or None.

    figures: by the length of the window, all windows ending as `on` begins. looked_on: the day of the last
    evaluation; a keeping window that ended since then is made good now. rules_since: when the rules took effect.
    A leader rises to the highest tier whose conditions are met; falls one tier, at the end of a keeping window
    and at no other time.
    """
    rank = rules.rank(standing.tier)
    if rank is None:
        return None
    risen = _risen(rules, rank, standing, figures, on)
    if risen is not None:
        return risen
    if rank < 0 or not _keeping_ended(rules.tiers[rank], standing, on, looked_on, rules_since):
        return None
    return _fallen(rules, rank, figures, on)


def outlook(
    rules: TierRules, standing: Standing, figures: Mapping[int, Figures], *, on: date, rules_since: date
) -> Decision | None:
    """What would become of a leader if the figures stayed as they are: a rise at once, or a fall on the day
    on which the keeping window ends."""
    rank = rules.rank(standing.tier)
    if rank is None:
        return None
    risen = _risen(rules, rank, standing, figures, on)
    if risen is not None or rank < 0:
        return risen
    ends_on = keeping_ends_on(rules, standing, on=on, rules_since=rules_since)
    return _fallen(rules, rank, figures, ends_on) if ends_on else None


def keeping_ends_on(rules: TierRules, standing: Standing, *, on: date, rules_since: date) -> date | None:
    """The next day, `on` or later, on which the tier held must have been kept; None where it stays for good.

    Keeping windows follow each other from the day the tier was given, or the rules took effect if that is later.
    """
    rank = rules.rank(standing.tier)
    if rank is None or rank < 0:
        return None
    keeping = rules.tiers[rank].keeping
    if keeping is None:
        return None
    start = max(standing.since, rules_since)
    windows = max(1, -(-(on - start).days // keeping.window_days))
    return start + timedelta(days=windows * keeping.window_days)


def next_rule(rules: TierRules, tier: str) -> TierRule | None:
    """The lowest tier above this one that can be reached by rule."""
    rank = rules.rank(tier)
    above = rules.tiers[rank + 1 :] if rank is not None else ()
    return next((rule for rule in above if rule.promotion is not None), None)


def _risen(
    rules: TierRules, rank: int, standing: Standing, figures: Mapping[int, Figures], on: date
) -> Decision | None:
    for rule in reversed(rules.tiers[rank + 1 :]):
        if rule.promotion is None:
            continue
        window = rule.promotion.window_days
        # What a person took away is earned anew: only what was done since then counts.
        if standing.lowered_by_hand and on < standing.since + timedelta(days=window):
            continue
        judgement = judge(rule.promotion, figures[window])
        if judgement.is_met:
            return Decision(rule.tier, "promoted", on, judgement)
    return None


def _keeping_ended(
    rule: TierRule, standing: Standing, on: date, looked_on: date | None, rules_since: date
) -> bool:
    """Whether a keeping window ended after the last look, up to this day."""
    if rule.keeping is None:
        return False
    start, length = max(standing.since, rules_since), rule.keeping.window_days
    before = looked_on or on - timedelta(days=1)
    return (on - start).days // length > max(0, (before - start).days // length)


def _fallen(rules: TierRules, rank: int, figures: Mapping[int, Figures], on: date) -> Decision | None:
    rule = rules.tiers[rank]
    if rule.keeping is None:
        return None
    judgement = judge(rule.keeping, figures[rule.keeping.window_days])
    if judgement.is_met:
        return None
    # Whoever would rise to the tier today keeps it, or it would be taken and given back the next day.
    if rule.promotion is not None and judge(rule.promotion, figures[rule.promotion.window_days]).is_met:
        return None
    return Decision(rules.tiers[rank - 1].tier if rank else "", "demoted", on, judgement)
