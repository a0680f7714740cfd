"""The simulator: the engine's own amounts under another plan, and nothing written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.commission.plan import read_plan
from kaituan.ledger.models import Entry, Period
from kaituan.settlement import simulator
from kaituan.settlement.models import CommissionRow, SettledLine
from kaituan.settlement.runs import close_and_settle
from kaituan.settlement.tests.story import FULL_PLAN, MONTH_ENDS, NOON, Shop, books_and_plan, give_back
from tests import factories as make

AFTER = MONTH_ENDS + timedelta(hours=1)
FULL = read_plan(FULL_PLAN)
SIMPLE = read_plan(make.PLAN_DOCUMENT)


@pytest.fixture
def forest(db):
    """p1 partner, referred l1 captain, who referred o1 host, who referred o2 host: the contract's example."""
    books_and_plan(document=FULL_PLAN)
    p1 = make.leader("p1", tier="partner")
    l1 = make.leader("l1", tier="captain", referrer=p1)
    o1 = make.leader("o1", referrer=l1)
    return p1, l1, o1, make.leader("o2", referrer=o1)


def simulate(first=FULL, second=SIMPLE, now=AFTER):
    return simulator.simulate(period=Period.objects.get(), first=first, second=second, now=now)


def test_the_worked_example_of_the_contract_beside_a_plain_plan(forest):
    Shop(forest[3]).sell(100)
    seen = simulate()
    assert (seen.line_count, seen.turnover_fen) == (1, 10_000)
    assert dict(seen.first.by_rule) == {
        "sale": 1000, "service": 120, "differential": 300, "peer": 50, "team_ladder": 0, "dividend": 50,
    }  # fmt: skip
    assert seen.second.total_fen == 1120
    assert (seen.first.share_bp, seen.second.share_bp) == (1520, 1120)
    assert seen.first.margin_left_fen == 10_000 - seen.cost_fen - 1520
    differences = {change.leader.person.name: change.difference_fen for change in seen.losses}
    assert differences == {"l1": -300, "o1": -50, "p1": -50}
    assert seen.losses[0].leader == forest[1], "who loses most comes first"
    assert seen.gains == ()
    assert (seen.first.leaders, seen.second.leaders) == (4, 1)


def test_an_open_period_counts_up_to_now_and_a_settled_one_what_it_paid(forest):
    shop = Shop(forest[3])
    shop.sell(100)
    give_back(
        shop.sell(50, completed_at=MONTH_ENDS - timedelta(hours=1)), 1000, MONTH_ENDS - timedelta(minutes=1)
    )
    assert simulate(now=NOON + timedelta(days=4)).turnover_fen == 10_000
    run = close_and_settle(ends_at=MONTH_ENDS, now=AFTER, acting_person=None, engine="python")
    seen = simulator.simulate(period=run.period, first=FULL, second=FULL, now=AFTER)
    assert (seen.turnover_fen, seen.line_count) == (14_000, 2)
    assert seen.first.total_fen == run.total_fen == seen.second.total_fen
    assert seen.gains == seen.losses == ()


def test_the_periods_of_a_month_that_is_over_are_settled_as_one(forest):
    shop = Shop(forest[3])
    shop.sell(100)
    shop.sell(50, completed_at=NOON + timedelta(days=9))
    shop.sell(25, completed_at=NOON + timedelta(days=34))
    ends = [NOON + timedelta(days=days) for days in (7, 33)]
    close_and_settle(ends_at=ends[0], now=ends[0], acting_person=None, engine="python")
    assert [span.month for span in simulator.spans(Period.objects.all())] == [None, None], "October goes on"
    close_and_settle(ends_at=ends[1], now=ends[1], acting_person=None, engine="python")
    month, *single = simulator.spans(Period.objects.all())
    assert (month.key, month.period.starts_at, month.ends_at) == ("2026-10", NOON, ends[1])
    assert [span.ends_at for span in single] == [None, ends[1], ends[0]]
    seen = simulator.simulate(
        period=month.period, until=month.ends_at, first=FULL, second=SIMPLE, now=NOON + timedelta(days=35)
    )
    assert (seen.line_count, seen.turnover_fen) == (2, 15_000)
    assert seen.first.by_rule["sale"] == 1_500


def test_a_draft_stands_in_for_every_plan_that_lines_name(forest):
    Shop(forest[3]).sell(100)
    make.plan(version="2026-10-b", effective_from=NOON, document={**FULL_PLAN, "version": "2026-10-b"})
    other = Shop(forest[2])
    other.listing.campaign.plan_version = "2026-10-b"
    other.listing.campaign.save()
    other.sell(100)
    draft = read_plan(
        {**make.PLAN_DOCUMENT, "version": "draft", "sale": {"base": "paid", "rates_bp": {"host": 2000}}}
    )
    assert simulate(second=draft).second.by_rule["sale"] == 4000


def test_lines_that_the_cap_cuts_are_counted(forest):
    Shop(forest[3]).sell(100)
    tight = read_plan({**FULL_PLAN, "guards": {"line_cap_bp": 1200, "paid_depth": 2}})
    seen = simulate(second=tight)
    assert (seen.first.capped_lines, seen.second.capped_lines) == (0, 1)
    assert seen.second.by_rule["differential"] + seen.second.by_rule["peer"] <= 200


def test_a_campaigns_promise_stays_whatever_the_plan(forest):
    Shop(forest[3], sale_rate_bp=700).sell(100)
    seen = simulate()
    assert seen.first.by_rule["sale"] == seen.second.by_rule["sale"] == 700


def test_nothing_is_written(forest):
    Shop(forest[3]).sell(100)
    before = Entry.objects.count()
    simulate()
    assert not CommissionRow.objects.exists()
    assert not SettledLine.objects.exists()
    assert Entry.objects.count() == before
    assert Period.objects.get().status == "open"


def test_an_empty_period_pays_nothing_and_one_without_time_is_refused(forest):
    assert simulate().first.total_fen == 0
    with pytest.raises(simulator.NothingToSimulate):
        simulate(now=NOON)


@given(st.lists(st.integers(-(10**9), 10**9)))
def test_every_amount_falls_in_one_bucket(amounts):
    counts = simulator.bucket_counts(amounts)
    assert sum(counts) == len(amounts)
    last = simulator.BUCKETS_FEN[-1]
    assert counts[-1] == sum(fen >= last for fen in amounts)
