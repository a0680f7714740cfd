"""One line, step by step, as the contract tells it; the worked example is the first test."""

import timeit
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaituan.commission.plan import Plan, read_plan
from kaituan.commission.rules import Earning, Holder, LineFacts, explain_line
from kaituan.commission.tests.test_plan import DOCUMENT, changed

O2 = Holder("o2", "host")
ABOVE = (Holder("o1", "host"), Holder("l1", "captain"), Holder("p1", "partner"))


def line(paid_fen: int = 10_000, **facts: Any) -> LineFacts:
    known = {"cost_fen": 7000, "category": "fruit", "net_fen": paid_fen, "service_net_fen": paid_fen}
    return LineFacts(paid_fen=paid_fen, **known | facts)


def paid(plan: Plan, facts: LineFacts, **who: Any) -> dict[tuple[str, str], int]:
    given = {"seller": O2, "ancestors": ABOVE, "pickup_leader_id": "o2"} | who
    return {(each.leader_id, each.rule): each.amount_fen for each in explain_line(plan, facts, **given)}


def test_worked_example() -> None:
    assert paid(read_plan(DOCUMENT), line()) == {
        ("o2", "sale"): 1000,
        ("l1", "differential"): 300,
        ("o1", "peer"): 50,
        ("o2", "service"): 120,
    }


def test_without_depth_the_partner_is_in_reach() -> None:
    plan = read_plan(changed(guards={}))
    assert paid(plan, line())["p1", "differential"] == 200


def test_ancestors_without_a_tier_are_passed_but_count_as_steps() -> None:
    above = (Holder("o1", None), Holder("l1", None), Holder("p1", "partner"))
    assert paid(read_plan(DOCUMENT), line(), ancestors=above) == {
        ("o2", "sale"): 1000,
        ("o2", "service"): 120,
    }


def test_a_promise_replaces_the_rate_and_lifts_the_top() -> None:
    plan = read_plan(changed(guards={"paid_depth": 2}))
    assert paid(plan, line(sale_rate_bp=1200)) == {
        ("o2", "sale"): 1200,
        ("l1", "differential"): 100,
        ("o1", "peer"): 60,
        ("o2", "service"): 120,
    }
    lower = paid(plan, line(sale_rate_bp=500))
    assert (lower["o2", "sale"], lower["l1", "differential"]) == (500, 300)


def test_the_cap_cuts_in_proportion_but_never_the_sale() -> None:
    plan = read_plan(changed(guards={"line_cap_bp": 1100, "paid_depth": 2}))
    assert paid(plan, line()) == {
        ("o2", "sale"): 1000,
        ("l1", "differential"): 300 * 100 // 350,
        ("o1", "peer"): 50 * 100 // 350,
        ("o2", "service"): 120,
    }
    nothing_left = read_plan(changed(guards={"line_cap_bp": 900, "paid_depth": 2}))
    assert paid(nothing_left, line()) == {("o2", "sale"): 1000, ("o2", "service"): 120}


def test_margin_is_paid_on_in_the_part_that_is_left() -> None:
    plan = read_plan(changed(sale={"base": "margin", "rates_bp": {"host": 1000}}))
    assert paid(plan, line(net_fen=3333))["o2", "sale"] == 3000 * 3333 // 10_000 * 1000 // 10_000
    assert ("o2", "sale") not in paid(plan, line(cost_fen=20_000))
    assert paid(plan, line(paid_fen=0)) == {}


def test_service_is_never_more_than_what_was_handed_over() -> None:
    assert paid(read_plan(DOCUMENT), line(paid_fen=5))["o2", "service"] == 5
    assert ("o2", "service") not in paid(read_plan(DOCUMENT), line(service_net_fen=0))
    assert ("o2", "service") not in paid(read_plan(DOCUMENT), line(), pickup_leader_id=None)


def test_every_amount_tells_how_it_came_about() -> None:
    plan = read_plan(changed(guards={"line_cap_bp": 1100, "paid_depth": 2}))
    earnings = explain_line(plan, line(), seller=O2, ancestors=ABOVE, pickup_leader_id="o2")
    [raised] = [each for each in earnings if each.rule == "differential"]
    assert isinstance(raised, Earning)
    assert (raised.rate_bp, raised.base_fen, raised.uncapped_fen, raised.steps_above) == (300, 10_000, 300, 2)
    assert raised.plan_version == "2026-10-a"
    assert [step.text for step in raised.how] == [
        "tier captain has 1300 bp, 1000 bp were already given below",
        "300 bp of 10000 fen: 300 fen",
        "the line cap leaves 100 fen for 350 fen: 85 fen",
    ]


def test_a_line_is_explained_in_less_than_a_millisecond() -> None:
    plan = read_plan(DOCUMENT)
    seconds = timeit.repeat(lambda: paid(plan, line()), number=50, repeat=5)
    assert min(seconds) / 50 < 0.001


@given(
    paid_fen=st.integers(0, 10**12), left=st.integers(0, 10_000), promised=st.none() | st.integers(0, 10_000)
)
def test_no_more_than_the_cap_goes_out_beside_the_sale(
    paid_fen: int, left: int, promised: int | None
) -> None:
    net_fen = paid_fen * left // 10_000
    found = paid(read_plan(DOCUMENT), line(paid_fen, net_fen=net_fen, sale_rate_bp=promised))
    above = sum(amount for (_, rule), amount in found.items() if rule in ("differential", "peer"))
    assert above <= max(0, net_fen * 2000 // 10_000 - found.get(("o2", "sale"), 0))
    assert all(amount > 0 for amount in found.values())
