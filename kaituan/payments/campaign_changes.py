"""Changing a published campaign: each change is previewed (whom it touches, what it costs), then made as seen.

It is here and not in `campaigns/` because it moves the money of orders that stand. Every `do_…` takes the version
that was previewed and raises VersionChanged when the campaign has moved on, so that a second click changes
nothing; it answers with what it did, orders placed since the preview included. Locks: the campaign first, which
keeps orders and the cut-off out, then the orders.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.campaigns.drafts import may_promise_rates
from kaituan.campaigns.events import change_terms, move_campaign
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Offer
from kaituan.campaigns.promises import require_price_bearable
from kaituan.campaigns.refusals import ChangeRefused
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.campaigns.terms import MAX_PRICE_FEN
from kaituan.money.fen import format_yuan, line_amount_fen
from kaituan.ordering.locks import lock_orders
from kaituan.ordering.models import Order, OrderAdjustment, OrderLine
from kaituan.ordering.services import LineAdjustment, adjust_lines, change_quantities
from kaituan.ordering.states import LIVE
from kaituan.payments.models import PaymentIntent, Refund
from kaituan.payments.receipts import confirm_if_paid
from kaituan.payments.services import cancel_orders, settle_differences
from kaituan.people.models import Person

PICKUP_MAY_MOVE = (*TAKING_ORDERS, Campaign.Status.CLOSED)
"""A lorry can be late after the cut-off too."""


@dataclass(frozen=True, slots=True)
class AffectedOrder:
    """One order and what the change does to it, in fen. refund_fen: of what was paid, how much goes back."""

    order_id: int
    public_id: str
    follow_number: int
    listing_id: int
    person_id: int
    due_before_fen: int
    due_after_fen: int
    refund_fen: int


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """Whom a change touches and what it costs.

    version: of the campaign that was looked at, to be handed to the `do_…`. listing_count: live listings, whose
    leaders are told. details: the change itself: ids, fen and ISO dates.
    """

    kind: str
    campaign_id: int
    version: int
    listing_count: int
    orders: tuple[AffectedOrder, ...]
    details: Mapping[str, Any]

    @property
    def order_count(self) -> int:
        return len(self.orders)

    @property
    def person_ids(self) -> list[int]:
        return sorted({order.person_id for order in self.orders})

    @property
    def person_count(self) -> int:
        return len(self.person_ids)

    @property
    def refund_fen(self) -> int:
        """Money that goes back to members."""
        return sum(order.refund_fen for order in self.orders)

    @property
    def forgone_fen(self) -> int:
        """What all orders together come to less: the refunds, and what now need not be paid."""
        return sum(order.due_before_fen - order.due_after_fen for order in self.orders)


def preview_price_change(*, offer: Offer, price_fen: int) -> ChangePreview:
    """Lower: everybody who ordered at a higher price gets the difference back. Higher: holds for what is ordered
    from now on. Raises ChangeRefused, or RateRefused where a promise to sellers (帮卖) could not be paid any more."""
    preview, _cuts = _price_change(offer=offer, price_fen=price_fen)
    return preview


@transaction.atomic
def do_price_change(
    *,
    offer: Offer,
    price_fen: int,
    expected_version: int,
    acting_person: Person,
    now: datetime,
    reason: str = "",
    funder: str = "platform",
) -> ChangePreview:
    """Change the price of an offer. funder: who bears a lower price on what was ordered: platform or supplier.

    Raises ChangeRefused, RateRefused, VersionChanged.
    """
    campaign = lock_campaign(campaign_id=offer.campaign_id, expected_version=expected_version)
    offer.refresh_from_db()
    require_price_right(offer=offer, price_fen=price_fen, funder=funder, person=acting_person, now=now)
    _lock_orders_of(offer)
    preview, cuts = _price_change(offer=offer, price_fen=price_fen)
    Offer.objects.filter(pk=offer.pk).update(price_fen=price_fen)
    adjust_lines(
        adjustments=[
            LineAdjustment(line_id, OrderAdjustment.Kind.PRICE_CUT, -cut_fen, funder)
            for line_id, cut_fen in cuts.items()
        ],
        now=now,
    )
    _settle(
        order_ids=[order.order_id for order in preview.orders] if cuts else [],
        refund_reason=Refund.Reason.PRICE_CUT,
        now=now,
    )
    _record(campaign, preview, acting_person=acting_person, now=now, reason=reason)
    return preview


def require_price_right(
    *, offer: Offer, price_fen: int, funder: str, person: Person | None, now: datetime
) -> None:
    """Raise ChangeRefused for a price below what the goods cost us, or one that a supplier bears, unless an
    operator sets it: a leader would give away money that is not the leader's."""
    if may_promise_rates(person=person, now=now):
        return
    if price_fen < offer.price_fen and price_fen < offer.cost_fen:
        raise ChangeRefused(
            _("%(title)s costs us ¥%(cost)s: only the operator sells it for less.")
            % {"title": offer.title, "cost": format_yuan(offer.cost_fen)}
        )
    if funder != "platform":
        raise ChangeRefused(_("Only the operator lets the supplier bear a lower price."))


