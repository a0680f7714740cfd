"""Figures over all folders, for the operator's first page. Amounts in fen; a day is a day of the station's zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from kaituan.aftersales.models import Claim
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, SharingOut
from kaituan.ordering.states import LIVE
from kaituan.payments.models import Channel, Payment, Refund, Remittance
from kaituan.payments.queries import unmatched_payments
from kaituan.reporting.days import DayFigures, order_days
from kaituan.settlement.models import Withdrawal

DAYS = 14
CUT_OFFS = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for somebody's hand, and how much money hangs on them."""

    count: int
    fen: int = 0


@dataclass(frozen=True, slots=True)
class ChannelSum:
    """Money that came in along one channel (payments.Channel)."""

    channel: str
    count: int
    fen: int


@dataclass(frozen=True, slots=True)
class CutOff:
    """A group buy that is cut off soon, with what is ordered in it until now."""

    campaign: Campaign
    order_count: int
    due_fen: int


@dataclass(frozen=True, slots=True)
class OperatorHome:
    """What the operator sees first: today, what comes next, what waits."""

    today: DayFigures
    yesterday: DayFigures
    days: Sequence[DayFigures]
    """The last two weeks, today last."""
    money_in: Sequence[ChannelSum]
    """Received today, the largest sum first; paying from a balance brings no new money and is left out."""
    cut_offs: Sequence[CutOff]
    to_send: Waiting
    to_receive: Waiting
    to_share: Waiting
    open_claims: Waiting
    unmatched: Waiting
    failed_refunds: Waiting
    remittances: Waiting
    withdrawals: Waiting

    @property
    def money_in_fen(self) -> int:
        return sum(row.fen for row in self.money_in)

    @property
    def money_in_count(self) -> int:
        return sum(row.count for row in self.money_in)


def operator_home(*, now: datetime) -> OperatorHome:
    """All figures of the operator's first page, in a fixed number of statements however much was sold."""
    days = order_days(until=now, count=DAYS)
    orders = PurchaseOrder.objects
    shipped = (PurchaseOrder.Status.SENT, PurchaseOrder.Status.SEEN, PurchaseOrder.Status.CONFIRMED)
    return OperatorHome(
        today=days[-1],
        yesterday=days[-2],
        days=days,
        money_in=money_in(on=timezone.localdate(now)),
        cut_offs=next_cut_offs(now=now),
        to_send=Waiting(orders.filter(status=PurchaseOrder.Status.DRAFT).count()),
        to_receive=Waiting(orders.filter(status__in=shipped).count()),
        to_share=Waiting(goods_to_share()),
        open_claims=_waiting(Claim.objects.filter(status=Claim.Status.OPEN), "asked_fen"),
        unmatched=_waiting(unmatched_payments(), F("amount_fen") - F("allocated_fen") - F("returned_fen")),
        failed_refunds=_waiting(Refund.objects.filter(status=Refund.Status.FAILED), "amount_fen"),
        remittances=_waiting(Remittance.objects.filter(status=Remittance.Status.ANNOUNCED), "amount_fen"),
        withdrawals=_waiting(Withdrawal.objects.filter(status=Withdrawal.Status.REQUESTED), "amount_fen"),
    )


def _waiting(rows, amount) -> Waiting:  # type: ignore[no-untyped-def]
    found = rows.order_by().aggregate(count=Count("pk"), fen=Sum(amount))
    return Waiting(found["count"], found["fen"] or 0)


def day_bounds(on: date) -> tuple[datetime, datetime]:
    """The instants a day of the station's zone begins and ends at."""
    starts = timezone.make_aware(datetime.combine(on, time.min))
    return starts, timezone.make_aware(datetime.combine(on + timedelta(days=1), time.min))


def money_in(*, on: date) -> list[ChannelSum]:
    """What was received on a day, by channel."""
    starts, ends = day_bounds(on)
    rows = (
        Payment.objects.filter(received_at__gte=starts, received_at__lt=ends)
        .exclude(channel=Channel.BALANCE)
        .values("channel")
        .annotate(count=Count("pk"), fen=Sum("amount_fen"))
        .order_by("-fen", "channel")
    )
    return [ChannelSum(**row) for row in rows]


def next_cut_offs(*, now: datetime, limit: int = CUT_OFFS) -> list[CutOff]:
    """Group buys that take orders and are cut off next, the soonest first."""
    live = Q(orders__status__in=LIVE)
    rows = (
        Campaign.objects.filter(status__in=(Campaign.Status.OPEN, Campaign.Status.SCHEDULED))
        .filter(opens_at__lte=now, closes_at__gt=now)
        .order_by("closes_at", "pk")
        .annotate(
            order_count=Count("orders", filter=live),
            due=Sum(F("orders__list_fen") + F("orders__adjustment_fen"), filter=live),
        )[:limit]
    )
    return [CutOff(row, row.order_count, row.due or 0) for row in rows]


def goods_to_share() -> int:
    """How many goods, over all group buys, are counted and not shared out yet."""
    counted = PurchaseOrderLine.objects.filter(
        purchase_order__status=PurchaseOrder.Status.RECEIVED, ordered_quantity__gt=0
    ).values_list("purchase_order__snapshot__campaign_id", "variant_id")
    shared = SharingOut.objects.values_list("campaign_id", "variant_id")
    return counted.difference(shared).count()
