"""Where a leader is paid to: entered with care, checked by another, shown by its last digits, forgotten on request."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from kaituan.notices.models import Notice, OutboxMessage
from kaituan.people import services as people
from kaituan.people.models import PayeeAccount, PersonalDataAccess, PersonEvent
from kaituan.people.payees import current_payee, payee_words, shared_with
from kaituan.people.refusals import CheckDigitDoubted, DeletionRefused, InvalidName, PayeeRefused
from kaituan.reporting.inbox import inbox
from kaituan.worker.handlers import HANDLERS
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
CARD = "6200000000000005"
"""Its last digit follows from the others; no bank has issued it."""


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def leader(db):
    return make.leader("王秀兰")


def set_to(leader, number=CARD, *, kind="card", holder="王秀兰", bank="工商银行", now=NOON, **more):
    return people.set_payee_account(
        leader=leader, kind=kind, holder_name=holder, account_number=number, bank_name=bank,
        acting_person=leader.person, now=now, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("card", "6200 0000 0000 0005", CARD),
        ("card", "６２００ 0000-0000-0005", CARD),
        ("card", "120000000001", "120000000001"),
        ("alipay", "+86 139-2000 0001", "13920000001"),
        ("alipay", " wang@example.com ", "wang@example.com"),
        ("wechat", "１３９ 2000 0001", "13920000001"),
        ("wechat", "wang_xl-66", "wang_xl-66"),
    ],
)
def test_a_number_is_kept_as_the_bank_wants_it_however_it_was_typed(leader, kind, typed, kept):
    assert set_to(leader, typed, kind=kind).account_number == kept


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("card", "62000000001", "12 to 19 digits"),
        ("card", "6" * 20, "12 to 19 digits"),
        ("card", "6200 0000 0000 00O5", "12 to 19 digits"),
        ("card", "", "12 to 19 digits"),
        ("card", "62\x0000000000000005", "12 to 19 digits"),
        ("alipay", "139200000", "mobile number or an e-mail"),
        ("alipay", "wang@", "mobile number or an e-mail"),
        ("alipay", "w" * 64 + "@" + "a" * 60 + ".example.com", "mobile number or an e-mail"),
        ("wechat", "王秀兰", "WeChat ID"),
        ("wechat", "6wang", "WeChat ID"),
        ("cheque", "1234567890123", "Choose how"),
    ],
)
def test_what_is_no_account_is_refused_with_one_sentence(leader, kind, typed, words):
    with pytest.raises(PayeeRefused, match=words):
        set_to(leader, typed, kind=kind)
    assert not PayeeAccount.objects.exists()


def test_a_holder_and_for_a_card_its_bank_must_be_named(leader):
    with pytest.raises(InvalidName):
        set_to(leader, holder=" ")
    with pytest.raises(PayeeRefused, match="Which bank"):
        set_to(leader, bank=" ")
    assert set_to(leader, "13920000001", kind="alipay", bank="多余").bank_name == ""


def test_a_card_whose_digits_do_not_fit_is_asked_about_once_and_not_forbidden(leader):
    with pytest.raises(CheckDigitDoubted, match="digit by digit"):
        set_to(leader, "6200000000000006")
    assert set_to(leader, "6200000000000006", number_is_right=True).account_number.endswith("6")
    assert set_to(leader, "123456789012345").pk, "the number of a passbook has no check digit"


def test_a_change_is_another_row_and_the_same_again_is_none(leader):
    first = set_to(leader)
    assert set_to(leader, "6200 0000 0000 0005") == first
    second = set_to(leader, "13920000001", kind="alipay", now=NOON + timedelta(days=1))
    assert current_payee(leader=leader) == second
    assert set_to(leader).pk not in (first.pk, second.pk), "back to the first: a new row, to be checked anew"
    events = PersonEvent.objects.filter(person=leader.person, kind="payee_account_set")
    assert events.count() == 3
    assert CARD not in str(list(events.values()))


def test_another_checks_it_and_checking_twice_is_once(leader):
    row = set_to(leader)
    with pytest.raises(PayeeRefused, match="Somebody else"):
        people.check_payee_account(payee=row, acting_person=leader.person, now=NOON)
    first, second = make.person("出纳"), make.person("会计")
    for number, checker in enumerate((first, second)):
        row = people.check_payee_account(payee=row, acting_person=checker, now=NOON + timedelta(hours=number))
    assert (row.checked_by, row.checked_at) == (first, NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayeeAccount.objects.update(checked_by=leader.person)


def refuse(row, by, *, reason="户名对不上", now=NOON):
    return people.refuse_payee_account(payee=row, reason=reason, acting_person=by, now=now)


def test_another_refuses_it_with_a_reason_once_and_it_is_entered_anew(leader):
    row, cashier = set_to(leader), make.person("出纳")
    with pytest.raises(PayeeRefused, match="Somebody else"):
        refuse(row, leader.person)
    with pytest.raises(PayeeRefused, match="Say why"):
        refuse(row, cashier, reason=" ")
    for reason in ("户名对不上", "另一个理由"):
        row = refuse(row, cashier, reason=reason)
    assert (row.refused_by, row.refused_at, row.refusal) == (cashier, NOON, "户名对不上")
    with pytest.raises(PayeeRefused, match="enter it again"):
        people.check_payee_account(payee=row, acting_person=cashier, now=NOON)
    again = set_to(leader)
    assert again != row, "the same account once more is looked at once more"
    assert people.check_payee_account(payee=again, acting_person=cashier, now=NOON).checked_by == cashier
    with pytest.raises(PayeeRefused, match="checked already"):
        refuse(again, cashier)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayeeAccount.objects.filter(pk=again.pk).update(refused_by=cashier, refused_at=NOON)


class TestTelling:
    """The leader learns what was done with the account, by its end only."""

    @pytest.fixture
    def told(self, leader):
        def read():
            for _run in range(2):
                for message in OutboxMessage.objects.order_by("pk"):
                    for handler in HANDLERS[message.topic]:
                        handler(message)
            return [(row.title, row.body, row.link) for row in reversed(inbox(person=leader.person))]

        return read

    def test_of_the_first_account_and_of_each_change_with_what_to_do_if_it_was_somebody_else(
        self, leader, told
    ):
        set_to(leader)
        set_to(leader)
        set_to(leader, "13920004321", kind="alipay", now=NOON + timedelta(days=1))
        (entered, changed) = told()
        assert entered[0] == "Where you are paid was entered"
        assert entered[1].startswith(
            "工商银行, ending in 0005, on October 1 12:00. Was it you? If not: enter"
        )
        assert changed[0] == "Where you are paid was changed"
        assert changed[1].startswith("New on October 2 12:00: Alipay, ending in 4321. Was it you? If not:")
        assert changed[2] == "/work/money/account/"

    def test_of_its_check_or_refusal_once_each(self, leader, told):
        cashier = make.person("出纳")
        refuse(set_to(leader), cashier)
        row = set_to(leader, "wang@example.com", kind="alipay")
        for _press in range(2):
            people.check_payee_account(payee=row, acting_person=cashier, now=NOON)
        titles = [title for title, _body, _link in told()]
        assert titles == [
            "Where you are paid was entered",
            "Your payee account was not accepted",
            "Where you are paid was changed",
            "Your payee account is accepted",
        ]
        assert told()[-1][1] == "Alipay w***@example.com was checked: it can be paid to."

    def test_neither_number_nor_holder_is_in_what_is_written_for_it(self, leader, told):
        refuse(set_to(leader, holder="王秀兰户名"), make.person("出纳"), reason="户名王秀兰户名不符")
        told()
        written = str(list(OutboxMessage.objects.values())) + str(list(Notice.objects.values()))
        assert CARD not in written
        assert "户名" not in written


def test_who_sees_it_in_full_says_what_for_and_is_written_down(leader):
    row, cashier = set_to(leader), make.person("出纳")
    with pytest.raises(PayeeRefused, match="what for"):
        people.view_payee_account(payee=row, acting_person=cashier, reason=" ", now=NOON)
    seen = people.view_payee_account(payee=row, acting_person=cashier, reason="打款", now=NOON)
    assert seen.account_number == CARD
    log = PersonalDataAccess.objects.get()
    assert (log.actor, log.action, log.subject) == (cashier, "view_payee_account", f"payee_account:{row.pk}")
    assert (log.reason, log.accessed_at, log.row_count) == ("打款", NOON, 1)


@pytest.mark.parametrize(
    ("kind", "number", "words"),
    [
        ("card", CARD, "工商银行, ending in 0005"),
        ("alipay", "13920004321", "Alipay, ending in 4321"),
        ("alipay", "wang@example.com", "Alipay w***@example.com"),
        ("wechat", "wang66", "WeChat, ending in 66"),
    ],
)
def test_it_is_told_from_others_by_its_end(leader, kind, number, words):
    assert payee_words(set_to(leader, number, kind=kind)) == words


def test_leaders_with_one_and_the_same_number_are_found(leader):
    other = make.leader("李姐")
    own, theirs = set_to(leader), set_to(other)
    alone = set_to(make.leader("赵姐"), "13920000001", kind="alipay")
    assert shared_with([own, theirs, alone]) == {own.pk: ["李姐"], theirs.pk: ["王秀兰"]}


def test_who_is_merged_keeps_where_they_are_paid(leader):
    row, kept = set_to(leader), make.person("王秀兰（微信）")
    people.merge_persons(kept=kept, merged=leader.person, acting_person=None, now=NOON, movers=[])
    assert current_payee(leader=kept.leader) == row
    with pytest.raises(PayeeRefused):
        people.check_payee_account(payee=row, acting_person=kept, now=NOON)


def test_who_is_deleted_on_request_leaves_no_account_behind(leader):
    first, second = set_to(leader), set_to(leader, "wang@example.com", kind="alipay")
    refuse(first, make.person("会计"))

    def forget(*, blockers=()):
        people.delete_person(
            person=leader.person,
            acting_person=None,
            reason="本人要求",
            now=NOON,
            blockers=blockers,
            erasers=(),
        )

    with pytest.raises(DeletionRefused):
        forget(blockers=[lambda person: "a withdrawal waits"])
    assert current_payee(leader=leader) == second
    forget()
    for row in (first, second):
        row.refresh_from_db()
        assert (row.holder_name, row.account_number, row.bank_name, row.refusal) == ("", "", "", "")
    assert current_payee(leader=leader) is None
    assert payee_words(first) == "account deleted"
    with pytest.raises(PayeeRefused, match="deleted"):
        people.check_payee_account(payee=first, acting_person=make.person("出纳"), now=NOON)
