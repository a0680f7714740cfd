"""A leader takes out what was earned, once, net of members' money and tax; what is not paid comes back."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from kaituan.ledger import queries as books
from kaituan.ledger.models import AccountKind, Entry, Transfer
from kaituan.ledger.services import AccountRef, Move, lock_balances_fen, post_entry
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import Remittance
from kaituan.reporting.tests.town import Town
from kaituan.settlement import withdrawals
from kaituan.settlement.models import TaxRule, Withdrawal, WithdrawalEvent
from kaituan.settlement.postings import (
    BANK,
    COMMISSION_COST,
    TAX_WITHHELD,
    held_account,
    payable_account,
    withdrawal_account,
)
from kaituan.settlement.queries import leader_balance
from kaituan.settlement.tests.races import in_a_thread, until_it_waits_for_me
from kaituan.settlement.withholding import rule_in_force, year_so_far
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON
YUAN = 100


@pytest.fixture
def leader():
    make.station(withdrawal_minimum_fen=1_000)
    row = make.leader("王姐")
    earn(row, 500 * YUAN)
    return row


@pytest.fixture
def cashier():
    return make.person("出纳")


def earn(leader, fen: int, key: str = "", *, with_payee: bool = True) -> None:
    if with_payee and not leader.payee_accounts.exists():
        make.payee_account(leader)
    move = Move(COMMISSION_COST, payable_account(leader_id=leader.pk), fen)
    post_entry(
        key=f"earned:{leader.pk}{key}", kind="commission_settled", reference="period:1", occurred_at=NOON, moves=[move]
    )  # fmt: skip


def hold(leader, fen: int) -> None:
    move = Move(held_account(leader_id=leader.pk), AccountRef(AccountKind.PREPAYMENT), fen)
    post_entry(
        key=f"held:{leader.pk}", kind="payment_received", reference="order:1", occurred_at=NOON, moves=[move]
    )


def ask(leader, fen: int, key: str = "k1", now: datetime = NOON) -> Withdrawal:
    return withdrawals.request_withdrawal(
        leader=leader, amount_fen=fen, idempotency_key=key, acting_person=leader.person, now=now
    )


def approve(row: Withdrawal, cashier) -> Withdrawal:
    [row] = withdrawals.approve_withdrawals(withdrawal_ids=[row.pk], acting_person=cashier, now=NOON)
    return row


def pay(row: Withdrawal, cashier, reference: str = "20261001-7") -> Withdrawal:
    return withdrawals.mark_paid(
        withdrawal=row, payout_reference=reference, acting_person=cashier, now=NOON + timedelta(hours=2)
    )


def balances(leader, row: Withdrawal) -> tuple[int, int, int, int, int]:
    """Payable, held, due for the withdrawal, tax withheld, and what left the bank."""
    refs = (
        payable_account(leader_id=leader.pk),
        held_account(leader_id=leader.pk),
        withdrawal_account(withdrawal_id=row.pk),
        TAX_WITHHELD,
        BANK,
    )
    payable, held, due, tax, bank = (books.balance_fen(ref) for ref in refs)
    return payable, held, due, tax, -bank


def test_asked_for_approved_and_paid_net_of_what_the_leader_holds(leader, cashier):
    hold(leader, 120 * YUAN)
    row = ask(leader, 300 * YUAN)
    assert (row.netted_fen, row.tax_fen, row.payout_fen) == (120 * YUAN, 0, 180 * YUAN)
    assert balances(leader, row) == (200 * YUAN, 0, 180 * YUAN, 0, 0)
    row = pay(approve(row, cashier), cashier)
    assert (row.status, row.payout_reference) == ("paid", "20261001-7")
    assert balances(leader, row) == (200 * YUAN, 0, 0, 0, 180 * YUAN)
    moves = WithdrawalEvent.objects.order_by("pk").values_list("from_status", "to_status", "actor__name")
    assert list(moves) == [
        ("", "requested", "王姐"),
        ("requested", "approved", "出纳"),
        ("approved", "paid", "出纳"),
    ]
    topics = OutboxMessage.objects.filter(topic__startswith="withdrawal").order_by("pk")
    assert [message.topic for message in topics] == [
        "withdrawal_requested", "withdrawal_approved", "withdrawal_paid"
    ]  # fmt: skip
    assert books.broken_invariants() == []


def test_two_clicks_ask_once(leader):
    first = ask(leader, 100 * YUAN)
    assert ask(leader, 100 * YUAN) == first
    assert balances(leader, first)[0] == 400 * YUAN
    with pytest.raises(withdrawals.WithdrawalRefused):
        ask(make.leader("李姐"), 100 * YUAN)


@pytest.mark.parametrize(
    ("fen", "refusal", "words"),
    [
        (999, withdrawals.TooLittle, "10.00"),
        (0, withdrawals.TooLittle, "10.00"),
        (-5_000, withdrawals.TooLittle, "10.00"),
        (500 * YUAN + 1, withdrawals.NotEnough, "500.00"),
    ],
)
def test_not_less_than_the_minimum_and_not_more_than_is_payable(leader, fen, refusal, words):
    with pytest.raises(refusal, match=words):
        ask(leader, fen)
    assert not Withdrawal.objects.exists()
    assert books.balance_fen(payable_account(leader_id=leader.pk)) == 500 * YUAN


def test_a_leader_in_debt_can_withdraw_nothing(cashier):
    make.station()
    leader = make.leader("欠款")
    earn(leader, 50 * YUAN)
    move = Move(payable_account(leader_id=leader.pk), COMMISSION_COST, 80 * YUAN)
    post_entry(key="undone", kind="commission_settled", reference="period:2", occurred_at=NOON, moves=[move])
    with pytest.raises(withdrawals.NotEnough, match=r"0\.00"):
        ask(leader, 10 * YUAN)


def test_money_that_is_on_its_way_by_a_remittance_is_not_netted_too(leader):
    hold(leader, 100 * YUAN)
    Remittance.objects.create(leader=leader, amount_fen=70 * YUAN, reference="转账1", announced_at=NOON)
    assert ask(leader, 200 * YUAN).netted_fen == 30 * YUAN


def test_a_withdrawal_may_only_settle_what_is_held(leader, cashier):
    hold(leader, 400 * YUAN)
    row = ask(leader, 100 * YUAN)
    assert (row.netted_fen, row.payout_fen) == (100 * YUAN, 0)
    row = pay(approve(row, cashier), cashier, reference="")
    assert balances(leader, row) == (400 * YUAN, 300 * YUAN, 0, 0, 0)


@pytest.mark.parametrize("approved_first", [False, True])
def test_refused_means_all_of_it_is_back(leader, cashier, approved_first):
    hold(leader, 50 * YUAN)
    row = ask(leader, 200 * YUAN)
    if approved_first:
        row = approve(row, cashier)
    with pytest.raises(withdrawals.WithdrawalRefused):
        withdrawals.refuse_withdrawal(withdrawal=row, reason=" ", acting_person=cashier, now=NOON)
    for _click in range(2):
        row = withdrawals.refuse_withdrawal(
            withdrawal=row, reason="收款账户不符", acting_person=cashier, now=NOON
        )
    assert balances(leader, row) == (500 * YUAN, 50 * YUAN, 0, 0, 0)
    assert (row.status, row.reason) == ("refused", "收款账户不符")


@pytest.mark.parametrize("paid_first", [False, True])
def test_a_payout_that_bounces_is_back_in_the_balance(leader, cashier, paid_first):
    hold(leader, 50 * YUAN)
    row = approve(ask(leader, 200 * YUAN), cashier)
    if paid_first:
        row = pay(row, cashier)
    for _click in range(2):
        row = withdrawals.payout_failed(withdrawal=row, reason="户名不符", acting_person=cashier, now=NOON)
    assert balances(leader, row) == (500 * YUAN, 50 * YUAN, 0, 0, 0)
    assert row.paid_at is None
    with pytest.raises(withdrawals.MoveRefused):
        pay(row, cashier)
    assert ask(leader, 200 * YUAN, key="again").pk != row.pk
    assert books.broken_invariants() == []


def take_back(row: Withdrawal) -> Withdrawal:
    return withdrawals.take_back_withdrawal(withdrawal=row, acting_person=row.leader.person, now=NOON)


def test_what_nobody_has_approved_is_taken_back_whole_and_once(leader):
    hold(leader, 50 * YUAN)
    row = ask(leader, 200 * YUAN)
    withdrawals.freeze_withdrawals(leader=leader, reason="核实", acting_person=make.person("会计"), now=NOON)
    for _tap in range(2):
        row = take_back(row)
    assert row.status == "taken_back"
    assert balances(leader, row) == (500 * YUAN, 50 * YUAN, 0, 0, 0)
    moves = WithdrawalEvent.objects.order_by("pk").values_list("from_status", "to_status", "actor__name")
    assert list(moves) == [("", "requested", "王姐"), ("requested", "taken_back", "王姐")]
    assert year_so_far(leader=leader, now=NOON).income_fen == {}
    assert books.broken_invariants() == []


def test_what_was_taken_back_is_posted_as_what_a_bank_sent_back(leader, cashier):
    hold(leader, 50 * YUAN)
    bounced = approve(ask(leader, 100 * YUAN), cashier)
    withdrawals.payout_failed(withdrawal=bounced, reason="退票", acting_person=cashier, now=NOON)
    taken = take_back(ask(leader, 100 * YUAN, key="k2"))

    def posted(row):
        entries = Entry.objects.filter(reference=f"withdrawal:{row.pk}").order_by("pk")
        moves = Transfer.objects.filter(entry__in=entries).order_by("pk")
        return (
            [entry.kind for entry in entries],
            [(move.debit.kind, move.credit.kind, move.amount_fen) for move in moves],
        )

    assert posted(taken) == posted(bounced)


def test_what_was_taken_back_is_gone_for_everybody_and_its_key_asks_for_nothing(leader, cashier):
    row = take_back(ask(leader, 100 * YUAN))
    with pytest.raises(withdrawals.MoveRefused, match="已撤回"):
        approve(row, cashier)
    with pytest.raises(withdrawals.MoveRefused):
        withdrawals.refuse_withdrawal(withdrawal=row, reason="晚了", acting_person=cashier, now=NOON)
    with pytest.raises(withdrawals.WithdrawalRefused, match="重新"):
        ask(leader, 100 * YUAN)
    assert ask(leader, 500 * YUAN, key="k2").status == "requested"


@pytest.mark.parametrize(
    ("ends", "words"), [("approved", "审核通过"), ("paid", "审核通过"), ("refused", "没有打款")]
)
def test_what_was_decided_is_not_taken_back(leader, cashier, ends, words):
    row = ask(leader, 100 * YUAN)
    if ends == "refused":
        withdrawals.refuse_withdrawal(withdrawal=row, reason="户名不符", acting_person=cashier, now=NOON)
    else:
        approve(row, cashier)
    if ends == "paid":
        pay(row, cashier)
    with pytest.raises(withdrawals.MoveRefused, match=words):
        take_back(row)
    row.refresh_from_db()
    assert row.status == ends


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """One of two wins; the other is told so, or finds done what it wanted."""

    def test_approved_first_it_cannot_be_taken_back(self, leader, cashier):
        row = ask(leader, 100 * YUAN)
        with transaction.atomic():
            approve(row, cashier)
            taking = in_a_thread(lambda: take_back(row))
            until_it_waits_for_me(taking)
        with pytest.raises(withdrawals.MoveRefused, match="审核通过"):
            taking.result(timeout=30)
        assert balances(leader, row)[:3] == (400 * YUAN, 0, 100 * YUAN)

    def test_taken_back_first_it_cannot_be_approved(self, leader, cashier):
        row = ask(leader, 100 * YUAN)
        with transaction.atomic():
            take_back(row)
            approving = in_a_thread(lambda: approve(row, cashier))
            until_it_waits_for_me(approving)
        with pytest.raises(withdrawals.MoveRefused, match="已撤回"):
            approving.result(timeout=30)
        assert balances(leader, row)[:3] == (500 * YUAN, 0, 0)

    def test_two_tabs_take_it_back_once(self, leader):
        row = ask(leader, 100 * YUAN)
        with transaction.atomic():
            take_back(row)
            again = in_a_thread(lambda: take_back(row))
            until_it_waits_for_me(again)
        assert again.result(timeout=30).status == "taken_back"
        assert balances(leader, row)[:3] == (500 * YUAN, 0, 0)
        assert Entry.objects.filter(reference=f"withdrawal:{row.pk}").count() == 2

    def test_asking_takes_both_balances_in_the_order_in_which_giving_back_does(self, cashier):
        """She holds members' money before she has earned anything, so that the account of it is the older one."""
        make.station(withdrawal_minimum_fen=1_000)
        leader = make.leader("李姐")
        hold(leader, 50 * YUAN)
        earn(leader, 500 * YUAN)
        row = ask(leader, 100 * YUAN)
        with transaction.atomic():
            lock_balances_fen(held_account(leader_id=leader.pk))
            asking = in_a_thread(lambda: ask(leader, 200 * YUAN, key="k2"))
            until_it_waits_for_me(asking)
            take_back(row)
        assert asking.result(timeout=30).netted_fen == 50 * YUAN
        assert books.broken_invariants() == []