def _price_change(*, offer: Offer, price_fen: int) -> tuple[ChangePreview, dict[int, int]]:
    """The preview, and line id -> fen that it becomes cheaper by.

    A line's goods cost at most their quantity times the new price; cuts made before count. A price that was raised
    in between and comes down again gives nothing back to who ordered at the first price.
    """
    campaign = _taking_orders(offer.campaign_id)
    if not 0 <= price_fen <= MAX_PRICE_FEN:
        raise ChangeRefused(_("A price is 0 or more, and a million yuan at most."))
    if price_fen == offer.price_fen:
        raise ChangeRefused(_("%(title)s has this price already.") % {"title": offer.title})
    require_price_bearable(offer=offer, price_fen=price_fen)
    cuts: dict[int, int] = {}
    found = []
    for line in _lines(Q(offer=offer)):
        order = line.order
        target_fen = line_amount_fen(
            price_fen=price_fen, price_quantity=offer.price_quantity, quantity=line.quantity
        )
        excess_fen = line.amount_fen + line.price_cut_fen - target_fen  # type: ignore[attr-defined]
        # Other discounts may already have taken the line, or its order, below the new price.
        cut_fen = min(excess_fen, line.amount_fen + line.adjusted_fen, order.due_fen)  # type: ignore[attr-defined]
        if cut_fen > 0 and price_fen < offer.price_fen:
            cuts[line.pk] = cut_fen
        found.append(_affected(order, due_after_fen=order.due_fen - cuts.get(line.pk, 0)))
    lowers = price_fen < offer.price_fen
    preview = _preview(
        campaign,
        kind="price_lowered" if lowers else "price_raised",
        orders=[o for o in found if o.due_after_fen < o.due_before_fen] if lowers else found,
        details={"offer_id": offer.pk, "old_fen": offer.price_fen, "new_fen": price_fen},
    )
    return preview, cuts


def preview_stop_offer(*, offer: Offer, cancels_ordered: bool) -> ChangePreview:
    """No new orders for an offer; with `cancels_ordered` what was ordered is taken out and refunded too.

    Raises ChangeRefused.
    """
    campaign = _taking_orders(offer.campaign_id)
    if offer.stopped_at is not None and not cancels_ordered:
        raise ChangeRefused(_("%(title)s is stopped already.") % {"title": offer.title})
    orders = []
    for line in _lines(Q(offer=offer)):
        order = line.order
        net_fen = line.amount_fen + line.adjusted_fen  # type: ignore[attr-defined]
        after_fen = order.due_fen - net_fen if cancels_ordered else order.due_fen
        is_all = cancels_ordered and line.other_quantity == 0  # type: ignore[attr-defined]
        orders.append(_affected(order, due_after_fen=0 if is_all else after_fen))
    return _preview(
        campaign,
        kind="offer_withdrawn" if cancels_ordered else "offer_stopped",
        orders=orders,
        details={"offer_id": offer.pk},
    )


