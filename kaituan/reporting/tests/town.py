"""One campaign through all its stations, by the real services, as random or as plain as a test wants it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from kaituan.aftersales.refusals import ClaimRefused
from kaituan.aftersales.services import grant_claim, grant_goodwill, open_claim, refuse_claim
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.cutoff import cut_off
from kaituan.fulfilment.handover import give_up_unclaimed, hand_over
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.fulfilment.purchasing import send_all
from kaituan.fulfilment.receiving import Counted, receive
from kaituan.fulfilment.refusals import FulfilmentRefused
from kaituan.fulfilment.sharing import share_out, variants_to_share
from kaituan.ordering.core import StockRefused
from kaituan.ordering.models import Order, OrderLine
from kaituan.ordering.services import OrderRefused
from kaituan.payments import services as payments
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import SandboxTransaction
from kaituan.settlement import runs, suppliers, withdrawals
from tests import factories as make

NOON = make.NOON
REFUSALS = (
    ClaimRefused,
    FulfilmentRefused,
    OrderRefused,
    StockRefused,
    payments.PaymentRefused,
    suppliers.SupplierPaymentRefused,
    withdrawals.WithdrawalRefused,
)


class Town:
    """Two leaders list one campaign with two offers on one scarce and one ample pool; three members each."""

    def __init__(self) -> None:
        make.station(withdrawal_minimum_fen=1)
        make.open_books(starts_at=NOON - timedelta(days=1))
        make.plan()
        self.now = NOON
        self.boss = make.person("陈总")
        self.campaign: Campaign = make.campaign()
        self.leaders = [make.leader("王姐", tier="captain")]
        self.leaders.append(make.leader("李姐", tier="host", referrer=self.leaders[0]))
        for leader in self.leaders:
            make.payee_account(leader, checked_by=self.boss)
        supplier = make.supplier()
        oranges = make.variant(make.product("赣南脐橙", supplier=supplier), steps_per_purchase_unit=5)
        eggs = make.variant(make.product("鸡蛋", supplier=supplier))
        self.offers = [
            make.offer(
                self.campaign, make.pool(oranges, 12), price_fen=3990, cost_fen=2801, per_person_quantity=4
            ),
            make.offer(self.campaign, make.pool(eggs, 500), price_fen=1287, cost_fen=999, quota_quantity=40),
        ]
        self.listings = [make.listing(self.campaign, make.group(leader)) for leader in self.leaders]
        self.listings[1].sale_rate_bp = 777
        self.listings[1].save()
        self.members = [
            [make.member(listing.group, name) for name in ("张敏", "刘洋", "赵静")]
            for listing in self.listings
        ]
        self.serial = 0

    def key(self) -> str:
        self.serial += 1
        return f"k{self.serial}"

    def later(self, **time: Any) -> datetime:
        self.now += timedelta(**time)
        return self.now

    def attempt(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Do it, or be refused: a refusal changes nothing."""
        try:
            return action(**arguments)
        except REFUSALS:
            return None

    @property
    def orders(self) -> list[Order]:
        return list(Order.objects.select_related("listing__leader", "person").order_by("pk"))

    @property
    def lines(self) -> list[OrderLine]:
        return list(OrderLine.objects.filter(quantity__gt=0).select_related("order").order_by("pk"))

    def place(
        self, listing: int, member: int, quantities: tuple[int, int], *, settles: str = "prepaid"
    ) -> None:
        lines = [(offer, n) for offer, n in zip(self.offers, quantities, strict=True) if n]
        if lines:
            by = self.members[listing][member]
            make.place_one(self.listings[listing], by, *lines, now=self.now, key=self.key(), settles=settles)

    def pay(self, number: int, *, extra_fen: int = 0) -> None:
        """Through the gateway; `extra_fen` more (or less) than was asked for."""
        order = self.orders[number % len(self.orders)]
        intent = self.attempt(payments.open_intent, order=order, channel="sandbox", now=self.now)
        if intent is None:
            return
        amount_fen = max(1, intent.amount_fen + extra_fen)
        reference = SandboxGateway().pay(intent=intent, now=self.now)
        SandboxTransaction.objects.filter(reference=reference).update(amount_fen=amount_fen)
        payments.gateway_succeeded(
            intent=intent, external_reference=reference, amount_fen=amount_fen, now=self.now
        )

    def hand_cash(self, number: int, share_percent: int) -> None:
        order = self.orders[number % len(self.orders)]
        self.attempt(
            payments.leader_receives,
            order=order,
            leader=order.listing.leader,
            channel="cash",
            amount_fen=order.unpaid_fen * share_percent // 100,
            key=self.key(),
            acting_person=order.listing.leader.person,
            now=self.now,
        )

    def amend(self, number: int, quantities: tuple[int, int]) -> None:
        order = self.orders[number % len(self.orders)]
        self.attempt(
            payments.amend_order,
            order=order,
            quantities={offer.pk: n for offer, n in zip(self.offers, quantities, strict=True)},
            acting_person=order.person,
            now=self.now,
        )

    def cancel(self, number: int) -> None:
        order = self.orders[number % len(self.orders)]
        self.attempt(payments.cancel_order, order=order, acting_person=order.person, now=self.now)

    def release(self) -> None:
        payments.release_unpaid(now=self.later(minutes=40))

    def refund(self) -> None:
        payments.send_due_refunds(now=self.now)

    def stray_money(self, fen: int) -> None:
        payment = payments.record_unmatched(
            channel="bank", external_reference=self.key(), amount_fen=fen, now=self.now
        )
        unpaid = [order for order in self.orders if order.unpaid_fen]
        if unpaid:
            self.attempt(
                payments.match_payment,
                payment=payment,
                order=unpaid[0],
                acting_person=self.boss,
                now=self.now,
            )

    def close(self) -> None:
        self.now = self.campaign.closes_at
        cut_off(campaign=self.campaign, now=self.now)

    def deliver(self, missing: int) -> None:
        """Everything arrives but `missing` steps of the first variant; then it is shared out and brought out."""
        orders = list(PurchaseOrder.objects.order_by("pk"))
        send_all(purchase_orders=orders, acting_person=self.boss, now=self.later(hours=1))
        for order in orders:
            counts = [
                Counted(
                    variant_id=line.variant_id,
                    quantity=max(0, line.ordered_quantity - (missing if number == 0 else 0)),
                )
                for number, line in enumerate(order.lines.order_by("pk"))
            ]
            receive(purchase_order=order, counts=counts, acting_person=self.boss, now=self.later(hours=8))
        for variant in variants_to_share(campaign=self.campaign):
            share_out(
                campaign=self.campaign,
                variant=variant,
                policy="pro_rata",
                acting_person=self.boss,
                now=self.now,
            )
        for listing in self.listings:
            self.attempt(
                confirm_arrival,
                campaign=self.campaign,
                pickup_point=listing.pickup_point,
                acting_person=self.boss,
                now=self.later(hours=1),
            )

    def fetch(self, number: int, quantity: int) -> None:
        line = self.lines[number % len(self.lines)]
        leader = line.order.listing.leader
        self.attempt(
            hand_over,
            lines_quantities={line.pk: quantity},
            method="code",
            leader=leader,
            acting_person=leader.person,
            now=self.now,
            key=self.key(),
            despite_unpaid=True,
        )

    def claim(self, number: int, fen: int, *, granted_percent: int, liability: str = "supplier") -> None:
        line = self.lines[number % len(self.lines)]
        case = self.attempt(
            open_claim,
            line=line,
            reason="damaged",
            words="坏果",
            asked_fen=fen,
            photos=[],
            acting_person=line.order.person,
            now=self.now,
            key=self.key(),
        )
        if case is None:
            return
        if granted_percent == 0:
            refuse_claim(claim=case, answer="照片看不出", acting_person=self.boss, now=self.now)
        else:
            self.attempt(
                grant_claim,
                claim=case,
                amount_fen=max(1, fen * granted_percent // 100),
                liability=liability,
                acting_person=self.boss,
                now=self.now,
            )

    def goodwill(self, number: int, fen: int) -> None:
        self.attempt(
            grant_goodwill,
            line=self.lines[number % len(self.lines)],
            amount_fen=fen,
            liability="platform",
            reason="quality",
            answer="抱歉",
            acting_person=self.boss,
            now=self.now,
            key=self.key(),
        )

    def complete(self) -> None:
        give_up_unclaimed(now=self.later(days=4))
        while complete_due(now=self.later(days=3)):
            pass

    def settle(self) -> None:
        end = self.later(days=1)
        runs.close_and_settle(ends_at=end, now=end, acting_person=self.boss, engine="python")
        suppliers.record_supplier_payables(now=end)

    def withdraw(self, leader: int, fen: int, *, ends: str) -> None:
        row = self.attempt(
            withdrawals.request_withdrawal,
            leader=self.leaders[leader],
            amount_fen=fen,
            idempotency_key=self.key(),
            acting_person=self.leaders[leader].person,
            now=self.now,
        )
        if row is None or ends == "requested":
            return
        if ends == "taken_back":
            withdrawals.take_back_withdrawal(
                withdrawal=row, acting_person=self.leaders[leader].person, now=self.now
            )
            return
        if ends == "refused":
            withdrawals.refuse_withdrawal(
                withdrawal=row, reason="核实", acting_person=self.boss, now=self.now
            )
            return
        withdrawals.approve_withdrawals(withdrawal_ids=[row.pk], acting_person=self.boss, now=self.now)
        if ends in ("paid", "failed"):
            withdrawals.mark_paid(
                withdrawal=row, payout_reference=self.key(), acting_person=self.boss, now=self.now
            )
        if ends == "failed":
            withdrawals.payout_failed(withdrawal=row, reason="退票", acting_person=self.boss, now=self.now)

    def remit(self, leader: int, fen: int) -> None:
        row = self.attempt(
            payments.announce_remittance,
            leader=self.leaders[leader],
            amount_fen=fen,
            reference=self.key(),
            now=self.now,
        )
        if row:
            payments.confirm_remittance(remittance=row, acting_person=self.boss, now=self.now)

    def pay_suppliers(self) -> None:
        for supplier_id, fen in suppliers.owed_by_supplier().items():
            if fen > 0:
                supplier = suppliers.Supplier.objects.get(pk=supplier_id)
                unpaid = supplier.payables.filter(payment_item__isnull=True)
                suppliers.pay_supplier(
                    supplier=supplier,
                    payable_ids=list(unpaid.values_list("pk", flat=True)),
                    reference=self.key(),
                    acting_person=self.boss,
                    now=self.now,
                )


def plain_story() -> Town:
    """A day that has something of everything, to its end."""
    town = Town()
    town.place(0, 0, (3, 2))
    town.pay(0)
    town.place(0, 1, (2, 0), settles="leader")
    town.hand_cash(1, 60)
    town.place(1, 0, (0, 5))
    town.pay(2, extra_fen=100)
    town.place(1, 1, (1, 1))
    town.pay(3)
    town.cancel(3)
    town.place(1, 2, (4, 0))
    town.release()
    town.stray_money(12_345)
    town.refund()
    town.close()
    town.deliver(missing=1)
    for number in range(len(town.lines)):
        town.fetch(number, 1)
        town.fetch(number, 1)
    town.claim(0, 500, granted_percent=100)
    town.complete()
    town.settle()
    town.goodwill(0, 300)
    town.remit(0, 1_000)
    town.withdraw(0, 500, ends="paid")
    town.withdraw(1, 100, ends="requested")
    town.refund()
    town.settle()
    town.pay_suppliers()
    return town
