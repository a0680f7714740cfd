"""The office's days and weeks: completing lines, sending refunds, settling, paying leaders and suppliers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from kaituan.catalogue.models import Supplier
from kaituan.commission.tiers import evaluate_tiers
from kaituan.demo.timetable import Timetable
from kaituan.demo.town import USERNAMES
from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.handover import give_up_unclaimed
from kaituan.ledger.models import AccountKind, CachedBalance
from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import LEADER_CHANNELS, Payment, Refund, Remittance
from kaituan.payments.refusals import PaymentRefused
from kaituan.people import services as people
from kaituan.people.models import Leader, Person
from kaituan.people.payees import check_digit_is_wrong
from kaituan.settlement import runs, suppliers, withdrawals
from kaituan.settlement.models import SupplierPayable, Withdrawal
from kaituan.settlement.queries import leader_balance

HOUR = timedelta(hours=1)
WEEK_DAYS = 7


class Office:
    """What the operator and the cashier do, day by day."""

    def __init__(self, *, rng: Random, timetable: Timetable, operator: Person, engine: str) -> None:
        self._rng = rng
        self._timetable = timetable
        self._operator = operator
        self._engine = engine
        self._cashier = Person.objects.get(account__username=USERNAMES["cashier"])
        self._leaders = list(Leader.objects.select_related("person").order_by("pk"))

    def plan_day(self, midnight: datetime, *, number: int) -> None:
        """Every night the open things are closed; every seventh day is settled and paid."""
        at = self._timetable.at
        at(midnight + HOUR, self._close_what_is_due)
        at(midnight + 22 * HOUR, self._refunds_by_hand)
        if number % 5 == 2:
            at(midnight + 11 * HOUR, self._stray_money)
        if number % WEEK_DAYS == 0 and number:
            # The engine reads in a connection of its own, and so sees what is committed only.
            at(midnight + 2 * HOUR, lambda now: self._settle(midnight, now), in_transaction=False)
            at(midnight + 9 * HOUR, self._remit)
            at(midnight + 10 * HOUR, self._withdraw)
            at(midnight + 15 * HOUR, self._pay_suppliers)
            at(midnight + 30 * HOUR, self._decide_remittances)
            at(midnight + 34 * HOUR, self._pay_leaders)

    def _close_what_is_due(self, now: datetime) -> None:
        while give_up_unclaimed(now=now):
            pass
        while complete_due(now=now):
            pass
        while payments.send_due_refunds(now=now):
            pass
        suppliers.record_supplier_payables(now=now)
        evaluate_tiers(now=now)

    def _refunds_by_hand(self, now: datetime) -> None:
        """Leaders give back what they took, when they see the member; a few have yet to."""
        due = Refund.objects.filter(status=Refund.Status.DUE, channel__in=LEADER_CHANNELS)
        for refund in due.select_related("order__listing__leader__person").order_by("pk"):
            if self._rng.random() < 0.6:
                leader = refund.order.listing.leader
                payments.hand_back(refund=refund, acting_person=leader.person, now=now)

    def _stray_money(self, now: datetime) -> None:
        """A bank transfer without a word: matched to an unpaid order if there is one, else sent back."""
        payment = payments.record_unmatched(
            channel="bank", external_reference=f"BANK{now:%Y%m%d%H}", amount_fen=self._rng.randint(20, 90) * 100,
            now=now, recorded_by=self._cashier, remark="转账未备注",
        )  # fmt: skip
        if self._rng.random() < 0.7:
            self._timetable.at(now + 3 * HOUR, self._finding(payment))

    def _finding(self, payment: Payment) -> Callable[[datetime], None]:
        def deed(now: datetime) -> None:
            confirmed = Order.objects.filter(status=Order.Status.CONFIRMED, paid_fen=0, settles="leader")
            order = next((row for row in confirmed.order_by("pk")[:200] if row.unpaid_fen), None)
            if order is not None:
                payments.match_payment(payment=payment, order=order, acting_person=self._cashier, now=now)
            payment.refresh_from_db()
            if payment.unmatched_fen:
                payments.return_payment(
                    payment=payment, reason="无法对应订单，原路退回", acting_person=self._cashier, now=now
                )

        return deed

    def _settle(self, midnight: datetime, now: datetime) -> None:
        runs.close_and_settle(ends_at=midnight, now=now, acting_person=self._cashier, engine=self._engine)

    def _remit(self, now: datetime) -> None:
        """Leaders hand over most of the members' money that they hold."""
        held = dict(
            CachedBalance.objects.filter(
                account__kind=AccountKind.LEADER_HELD, balance_fen__gt=0
            ).values_list("account__owner", "balance_fen")
        )
        for leader in self._leaders:
            fen = held.get(f"leader:{leader.pk}", 0) * self._rng.choice((60, 80, 100)) // 100
            if fen and self._rng.random() < 0.9:
                try:
                    payments.announce_remittance(
                        leader=leader, amount_fen=fen, reference=f"SJ{now:%m%d}{leader.pk:04d}", now=now
                    )
                except PaymentRefused:
                    continue  # The last one is still on its way.

    def _decide_remittances(self, now: datetime) -> None:
        for row in Remittance.objects.filter(status=Remittance.Status.ANNOUNCED).order_by("pk"):
            if self._rng.random() < 0.03:
                payments.refuse_remittance(
                    remittance=row, acting_person=self._cashier, reason="银行未到账", now=now
                )
            else:
                payments.confirm_remittance(remittance=row, acting_person=self._cashier, now=now)

    def _withdraw(self, now: datetime) -> None:
        for leader in self._leaders:
            balance = leader_balance(leader=leader, now=now)
            fen = balance.withdrawable_fen
            if fen >= balance.minimum_fen and self._rng.random() < 0.65:
                self._say_where_to_pay(leader, now)
                withdrawals.request_withdrawal(
                    leader=leader, amount_fen=fen, idempotency_key=f"demo-{now:%Y%m%d}-{leader.pk}",
                    acting_person=leader.person, now=now,
                )  # fmt: skip

    def _say_where_to_pay(self, leader: Leader, now: datetime) -> None:
        """Before the first withdrawal; of cards, Alipay and WeChat some each. The cards are nobody's."""
        if leader.payee_accounts.exists():
            return
        kind, number, bank = (
            ("card", invented_card(leader.pk), "城南邻里银行"),
            ("alipay", leader.person.phone, ""),
            ("wechat", leader.person.phone, ""),
        )[leader.pk % 3]
        people.set_payee_account(
            leader=leader, kind=kind, holder_name=leader.person.name, account_number=number, bank_name=bank,
            acting_person=leader.person, now=now,
        )  # fmt: skip

    def _pay_leaders(self, now: datetime) -> None:
        requested = Withdrawal.objects.filter(status="requested").select_related("payee")
        for row in requested.order_by("pk"):
            chance = self._rng.random()
            if chance < 0.04:
                withdrawals.refuse_withdrawal(
                    withdrawal=row,
                    reason="户名与实名不一致，请核对后重提",
                    acting_person=self._cashier,
                    now=now,
                )
                continue
            assert row.payee is not None
            people.check_payee_account(payee=row.payee, acting_person=self._cashier, now=now)
            withdrawals.approve_withdrawals(withdrawal_ids=[row.pk], acting_person=self._cashier, now=now)
            if chance < 0.95:
                withdrawals.mark_paid(
                    withdrawal=row, payout_reference=f"TX{now:%y%m%d}{row.pk:05d}",
                    acting_person=self._cashier, now=now,
                )  # fmt: skip

    def _pay_suppliers(self, now: datetime) -> None:
        """What arose until a week ago is paid."""
        unpaid = SupplierPayable.objects.filter(
            payment_item__isnull=True, arose_at__lt=now - timedelta(days=WEEK_DAYS)
        )
        for supplier in Supplier.objects.order_by("pk"):
            payables = list(unpaid.filter(supplier=supplier).order_by("pk"))
            if sum(payable.amount_fen for payable in payables) > 0:
                suppliers.pay_supplier(
                    supplier=supplier,
                    payable_ids=[payable.pk for payable in payables],
                    reference=f"HK{now:%y%m%d}{supplier.pk:03d}",
                    acting_person=self._cashier,
                    now=now,
                )


def invented_card(number: int) -> str:
    """A card that no bank has issued: noughts after the 62 of all cards, then the number and its check digit."""
    digits = f"620000000{number:06d}"
    return next(card for last in "0123456789" if not check_digit_is_wrong(card := digits + last))