@transaction.atomic
def do_stop_offer(
    *,
    offer: Offer,
    cancels_ordered: bool,
    expected_version: int,
    acting_person: Person,
    now: datetime,
    reason: str = "",
) -> ChangePreview:
    """Stop an offer, and take it out of every order if asked to. Raises ChangeRefused, VersionChanged."""
    campaign = lock_campaign(campaign_id=offer.campaign_id, expected_version=expected_version)
    offer.refresh_from_db()
    _lock_orders_of(offer)
    preview = preview_stop_offer(offer=offer, cancels_ordered=cancels_ordered)
    if cancels_ordered:
        take_offers_out(
            campaign=campaign,
            offer_ids=[offer.pk],
            reason=preview.kind,
            refund_reason=Refund.Reason.CANCELLED,
            acting_person=acting_person,
            now=now,
        )
    Offer.objects.filter(pk=offer.pk, stopped_at__isnull=True).update(stopped_at=now)
    _record(campaign, preview, acting_person=acting_person, now=now, reason=reason)
    return preview


@transaction.atomic
def take_offers_out(
    *,
    campaign: Campaign,
    offer_ids: Collection[int],
    reason: str,
    refund_reason: str,
    acting_person: Person | None,
    now: datetime,
) -> list[int]:
    """Take offers out of every live order of a locked campaign and refund them; an order of nothing else is
    cancelled. reason: a code, `offer_withdrawn`. Answers the ids of the orders that were touched."""
    lines = OrderLine.objects.filter(order__campaign=campaign, order__status__in=LIVE, quantity__gt=0)
    touched = set(lines.filter(offer_id__in=offer_ids).values_list("order_id", flat=True))
    others = lines.filter(order_id__in=touched).exclude(offer_id__in=offer_ids)
    mixed = set(others.values_list("order_id", flat=True))
    cancel_orders(
        order_ids=touched - mixed,
        reason=reason,
        refund_reason=refund_reason,
        acting_person=acting_person,
        now=now,
    )
    for order in Order.objects.filter(pk__in=mixed).order_by("pk"):
        ordered = order.lines.filter(quantity__gt=0, offer_id__in=offer_ids).values_list(
            "offer_id", flat=True
        )
        change_quantities(
            order=order,
            quantities=dict.fromkeys(ordered, 0),
            now=now,
            acting_person=acting_person,
            reason=reason,
            kind=reason,
            until_cut_off=False,
        )
    _settle(order_ids=mixed, refund_reason=refund_reason, now=now)
    return sorted(touched)


def preview_pickup_move(*, campaign: Campaign, pickup_on: date) -> ChangePreview:
    """Everybody who ordered comes on another day. Raises ChangeRefused."""
    campaign = Campaign.objects.get(pk=campaign.pk)
    if campaign.status not in PICKUP_MAY_MOVE:
        raise ChangeRefused(_("The pickup date can no longer be changed."))
    if pickup_on == campaign.pickup_on:
        raise ChangeRefused(_("This is the pickup date already."))
    if pickup_on < timezone.localdate(campaign.closes_at):
        raise ChangeRefused(_("The pickup date is before the cut-off."))
    return _preview(
        campaign,
        kind="pickup_moved",
        orders=_unchanged_orders(campaign),
        details={"old_on": campaign.pickup_on.isoformat(), "pickup_on": pickup_on.isoformat()},
    )


@transaction.atomic
def do_pickup_move(
    *,
    campaign: Campaign,
    pickup_on: date,
    expected_version: int,
    acting_person: Person,
    now: datetime,
    reason: str = "",
) -> ChangePreview:
    """Move the pickup date. Raises ChangeRefused, VersionChanged."""
    campaign = lock_campaign(campaign_id=campaign.pk, expected_version=expected_version)
    if pickup_on < timezone.localdate(now):
        raise ChangeRefused(_("The pickup date has passed: choose a later one."))
    preview = preview_pickup_move(campaign=campaign, pickup_on=pickup_on)
    values = {"pickup_on": pickup_on}
    _record(campaign, preview, acting_person=acting_person, now=now, reason=reason, values=values)
    return preview


