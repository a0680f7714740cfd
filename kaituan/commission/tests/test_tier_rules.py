"""Tier rules: what a document may say, and when a leader rises or falls."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.commission.tier_rules import (
    Figures,
    Standing,
    TierRulesRefused,
    decide,
    judge,
    keeping_ends_on,
    next_rule,
    outlook,
    read_rules,
)

DAY = date(2026, 11, 1)
DOCUMENT = {
    "tiers": [
        {"tier": "host"},
        {
            "tier": "captain",
            "promotion": {"window_days": 30, "own_turnover_fen": 1_000_000, "claim_rate_bp": 300},
            "keeping": {"window_days": 60, "need": "any", "own_turnover_fen": 500_000, "group_members": 100},
        },
        {
            "tier": "partner",
            "promotion": {"window_days": 90, "team_turnover_fen": 10_000_000, "groups_owned": 2},
            "keeping": {"window_days": 60, "on_time_rate_bp": 9_000},
        },
    ]
}
RULES = read_rules(DOCUMENT)
GOOD = Figures(
    own_turnover_fen=1_000_000,
    team_turnover_fen=1_000_000,
    group_members=10,
    groups_owned=1,
    claim_rate_bp=300,
    on_time_rate_bp=9_500,
)


def everywhere(figures):
    return dict.fromkeys(RULES.windows(), figures)


def decided(tier, figures, *, since=DAY - timedelta(days=10), on=DAY, looked_on=None, by_hand=False):
    return decide(
        RULES,
        Standing(tier, since, by_hand),
        everywhere(figures),
        on=on,
        looked_on=looked_on,
        rules_since=DAY - timedelta(days=365),
    )


class TestTheDocument:
    @pytest.mark.parametrize(
        "key",
        [
            "recruited_leaders",
            "people_recruited",
            "referrals",
            "entry_fee_fen",
            "invited",
            "拉人头",
            "下线人数",
        ],
    )
    def test_a_tier_by_people_recruited_cannot_be_said_and_the_refusal_names_the_rule(self, key):
        document = {"tiers": [{"tier": "captain", "promotion": {"window_days": 30, key: 5}}]}
        with pytest.raises(TierRulesRefused, match="《禁止传销条例》第七条") as refusal:
            read_rules(document)
        assert refusal.value.problems[0].startswith(f"tiers.0.promotion.{key}: ")

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"window_days": 0}, "tiers.0.promotion.window_days: must be at least 1, not 0"),
            ({"own_turnover_fen": 1.5}, "must be a whole number, not 1.5"),
            ({"claim_rate_bp": 10_001}, "must be at most 10000"),
            ({"need": "some"}, "must be 'all' or 'any'"),
            ({"loyalty": 1}, "the tier rules have no such key"),
            ({"own_turnover_fen": None}, "at least one condition must be named"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, change, words):
        rule = {"window_days": 30, "own_turnover_fen": 1, **change}
        with pytest.raises(TierRulesRefused) as refusal:
            read_rules({"tiers": [{"tier": "captain", "promotion": rule}]})
        assert words in str(refusal.value)

    def test_a_tier_stands_once(self):
        with pytest.raises(TierRulesRefused, match="listed twice"):
            read_rules({"tiers": [{"tier": "host"}, {"tier": "host"}]})

    def test_what_is_written_reads_the_same(self):
        assert read_rules(RULES.model_dump(mode="json", exclude_none=True)) == RULES


class TestConditions:
    def test_a_claim_rate_is_a_ceiling_and_all_else_a_floor(self):
        promotion = RULES.tiers[1].promotion
        assert judge(promotion, GOOD).is_met
        assert not judge(promotion, replace(GOOD, claim_rate_bp=301)).is_met
        assert not judge(promotion, replace(GOOD, own_turnover_fen=999_999)).is_met

    def test_any_one_is_enough_where_any_is_needed(self):
        keeping = RULES.tiers[1].keeping
        assert judge(keeping, Figures(group_members=100)).is_met
        assert judge(keeping, Figures(own_turnover_fen=500_000)).is_met
        assert not judge(keeping, Figures(own_turnover_fen=499_999, group_members=99)).is_met

    def test_a_rate_of_nothing_meets_no_condition(self):
        assert not judge(RULES.tiers[1].promotion, replace(GOOD, claim_rate_bp=None)).is_met


class TestRising:
    def test_to_the_highest_tier_that_is_reached(self):
        assert decided("host", GOOD).tier == "captain"
        high = replace(GOOD, team_turnover_fen=10_000_000, groups_owned=2)
        assert decided("host", high).tier == "partner"
        assert decided("", high).tier == "partner"

    def test_not_to_the_tier_that_is_held_and_not_by_hand_only_ones(self):
        assert decided("captain", GOOD) is None
        assert decided("", Figures()) is None

    def test_a_tier_that_the_rules_do_not_know_is_left_alone(self):
        assert decided("honorary", GOOD) is None

    def test_what_a_person_took_away_is_earned_anew(self):
        since = DAY - timedelta(days=29)
        assert decided("host", GOOD, since=since, by_hand=True) is None
        assert decided("host", GOOD, since=since - timedelta(days=1), by_hand=True).tier == "captain"
        assert decided("host", GOOD, since=since).tier == "captain"


class TestFalling:
    def test_only_on_the_day_a_keeping_window_ends(self):
        for days in range(1, 200):
            decision = decided("captain", Figures(), since=DAY - timedelta(days=days))
            assert (decision is not None) == (days % 60 == 0), days
            if decision:
                assert (decision.tier, decision.kind) == ("host", "demoted")

    def test_a_window_that_ended_while_nobody_looked_is_made_good(self):
        since = DAY - timedelta(days=63)
        assert decided("captain", Figures(), since=since, looked_on=DAY - timedelta(days=4)).tier == "host"
        assert decided("captain", Figures(), since=since, looked_on=DAY - timedelta(days=3)) is None

    def test_windows_count_from_the_rules_if_they_are_younger_than_the_tier(self):
        old = Standing("captain", DAY - timedelta(days=600))
        given = {"on": DAY, "looked_on": None}
        assert (
            decide(RULES, old, everywhere(Figures()), **given, rules_since=DAY - timedelta(days=59)) is None
        )
        fallen = decide(RULES, old, everywhere(Figures()), **given, rules_since=DAY - timedelta(days=60))
        assert fallen.tier == "host"
        assert keeping_ends_on(RULES, old, on=DAY, rules_since=DAY) == DAY + timedelta(days=60)
        assert keeping_ends_on(RULES, old, on=DAY, rules_since=DAY - timedelta(days=60)) == DAY

    def test_whoever_would_rise_to_the_tier_today_keeps_it(self):
        figures = replace(GOOD, team_turnover_fen=10_000_000, groups_owned=2, on_time_rate_bp=0)
        assert decided("partner", figures, since=DAY - timedelta(days=60)) is None

    def test_the_lowest_tier_is_kept_where_no_rule_says_otherwise(self):
        assert decided("host", Figures(), since=DAY - timedelta(days=60)) is None

    def test_the_outlook_names_the_day(self):
        standing = Standing("captain", DAY - timedelta(days=70))
        seen = outlook(RULES, standing, everywhere(Figures()), on=DAY, rules_since=DAY - timedelta(days=300))
        assert (seen.kind, seen.tier, seen.on) == ("demoted", "host", DAY + timedelta(days=50))


def test_the_next_tier_is_the_lowest_above_that_is_reached_by_rule():
    assert [getattr(next_rule(RULES, tier), "tier", None) for tier in ("", "host", "captain", "partner", "x")] == [
        "captain", "captain", "partner", None, None,
    ]  # fmt: skip


amounts = st.integers(0, 20_000_000)
rates = st.none() | st.integers(0, 10_000)
some_figures = st.builds(
    Figures,
    own_turnover_fen=amounts,
    team_turnover_fen=amounts,
    group_members=st.integers(0, 300),
    groups_owned=st.integers(0, 4),
    claim_rate_bp=rates,
    on_time_rate_bp=rates,
)
some_standing = st.builds(
    Standing,
    tier=st.sampled_from(["", "host", "captain", "partner"]),
    since=st.integers(0, 400).map(lambda days: DAY - timedelta(days=days)),
    lowered_by_hand=st.booleans(),
)


def rank_after(standing, figures):
    decision = decide(
        RULES, standing, everywhere(figures), on=DAY, looked_on=None, rules_since=DAY - timedelta(days=500)
    )
    return RULES.rank(decision.tier if decision else standing.tier), decision


@given(some_standing, some_figures)
def test_nobody_falls_more_than_one_tier_and_every_change_has_its_reason(standing, figures):
    after, decision = rank_after(standing, figures)
    assert after >= RULES.rank(standing.tier) - 1
    if decision:
        assert decision.tier != standing.tier
        assert decision.judgement.is_met == (decision.kind == "promoted")
        assert any(check.is_met == (decision.kind == "promoted") for check in decision.judgement.checks)


@given(some_standing, some_figures, amounts, st.integers(0, 100))
def test_doing_better_never_ends_lower(standing, figures, more_fen, more_people):
    better = replace(
        figures,
        own_turnover_fen=figures.own_turnover_fen + more_fen,
        team_turnover_fen=figures.team_turnover_fen + more_fen,
        group_members=figures.group_members + more_people,
        claim_rate_bp=figures.claim_rate_bp and figures.claim_rate_bp // 2,
    )
    assert rank_after(standing, better)[0] >= rank_after(standing, figures)[0]


@given(some_standing, some_figures)
def test_who_has_just_risen_does_not_change_again_that_day(standing, figures):
    _, decision = rank_after(standing, figures)
    if decision and decision.kind == "promoted":
        again = decided(decision.tier, figures, since=DAY)
        assert again is None
