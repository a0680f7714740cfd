"""The cashier's pages: receipts without an order, remittances, withdrawals, suppliers, closing a period."""

import pytest
from django.urls import reverse

from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import Allocation, Payment, PaymentReturn, Remittance
from kaituan.reporting.tests.town import Town, plain_story
from kaituan.settlement.models import SettlementRun, SupplierPayment, Withdrawal
from kaituan.settlement.suppliers import record_supplier_payables
from kaituan.web import clock

pytestmark = pytest.mark.django_db
PAYMENTS = reverse("console:payments")


@pytest.fixture
def town():
    town = Town()
    town.place(0, 0, (2, 0))
    town.place(0, 1, (1, 0), settles="leader")
    town.hand_cash(1, 100)
    with clock.standing_at(town.now):
        yield town


@pytest.fixture
def story():
    town = plain_story()
    with clock.standing_at(town.now):
        yield town


class TestReceipts:
    def test_one_is_recorded_found_by_name_and_matched(self, town, cashier_client):
        typed = {"reference": "B-77", "amount": "79.80", "remark": "张敏 脐橙", "record": ""}
        assert cashier_client.post(PAYMENTS, typed).status_code == 302
        [payment] = Payment.objects.filter(channel="bank")
        order = Order.objects.order_by("pk").first()
        found = cashier_client.get(PAYMENTS + "?q=张敏")
        assert found.context["found"] == [order]
        typed = {"match": payment.public_id, "order": order.public_id}
        for _press in range(2):
            assert cashier_client.post(PAYMENTS, typed).status_code == 302
        assert Allocation.objects.filter(payment=payment).count() == 1
        order.refresh_from_db()
        assert order.unpaid_fen == 0

    @pytest.mark.parametrize("amount", ["", "0", "x", "1.234", "-5"])
    def test_an_amount_that_is_none_is_refused_and_stays_typed(self, town, cashier_client, amount):
        typed = {"reference": "B-78", "amount": amount, "remark": "谁的钱", "record": ""}
        answer = cashier_client.post(PAYMENTS, typed)
        assert answer.status_code == 422
        assert "B-78" in answer.content.decode()
        assert not Payment.objects.filter(channel="bank").exists()

    def test_money_goes_back_once(self, town, cashier_client):
        payment = payments.record_unmatched(
            channel="bank", external_reference="B-79", amount_fen=500, now=town.now
        )
        for _press in range(2):
            cashier_client.post(PAYMENTS, {"return": payment.public_id, "reason": "不认识"})
        assert PaymentReturn.objects.count() == 1
        row = PaymentReturn.objects.get()
        for _press in range(2):
            cashier_client.post(PAYMENTS, {"returned": row.public_id})
        row.refresh_from_db()
        assert row.status == "sent"

    def test_what_does_not_exist_is_not_there(self, town, cashier_client):
        for typed in ({"match": "x"}, {"return": "x"}, {"returned": "x"}, {"to_balance": "x"}):
            assert cashier_client.post(PAYMENTS, typed).status_code == 404


class TestRemittances:
    @pytest.mark.parametrize(("button", "status"), [("confirm", "confirmed"), ("refuse", "refused")])
    def test_one_is_decided_once(self, town, cashier_client, button, status):
        row = payments.announce_remittance(
            leader=town.leaders[0], amount_fen=3_000, reference="R1", now=town.now
        )
        for pressed in (button, "refuse", "confirm"):
            typed = {"remittance": row.public_id, pressed: "", "reason": "没到"}
            assert cashier_client.post(reverse("console:remittances"), typed).status_code == 302
        assert Remittance.objects.get().status == status


class TestWithdrawals:
    ADDRESS = reverse("console:withdrawals")

    def test_what_a_batch_comes_to_and_whom_to_look_at_stands_there(self, story, cashier_client):
        page = cashier_client.get(self.ADDRESS)
        [(row, notes)] = page.context["requested"]
        assert notes == ["First payout: check name and account"]
        assert page.context["requested_sums"] == {
            "amount_fen": row.amount_fen,
            "netted_fen": row.netted_fen,
            "tax_fen": row.tax_fen,
            "payout_fen": row.payout_fen,
        }
        assert "First payout" in page.content.decode()

    def test_one_is_approved_paid_and_may_come_back(self, story, cashier_client):
        row = Withdrawal.objects.get(status="requested")
        assert (
            cashier_client.post(self.ADDRESS, {"approve": "", "withdrawal": row.public_id}).status_code == 302
        )
        empty = cashier_client.post(self.ADDRESS, {"paid": "", "withdrawal": row.public_id, "reference": " "})
        assert empty.status_code == 422
        typed = {"paid": "", "withdrawal": row.public_id, "reference": "OUT-1"}
        assert cashier_client.post(self.ADDRESS, typed).status_code == 302
        row.refresh_from_db()
        assert (row.status, row.payout_reference) == ("paid", "OUT-1")
        typed = {"failed": "", "withdrawal": row.public_id, "reason": "户名不符"}
        cashier_client.post(self.ADDRESS, typed)
        row.refresh_from_db()
        assert row.status == "failed"

    def test_a_refusal_says_why(self, story, cashier_client):
        row = Withdrawal.objects.get(status="requested")
        answer = cashier_client.post(self.ADDRESS, {"refuse": "", "withdrawal": row.public_id, "reason": ""})
        assert answer.status_code == 422
        row.refresh_from_db()
        assert row.status == "requested"
        cashier_client.post(self.ADDRESS, {"refuse": "", "withdrawal": row.public_id, "reason": "资料不全"})
        row.refresh_from_db()
        assert (row.status, row.reason) == ("refused", "资料不全")

    def test_one_that_does_not_exist_is_not_there(self, story, cashier_client):
        assert cashier_client.post(self.ADDRESS, {"paid": "", "withdrawal": "x"}).status_code == 404


class TestSuppliers:
    def test_the_ticked_ones_are_paid_once(self, town, cashier_client):
        town.pay(0)
        town.close()
        town.deliver(missing=0)
        record_supplier_payables(now=town.now)
        supplier = town.offers[0].variant.product.supplier
        address = reverse("console:supplier", args=[supplier.public_id])
        with clock.standing_at(town.now):
            ids = [str(payable.pk) for payable in supplier.payables.all()]
            empty = cashier_client.post(address, {"payable": ids, "reference": ""})
            assert empty.status_code == 422
            assert f'value="{ids[0]}" checked' in empty.content.decode()
            for _press in range(2):
                typed = {"payable": ids, "reference": "PAY-1"}
                assert cashier_client.post(address, typed).status_code == 302
            assert SupplierPayment.objects.count() == 1
            answer = cashier_client.post(address, {"payable": ["9" * 30, "x"], "reference": "PAY-2"})
            assert answer.status_code == 422


def test_a_period_is_closed_and_its_statements_stand_there(story, cashier_client):
    before = SettlementRun.objects.count()
    with clock.standing_at(story.later(days=1)):
        assert cashier_client.post(reverse("console:settlement")).status_code == 302
        assert SettlementRun.objects.count() == before + 1
        for run in ("", "?run=x", "?run=" + "9" * 30, f"?run={SettlementRun.objects.first().pk}"):
            assert cashier_client.get(reverse("console:settlement") + run).status_code == 200
