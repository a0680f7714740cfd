"""A statement opens to its lines and words, goes out as Excel, can be disputed; suspicious returns are named."""

import csv
import io
from datetime import datetime, timedelta

import openpyxl
import pytest
from django.http import Http404
from django.utils.translation import override

from kaituan.ledger.models import Period
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.people.models import PersonalDataAccess, StaffRole
from kaituan.settlement import access, disputes, exports, notices, queries, runs, withdrawals
from kaituan.settlement.models import CommissionRow, Dispute, Statement
from kaituan.settlement.tests.story import FULL_PLAN, MONTH_ENDS, NOON, Shop, books_and_plan, give_back
from tests import factories as make

pytestmark = pytest.mark.django_db


def settle(ends_at=MONTH_ENDS):
    return runs.close_and_settle(
        ends_at=ends_at, now=ends_at + timedelta(hours=1), acting_person=None, engine="python"
    )


def statement_of(leader, run) -> Statement:
    return Statement.objects.get(leader=leader, period=run.period)


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def forest():
    books_and_plan(document=FULL_PLAN)
    p1 = make.leader("p1", tier="partner")
    l1 = make.leader("l1", tier="captain", referrer=p1)
    o1 = make.leader("o1", tier="host", referrer=l1)
    return p1, l1, o1, make.leader("o2", tier="host", referrer=o1)


def test_every_amount_opens_to_its_line_rule_rate_and_plan_in_one_order(forest):
    o2 = forest[3]
    shop = Shop(o2)
    lines = [shop.sell(100), shop.sell(50)]
    run = settle()
    rows = queries.statement_rows(statement=statement_of(o2, run))
    assert [(row.rule, row.line_id, row.amount_fen, row.rate_bp, row.base_fen) for row in rows] == [
        ("sale", lines[0].pk, 1000, 1000, 10_000),
        ("sale", lines[1].pk, 500, 1000, 5_000),
        ("service", lines[0].pk, 120, 100, 10_000),
        ("service", lines[1].pk, 70, 100, 5_000),
    ]
    assert rows[0].words == "橙子 5斤×100, paid ¥100.00: 10% of it is ¥10.00"
    assert (rows[0].order_id, rows[0].follow_number, rows[0].campaign) == (lines[0].order_id, 1, "周五水果团")
    assert {row.plan_version for row in rows} == {make.PLAN}
    totals = queries.statement_totals(statement=statement_of(o2, run))
    assert [(total.rule, total.amount_fen, total.row_count) for total in totals] == [
        ("sale", 1500, 2),
        ("service", 190, 2),
    ]
    page = queries.statement_rows(statement=statement_of(o2, run), rule="service", offset=1, limit=1)
    assert [row.line_id for row in page] == [lines[1].pk]


def test_every_explained_amount_is_the_amount_that_was_paid(forest):
    shops = [Shop(leader) for leader in forest]
    lines = [
        shop.sell(17 * number + 33, handed_by=forest[number % 4])
        for number, shop in enumerate([*shops, *shops, *shops])
    ]
    give_back(lines[2], 1_234, lines[2].completed_at)
    first = settle()
    for line in lines[::2]:
        give_back(line, 777, MONTH_ENDS + timedelta(days=1))
    second = settle(MONTH_ENDS + timedelta(days=9))
    checked = 0
    for run in (first, second):
        for statement in Statement.objects.filter(period=run.period):
            for row in CommissionRow.objects.filter(period=run.period, leader_id=statement.leader_id):
                explained = queries.explain_row(row=row)
                if row.line_id is None:
                    assert explained is None
                    continue
                assert (explained.amount_fen, explained.plan_version) == (row.amount_fen, row.plan_version)
                assert explained.words
                checked += 1
    assert checked > 40


def test_a_statement_costs_the_same_queries_however_long_it_is(forest, django_assert_num_queries):
    shop = Shop(forest[3])
    for _number in range(5):
        shop.sell(20)
    statement = statement_of(forest[3], settle())
    queries.statement_rows(statement=statement)
    with django_assert_num_queries(8):
        assert len(queries.statement_rows(statement=statement)) == 10


def test_the_excel_file_holds_the_page_and_no_formula(forest):
    shop = Shop(forest[3])
    shop.listing.campaign.title = '=HYPERLINK("http://bad")'
    shop.listing.campaign.save()
    shop.sell(100)
    statement = statement_of(forest[3], settle())
    file = exports.statement_workbook(statement=statement)
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert [cell.value for cell in sheet[1]][:3] == ["Statement", "o2", "2026-10-01 – 2026-10-31"]
    sale = [cell.value for cell in sheet[4]]
    assert sale[0] == "Sale commission"
    assert sale[4:] == ["橙子 5斤×100, paid ¥100.00: 10% of it is ¥10.00", 100, "10%", 10, make.PLAN]
    assert (sheet["B4"].value, sheet["B4"].data_type) == ('=HYPERLINK("http://bad")', "s")
    assert [cell.value for cell in sheet[6]][7] == 11.2


