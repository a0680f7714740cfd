"""Money of one order from every side: paid, paid late, paid twice, taken by the leader, refunded, matched."""

from datetime import timedelta

import pytest

from kaituan.ledger.models import Entry
from kaituan.ledger.queries import balance_fen, broken_invariants, trial_balance_fen
from kaituan.ledger.services import AccountRef, BalanceTooLow, Move, post_entry
from kaituan.ordering.models import Order
from kaituan.ordering.services import LineAdjustment, OrderingClosed, OrderRefused, adjust_lines
from kaituan.payments import services
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import Payment, PaymentReturn, Refund
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
CUT_OFF = NOON + timedelta(hours=10)


@pytest.fixture
def town():
    make.open_books()

    class Town:
        campaign = make.campaign()
        listing = make.listing(campaign)
        pool = make.pool(quantity=10)
        oranges = make.offer(campaign, pool)
        zhang = make.member(listing.group, "张敏")
        li = make.member(listing.group, "李阿姨")
        leader = listing.leader

    yield Town
    assert broken_invariants() == []


def pay(order, *, now=NOON, amount_fen=None):
    intent = services.open_intent(order=order, channel="sandbox", now=now)
    reference = SandboxGateway().pay(intent=intent, now=now)
    return services.gateway_succeeded(
        intent=intent, external_reference=reference, amount_fen=amount_fen or intent.amount_fen, now=now
    )


def left(town):
    town.pool.refresh_from_db()
    return town.pool.available_quantity


