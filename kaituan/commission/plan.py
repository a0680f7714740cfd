"""The plan: who is paid how much for what, as one typed and versioned document.

Rates are whole basis points (bp, 1/10000), amounts whole fen. The document forbids every key it does not
know: an entry fee or pay by the number of people recruited is not a thing a plan can say.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kaituan.money.fen import MAX_FEN

ANTI_PYRAMID_LAW = "《禁止传销条例》第七条"
RECRUITING_WORDS = re.compile(
    r"recruit|referr|downline|entry|entrance|join|invite|head_?count|people|member_?fee|拉人|人头|入门|下线",
    re.I,
)

RateBp = Annotated[int, Field(ge=0, le=10_000)]
Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Sale(_Part):
    """零售佣金: pay of the leader who sold the line."""

    base: Literal["paid", "margin"]
    rates_bp: dict[str, RateBp] = {}
    category_rates_bp: dict[str, dict[str, RateBp]] = {}


class Service(_Part):
    """自提服务费: pay for handing the goods over."""

    rate_bp: RateBp = 0
    fen_per_line: Fen = 0


class Differential(_Part):
    """级差: the part of a higher tier's rate that those below it left over."""


class Peer(_Part):
    """平级推荐奖: a share of the sale commission for a referrer of the same tier."""

    rates_bp: dict[str, RateBp] = {}


class TeamLadder(_Part):
    """团队业绩阶梯奖: marginal brackets of the team's turnover, each [threshold in fen, rate in bp]."""

    brackets: tuple[tuple[Fen, RateBp], ...] = Field(min_length=1)

    @field_validator("brackets", mode="before")
    @classmethod
    def _from_lists(cls, value: object) -> object:
        # JSON knows lists only, and strict tuples would refuse them.
        if isinstance(value, list):
            return tuple(tuple(item) if isinstance(item, list) else item for item in value)
        return value

    @field_validator("brackets")
    @classmethod
    def _start_at_zero_and_rise(cls, value: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        thresholds = [threshold for threshold, _ in value]
        if thresholds[0] != 0:
            raise ValueError(f"the first bracket must start at 0, not at {thresholds[0]}")
        for low, high in pairwise(thresholds):
            if high <= low:
                raise ValueError(f"thresholds must rise, but {high} follows {low}")
        return value


class Dividend(_Part):
    """平台流水分红: a share of all turnover, divided among leaders of the named tiers."""

    pool_bp: RateBp
    tiers: tuple[str, ...]
    weight: Literal["territory", "equal"]

    @field_validator("tiers", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class Guards(_Part):
    """Limits: line_cap_bp of what was paid for one line; paid_depth referral steps above the seller."""

    line_cap_bp: RateBp | None = None
    paid_depth: Annotated[int, Field(ge=0, le=MAX_FEN)] | None = None


class Plan(_Part):
    """One version of the commission plan. A part that is None is off; a rate that is not named is 0.

    tiers: from lowest to highest. A tier that is not listed here counts as no tier under this plan.
    """

    version: Name
    tiers: tuple[Name, ...]
    sale: Sale
    service: Service | None = None
    differential: Differential | None = None
    peer: Peer | None = None
    team_ladder: TeamLadder | None = None
    dividend: Dividend | None = None
    guards: Guards = Guards()

    @field_validator("tiers", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("tiers")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tier in value:
            if value.count(tier) > 1:
                raise ValueError(f"tier {tier!r} is listed twice")
        return value

    @field_validator("guards", mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        return {} if value is None else value

    def rate_bp(self, category: str, tier: str | None) -> int:
        """Sale rate of a tier for a category, bp; 0 for no tier, an unlisted tier or an unnamed rate."""
        if tier is None or tier not in self.tiers:
            return 0
        rates = self.sale.category_rates_bp.get(category, self.sale.rates_bp)
        return rates.get(tier, 0)

    def peer_rate_bp(self, tier: str | None) -> int:
        """Share of the sale commission that a direct referrer of the same tier gets, bp."""
        if self.peer is None or tier is None or tier not in self.tiers:
            return 0
        return self.peer.rates_bp.get(tier, 0)


class DocumentRefused(ValueError):
    """A document that is not what it should be. `problems` holds one sentence for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class PlanRefused(DocumentRefused):
    """A document that is no plan."""


def read_plan(document: Any) -> Plan:
    """The plan that a JSON document (already parsed) describes. Raises PlanRefused with every problem."""
    try:
        return Plan.model_validate(document)
    except ValidationError as refusal:
        raise PlanRefused([finding_sentence(error) for error in refusal.errors()]) from None


def read_plan_json(text: str) -> Plan:
    """The plan that a JSON text describes. Raises PlanRefused."""
    try:
        document = json.loads(text)
    except ValueError as mistake:
        raise PlanRefused([f"the plan is not JSON: {mistake}"]) from None
    return read_plan(document)


def finding_sentence(error: Mapping[str, Any], *, document: str = "the plan") -> str:
    """One clear sentence for one finding of a model that forbids what it does not know. document: its name."""
    where = ".".join(str(step) for step in error["loc"]) or document
    given = error.get("input")
    kind = error["type"]
    limits = error.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(error["loc"][-1])
        if RECRUITING_WORDS.search(key):
            return (
                f"{where}: an entry fee or pay by people recruited cannot be configured ({ANTI_PYRAMID_LAW})"
            )
        return f"{where}: {'a plan has' if document == 'the plan' else f'{document} have'} no such key"
    if kind == "missing":
        return f"{where}: is missing"
    if kind in {"int_type", "int_from_float", "int_parsing"}:
        return f"{where}: must be a whole number, not {given!r}"
    if kind == "greater_than_equal":
        return f"{where}: must be at least {limits['ge']}, not {given!r}"
    if kind == "less_than_equal":
        return f"{where}: must be at most {limits['le']}, not {given!r}"
    if kind == "literal_error":
        return f"{where}: must be {limits['expected']}, not {given!r}"
    if kind == "value_error":
        return f"{where}: {limits['error']}"
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions: where it is, and the two values (None: not there)."""

    path: tuple[str, ...]
    old: Any
    new: Any

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"

    @property
    def text(self) -> str:
        """The change in words: 'sale.rates_bp.host: 1000 -> 1200'."""
        where = ".".join(self.path)
        if self.kind == "added":
            return f"{where}: {_shown(self.new)} (new)"
        if self.kind == "removed":
            return f"{where}: {_shown(self.old)} -> off"
        return f"{where}: {_shown(self.old)} -> {_shown(self.new)}"


def diff(old: Plan, new: Plan) -> list[Change]:
    """What changed from one version to another, in the order of the document; the version itself left out."""
    before, after = old.model_dump(), new.model_dump()
    del before["version"], after["version"]
    return list(_differences(before, after, ()))


def _differences(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Change]:
    if old == new:
        return
    # An empty part that is switched on ("differential": {}) has no keys to show, so it is shown whole.
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differences(old.get(key), new.get(key), (*path, str(key)))
    else:
        yield Change(path, old, new)


def _shown(value: Any) -> str:
    if value == {}:
        return "on"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(value)
