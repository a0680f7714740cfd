"""Changes of one order that move stock and money together: amend, cancel, release; and recognising sales."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.ordering.core import StockRefused
from kaituan.ordering.locks import lock_orders, share_campaign
from kaituan.ordering.models import Order, OrderEvent
from kaituan.ordering.services import (
    OrderRefused,
    change_quantities,
    move_order,
    require_open,
    withdraw_orders,
)
from kaituan.payments.models import PaymentIntent, Refund
from kaituan.payments.postings import post_orders
from kaituan.payments.receipts import confirm_if_paid
from kaituan.payments.refunds import settle_differences
from kaituan.people.models import Person


@transaction.atomic
def amend_order(
    *, order: Order, quantities: Mapping[int, int], acting_person: Person, now: datetime
) -> Order:
    """Change quantities until the cut-off: what became too much is refunded, what is missing is asked for.

    quantities: offer id -> base steps, 0 = taken back; offers not named stay. Raises what
    `ordering.services.change_quantities` raises.
    """
    change_quantities(order=order, quantities=quantities, now=now, acting_person=acting_person)
    settle_differences(order_ids=[order.pk], reason=Refund.Reason.AMENDED, now=now)
    [order] = lock_orders(order_ids=[order.pk])
    _void_intents(order_ids=[order.pk])
    if order.status == Order.Status.CONFIRMED and order.unpaid_fen and order.settles == Order.Settles.PREPAID:
        move_order(
            order=order, to_status=Order.Status.PENDING, now=now, acting_person=acting_person, kind="unpaid"
        )
        campaign = order.campaign
        order.pay_by = min(now + timedelta(minutes=campaign.payment_minutes), campaign.closes_at)
        order.save(update_fields=["pay_by"])
    else:
        confirm_if_paid(order=order, now=now)
    return order


@transaction.atomic
def cancel_order(
    *, order: Order, acting_person: Person, now: datetime, reason: str = "", after_cut_off: bool = False
) -> Order:
    """Take an order back and refund what was paid. Members and leaders until the cut-off; with `after_cut_off`
    the operator may later, as long as nothing was handed over.

    Cancelling twice changes nothing. Raises OrderingClosed, OrderRefused.
    """
    campaign = share_campaign(campaign_id=order.campaign_id)
    if not after_cut_off:
        require_open(campaign=campaign, now=now)
    [order] = lock_orders(order_ids=[order.pk])
    if order.status == Order.Status.CANCELLED:
        return order
    if order.lines.filter(handed_quantity__gt=0).exists():
        raise OrderRefused(_("Part of this order is already handed over: use a claim instead."))
    if not withdraw_orders(
        order_ids=[order.pk],
        to_status=Order.Status.CANCELLED,
        now=now,
        acting_person=acting_person,
        reason=reason,
    ):
        raise OrderRefused(_("Order #%(number)s can no longer be changed.") % {"number": order.follow_number})
    settle_differences(order_ids=[order.pk], reason=Refund.Reason.CANCELLED, now=now)
    _void_intents(order_ids=[order.pk])
    order.refresh_from_db()
    return order


@transaction.atomic
def cancel_orders(
    *, order_ids: Iterable[int], reason: str, refund_reason: str, acting_person: Person | None, now: datetime
) -> list[Order]:
    """Cancel many orders for one reason (a minimum not met, a campaign called off) and refund them."""
    withdrawn = withdraw_orders(
        order_ids=order_ids,
        to_status=Order.Status.CANCELLED,
        now=now,
        acting_person=acting_person,
        reason=reason,
    )
    ids = [order.pk for order in withdrawn]
    settle_differences(order_ids=ids, reason=refund_reason, now=now)
    _void_intents(order_ids=ids)
    return withdrawn


def release_unpaid(*, now: datetime, campaign: Campaign | None = None) -> int:
    """Give back the stock of orders whose payment deadline has passed; with a campaign, of all its unpaid ones
    (its cut-off has come). One transaction per campaign's orders when called by the cut-off, else one per
    order. Returns how many orders were touched."""
    pending = Order.objects.filter(status=Order.Status.PENDING)
    pending = pending.filter(campaign=campaign) if campaign else pending.filter(pay_by__lte=now)
    ids = list(pending.order_by("pk").values_list("pk", flat=True))
    return sum(_release_one(order_id=order_id, now=now, by_cut_off=campaign is not None) for order_id in ids)


@transaction.atomic
def _release_one(*, order_id: int, now: datetime, by_cut_off: bool) -> bool:
    [found] = Order.objects.filter(pk=order_id)
    share_campaign(campaign_id=found.campaign_id)
    [order] = lock_orders(order_ids=[order_id])
    too_late = by_cut_off or (order.pay_by is not None and order.pay_by <= now)
    if order.status != Order.Status.PENDING or not too_late:
        return False
    if order.kept_fen and _undo_unpaid_amendment(order=order, now=now):
        return True
    withdraw_orders(
        order_ids=[order_id], to_status=Order.Status.RELEASED, now=now, acting_person=None,
        reason=_("Not paid in time."),
    )  # fmt: skip
    settle_differences(order_ids=[order_id], reason=Refund.Reason.CANCELLED, now=now)
    _void_intents(order_ids=[order_id])
    return True


def _undo_unpaid_amendment(*, order: Order, now: datetime) -> bool:
    """Somebody paid, then asked for more and did not pay that: what was paid for stands. True if it does."""
    amendments = OrderEvent.objects.filter(order=order, kind="amended").order_by("-pk")
    for amendment in amendments:
        before = {int(offer_id): quantity for offer_id, quantity in amendment.details["before"].items()}
        after = {int(offer_id): 0 for offer_id in amendment.details["after"]}
        try:
            change_quantities(
                order=order, quantities={**after, **before}, now=now, acting_person=None,
                reason=_("The change was not paid in time."), kind="amendment_lapsed", until_cut_off=False,
            )  # fmt: skip
        except (StockRefused, OrderRefused):
            return False
        [order] = lock_orders(order_ids=[order.pk])
        if order.unpaid_fen == 0:
            settle_differences(order_ids=[order.pk], reason=Refund.Reason.AMENDED, now=now)
            [order] = lock_orders(order_ids=[order.pk])
            confirm_if_paid(order=order, now=now)
            _void_intents(order_ids=[order.pk])
            return True
    return False


@transaction.atomic
def recognise_lines(*, order_ids: Iterable[int], now: datetime) -> None:
    """Post the sales of lines that were completed just now (their `completed_at` is set already)."""
    post_orders(orders=lock_orders(order_ids=order_ids), kind="lines_completed", now=now)


def _void_intents(*, order_ids: Iterable[int]) -> None:
    PaymentIntent.objects.filter(order_id__in=list(order_ids), status=PaymentIntent.Status.OPEN).update(
        status=PaymentIntent.Status.VOID
    )