def test_a_paid_order_is_confirmed_and_its_money_is_prepayment(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    pay(order)
    order.refresh_from_db()
    assert (order.status, order.paid_fen, order.unpaid_fen, order.pay_by) == ("confirmed", 7980, 0, None)
    assert trial_balance_fen() == {"channel_cash": 7980, "prepayment": 7980}


def test_the_gateways_message_may_come_twice(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    intent = services.open_intent(order=order, channel="sandbox", now=NOON)
    for _ in range(2):
        services.gateway_succeeded(intent=intent, external_reference="T1", amount_fen=7980, now=NOON)
    assert (Payment.objects.count(), Entry.objects.count()) == (1, 1)


def test_two_tabs_that_both_pay_give_one_payment_back(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    intent = services.open_intent(order=order, channel="sandbox", now=NOON)
    SandboxGateway().pay(intent=intent, now=NOON)
    services.gateway_succeeded(intent=intent, external_reference="T1", amount_fen=7980, now=NOON)
    services.gateway_succeeded(intent=intent, external_reference="T2", amount_fen=7980, now=NOON)
    order.refresh_from_db()
    assert order.paid_fen == 7980
    assert PaymentReturn.objects.get().amount_fen == 7980
    assert trial_balance_fen() == {
        "channel_cash": 15960,
        "prepayment": 7980,
        "refund_due": 7980,
        "suspense": 0,
    }


def test_a_deadline_that_passes_gives_the_stock_back(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 4))
    assert services.release_unpaid(now=NOON + timedelta(minutes=29)) == 0
    assert services.release_unpaid(now=NOON + timedelta(minutes=30)) == 1
    order.refresh_from_db()
    assert (order.status, left(town)) == ("released", 10)
    assert services.release_unpaid(now=NOON + timedelta(minutes=31)) == 0


def test_a_late_payment_takes_the_stock_again_while_there_is_some(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 4))
    intent = services.open_intent(order=order, channel="sandbox", now=NOON)
    services.release_unpaid(now=NOON + timedelta(hours=1))
    services.gateway_succeeded(
        intent=intent, external_reference="T1", amount_fen=15960, now=NOON + timedelta(hours=2)
    )
    order.refresh_from_db()
    assert (order.status, left(town)) == ("confirmed", 6)


def test_a_late_payment_of_a_part_does_not_bring_the_whole_order_back(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    cheap = services.open_intent(order=order, channel="sandbox", now=NOON)
    reference = SandboxGateway().pay(intent=cheap, now=NOON)
    services.amend_order(
        order=order, quantities={town.oranges.pk: 9}, acting_person=town.zhang.person, now=NOON
    )
    services.release_unpaid(now=NOON + timedelta(hours=1))
    late = NOON + timedelta(hours=2)
    services.gateway_succeeded(
        intent=cheap, external_reference=reference, amount_fen=cheap.amount_fen, now=late
    )
    order.refresh_from_db()
    assert (order.status, order.kept_fen, left(town)) == ("released", 0, 10)
    assert services.send_due_refunds(now=late) == 1
    assert trial_balance_fen()["channel_cash"] == 0


@pytest.mark.parametrize("why", ["sold out meanwhile", "after the cut-off"])
def test_a_late_payment_that_cannot_be_used_goes_back_by_itself(town, why):
    order = make.place(town.listing, town.zhang, (town.oranges, 4))
    intent = services.open_intent(order=order, channel="sandbox", now=NOON)
    reference = SandboxGateway().pay(intent=intent, now=NOON)
    services.release_unpaid(now=NOON + timedelta(hours=1))
    late = NOON + timedelta(hours=2)
    if why == "sold out meanwhile":
        make.place(town.listing, town.li, (town.oranges, 8), now=late)
    else:
        late = CUT_OFF
    services.gateway_succeeded(intent=intent, external_reference=reference, amount_fen=15960, now=late)
    order.refresh_from_db()
    assert order.status == "released"
    assert services.send_due_refunds(now=late) == 1
    assert trial_balance_fen()["channel_cash"] == 0


def test_cancelling_gives_stock_and_money_back_once(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    pay(order)
    for _ in range(2):
        services.cancel_order(order=order, acting_person=town.zhang.person, now=NOON)
    order.refresh_from_db()
    assert (order.status, order.kept_fen, left(town)) == ("cancelled", 0, 10)
    assert services.send_due_refunds(now=NOON) == 1
    assert services.send_due_refunds(now=NOON) == 0
    assert trial_balance_fen() == {"channel_cash": 0, "prepayment": 0, "refund_due": 0}


def test_nobody_cancels_after_the_cut_off_but_the_operator(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    pay(order)
    with pytest.raises(OrderingClosed):
        services.cancel_order(order=order, acting_person=town.zhang.person, now=CUT_OFF)
    services.cancel_order(order=order, acting_person=town.zhang.person, now=CUT_OFF, after_cut_off=True)
    assert Refund.objects.get().amount_fen == 7980


def test_asking_for_less_refunds_the_difference_and_keeps_the_number(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 3))
    pay(order)
    services.amend_order(
        order=order, quantities={town.oranges.pk: 1}, acting_person=town.zhang.person, now=NOON
    )
    order.refresh_from_db()
    assert (order.status, order.follow_number, order.due_fen, order.kept_fen) == ("confirmed", 1, 3990, 3990)
    assert left(town) == 9


def test_asking_for_more_asks_for_the_difference(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    pay(order)
    order = services.amend_order(
        order=order, quantities={town.oranges.pk: 3}, acting_person=town.zhang.person, now=NOON
    )
    assert (order.status, order.unpaid_fen) == ("pending", 7980)
    pay(order)
    order.refresh_from_db()
    assert (order.status, order.kept_fen) == ("confirmed", 11970)


def test_what_was_paid_for_stands_when_the_addition_is_not_paid(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    pay(order)
    services.amend_order(
        order=order, quantities={town.oranges.pk: 3}, acting_person=town.zhang.person, now=NOON
    )
    services.release_unpaid(now=NOON + timedelta(hours=1))
    order.refresh_from_db()
    assert (order.status, order.due_fen, order.kept_fen, left(town)) == ("confirmed", 3990, 3990, 9)


def test_an_amendment_beyond_the_stock_changes_nothing(town):
    from kaituan.ordering.core import StockRefused

    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    with pytest.raises(StockRefused):
        services.amend_order(
            order=order, quantities={town.oranges.pk: 11}, acting_person=town.zhang.person, now=NOON
        )
    order.refresh_from_db()
    assert (order.due_fen, left(town)) == (3990, 9)


def test_a_leader_who_takes_cash_owes_it_and_remits_it(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2), settles="leader")
    for _ in range(2):
        services.leader_receives(
            order=order, leader=town.leader, channel="cash", amount_fen=7980, key="form-1",
            acting_person=town.leader.person, now=NOON,
        )  # fmt: skip
    assert services.leader_held_fen(leader=town.leader) == 7980
    with pytest.raises(services.PaymentRefused):
        services.announce_remittance(leader=town.leader, amount_fen=7981, reference="W1", now=NOON)
    row = services.announce_remittance(leader=town.leader, amount_fen=7980, reference="W1", now=NOON)
    assert services.leader_held_fen(leader=town.leader) == 7980
    services.confirm_remittance(remittance=row, acting_person=town.leader.person, now=NOON)
    assert services.leader_held_fen(leader=town.leader) == 0
    with pytest.raises(services.AlreadyDone):
        services.confirm_remittance(remittance=row, acting_person=town.leader.person, now=NOON)


def test_cash_goes_back_when_the_leader_says_so(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2), settles="leader")
    services.leader_receives(
        order=order, leader=town.leader, channel="cash", amount_fen=7980, key="form-1",
        acting_person=town.leader.person, now=NOON,
    )  # fmt: skip
    services.cancel_order(order=order, acting_person=town.leader.person, now=NOON)
    refund = Refund.objects.get()
    assert (refund.status, services.send_due_refunds(now=NOON)) == ("due", 0)
    services.hand_back(refund=refund, acting_person=town.leader.person, now=NOON)
    assert services.leader_held_fen(leader=town.leader) == 0


def test_a_receipt_noted_by_mistake_is_undone(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2), settles="leader")
    payment = services.leader_receives(
        order=order, leader=town.leader, channel="cash", amount_fen=7980, key="form-1",
        acting_person=town.leader.person, now=NOON,
    )  # fmt: skip
    services.undo_leader_receipt(payment=payment, acting_person=town.leader.person, now=NOON)
    order.refresh_from_db()
    assert (order.unpaid_fen, services.leader_held_fen(leader=town.leader)) == (7980, 0)
    with pytest.raises(services.PaymentRefused):
        services.undo_leader_receipt(payment=payment, acting_person=town.leader.person, now=NOON)


def test_a_balance_pays_only_what_it_holds(town):
    ref = AccountRef("balance_principal", f"person:{town.zhang.person_id}")
    post_entry(
        key="topup", kind="top_up", reference="person:1", occurred_at=NOON,
        moves=[Move(AccountRef("channel_cash", "gateway:sandbox"), ref, 5000)],
    )  # fmt: skip
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    services.pay_from_balance(order=order, acting_person=town.zhang.person, key="k1", now=NOON)
    assert balance_fen(ref) == 1010
    second = make.place(town.listing, town.zhang, (town.oranges, 1))
    with pytest.raises(BalanceTooLow):
        services.pay_from_balance(order=second, acting_person=town.zhang.person, key="k2", now=NOON)
    services.cancel_order(order=order, acting_person=town.zhang.person, now=NOON)
    assert balance_fen(ref) == 5000


def test_money_without_an_order_waits_in_suspense_until_matched_or_returned(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    payment = services.record_unmatched(
        channel="bank", external_reference="B1", amount_fen=5000, now=NOON, remark="3-502"
    )
    assert trial_balance_fen()["suspense"] == 5000
    services.match_payment(payment=payment, order=order, acting_person=town.leader.person, now=NOON)
    order.refresh_from_db()
    assert order.status == "confirmed"
    row = services.return_payment(payment=payment, reason="多付", acting_person=town.leader.person, now=NOON)
    assert (row.amount_fen, trial_balance_fen()["suspense"]) == (1010, 0)
    services.mark_returned_by_hand(row=row, acting_person=town.leader.person, now=NOON)
    assert trial_balance_fen() == {
        "channel_cash": 3990, "prepayment": 3990, "refund_due": 0, "suspense": 0,
    }  # fmt: skip


def test_a_remedy_lowers_what_is_due_and_the_refund_follows(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    pay(order)
    line = order.lines.get()
    adjust_lines(adjustments=[LineAdjustment(line.pk, "shortage", -3990)], now=NOON)
    for _ in range(2):
        services.settle_differences(order_ids=[order.pk], reason="shortage", now=NOON)
    assert Refund.objects.get().amount_fen == 3990
    with pytest.raises(OrderRefused):
        adjust_lines(adjustments=[LineAdjustment(line.pk, "claim", -3991)], now=NOON)


def test_sales_are_recognised_when_lines_complete_and_taken_back_by_later_remedies(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    pay(order)
    line = order.lines.get()
    order.lines.update(handed_quantity=2, handed_over_at=NOON, completed_at=NOON)
    for _ in range(2):
        services.recognise_lines(order_ids=[order.pk], now=NOON)
    assert trial_balance_fen() == {"channel_cash": 7980, "prepayment": 0, "sales": 7980}
    adjust_lines(adjustments=[LineAdjustment(line.pk, "claim", -1000)], now=NOON)
    services.settle_differences(order_ids=[order.pk], reason="claim", now=NOON)
    assert trial_balance_fen()["sales"] == 6980
    assert trial_balance_fen()["refund_due"] == 1000


def test_goods_handed_over_unpaid_are_receivable_until_the_leader_has_the_money(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 2), settles="leader")
    order.lines.update(handed_quantity=2, handed_over_at=NOON, completed_at=NOON)
    services.recognise_lines(order_ids=[order.pk], now=NOON)
    assert trial_balance_fen() == {"receivable": 7980, "sales": 7980}
    services.leader_receives(
        order=order, leader=town.leader, channel="cash", amount_fen=7980, key="k", now=NOON,
        acting_person=town.leader.person,
    )  # fmt: skip
    assert trial_balance_fen() == {"leader_held": 7980, "receivable": 0, "sales": 7980}


def test_a_price_rise_touches_only_what_is_added(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    type(town.oranges).objects.filter(pk=town.oranges.pk).update(price_fen=5000)
    services.amend_order(
        order=order, quantities={town.oranges.pk: 2}, acting_person=town.zhang.person, now=NOON
    )
    order.refresh_from_db()
    assert order.due_fen == 3990 + 5000
    assert Order.objects.count() == 1
