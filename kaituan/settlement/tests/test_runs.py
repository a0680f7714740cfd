"""A closed period is settled once, wholly, to the fen of the contract; whatever is killed leaves nothing."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from kaituan.commission.models import PlanVersion
from kaituan.ledger import queries as books
from kaituan.ledger.models import Entry, Period
from kaituan.ledger.periods import stamp
from kaituan.ledger.services import LedgerError
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import OrderAdjustment
from kaituan.people.models import LeaderTier
from kaituan.settlement import runs
from kaituan.settlement.models import CommissionRow, SettledLine, SettlementRun, Statement
from kaituan.settlement.postings import COMMISSION_COST, payable_account
from kaituan.settlement.tests.story import FULL_PLAN, MONTH_ENDS, NOON, Shop, books_and_plan, give_back
from tests import factories as make

pytestmark = pytest.mark.django_db
AFTER = MONTH_ENDS + timedelta(hours=1)


class Killed(Exception):
    """Stands for whatever ends a worker in the middle."""


def settle(ends_at=MONTH_ENDS, engine="python", now=None):
    return runs.close_and_settle(
        ends_at=ends_at, now=now or ends_at + timedelta(hours=1), acting_person=None, engine=engine
    )


def amounts(period=None) -> dict[tuple[str, str], int]:
    rows = CommissionRow.objects.filter(**({"period": period} if period else {}))
    return {
        (row.leader.person.name, row.rule): row.amount_fen for row in rows.select_related("leader__person")
    }


def payable(leader) -> int:
    return books.balance_fen(payable_account(leader_id=leader.pk))


@pytest.fixture
def forest():
    """The worked example of the contract: p1 referred l1, who referred o1, who referred o2."""
    books_and_plan(document=FULL_PLAN)
    p1 = make.leader("p1", tier="partner")
    l1 = make.leader("l1", tier="captain", referrer=p1)
    o1 = make.leader("o1", tier="host", referrer=l1)
    return p1, l1, o1, make.leader("o2", tier="host", referrer=o1)


def test_the_worked_example_of_the_contract_comes_out_of_the_database(forest):
    o2 = forest[3]
    line = Shop(o2).sell(100)
    run = settle()
    assert amounts() == {
        ("o2", "sale"): 1000,
        ("l1", "differential"): 300,
        ("o1", "peer"): 50,
        ("o2", "service"): 120,
        ("p1", "dividend"): 50,
    }
    assert (run.line_count, run.row_count, run.total_fen, run.plan_version) == (1, 5, 1520, make.PLAN)
    assert {row.line_id for row in CommissionRow.objects.exclude(rule="dividend")} == {line.pk}
    assert CommissionRow.objects.get(rule="dividend").line_id is None
    assert [payable(leader) for leader in forest] == [50, 300, 50, 1120]
    assert books.balance_fen(COMMISSION_COST) == 1520
    assert books.broken_invariants() == []
    statement = Statement.objects.get(leader=o2)
    assert (statement.total_fen, statement.row_count) == (1120, 2)
    told = OutboxMessage.objects.filter(topic="statement_ready")
    assert {message.payload["leader_id"] for message in told} == {leader.pk for leader in forest}


def test_settling_again_changes_nothing(forest):
    Shop(forest[3]).sell(100)
    first = settle()
    entries = Entry.objects.count()
    assert settle() == first
    assert runs.settle_period(period=first.period, now=AFTER, acting_person=None, engine="python") == first
    assert (SettlementRun.objects.count(), Entry.objects.count(), Period.objects.count()) == (1, entries, 2)


def test_what_is_undone_later_is_taken_back_in_the_next_period_and_pay_for_work_stays(forest):
    _p1, l1, o1, o2 = forest
    line = Shop(o2).sell(100)
    settle()
    give_back(line, 10_000, MONTH_ENDS + timedelta(days=2))
    second = settle(MONTH_ENDS + timedelta(days=30))
    assert amounts(second.period) == {
        ("o2", "sale"): -1000,
        ("l1", "differential"): -300,
        ("o1", "peer"): -50,
    }
    assert [payable(leader) for leader in (l1, o1, o2)] == [0, 0, 120]
    give_back_again = settle(MONTH_ENDS + timedelta(days=60))
    assert give_back_again.row_count == 0
    assert books.broken_invariants() == []


def test_what_was_earned_on_undone_lines_is_netted_against_other_earnings():
    books_and_plan()
    leader = make.leader("王姐", tier="host")
    shop = Shop(leader)
    line = shop.sell(100)
    settle()
    give_back(line, 10_000, MONTH_ENDS)
    settle(MONTH_ENDS + timedelta(days=1))
    assert payable(leader) == 120
    other = shop.sell(1000, completed_at=MONTH_ENDS + timedelta(days=2))
    settle(MONTH_ENDS + timedelta(days=10))
    give_back(other, 100_000, MONTH_ENDS + timedelta(days=11))
    settle(MONTH_ENDS + timedelta(days=20))
    assert payable(leader) == 120 + 1020


def test_a_period_takes_what_was_completed_from_its_start_to_just_before_its_end(forest):
    shop = Shop(forest[3])
    first = shop.sell(10, completed_at=NOON)
    last = shop.sell(20, completed_at=MONTH_ENDS - timedelta(microseconds=1))
    next_one = shop.sell(30, completed_at=MONTH_ENDS)
    run = settle()
    counted = SettledLine.objects.filter(period=run.period).values_list("line_id", flat=True)
    assert set(counted) == {first.pk, last.pk}
    second = settle(MONTH_ENDS + timedelta(days=1))
    assert list(SettledLine.objects.filter(period=second.period)) == [SettledLine(next_one.pk)]


def test_a_discount_lowers_the_base_and_a_remedy_before_the_settlement_too(forest):
    line = Shop(forest[3]).sell(100)
    OrderAdjustment.objects.create(
        order_id=line.order_id, line=line, kind="discount", amount_fen=-1000, created_at=NOON
    )
    give_back(line, 2000, line.completed_at + timedelta(minutes=1))
    settle()
    assert amounts()[("o2", "sale")] == 700
    assert amounts()[("o2", "service")] == 90 + 20, "at the hand-over 90 yuan stood"


def test_the_campaigns_promise_and_the_category_rate_count():
    books_and_plan(document=FULL_PLAN)
    sea = make.variant(make.product("带鱼", category=make.category("seafood", "海鲜")))
    fish = make.offer(make.campaign(), make.pool(sea, 100_000), price_fen=100, title="带鱼")
    by_plan, helper = make.leader("按规则"), make.leader("帮卖")
    Shop(by_plan, offer=fish).sell(100)
    Shop(helper, offer=fish, sale_rate_bp=700).sell(100)
    settle()
    assert amounts()[("按规则", "sale")] == 800
    assert amounts()[("帮卖", "sale")] == 700


def test_a_category_that_is_changed_later_does_not_change_what_was_settled():
    books_and_plan(document=FULL_PLAN)
    leader = make.leader("王姐")
    shop = Shop(leader)
    line = shop.sell(100)
    settle()
    product = shop.offer.variant.product
    product.category = make.category("seafood", "海鲜")
    product.save()
    give_back(line, 10_000, MONTH_ENDS)
    settle(MONTH_ENDS + timedelta(days=1))
    undone = CommissionRow.objects.filter(line_id=line.pk, rule="sale").values_list("amount_fen", flat=True)
    assert sorted(undone) == [-1000, 1000]


def test_each_line_is_settled_under_the_plan_its_order_promised():
    books_and_plan()
    kind = {**make.PLAN_DOCUMENT, "version": "2026-10-b"}
    kind["sale"] = {"base": "paid", "rates_bp": {"host": 2000}}
    PlanVersion.objects.create(
        version="2026-10-b", document=kind, effective_from=NOON, published_at=NOON, reason="新"
    )
    leader = make.leader("王姐")
    old = Shop(leader)
    new = Shop(leader)
    new.listing.campaign.plan_version = "2026-10-b"
    new.listing.campaign.save()
    lines = old.sell(100), new.sell(100)
    run = settle()
    sales = CommissionRow.objects.filter(rule="sale").order_by("line_id")
    assert [(row.line_id, row.amount_fen, row.plan_version) for row in sales] == [
        (lines[0].pk, 1000, make.PLAN),
        (lines[1].pk, 2000, "2026-10-b"),
    ]
    assert run.plan_version == "2026-10-b", "in force when the period started"


def test_a_period_ends_when_its_end_has_come_and_only_once():
    books_and_plan()
    with pytest.raises(runs.NotYet):
        settle(now=MONTH_ENDS - timedelta(seconds=1))
    settle()
    with pytest.raises(runs.NothingToClose):
        settle(MONTH_ENDS - timedelta(days=1))
    with pytest.raises(runs.SettlementRefused, match="abacus"):
        settle(MONTH_ENDS + timedelta(days=1), engine="abacus")


def test_without_any_plan_an_empty_period_closes_and_a_full_one_says_what_is_missing():
    make.station()
    make.open_books(starts_at=NOON)
    assert settle().row_count == 0
    shop = Shop(make.leader("王姐"))
    shop.sell(10, completed_at=MONTH_ENDS)
    with pytest.raises(runs.NoPlanYet):
        settle(MONTH_ENDS + timedelta(days=1))
    make.plan()
    assert settle(MONTH_ENDS + timedelta(days=1)).line_count == 1, "the period waited, closed, for its plan"


def test_a_run_that_dies_leaves_nothing_and_the_next_finishes_it(forest):
    Shop(forest[3]).sell(100)

    def killed_after(work):
        with transaction.atomic():
            work()
            raise Killed

    with pytest.raises(Killed):
        killed_after(settle)
    assert Period.objects.get().status == "open"
    runs._close(MONTH_ENDS)
    period = Period.objects.get(status="closed")
    with pytest.raises(Killed):
        killed_after(
            lambda: runs.settle_period(period=period, now=AFTER, acting_person=None, engine="python")
        )
    assert not CommissionRow.objects.exists()
    assert not Statement.objects.exists()
    assert settle().total_fen == 1520
    assert books.broken_invariants() == []


@pytest.mark.django_db(transaction=True)
def test_duckdb_reads_the_committed_rows_by_adbc_and_agrees_with_python(forest):
    p1, l1, o1, o2 = forest
    shops = [Shop(leader) for leader in (l1, o1, o2)]
    fish = make.variant(make.product("带鱼", category=make.category("seafood", "海鲜")))
    offer = make.offer(make.campaign(), make.pool(fish, 100_000), price_fen=100, title="带鱼")
    shops.append(Shop(o2, offer=offer, sale_rate_bp=900))
    for number in range(24):
        shop = shops[number % 4]
        at = NOON + timedelta(days=number, seconds=number, microseconds=number * 40_000)
        line = shop.sell(37 * number + 11, completed_at=at, handed_by=(None, p1, o1)[number % 3])
        if number % 5 == 0:
            give_back(line, 300 + number, at + timedelta(days=number, microseconds=7))
    LeaderTier.objects.create(
        leader=o1, tier="captain", effective_from=NOON + timedelta(days=9), reason="升级"
    )
    LeaderTier.objects.create(
        leader=o1, tier="", effective_from=NOON + timedelta(days=9, microseconds=5), reason="误"
    )
    ends = [NOON + timedelta(days=days) for days in (10, 20, 50)]
    for end in ends:
        settle(end, engine="duckdb")
    by_duckdb = list(
        CommissionRow.objects.values_list("period__ends_at", "leader", "rule", "line_id", "amount_fen")
    )
    assert len(by_duckdb) > 60
    assert any(amount < 0 for *_key, amount in by_duckdb)
    assert books.broken_invariants() == []
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE settlement_settlementrun, settlement_statement, settlement_commissionrow,"
            " settlement_settledline, settlement_dispute, settlement_correction"
        )
    for end in ends:
        settle(end, engine="python")
    by_python = list(
        CommissionRow.objects.values_list("period__ends_at", "leader", "rule", "line_id", "amount_fen")
    )
    assert sorted(by_python, key=repr) == sorted(by_duckdb, key=repr)


@pytest.mark.django_db(transaction=True)
def test_two_who_settle_at_once_settle_once(forest):
    Shop(forest[3]).sell(100)
    found, failed = [], []

    def work():
        try:
            found.append(settle(engine="python").pk)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(found)) == 1
    assert [payable(leader) for leader in forest] == [50, 300, 50, 1120]


@pytest.mark.django_db(transaction=True)
def test_what_is_stamped_while_a_period_closes_falls_into_one_period_and_none_is_lost():
    make.open_books(starts_at=NOON)
    late = MONTH_ENDS - timedelta(minutes=5)
    waiting, stamped, failed = threading.Event(), [], []

    def work():
        try:
            waiting.set()
            with transaction.atomic():
                stamped.append(stamp(now=late))
        except LedgerError as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        runs._close(MONTH_ENDS)
        thread.start()
        waiting.wait()
        # Until the closing commits, the writer can only wait.
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert failed == []
    assert stamped == [MONTH_ENDS], "a clock that lags is moved up to the start of the open period"