def test_only_allowed_moves_and_paying_twice_is_once(leader, cashier):
    row = ask(leader, 100 * YUAN)
    with pytest.raises(withdrawals.MoveRefused):
        pay(row, cashier)
    row = pay(approve(row, cashier), cashier)
    assert pay(row, cashier).status == "paid"
    with pytest.raises(withdrawals.MoveRefused):
        pay(row, cashier, reference="another")
    with pytest.raises(withdrawals.MoveRefused):
        withdrawals.refuse_withdrawal(withdrawal=row, reason="晚了", acting_person=cashier, now=NOON)
    assert balances(leader, row)[4] == 100 * YUAN


def test_a_batch_is_approved_whole_or_not_at_all(leader, cashier):
    other = make.leader("李姐")
    earn(other, 100 * YUAN)
    rows = [ask(leader, 100 * YUAN), ask(other, 100 * YUAN, key="k2")]
    withdrawals.freeze_withdrawals(leader=other, reason="投诉核实中", acting_person=cashier, now=NOON)
    ids = [row.pk for row in rows]
    with pytest.raises(withdrawals.Frozen, match="投诉核实中"):
        withdrawals.approve_withdrawals(withdrawal_ids=ids, acting_person=cashier, now=NOON)
    assert set(Withdrawal.objects.values_list("status", flat=True)) == {"requested"}
    withdrawals.lift_freeze(leader=other, reason="已核实", acting_person=cashier, now=NOON)
    approved = withdrawals.approve_withdrawals(withdrawal_ids=ids, acting_person=cashier, now=NOON)
    assert [row.status for row in approved] == ["approved", "approved"]