def test_a_leader_disputes_an_amount_once_and_reads_the_answer(forest):
    o2 = forest[3]
    Shop(o2).sell(100)
    run = settle()
    statement = statement_of(o2, run)
    row = CommissionRow.objects.get(leader=o2, rule="sale")
    with pytest.raises(disputes.DisputeRefused):
        disputes.open_dispute(
            statement=statement, row=row, words=" ", acting_person=o2.person, now=MONTH_ENDS
        )
    foreign = CommissionRow.objects.get(leader=forest[1])
    with pytest.raises(disputes.DisputeRefused):
        disputes.open_dispute(
            statement=statement, row=foreign, words="不对", acting_person=o2.person, now=MONTH_ENDS
        )
    cases = [
        disputes.open_dispute(
            statement=statement, row=row, words="应按 13% 算", acting_person=o2.person, now=MONTH_ENDS
        )
        for _click in range(2)
    ]
    assert cases[0] == cases[1]
    boss = make.person("陈总")
    with pytest.raises(disputes.DisputeRefused):
        disputes.answer_dispute(dispute=cases[0], answer="", acting_person=boss, now=MONTH_ENDS)
    answered = disputes.answer_dispute(
        dispute=cases[0], answer="十一月起为团长", acting_person=boss, now=MONTH_ENDS
    )
    assert (answered.answer, answered.answered_by) == ("十一月起为团长", boss)
    with pytest.raises(disputes.DisputeRefused):
        disputes.answer_dispute(dispute=cases[0], answer="另一个", acting_person=boss, now=MONTH_ENDS)
    again = disputes.open_dispute(
        statement=statement, row=row, words="还是不对", acting_person=o2.person, now=MONTH_ENDS
    )
    assert again.pk != cases[0].pk
    whole = disputes.open_dispute(
        statement=statement, row=None, words="少了一单", acting_person=o2.person, now=MONTH_ENDS
    )
    assert Dispute.objects.filter(answered_at__isnull=True).count() == 2
    assert whole.row is None


def test_a_leader_sees_own_statements_only_and_the_office_all(forest):
    p1, _l1, _o1, o2 = forest
    Shop(o2).sell(100)
    run = settle()
    own, other = make.account(o2.person), make.account(p1.person)
    statement = statement_of(o2, run)
    row = CommissionRow.objects.get(leader=o2, rule="sale")
    assert access.own_statement(own, statement.public_id) == statement
    assert access.own_row(own, statement, row.pk) == row
    cashier = make.account(make.person("出纳"), is_staff=True)
    StaffRole.objects.create(person=cashier.person, role="cashier", effective_from=NOON)
    assert access.statement_for_staff(cashier, statement.public_id, now=NOON) == statement
    for visitor in (other, make.account(), None):
        with pytest.raises(Http404):
            access.own_statement(visitor, statement.public_id)
        with pytest.raises(Http404):
            access.own_row(visitor, statement, row.pk)
        with pytest.raises(Http404):
            access.statement_for_staff(visitor, statement.public_id, now=NOON)
    with pytest.raises(Http404):
        access.own_row(own, statement, CommissionRow.objects.exclude(leader=o2).first().pk)


def test_bought_before_and_returned_after_is_named():
    books_and_plan()
    honest, quick, unlucky = make.leader("诚信"), make.leader("刷单"), make.leader("一单")
    shops = [Shop(leader) for leader in (honest, quick, unlucky)]
    sold = {shop: [shop.sell(100) for _number in range(10)] for shop in shops}
    period = settle().period
    for line in sold[shops[1]][:4]:
        give_back(line, 10_000, MONTH_ENDS + timedelta(days=2))
    for line in sold[shops[0]][:4]:
        give_back(line, 10_000, MONTH_ENDS + timedelta(days=30))
    give_back(sold[shops[2]][0], 10_000, MONTH_ENDS + timedelta(days=1))
    [pattern] = queries.returns_after_period(period=period)
    assert (pattern.leader_id, pattern.sold_fen, pattern.returned_fen) == (quick.pk, 100_000, 40_000)
    assert (pattern.line_count, pattern.person_count, pattern.share_bp) == (4, 1, 4_000)


