"""Reading plans, the sentences of their refusals, and what changed between two versions."""

import copy
import json
from typing import Any

import pytest

from kaituan.commission.plan import PlanRefused, diff, read_plan, read_plan_json

DOCUMENT: dict[str, Any] = {
    "version": "2026-10-a",
    "tiers": ["host", "captain", "partner"],
    "sale": {
        "base": "paid",
        "rates_bp": {"host": 1000, "captain": 1300, "partner": 1500},
        "category_rates_bp": {"seafood": {"host": 800, "captain": 1000, "partner": 1100}},
    },
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "differential": {},
    "peer": {"rates_bp": {"host": 500, "captain": 500, "partner": 300}},
    "team_ladder": {"brackets": [[0, 0], [1_000_000, 100], [5_000_000, 200]]},
    "dividend": {"pool_bp": 50, "tiers": ["partner"], "weight": "territory"},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}


def changed(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT) | parts


def problems_of(document: Any) -> list[str]:
    with pytest.raises(PlanRefused) as refused:
        read_plan(document)
    return refused.value.problems


def test_the_worked_example_is_read() -> None:
    plan = read_plan_json(json.dumps(DOCUMENT))
    assert plan.rate_bp("seafood", "captain") == 1000
    assert plan.rate_bp("fruit", "captain") == 1300
    assert plan.team_ladder is not None
    assert plan.team_ladder.brackets[1] == (1_000_000, 100)


def test_rates_that_are_not_named_and_tiers_that_are_not_listed_give_nothing() -> None:
    plan = read_plan(changed(tiers=["host"], sale={"base": "paid", "rates_bp": {"partner": 1500}}, peer=None))
    assert plan.rate_bp("fruit", "host") == 0
    assert plan.rate_bp("fruit", "partner") == 0
    assert plan.rate_bp("fruit", None) == 0
    assert plan.peer_rate_bp("host") == 0


def test_a_listed_category_without_the_tier_does_not_fall_back() -> None:
    plan = read_plan(
        changed(sale={"base": "paid", "rates_bp": {"host": 9}, "category_rates_bp": {"seafood": {}}})
    )
    assert plan.rate_bp("seafood", "host") == 0
    assert plan.rate_bp("fruit", "host") == 9


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (changed(service={"rate_bp": 100.0}), "service.rate_bp: must be a whole number, not 100.0"),
        (changed(service={"rate_bp": True}), "service.rate_bp: must be a whole number, not True"),
        (changed(service={"rate_bp": "100"}), "service.rate_bp: must be a whole number, not '100'"),
        (changed(service={"rate_bp": 10_001}), "service.rate_bp: must be at most 10000, not 10001"),
        (changed(service={"fen_per_line": -1}), "service.fen_per_line: must be at least 0, not -1"),
        (changed(sale={"rates_bp": {}}), "sale.base: is missing"),
        (changed(sale={"base": "gross"}), "sale.base: must be 'paid' or 'margin', not 'gross'"),
        (
            changed(team_ladder={"brackets": [[5, 1]]}),
            "team_ladder.brackets: the first bracket must start at 0, not at 5",
        ),
        (
            changed(team_ladder={"brackets": [[0, 1], [9, 1], [9, 2]]}),
            "team_ladder.brackets: thresholds must rise, but 9 follows 9",
        ),
        (changed(tiers=["host", "host"]), "tiers: tier 'host' is listed twice"),
        (changed(colour="red"), "colour: a plan has no such key"),
        (
            changed(entry_fee_fen=9900),
            (
                "entry_fee_fen: an entry fee or pay by people recruited cannot be configured "
                "(《禁止传销条例》第七条)"
            ),
        ),
        (
            changed(service={"per_recruit_fen": 100}),
            (
                "service.per_recruit_fen: an entry fee or pay by people recruited cannot be configured "
                "(《禁止传销条例》第七条)"
            ),
        ),
    ],
)
def test_refusals_are_sentences(document: dict[str, Any], sentence: str) -> None:
    assert problems_of(document) == [sentence]


def test_every_problem_is_told_at_once() -> None:
    assert len(problems_of(changed(service={"rate_bp": -1}, sale={"base": "x"}, tiers="host"))) == 3


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(PlanRefused, match="the plan is not JSON"):
        read_plan_json("{version: 1}")


def test_a_version_differs_from_itself_in_nothing() -> None:
    plan = read_plan(DOCUMENT)
    assert diff(plan, read_plan(changed(version="2026-11-a"))) == []


def test_changes_are_told_where_they_are() -> None:
    new = changed(version="2026-11-a", peer=None, service={"rate_bp": 120, "fen_per_line": 20})
    new["sale"]["rates_bp"]["host"] = 1200
    new["sale"]["category_rates_bp"]["fruit"] = {"host": 900}
    new["guards"] = {"paid_depth": 2}
    changes = diff(read_plan(DOCUMENT), read_plan(new))
    assert [(change.kind, change.text) for change in changes] == [
        ("changed", "sale.rates_bp.host: 1000 -> 1200"),
        ("added", 'sale.category_rates_bp.fruit: {"host": 900} (new)'),
        ("changed", "service.rate_bp: 100 -> 120"),
        ("removed", 'peer: {"rates_bp": {"host": 500, "captain": 500, "partner": 300}} -> off'),
        ("removed", "guards.line_cap_bp: 2000 -> off"),
    ]


def test_switching_on_a_part_without_settings_is_a_change() -> None:
    old = read_plan(changed(differential=None))
    assert [change.text for change in diff(old, read_plan(DOCUMENT))] == ["differential: on (new)"]