def preview_window_extension(
    *, campaign: Campaign, closes_at: datetime, pickup_on: date | None = None
) -> ChangePreview:
    """Orders are taken longer; the pickup date moves too where one is given. Raises ChangeRefused."""
    campaign = _taking_orders(campaign.pk)
    if closes_at <= campaign.closes_at:
        raise ChangeRefused(_("The new cut-off is not later than the old one."))
    pickup_on = pickup_on or campaign.pickup_on
    if pickup_on < timezone.localdate(closes_at):
        raise ChangeRefused(_("The pickup date would be before the cut-off: move it along."))
    return _preview(
        campaign,
        kind="window_extended",
        orders=_unchanged_orders(campaign),
        details={"closes_at": closes_at.isoformat(), "pickup_on": pickup_on.isoformat()},
    )


@transaction.atomic
def do_window_extension(
    *,
    campaign: Campaign,
    closes_at: datetime,
    expected_version: int,
    acting_person: Person,
    now: datetime,
    pickup_on: date | None = None,
    reason: str = "",
) -> ChangePreview:
    """Take orders longer. Raises ChangeRefused, VersionChanged."""
    campaign = lock_campaign(campaign_id=campaign.pk, expected_version=expected_version)
    if closes_at <= now:
        raise ChangeRefused(_("The cut-off has passed: choose a later one."))
    preview = preview_window_extension(campaign=campaign, closes_at=closes_at, pickup_on=pickup_on)
    values = {"closes_at": closes_at, "pickup_on": pickup_on or campaign.pickup_on}
    _record(campaign, preview, acting_person=acting_person, now=now, reason=reason, values=values)
    return preview


def preview_cancel_campaign(*, campaign: Campaign) -> ChangePreview:
    """Call a campaign off before its cut-off: every order is cancelled and refunded. Raises ChangeRefused."""
    campaign = _taking_orders(campaign.pk)
    orders = [_affected(order, due_after_fen=0) for order in _live_orders(campaign)]
    return _preview(campaign, kind="campaign_cancelled", orders=orders, details={})


@transaction.atomic
def do_cancel_campaign(
    *, campaign: Campaign, expected_version: int, acting_person: Person, now: datetime, reason: str = ""
) -> ChangePreview:
    """Call a campaign off, on every listing. Raises ChangeRefused, VersionChanged."""
    campaign = lock_campaign(campaign_id=campaign.pk, expected_version=expected_version)
    lock_orders(order_ids=_live_orders(campaign).values_list("pk", flat=True))
    preview = preview_cancel_campaign(campaign=campaign)
    cancel_orders(
        order_ids=[order.order_id for order in preview.orders],
        reason=preview.kind,
        refund_reason=Refund.Reason.CAMPAIGN_CANCELLED,
        acting_person=acting_person,
        now=now,
    )
    move_campaign(
        campaign=campaign,
        to_status=Campaign.Status.CANCELLED,
        kind=preview.kind,
        acting_person=acting_person,
        now=now,
        reason=reason,
        person_ids=preview.person_ids,
    )
    return preview


def turnover_fen(*, campaign: Campaign) -> int:
    """What the live orders of a campaign come to, for `campaigns.queries.progress`."""
    live = campaign.orders.filter(status__in=LIVE)
    total: int | None = live.aggregate(due=Sum(F("list_fen") + F("adjustment_fen")))["due"]
    return total or 0


def _taking_orders(campaign_id: int) -> Campaign:
    campaign = Campaign.objects.get(pk=campaign_id)
    if campaign.status == Campaign.Status.DRAFT:
        raise ChangeRefused(_("The group buy is a draft: edit it."))
    if campaign.status not in TAKING_ORDERS:
        raise ChangeRefused(_("The group buy is cut off or called off: this can no longer be changed."))
    return campaign