def test_a_frozen_leader_is_not_paid_and_cannot_ask(leader, cashier):
    row = approve(ask(leader, 100 * YUAN), cashier)
    first = withdrawals.freeze_withdrawals(leader=leader, reason="核实", acting_person=cashier, now=NOON)
    again = withdrawals.freeze_withdrawals(leader=leader, reason="再点", acting_person=cashier, now=NOON)
    assert again == first
    with pytest.raises(withdrawals.Frozen):
        pay(row, cashier)
    with pytest.raises(withdrawals.Frozen):
        ask(leader, 100 * YUAN, key="k2")


def test_nobody_decides_on_their_own_money_and_a_closed_person_is_not_paid(leader, cashier):
    row = ask(leader, 100 * YUAN)
    with pytest.raises(withdrawals.OwnWithdrawal):
        approve(row, leader.person)
    leader.person.deleted_at = NOON
    leader.person.save()
    with pytest.raises(withdrawals.PayeeNotGood):
        approve(row, cashier)


def test_tax_is_withheld_by_the_rule_in_force_over_the_year(leader, cashier):
    earn(leader, 30_000 * YUAN, "/more")
    row = pay(approve(ask(leader, 10_000 * YUAN), cashier), cashier)
    assert (row.tax_fen, row.tax_rule) == (90 * YUAN, "platform-cumulative-2025")
    assert balances(leader, row) == (20_500 * YUAN, 0, 0, 90 * YUAN, 9_910 * YUAN)
    second = ask(leader, 10_000 * YUAN, key="k2", now=NOON + timedelta(days=5))
    assert second.tax_fen == 240 * YUAN, "(20,000 × 80 % - 5,000) × 3 %, less 90"
    withdrawals.refuse_withdrawal(withdrawal=second, reason="重复", acting_person=cashier, now=NOON)
    november = ask(leader, 10_000 * YUAN, key="k3", now=NOON + timedelta(days=31))
    assert november.tax_fen == 90 * YUAN, (
        "what was refused is no income; a second month is free of 5,000 more"
    )
    assert year_so_far(leader=leader, now=NOON + timedelta(days=120)).income_fen == {}, "a new year"


