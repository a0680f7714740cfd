"""A withdrawal goes to the account that stood when it was asked for, and to none that nobody has checked."""

import json
from datetime import timedelta

import pytest
from django.utils import translation

from kaituan.ledger.models import Entry
from kaituan.notices.models import OutboxMessage
from kaituan.people import services as people
from kaituan.people.models import PayeeAccount, PersonEvent
from kaituan.people.refusals import DeletionRefused
from kaituan.settlement import withdrawals
from kaituan.settlement.models import Withdrawal, WithdrawalEvent
from kaituan.settlement.payout_checks import payee_notes
from kaituan.settlement.persons import delete_person
from kaituan.settlement.tests.test_withdrawals import NOON, YUAN, approve, ask, earn, hold, pay
from tests import factories as make

pytestmark = pytest.mark.django_db
FIRST, SECOND = "6200000000000005", "6200000000000013"
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def leader(db):
    make.station()
    row = make.leader("王秀兰")
    earn(row, 500 * YUAN, with_payee=False)
    return row


@pytest.fixture
def cashier():
    return make.person("出纳")


def enter(leader, number=FIRST, *, holder="王秀兰", now=NOON):
    return people.set_payee_account(
        leader=leader, kind="card", holder_name=holder, account_number=number, bank_name="工商银行",
        number_is_right=True, acting_person=leader.person, now=now,
    )  # fmt: skip


def check(payee, cashier):
    return people.check_payee_account(payee=payee, acting_person=cashier, now=NOON)


def notes_of(row, *, now=NOON):
    rows = Withdrawal.objects.select_related("leader__person", "payee").filter(pk=row.pk)
    return payee_notes(withdrawals=list(rows), now=now).get(row.pk, [])


def test_nothing_is_asked_for_before_it_is_said_where_to(leader):
    with pytest.raises(withdrawals.PayeeMissing, match="where the money"):
        ask(leader, 100 * YUAN)
    assert not Withdrawal.objects.exists()
    account = enter(leader)
    assert ask(leader, 100 * YUAN).payee == account


def test_an_account_that_nobody_has_checked_is_not_paid_to(leader, cashier):
    account = enter(leader)
    row = approve(ask(leader, 100 * YUAN), cashier)
    with pytest.raises(withdrawals.PayeeUnchecked, match="check it first"):
        pay(row, cashier)
    check(account, cashier)
    assert pay(row, cashier).status == "paid"


def test_an_account_that_was_refused_is_neither_asked_for_nor_paid_to(leader, cashier):
    account = enter(leader)
    row = approve(ask(leader, 100 * YUAN), cashier)
    people.refuse_payee_account(payee=account, reason="户名对不上", acting_person=cashier, now=NOON)
    assert notes_of(row)[0] == "Account not accepted: 户名对不上"
    with pytest.raises(withdrawals.PayeeUnchecked, match="not accepted"):
        pay(row, cashier)
    for deed in (
        lambda: ask(leader, 100 * YUAN, key="k2"),
        lambda: withdrawals.pay_to_current(withdrawal=row, acting_person=cashier, now=NOON),
    ):
        with pytest.raises(withdrawals.PayeeMissing, match="enter another"):
            deed()
    check(enter(leader, SECOND), cashier)
    row = withdrawals.pay_to_current(withdrawal=row, acting_person=cashier, now=NOON)
    assert pay(row, cashier).status == "paid"


def test_where_nothing_is_paid_out_nothing_need_be_checked(leader, cashier):
    enter(leader)
    hold(leader, 400 * YUAN)
    row = approve(ask(leader, 100 * YUAN), cashier)
    assert pay(row, cashier, reference="").status == "paid"


def test_another_account_does_not_turn_aside_what_was_asked_for(leader, cashier):
    first = enter(leader)
    row = ask(leader, 100 * YUAN)
    second = enter(leader, SECOND, now=NOON + timedelta(hours=1))
    row = approve(row, cashier)
    assert row.payee == first
    assert ask(leader, 100 * YUAN, key="k2").payee == second
    check(second, cashier)
    with pytest.raises(withdrawals.PayeeUnchecked):
        pay(row, cashier)


def test_the_cashier_may_let_it_go_to_the_new_one_and_that_is_written_down(leader, cashier):
    first = enter(leader)
    row = approve(ask(leader, 100 * YUAN), cashier)
    second = check(enter(leader, SECOND, now=NOON + timedelta(hours=1)), cashier)

    def turn(by):
        return withdrawals.pay_to_current(withdrawal=row, acting_person=by, now=NOON)

    with pytest.raises(withdrawals.OwnWithdrawal):
        turn(leader.person)
    for _press in range(2):
        assert turn(cashier).payee == second
    event = WithdrawalEvent.objects.latest("pk")
    assert (event.from_status, event.to_status, event.actor) == ("approved", "approved", cashier)
    assert event.reason == f"payee_account:{first.pk} > payee_account:{second.pk}"
    assert WithdrawalEvent.objects.count() == 3
    assert pay(row, cashier).status == "paid"
    enter(leader, now=NOON + timedelta(hours=2))
    with pytest.raises(withdrawals.MoveRefused, match="paid out"):
        turn(cashier)