def _live_orders(campaign: Campaign) -> QuerySet[Order]:
    return Order.objects.filter(campaign=campaign, status__in=LIVE).order_by("listing_id", "follow_number")


def _lock_orders_of(offer: Offer) -> None:
    """Hold the orders, so that no payment comes between what is computed and what is refunded."""
    lock_orders(order_ids=_lines(Q(offer=offer)).values_list("order_id", flat=True))


def _lines(where: Q) -> QuerySet[OrderLine]:
    """Live lines with their orders, what they were adjusted by, and how much else their orders hold."""
    adjustments = OrderAdjustment.objects.filter(line=OuterRef("pk")).values("line")
    others = OrderLine.objects.filter(order=OuterRef("order")).exclude(pk=OuterRef("pk")).values("order")
    total = {"output_field": BigIntegerField()}
    return (
        OrderLine.objects.filter(where, order__status__in=LIVE, quantity__gt=0)
        .select_related("order")
        .annotate(
            adjusted_fen=Coalesce(
                Subquery(adjustments.annotate(t=Sum("amount_fen")).values("t"), **total), 0
            ),
            price_cut_fen=Coalesce(
                Subquery(
                    adjustments.filter(kind=OrderAdjustment.Kind.PRICE_CUT)
                    .annotate(t=Sum("amount_fen"))
                    .values("t"),
                    **total,
                ),
                0,
            ),
            other_quantity=Coalesce(Subquery(others.annotate(t=Sum("quantity")).values("t"), **total), 0),
        )
        .order_by("order__listing_id", "order__follow_number")
    )


def _unchanged_orders(campaign: Campaign) -> list[AffectedOrder]:
    """Orders that a change touches without costing anything."""
    return [_affected(order, due_after_fen=order.due_fen) for order in _live_orders(campaign)]


def _affected(order: Order, *, due_after_fen: int) -> AffectedOrder:
    due_before_fen = order.due_fen
    over_before_fen = max(0, order.kept_fen - due_before_fen)
    return AffectedOrder(
        order_id=order.pk,
        public_id=order.public_id,
        follow_number=order.follow_number,
        listing_id=order.listing_id,
        person_id=order.person_id,
        due_before_fen=due_before_fen,
        due_after_fen=due_after_fen,
        refund_fen=max(0, order.kept_fen - due_after_fen) - over_before_fen,
    )


def _preview(
    campaign: Campaign, *, kind: str, orders: Sequence[AffectedOrder], details: Mapping[str, Any]
) -> ChangePreview:
    return ChangePreview(
        kind=kind,
        campaign_id=campaign.pk,
        version=campaign.version,
        listing_count=campaign.listings.filter(withdrawn_at__isnull=True).count(),
        orders=tuple(orders),
        details=dict(details),
    )


def _settle(*, order_ids: Iterable[int], refund_reason: str, now: datetime) -> None:
    """Refund what is now too much, ask for nothing of an old amount, and confirm what is thereby paid."""
    ids = list(order_ids)
    settle_differences(order_ids=ids, reason=refund_reason, now=now)
    PaymentIntent.objects.filter(order_id__in=ids, status=PaymentIntent.Status.OPEN).update(
        status=PaymentIntent.Status.VOID
    )
    for order in lock_orders(order_ids=ids):
        if order.status == Order.Status.PENDING:
            confirm_if_paid(order=order, now=now)


def _record(
    campaign: Campaign,
    preview: ChangePreview,
    *,
    acting_person: Person,
    now: datetime,
    reason: str,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Raise the version, write the event and announce it to who is touched and to who sells."""
    change_terms(
        campaign=campaign,
        values=values or {},
        kind=preview.kind,
        acting_person=acting_person,
        now=now,
        reason=reason,
        details=preview.details,
        person_ids=preview.person_ids,
    )