def test_what_is_held_is_netted_after_tax(leader):
    earn(leader, 20_000 * YUAN, "/more")
    hold(leader, 50_000 * YUAN)
    row = ask(leader, 10_000 * YUAN)
    assert (row.tax_fen, row.netted_fen, row.payout_fen) == (90 * YUAN, 9_910 * YUAN, 0)


def test_the_rule_of_the_time_counts_and_a_new_one_is_a_new_row():
    before = datetime.fromisoformat("2025-09-30T23:59:59+08:00")
    assert rule_in_force(at=before).method == "per_time"
    assert rule_in_force(at=before + timedelta(seconds=1)).method == "cumulative"
    old = rule_in_force(at=NOON)
    TaxRule.objects.create(
        version="2027",
        effective_from=NOON + timedelta(days=1),
        method=old.method,
        terms=old.terms,
        source="公告",
    )
    assert rule_in_force(at=NOON) == old
    assert rule_in_force(at=NOON + timedelta(days=1)).version == "2027"
    with pytest.raises(TaxRule.DoesNotExist):
        rule_in_force(at=NOON - timedelta(days=365 * 20))


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_do_not_take_out_more_than_there_is(leader):
    outcomes = []

    def work(key: str) -> None:
        try:
            outcomes.append(ask(leader, 300 * YUAN, key=key).amount_fen)
        except withdrawals.NotEnough:
            outcomes.append(0)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"k{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 0, 0, 300 * YUAN]
    assert books.balance_fen(payable_account(leader_id=leader.pk)) == 200 * YUAN
    assert books.broken_invariants() == []


