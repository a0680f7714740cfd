"""Which plans and promises may go live, and what the guard says of the others."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.commission.guard import PAY_ON_OTHERS_SALES, Switch, check_plan, check_split, worst_case
from kaituan.commission.plan import Plan, read_plan
from kaituan.commission.rules import Holder, LineFacts, explain_line
from kaituan.commission.tests.test_plan import DOCUMENT, changed

ALL_ON = [Switch(rule, "approved by counsel", "Zhao Min", date(2026, 9, 1)) for rule in PAY_ON_OTHERS_SALES]
PLAIN: dict[str, Any] = {
    "version": "v1",
    "tiers": ["host", "captain"],
    "sale": {"base": "paid", "rates_bp": {"host": 1000, "captain": 1300}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}


def codes(plan: Plan, **given: Any) -> set[str]:
    return {finding.code for finding in check_plan(plan, **given).findings}


def test_sale_and_service_alone_are_allowed() -> None:
    report = check_plan(read_plan(PLAIN), margin_bp=2000)
    assert report.findings == ()
    assert report.allowed


def test_pay_on_other_peoples_sales_is_off_until_each_is_switched_on() -> None:
    plan = read_plan(DOCUMENT)
    assert codes(plan) == {f"others_sales.{rule}" for rule in PAY_ON_OTHERS_SALES}
    assert not check_plan(plan).allowed
    assert codes(plan, switches=ALL_ON[1:]) == {"others_sales.differential"}
    assert check_plan(plan, switches=ALL_ON).allowed


def test_the_refusal_names_the_rule_and_the_law() -> None:
    [finding] = check_plan(read_plan(DOCUMENT), switches=ALL_ON[1:]).findings
    assert "differential pays on other people's sales" in finding.text
    assert "《禁止传销条例》第七条" in finding.text


@pytest.mark.parametrize(("reason", "name"), [("", "Zhao Min"), ("approved", " ")])
def test_a_switch_needs_a_reason_and_a_name(reason: str, name: str) -> None:
    with pytest.raises(ValueError, match="needs a reason and the name"):
        Switch("peer", reason, name, date(2026, 9, 1))


@pytest.mark.parametrize("guards", [{}, {"paid_depth": 3}, None])
def test_depth_without_end_or_past_two_is_refused(guards: dict[str, int] | None) -> None:
    assert "paid_depth" in codes(read_plan(PLAIN | {"guards": guards}))


def test_a_promise_past_the_line_cap_is_refused_with_the_worst_case() -> None:
    report = check_plan(read_plan(PLAIN), sale_rate_bp=2500)
    assert not report.allowed
    assert report.worst_case is not None
    assert (report.worst_case.sale_fen, report.worst_case.cap_fen) == (2500, 2000)
    assert "may promise 2500 fen, past its cap of 2000 fen" in report.findings[0].text


def test_a_plan_past_the_margin_is_refused_with_the_worst_case() -> None:
    report = check_plan(read_plan(PLAIN), margin_bp=1400)
    assert [finding.code for finding in report.findings] == ["margin"]
    assert "may cost 1420 fen, past its margin of 1400 fen" in report.findings[0].text


def test_a_fee_per_line_weighs_most_on_the_cheapest_line() -> None:
    plan = read_plan(PLAIN)
    assert check_plan(plan, margin_bp=1500).allowed
    assert not check_plan(plan, margin_bp=1500, paid_fen=500).allowed


def test_more_than_three_tenths_of_an_order_is_warned_of() -> None:
    assert check_split(order_paid_fen=10_000, shared_fen=3000) == []
    [finding] = check_split(order_paid_fen=10_000, shared_fen=3001)
    assert (finding.severity, finding.values["ceiling_fen"]) == ("warned", 3000)
    report = check_plan(read_plan(PLAIN | {"guards": {"paid_depth": 2}}), margin_bp=9_000, sale_rate_bp=3_000)
    assert [finding.code for finding in report.findings] == ["split_ceiling"]
    assert report.allowed


def test_names_that_never_apply_and_falling_brackets_are_warned_of() -> None:
    document = changed(peer={"rates_bp": {"boss": 1}}, team_ladder={"brackets": [[0, 200], [100, 50]]})
    assert codes(read_plan(document), switches=ALL_ON) == {"unlisted_tier", "falling_brackets"}


@given(data=st.data())
def test_no_line_costs_more_than_the_worst_case(data: st.DataObject) -> None:
    """Any seller, any chain, any promise up to the one judged: sale, differential, peer, service stay below."""
    rate = st.integers(0, 10_000)
    tiers = ("host", "captain", "partner")
    rates = st.fixed_dictionaries({}, optional=dict.fromkeys(tiers, rate))
    plan = read_plan(
        {
            "version": "v1",
            "tiers": list(tiers),
            "sale": {
                "base": "paid",
                "rates_bp": data.draw(rates),
                "category_rates_bp": {"fish": data.draw(rates)},
            },
            "service": {"rate_bp": data.draw(rate), "fen_per_line": data.draw(st.integers(0, 500))},
            "differential": data.draw(st.sampled_from([None, {}])),
            "peer": {"rates_bp": data.draw(rates)},
            "guards": {
                "line_cap_bp": data.draw(st.none() | rate),
                "paid_depth": data.draw(st.sampled_from([0, 1, 2])),
            },
        }
    )
    promised = data.draw(st.none() | rate)
    paid_fen = data.draw(st.integers(0, 100_000))
    holder = st.builds(Holder, st.just("x"), st.sampled_from([None, *tiers]))
    line = LineFacts(paid_fen, 0, data.draw(st.sampled_from(["fish", "fruit"])), paid_fen, paid_fen, promised)
    earnings = explain_line(
        plan,
        line,
        seller=data.draw(holder),
        ancestors=data.draw(st.lists(holder, max_size=4)),
        pickup_leader_id="y",
    )
    worst = worst_case(plan, paid_fen=paid_fen, sale_rate_bp=promised)
    assert sum(earning.amount_fen for earning in earnings) <= worst.total_fen