def test_the_quarterly_file_lists_income_and_tax_and_is_logged(forest):
    o2 = forest[3]
    o2.person.name = "=cmd|张"
    o2.person.save()
    Shop(o2).sell(1000)
    settle()
    cashier = make.person("出纳")
    row = withdrawals.request_withdrawal(
        leader=o2, amount_fen=10_000, idempotency_key="k", acting_person=o2.person, now=MONTH_ENDS
    )
    withdrawals.approve_withdrawals(withdrawal_ids=[row.pk], acting_person=cashier, now=MONTH_ENDS)
    withdrawals.mark_paid(withdrawal=row, payout_reference="1", acting_person=cashier, now=MONTH_ENDS)
    file = exports.income_file(year=2026, quarter=4, acting_person=cashier, now=MONTH_ENDS)
    lines = {line["leader"]: line for line in csv.DictReader(io.StringIO(file.decode("utf-8-sig")))}
    mine = lines[o2.public_id]
    assert (mine["name"], mine["quarter"], mine["payouts"], mine["income_yuan"], mine["tax_withheld_yuan"]) == (
        "'=cmd|张", "2026Q4", "1", "100.00", "0.00"
    )  # fmt: skip
    assert (mine["settled_sale_yuan"], mine["settled_service_yuan"]) == ("100.00", "10.20")
    assert lines[forest[1].public_id]["settled_other_yuan"] == "30.00"
    logged = PersonalDataAccess.objects.get()
    assert (logged.actor, logged.action, logged.row_count) == (cashier, "export_leader_income", 4)
    empty = exports.income_file(year=2026, quarter=1, acting_person=cashier, now=MONTH_ENDS)
    assert len(empty.decode("utf-8-sig").splitlines()) == 1
    with pytest.raises(exports.ExportRefused):
        exports.income_file(year=2026, quarter=5, acting_person=cashier, now=MONTH_ENDS)


def test_quarters_are_those_of_beijing():
    start, end = exports.quarter_bounds(year=2026, quarter=4)
    assert start == datetime.fromisoformat("2026-10-01T00:00:00+08:00")
    assert end == datetime.fromisoformat("2027-01-01T00:00:00+08:00")


def test_a_leaders_balance_says_what_is_payable_waiting_held_and_paid(forest):
    o2 = forest[3]
    Shop(o2).sell(1000)
    settle()
    balance = queries.leader_balance(leader=o2, now=NOON)
    assert (balance.payable_fen, balance.waiting_fen, balance.may_withdraw) == (11_020, 0, True)
    withdrawals.request_withdrawal(
        leader=o2, amount_fen=10_500, idempotency_key="k", acting_person=o2.person, now=MONTH_ENDS
    )
    balance = queries.leader_balance(leader=o2, now=NOON)
    assert (balance.payable_fen, balance.waiting_fen, balance.may_withdraw) == (520, 10_500, False)


def test_everybody_who_is_touched_is_told_once(forest):
    o2 = forest[3]
    cashier = make.account(make.person("出纳"), is_staff=True).person
    StaffRole.objects.create(person=cashier, role="cashier", effective_from=NOON)
    Shop(o2).sell(1000)
    statement = statement_of(o2, settle())
    row = withdrawals.request_withdrawal(
        leader=o2, amount_fen=10_000, idempotency_key="k", acting_person=o2.person, now=MONTH_ENDS
    )
    withdrawals.approve_withdrawals(withdrawal_ids=[row.pk], acting_person=cashier, now=MONTH_ENDS)
    withdrawals.mark_paid(withdrawal=row, payout_reference="1", acting_person=cashier, now=MONTH_ENDS)
    withdrawals.payout_failed(withdrawal=row, reason="户名不符", acting_person=cashier, now=MONTH_ENDS)
    case = disputes.open_dispute(
        statement=statement, row=None, words="?", acting_person=o2.person, now=MONTH_ENDS
    )
    disputes.answer_dispute(dispute=case, answer="!", acting_person=cashier, now=MONTH_ENDS)
    handlers = {
        "statement_ready": notices.statement_is_ready,
        "withdrawal_requested": notices.withdrawal_was_requested,
        "withdrawal_approved": notices.withdrawal_was_decided,
        "withdrawal_paid": notices.withdrawal_was_decided,
        "withdrawal_failed": notices.withdrawal_was_decided,
        "dispute_opened": notices.dispute_was_opened,
        "dispute_answered": notices.dispute_was_answered,
    }
    for _run in range(2):
        for message in OutboxMessage.objects.filter(topic__in=handlers).order_by("pk"):
            handlers[message.topic](message)
    told = Notice.objects.filter(person_id=o2.person_id).order_by("pk").values_list("kind", flat=True)
    assert list(told) == [
        "statement_ready", "withdrawal_approved", "withdrawal_paid", "withdrawal_failed", "dispute_answered"
    ]  # fmt: skip
    asked = Notice.objects.filter(person_id=cashier.pk).order_by("pk").values_list("kind", flat=True)
    assert list(asked) == ["withdrawal_requested", "dispute_opened"]
    assert Period.objects.count() == 2
