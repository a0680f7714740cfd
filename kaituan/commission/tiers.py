"""Tiers by rule: publishing the rules, looking at every leader once a day, and how far the next tier is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.commission.models import TierEvaluation, TierRuleSet
from kaituan.commission.services import CommissionRefused, ReasonMissing, TooLate
from kaituan.commission.tier_figures import leader_figures, team_ids
from kaituan.commission.tier_rules import (
    Decision,
    Figures,
    Judgement,
    Standing,
    TierRules,
    TierRulesRefused,
    decide,
    judge,
    keeping_ends_on,
    next_rule,
    outlook,
    read_rules,
)
from kaituan.commission.tier_words import reason_words
from kaituan.people.models import Leader, Person
from kaituan.people.services import set_tier

TIERS_LOCK = 0x74696572  # "tier"


class TierRulesNotAccepted(CommissionRefused):
    """A document that holds no tier rules. `problems` has one sentence for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(_("The tier rules cannot be read: %(problems)s") % {"problems": "; ".join(problems)})


@transaction.atomic
def publish_tier_rules(
    *,
    document: Mapping[str, Any],
    effective_from: datetime,
    reason: str,
    acting_person: Person | None,
    now: datetime,
) -> TierRuleSet:
    """Publish tier rules that take effect at `effective_from` (>= now). The same again answers the first.

    Raises TierRulesNotAccepted for a document that holds none, TooLate or ReasonMissing.
    """
    rules = accept_rules(document)
    _lock()
    written = rules.model_dump(mode="json", exclude_none=True)
    standing = TierRuleSet.objects.filter(effective_from=effective_from).first()
    if standing is not None and standing.document == written:
        return standing
    if not reason.strip():
        raise ReasonMissing(_("Say why: the reason stays beside the decision."))
    if effective_from < now:
        raise TooLate(_("Tier rules take effect now or later: nobody's tier is changed backwards."))
    if standing is not None:
        raise TooLate(_("Other tier rules take effect at that very time: choose a later one."))
    latest = TierRuleSet.objects.order_by("-number").first()
    return TierRuleSet.objects.create(
        number=latest.number + 1 if latest else 1,
        document=written,
        effective_from=effective_from,
        published_at=now,
        published_by=acting_person,
        reason=reason.strip(),
    )


def accept_rules(document: Mapping[str, Any]) -> TierRules:
    """The rules that a document holds. Raises TierRulesNotAccepted."""
    try:
        return read_rules(document)
    except TierRulesRefused as refusal:
        raise TierRulesNotAccepted(refusal.problems) from None


def rules_in_force(*, at: datetime) -> TierRuleSet | None:
    """The published rules with the latest effective_from <= at; None before the first."""
    return TierRuleSet.objects.filter(effective_from__lte=at).order_by("-effective_from").first()


@transaction.atomic
def evaluate_tiers(*, now: datetime) -> TierEvaluation | None:
    """Look at every leader, once a local day, and write the tiers that change; None while no rules are in force.

    Called again on the same day it answers with what was done then. Windows end as the day begins; a change
    counts from `now`. A leader whose tier changes by hand at a later date is left to that.
    """
    rule_set = rules_in_force(at=now)
    if rule_set is None:
        return None
    on = timezone.localdate(now)
    done = TierEvaluation.objects.filter(on_date=on).first()
    if done is not None:
        return done
    _lock()
    done = TierEvaluation.objects.filter(on_date=on).first()
    if done is not None:
        return done
    earlier = TierEvaluation.objects.filter(on_date__lt=on).order_by("-on_date").first()
    decisions = _decisions(rule_set, on=on, looked_on=earlier.on_date if earlier else None, now=now)
    for leader, decision in decisions:
        set_tier(
            leader=leader,
            tier=decision.tier,
            effective_from=now,
            reason=reason_words(
                number=rule_set.number, kind=decision.kind, judgement=decision.judgement
            ),
            acting_person=None,
            now=now,
        )  # fmt: skip
    return TierEvaluation.objects.create(
        on_date=on,
        rule_set=rule_set,
        evaluated_at=now,
        promoted=sum(decision.kind == "promoted" for _leader, decision in decisions),
        demoted=sum(decision.kind == "demoted" for _leader, decision in decisions),
    )


def _decisions(
    rule_set: TierRuleSet, *, on: date, looked_on: date | None, now: datetime
) -> list[tuple[Leader, Decision]]:
    rules = read_rules(rule_set.document)
    figures = _figures(rules, ends_at=_day_begins(on))
    due = {
        leader_id: decision
        for leader_id, standing in standings(at=now).items()
        if (
            decision := decide(
                rules,
                standing,
                {window: of[leader_id] for window, of in figures.items()},
                on=on,
                looked_on=looked_on,
                rules_since=timezone.localdate(rule_set.effective_from),
            )
        )
    }
    return [(leader, due[leader.pk]) for leader in Leader.objects.filter(pk__in=due).order_by("pk")]


@dataclass(frozen=True, slots=True)
class Move:
    """One leader whose tier would change under some rules: from, to, when, and the judgement behind it."""

    leader: Leader
    old_tier: str
    decision: Decision


