"""A supplier is owed what was received at the purchase price, less the claims it bears, and is paid once."""

from dataclasses import fields
from datetime import date, timedelta

import pytest

from kaituan.aftersales.models import Claim
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, Snapshot
from kaituan.fulfilment.postings import post_received
from kaituan.ledger import queries as books
from kaituan.ordering.models import OrderAdjustment
from kaituan.settlement import suppliers
from kaituan.settlement.models import SupplierPayable, SupplierPayment
from kaituan.settlement.postings import BANK, supplier_account
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON


class Delivery:
    """A purchase order of one variant, 10 pieces to the crate at 280 yuan."""

    def __init__(self) -> None:
        make.station()
        self.supplier = make.supplier("绿野果蔬")
        self.variant = make.variant(
            make.product("赣南脐橙", supplier=self.supplier), steps_per_purchase_unit=10
        )
        self.campaign = make.campaign()
        self.offer = make.offer(self.campaign, make.pool(self.variant, 100), price_fen=3990, cost_fen=2800)
        snapshot = Snapshot.objects.create(
            campaign=self.campaign, number=1, campaign_version=1, taken_at=NOON
        )
        self.order = PurchaseOrder.objects.create(
            number="BJ-1001-1", snapshot=snapshot, supplier=self.supplier, status="sent",
            arrives_on=date(2026, 10, 2), created_at=NOON,
        )  # fmt: skip
        self.line = PurchaseOrderLine.objects.create(
            purchase_order=self.order, variant=self.variant, ordered_quantity=30, purchase_units=3,
            purchase_price_fen=28_000, steps_per_purchase_unit=10,
        )  # fmt: skip

    def arrives(self, quantity: int) -> None:
        self.line.received_quantity = quantity
        self.line.save()
        post_received(purchase_order=self.order, now=NOON)

    def claim(self, granted_fen: int, liability: str = "supplier", discount_fen: int = 0) -> Claim:
        """A member who bought two and was given back `granted_fen`."""
        group = make.group()
        order = make.place(make.listing(self.campaign, group), make.member(group), (self.offer, 2))
        line = order.lines.get()
        for kind, fen in (("discount", -discount_fen), ("claim", -granted_fen)):
            if fen:
                last = OrderAdjustment.objects.create(
                    order=order, line=line, kind=kind, amount_fen=fen, created_at=NOON
                )
        return Claim.objects.create(
            line=line, reason="damaged", asked_fen=granted_fen, status="granted", granted_fen=granted_fen,
            liability=liability, opened_at=NOON, opened_by=order.person, decided_at=NOON, adjustment=last,
            idempotency_key=f"claim-{order.pk}",
        )  # fmt: skip

    @property
    def owed_fen(self) -> int:
        return books.balance_fen(supplier_account(supplier_id=self.supplier.pk))


@pytest.fixture
def delivery():
    return Delivery()


@pytest.fixture
def cashier():
    return make.person("出纳")


def record() -> int:
    return suppliers.record_supplier_payables(now=NOON + timedelta(hours=1))


def pay(delivery, cashier, *payables, reference="付款1"):
    return suppliers.pay_supplier(
        supplier=delivery.supplier, payable_ids=[row.pk for row in payables], reference=reference,
        acting_person=cashier, now=NOON + timedelta(days=3),
    )  # fmt: skip


def test_what_was_received_is_owed_and_a_second_count_writes_the_difference(delivery):
    delivery.arrives(30)
    assert (record(), record()) == (1, 0)
    delivery.arrives(27)
    assert (record(), record()) == (1, 0)
    assert list(SupplierPayable.objects.order_by("pk").values_list("kind", "amount_fen")) == [
        ("received", 84_000),
        ("received", -8_400),
    ]
    assert delivery.owed_fen == 75_600


def test_a_claim_that_the_supplier_bears_is_taken_back_at_its_share_of_the_purchase_cost(delivery):
    delivery.arrives(30)
    half = delivery.claim(3_990)
    delivery.claim(1_000, liability="platform")
    whole = delivery.claim(6_980, discount_fen=1_000)
    record()
    assert record() == 0
    taken = (
        SupplierPayable.objects.filter(kind="claim")
        .order_by("claim_id")
        .values_list("claim_id", "amount_fen")
    )
    assert list(taken) == [(half.pk, -2_800), (whole.pk, -5_600)], "a discount is not the supplier's"
    assert delivery.owed_fen == 84_000 - 2_800 - 5_600
    assert books.broken_invariants() == []


def test_a_supplier_is_paid_what_is_owed_once(delivery, cashier):
    delivery.arrives(30)
    delivery.claim(3_990)
    record()
    payables = SupplierPayable.objects.order_by("pk")
    payment = pay(delivery, cashier, *payables)
    assert (payment.amount_fen, delivery.owed_fen, books.balance_fen(BANK)) == (81_200, 0, -81_200)
    assert pay(delivery, cashier, *payables) == payment
    with pytest.raises(suppliers.SupplierPaymentRefused):
        pay(delivery, cashier, payables[0])
    with pytest.raises(suppliers.SupplierPaymentRefused):
        pay(delivery, cashier, payables[0], reference="付款2")
    assert SupplierPayment.objects.count() == 1
    assert suppliers.owed_by_supplier() == {}


def test_what_cannot_be_paid_is_refused_and_nothing_changes(delivery, cashier):
    other = Delivery.__new__(Delivery)
    other.supplier = make.supplier()
    delivery.arrives(1)
    delivery.claim(6_000)
    record()
    received, claim = SupplierPayable.objects.order_by("-amount_fen")
    for payee, rows, reference in (
        (delivery, [claim], "付款1"),
        (delivery, [], "付款1"),
        (delivery, [received, claim], "付款1"),
        (delivery, [received], " "),
        (other, [received], "付款1"),
    ):
        with pytest.raises(suppliers.SupplierPaymentRefused):
            pay(payee, cashier, *rows, reference=reference)
    assert not SupplierPayment.objects.exists()
    assert suppliers.owed_by_supplier() == {delivery.supplier.pk: 2_800 - 4_210}


def test_each_amount_opens_to_goods_quantity_and_purchase_price_and_never_to_retail(delivery, cashier):
    delivery.arrives(27)
    delivery.claim(3_990)
    record()
    statement = suppliers.supplier_statement(supplier=delivery.supplier)
    claim, goods = statement.items
    assert (statement.owed_fen, statement.paid_fen) == (72_800, 0)
    assert goods.document == "BJ-1001-1"
    [detail] = goods.details
    assert (detail.goods, detail.quantity, detail.price_fen, detail.amount_fen) == (
        "赣南脐橙",
        "27",
        28_000,
        75_600,
    )
    assert (claim.details[0].reason, claim.details[0].amount_fen, claim.details[0].price_fen) == (
        "damaged",
        -2_800,
        None,
    )
    pay(delivery, cashier, goods.payable, claim.payable)
    paid = suppliers.supplier_statement(supplier=delivery.supplier)
    assert (paid.owed_fen, paid.paid_fen, {item.paid_reference for item in paid.items}) == (
        0,
        72_800,
        {"付款1"},
    )
    shown = {
        field.name for shape in (suppliers.PayableDetail, suppliers.StatementItem) for field in fields(shape)
    }
    assert not {name for name in shown if "retail" in name or "sale" in name or "granted" in name}
    assert "3990" not in repr(statement)
    assert "39.90" not in repr(statement)