def town_of_one_leader(*, paid: bool) -> Town:
    """Twenty boxes of goods fetched and settled, in cash that the leader holds, or on the leader's word only."""
    town = Town()
    town.place(0, 0, (4, 20), settles="leader")
    if paid:
        town.hand_cash(0, 100)
    town.close()
    town.deliver(missing=0)
    for line in range(len(town.lines)):
        for _box in range(20):
            town.fetch(line, 1)
    town.complete()
    town.settle()
    return town


def test_a_hand_over_that_nobody_has_confirmed_keeps_earnings_back_until_somebody_does():
    town = town_of_one_leader(paid=True)
    leader = town.leaders[0]
    held_fen = leader_balance(leader=leader, now=NOON).held_fen
    remittance = payments.announce_remittance(
        leader=leader, amount_fen=held_fen, reference="made up", now=town.now
    )
    balance = leader_balance(leader=leader, now=NOON)
    assert balance.payable_fen > 0
    assert (balance.remitting_fen, balance.withdrawable_fen) == (held_fen, 0)
    with pytest.raises(withdrawals.NotEnough, match=r"0\.00"):
        ask(leader, balance.payable_fen)
    payments.confirm_remittance(remittance=remittance, acting_person=make.person("出纳"), now=town.now)
    row = ask(leader, balance.payable_fen)
    assert (row.netted_fen, row.payout_fen) == (0, balance.payable_fen)


def test_what_members_owe_on_the_leaders_word_keeps_earnings_back_until_they_have_paid():
    town = town_of_one_leader(paid=False)
    leader = town.leaders[0]
    balance = leader_balance(leader=leader, now=NOON)
    assert balance.payable_fen > 0
    assert balance.guaranteed_fen == sum(order.unpaid_fen for order in Order.objects.all()) > 0
    with pytest.raises(withdrawals.NotEnough, match=r"0\.00"):
        ask(leader, balance.payable_fen)
    town.hand_cash(0, 100)
    assert leader_balance(leader=leader, now=NOON).guaranteed_fen == 0