def test_what_was_asked_for_before_accounts_were_kept_gets_one_first(leader, cashier):
    enter(leader)
    row = approve(ask(leader, 100 * YUAN), cashier)
    Withdrawal.objects.update(payee=None)
    assert notes_of(row) == ["No account named: let it go to the one that the leader has entered"]
    with pytest.raises(withdrawals.PayeeMissing, match="names no account"):
        pay(row, cashier)
    row = withdrawals.pay_to_current(withdrawal=row, acting_person=cashier, now=NOON)
    check(row.payee, cashier)
    assert pay(row, cashier).status == "paid"


class TestNotes:
    """What stands by a withdrawal before somebody approves it."""

    def test_an_old_account_that_was_checked_needs_no_words(self, leader, cashier):
        check(enter(leader, now=NOON - WEEK), cashier)
        assert notes_of(ask(leader, 100 * YUAN)) == []

    def test_one_that_is_new_and_unchecked_says_both_for_a_week(self, leader):
        enter(leader)
        row = ask(leader, 100 * YUAN)
        assert notes_of(row) == ["Account not checked yet", "Account entered in the last 7 days"]
        assert notes_of(row, now=NOON + WEEK) == ["Account not checked yet"]

    def test_a_change_is_told_from_a_first_one(self, leader, cashier):
        enter(leader, SECOND, now=NOON - 2 * WEEK)
        check(enter(leader, now=NOON - timedelta(days=6)), cashier)
        assert notes_of(ask(leader, 100 * YUAN)) == ["Account changed in the last 7 days"]

    def test_a_change_after_the_request_is_told_beside_it(self, leader, cashier):
        check(enter(leader, now=NOON - WEEK), cashier)
        row = ask(leader, 100 * YUAN)
        enter(leader, SECOND)
        [note] = notes_of(row)
        assert note.startswith("The leader has entered another account since")

    def test_another_name_another_leader_and_odd_digits_are_told_without_the_number(self, leader, cashier):
        other = make.leader("李姐")
        enter(other, "6200000000000006", holder="李姐", now=NOON - WEEK)
        check(enter(leader, "6200000000000006", holder="李桂芳", now=NOON - WEEK), cashier)
        row = ask(leader, 100 * YUAN)
        assert notes_of(row) == [
            "Holder 李** is not the leader's name on record",
            "The digits of the card do not add up",
            "Also the account of 李姐",
        ]

    def test_a_page_of_withdrawals_costs_two_queries(self, leader, cashier, django_assert_num_queries):
        enter(leader)
        for number in range(4):
            ask(leader, 50 * YUAN, key=f"k{number}")
        rows = list(Withdrawal.objects.select_related("leader__person", "payee"))
        with django_assert_num_queries(2):
            assert len(payee_notes(withdrawals=rows, now=NOON)) == 4


def test_the_number_stands_in_one_table_only(leader, cashier, caplog):
    account = check(enter(leader, holder="王秀兰户名"), cashier)
    row = pay(approve(ask(leader, 100 * YUAN), cashier), cashier)
    withdrawals.payout_failed(withdrawal=row, reason="退票", acting_person=cashier, now=NOON)
    people.view_payee_account(payee=account, acting_person=cashier, reason="打款", now=NOON)
    written = [
        list(rows.values())
        for rows in (
            OutboxMessage.objects.all(),
            Entry.objects.all(),
            WithdrawalEvent.objects.all(),
            PersonEvent.objects.all(),
            Withdrawal.objects.all(),
        )
    ]
    assert all(written)
    for said in (json.dumps(written, default=str, ensure_ascii=False), caplog.text, str(account)):
        assert FIRST not in said
        assert "户名" not in said


def test_a_person_is_forgotten_with_the_account_when_nothing_waits_for_it(leader, cashier):
    account = check(enter(leader), cashier)
    row = approve(ask(leader, 100 * YUAN), cashier)

    def forget():
        delete_person(person=leader.person, acting_person=cashier, reason="本人要求", now=NOON)

    with pytest.raises(DeletionRefused):
        forget()
    withdrawals.refuse_withdrawal(withdrawal=row, reason="本人注销", acting_person=cashier, now=NOON)
    earned_fen = 500 * YUAN
    rest = approve(ask(leader, earned_fen, key="rest"), cashier)
    pay(rest, cashier)
    forget()
    account.refresh_from_db()
    assert (account.holder_name, account.account_number) == ("", "")
    rest.refresh_from_db()
    assert rest.payee == account, "the books still name the row"
    assert not PayeeAccount.objects.exclude(account_number="").filter(leader=leader).exists()
