"""The doctor finds a healthy town healthy, and names exactly what somebody broke behind the services' backs."""

import pytest
from django.db import connection
from django.db.models import F

from kaituan.reporting.doctor import examine
from kaituan.reporting.tests.town import plain_story

pytestmark = pytest.mark.django_db

BROKEN = {
    # What is done to the tables -> how the sentence about it begins.
    "UPDATE ordering_order SET listing_id = 999999 WHERE id = (SELECT min(id) FROM ordering_order)":
        r"ordering_order: 1 rows name listing_id 999999",
    "UPDATE ordering_order SET member_id = 999999": r"ordering_order: \d+ rows name member_id 999999",
    "UPDATE ordering_orderline SET order_id = 999999 WHERE id = (SELECT min(id) FROM ordering_orderline)":
        r"ordering_orderline: 1 rows name order_id 999999",
    "UPDATE ordering_orderline SET offer_id = 999999 WHERE id = (SELECT min(id) FROM ordering_orderline)":
        r"ordering_orderline: 1 rows name offer_id 999999",
    "UPDATE payments_paymentintent SET order_id = 999999": r"payments_paymentintent: \d+ rows name order_id 999999",
    "UPDATE ordering_order SET person_id = (SELECT max(id) FROM people_person) WHERE person_id <>"
    " (SELECT max(id) FROM people_person)":
        r"Order \d+: its campaign, listing, member and person do not belong together",
    "UPDATE ordering_order SET paid_fen = paid_fen + 1 WHERE id = (SELECT min(order_id) FROM payments_allocation)":
        r"Order \d+: its paid_fen is \d+ fen, but its allocations add up to \d+ fen\.",
    "UPDATE ordering_order SET refunded_fen = refunded_fen + 1 WHERE paid_fen > 0":
        r"Order \d+: its refunded_fen",
    "UPDATE ordering_order SET list_fen = list_fen + 1": r"Order \d+: its list_fen",
    "UPDATE ordering_order SET adjustment_fen = adjustment_fen + 1 WHERE adjustment_fen < 0":
        r"Order \d+: its adjustment_fen",
    "UPDATE ordering_order SET status = 'cancelled', cancelled_at = now() WHERE status = 'confirmed'":
        r"Order \d+ \(cancelled\): \d+ fen of its money are kept, but only 0 fen are due",
    "UPDATE ordering_orderline SET completed_at = NULL": r"Order \d+: the books have \d+ fen of sales",
    "UPDATE payments_refund SET status = 'due', sent_at = NULL WHERE channel = 'sandbox'":
        r"Order \d+: the books have 0 fen of refund due",
    "UPDATE ledger_entry SET reference = 'campaign:1' WHERE reference LIKE 'order:%'":
        r"Entry .*: moves (prepayment|receivable|sales), but names no order",
    "UPDATE payments_payment SET allocated_fen = allocated_fen - 1 WHERE allocated_fen > 0": r"Payment \d+: of its",
    "UPDATE payments_payment SET amount_fen = amount_fen + 1 WHERE channel = 'bank'": r"Suspense of payment:\d+",
    "UPDATE payments_paymentreturn SET status = 'due', sent_at = NULL": r"Returns of payment:\d+",
    "UPDATE payments_remittance SET amount_fen = amount_fen + 1": r"Money at gateway:bank",
    "UPDATE catalogue_stockpool SET supplied_quantity = supplied_quantity + 1": r"Stock pool \d+ \(北京仓\)",
    "UPDATE campaigns_offer SET sold_quantity = sold_quantity - 1": r"Offer \d+: \d+ steps are marked as sold",
    "UPDATE ordering_personofferquantity SET quantity = quantity + 1": r"Person \d+: has",
    "UPDATE campaigns_listing SET last_follow_number = last_follow_number + 1": r"Listing \d+: ",
    "UPDATE ordering_orderline SET handed_quantity = handed_quantity - 1 WHERE handed_quantity > 0":
        r"Line \d+: \d+ steps are marked as handed over, \d+ were",
    "UPDATE ordering_orderline SET allocated_quantity = 0": r"Line \d+: \d+ steps are handed over, 0 were allocated",
    "UPDATE ordering_order SET status = 'pending' WHERE status = 'confirmed'":
        r"Line \d+: completed, but order \d+ is pending",
    "UPDATE fulfilment_snapshot SET number = 7": r"Campaign \d+: has 1 snapshots, the last is number 7",
    "UPDATE fulfilment_snapshotline SET quantity = -1": r"Campaign \d+: its snapshots say -1 steps",
    "UPDATE fulfilment_purchaseorderline SET received_quantity = received_quantity + 1":
        r"Purchase order .*: the books owe",
    "DELETE FROM settlement_settledline": r"Line \d+: completed at .*, but counted by no period",
    "UPDATE ordering_orderadjustment SET amount_fen = -99999 WHERE kind = 'claim'":
        r"Line \d+: \d+ fen were paid for it, \d+ fen given back",
    "UPDATE ordering_orderline SET amount_fen = -(SELECT coalesce(sum(amount_fen), 0) FROM ordering_orderadjustment a"
    " WHERE a.line_id = ordering_orderline.id)":
        r"Line \d+: nothing of it is left, but leader \d+ keeps \d+ fen of sale",
    "UPDATE settlement_statement SET total_fen = total_fen + 1": r"Statement of leader \d+ for period \d+",
    "UPDATE settlement_settlementrun SET row_count = row_count + 1": r"Run of period \d+",
    "DELETE FROM settlement_settlementrun": r"Period \d+: has commission rows, but no run",
    "UPDATE settlement_withdrawal SET status = 'refused', paid_at = NULL": r"Commission payable of leader:\d+",
    "UPDATE settlement_withdrawal SET status = 'taken_back' WHERE status = 'requested'": r"Due for withdrawal:\d+",
    "UPDATE settlement_withdrawal SET netted_fen = netted_fen + 1 WHERE status = 'requested'":
        r"Due for withdrawal:\d+",
    "UPDATE settlement_withdrawal SET tax_fen = 1, netted_fen = 0 WHERE status = 'paid'":
        r"Tax withheld: the books have 0 fen, paid withdrawals withheld 1 fen",
    "UPDATE settlement_supplierpayable SET amount_fen = amount_fen + 1": r"Supplier payable \d+ of supplier \d+",
    "UPDATE settlement_supplierpayment SET amount_fen = amount_fen + 1": r"Supplier payment \d+: is",
    "UPDATE ledger_entry SET kind = 'gift' WHERE kind = 'goods_received'": r"Entry goods_received.*: gift is nothing",
    "UPDATE aftersales_claim SET granted_fen = granted_fen + 1 WHERE status = 'granted'": r"Claim \d+: ",
    "UPDATE ledger_cachedbalance SET balance_fen = balance_fen + 1": r"Books: ",
}  # fmt: skip


@pytest.fixture
def town():
    return plain_story()


def test_a_story_with_something_of_everything_is_healthy(town, django_assert_max_num_queries):
    with django_assert_max_num_queries(45):
        assert examine() == []


def test_an_empty_station_is_healthy():
    assert examine() == []


def test_everything_that_is_broken_is_named(town):
    import re

    missed = {}
    for damage, words in BROKEN.items():
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT whole")
            cursor.execute(damage)
            assert cursor.rowcount > 0, f"nothing to break: {damage}"
            problems = examine()
            cursor.execute("ROLLBACK TO SAVEPOINT whole")
        if not any(re.match(words, problem) for problem in problems):
            missed[damage] = problems
    assert missed == {}
    assert examine() == []


def test_many_broken_rows_are_summed_up(town):
    from kaituan.catalogue.models import StockPool
    from tests import factories as make

    for _number in range(30):
        make.pool()
    StockPool.objects.update(supplied_quantity=F("supplied_quantity") + 1)
    problems = examine()
    assert len(problems) == 21
    assert problems[-1].startswith("... and more of the same: Stock pool")