def preview_tiers(*, rules: TierRules, effective_from: datetime, now: datetime) -> list[Move]:
    """Who would change under these rules, by the figures up to now: rises first, then falls by their day."""
    on = timezone.localdate(max(now, effective_from))
    figures = _figures(rules, ends_at=now)
    standing_of = standings(at=now)
    found: dict[int, Decision] = {}
    for leader_id, standing in standing_of.items():
        decision = outlook(
            rules,
            standing,
            {window: of[leader_id] for window, of in figures.items()},
            on=on,
            rules_since=timezone.localdate(effective_from),
        )
        if decision is not None:
            found[leader_id] = decision
    leaders = Leader.objects.filter(pk__in=found).select_related("person").order_by("pk")
    moves = [Move(leader, standing_of[leader.pk].tier, found[leader.pk]) for leader in leaders]
    return sorted(moves, key=lambda move: (move.decision.kind != "promoted", move.decision.on))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a leader stands: the tier held, what the next one asks, and what keeps this one.

    promotion: held against the figures up to now; None where no tier above is reached by rule. keeping: None
    where the tier stays; keeping_ends_on is the day on which it must be met.
    """

    tier: str
    next_tier: str
    promotion: Judgement | None
    keeping: Judgement | None
    keeping_ends_on: date | None


def tier_progress(*, leader: Leader, now: datetime) -> Progress | None:
    """How far the next tier is for one leader; None while no rules are in force."""
    rule_set = rules_in_force(at=now)
    if rule_set is None:
        return None
    rules = read_rules(rule_set.document)
    standing = standings(at=now, leader_id=leader.pk).get(leader.pk)
    if standing is None:
        return None
    upper = next_rule(rules, standing.tier)
    rank = rules.rank(standing.tier)
    keeping = rules.tiers[rank].keeping if rank is not None and rank >= 0 else None
    promotion = upper.promotion if upper else None
    windows = {part.window_days for part in (promotion, keeping) if part}
    team = team_ids(leader_id=leader.pk) if windows else []
    figures = {
        window: leader_figures(starts_at=now - timedelta(days=window), ends_at=now, leader_ids=team)[
            leader.pk
        ]
        for window in windows
    }
    return Progress(
        tier=standing.tier,
        next_tier=upper.tier if upper else "",
        promotion=judge(promotion, figures[promotion.window_days]) if promotion else None,
        keeping=judge(keeping, figures[keeping.window_days]) if keeping else None,
        keeping_ends_on=keeping_ends_on(
            rules,
            standing,
            on=timezone.localdate(now),
            rules_since=timezone.localdate(rule_set.effective_from),
        ),
    )


def standings(*, at: datetime, leader_id: int | None = None) -> Mapping[int, Standing]:
    """Leader id -> where the leader stands; without those who are gone, or whose tier changes at a later date."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT leader.id, coalesce(held.tier, ''), coalesce(held.effective_from, leader.joined_at),
                held.set_by_id IS NOT NULL AND coalesce(before.tier, ''::text) <> '', before.tier
            FROM people_leader leader
            JOIN people_person person ON person.id = leader.person_id
                AND person.deleted_at IS NULL AND person.merged_into_id IS NULL
            LEFT JOIN LATERAL (
                SELECT t.tier, t.effective_from, t.set_by_id FROM people_leadertier t
                WHERE t.leader_id = leader.id AND t.effective_from <= %(at)s
                ORDER BY t.effective_from DESC LIMIT 1
            ) held ON true
            LEFT JOIN LATERAL (
                SELECT t.tier FROM people_leadertier t
                WHERE t.leader_id = leader.id AND t.effective_from < held.effective_from
                ORDER BY t.effective_from DESC LIMIT 1
            ) before ON true
            WHERE (%(leader_id)s::bigint IS NULL OR leader.id = %(leader_id)s)
              AND (%(leader_id)s::bigint IS NOT NULL OR NOT EXISTS (
                SELECT FROM people_leadertier t WHERE t.leader_id = leader.id AND t.effective_from > %(at)s
              ))
            """,
            {"at": at, "leader_id": leader_id},
        )
        rows = cursor.fetchall()
    order = _tier_order(at=at)
    return {
        row_id: Standing(
            tier=tier,
            since=timezone.localdate(since),
            lowered_by_hand=by_hand and _is_lower(tier, before, order),
        )
        for row_id, tier, since, by_hand, before in rows
    }


def _tier_order(*, at: datetime) -> Mapping[str, int]:
    rule_set = rules_in_force(at=at)
    names: Iterable[str] = (
        [rule.tier for rule in read_rules(rule_set.document).tiers] if rule_set is not None else []
    )
    return {name: place for place, name in enumerate(names)}


def _is_lower(tier: str, before: str, order: Mapping[str, int]) -> bool:
    """Whether a tier is below another; a tier that the rules do not know is below none and above no tier."""
    return not tier or order.get(tier, len(order)) < order.get(before, -1)


def _figures(rules: TierRules, *, ends_at: datetime) -> Mapping[int, Mapping[int, Figures]]:
    """Window length -> leader -> figures, all windows ending at one time."""
    return {
        window: leader_figures(starts_at=ends_at - timedelta(days=window), ends_at=ends_at)
        for window in sorted(rules.windows())
    }


def _day_begins(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, time.min), timezone.get_default_timezone())


def _lock() -> None:
    """One at a time: rules are numbered in turn, and a day is looked at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TIERS_LOCK])
