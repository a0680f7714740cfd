"""The cut-off: ordering ends, and what was sold is written down and asked for at the suppliers.

One transaction holds the campaign alone. An order placed in the very instant either has its lock first, and is
in the snapshot, or comes after, and is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from kaituan.campaigns.events import move_campaign
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign
from kaituan.campaigns.queries import due_for_cut_off
from kaituan.campaigns.services import close_campaign, extend_once, unmet_minimums
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.fulfilment.models import Snapshot
from kaituan.fulfilment.purchasing import make_purchase_orders
from kaituan.fulfilment.refusals import CutOffRefused
from kaituan.fulfilment.snapshots import record_changes, take_snapshot
from kaituan.notices.services import announce
from kaituan.ordering.models import Order
from kaituan.payments.campaign_changes import take_offers_out
from kaituan.payments.models import Refund
from kaituan.payments.services import cancel_order, cancel_orders, release_unpaid
from kaituan.people.models import Person

log = structlog.get_logger(__name__)

Status = Campaign.Status
MINIMUM_NOT_MET = Refund.Reason.MINIMUM_NOT_MET.value


class Ending(StrEnum):
    CLOSED = "closed"
    EXTENDED = "extended"
    """A minimum was not met and the campaign goes on, once."""
    CALLED_OFF = "called_off"
    """The campaign's minimum was not met: everything is cancelled and refunded."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """What a cut-off came to. snapshot is None unless the campaign closed."""

    ending: Ending
    campaign: Campaign
    snapshot: Snapshot | None = None


@transaction.atomic
def cut_off(*, campaign: Campaign, now: datetime, acting_person: Person | None = None) -> CutOff:
    """End a campaign: at its time by the clock, or earlier by a person.

    Unpaid prepaid orders are released; those that a leader stands in for are kept. What did not reach its
    minimum is cancelled and refunded, or the window is extended once if that is the policy and its time has
    come. Then the numbered snapshot and a purchase order per supplier are written. A campaign that is cut off
    already answers what it came to. Raises CutOffRefused.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    if campaign.status == Status.CLOSED:
        return CutOff(Ending.CLOSED, campaign, campaign.snapshots.order_by("number").first())
    if campaign.status == Status.CANCELLED:
        return CutOff(Ending.CALLED_OFF, campaign)
    if campaign.status == Status.DRAFT or now < campaign.opens_at:
        raise CutOffRefused(_("%(campaign)s has not opened yet.") % {"campaign": campaign.title})
    early = now < campaign.closes_at
    if early and acting_person is None:
        raise CutOffRefused(_("%(campaign)s still takes orders.") % {"campaign": campaign.title})
    release_unpaid(now=now, campaign=campaign)
    verdict = unmet_minimums(campaign=campaign, turnover_by_offer=_turnover_by_offer(campaign=campaign))
    if verdict.extends:
        if early:
            raise CutOffRefused(
                _("%(campaign)s has not reached its minimum: it ends by itself.")
                % {"campaign": campaign.title}
            )
        return CutOff(Ending.EXTENDED, extend_once(campaign=campaign, now=now))
    if verdict.refunds_all:
        return _call_off(campaign=campaign, now=now, acting_person=acting_person)
    if verdict.refunded_offer_ids:
        _cancel_offers(campaign=campaign, offer_ids=verdict.refunded_offer_ids, now=now)
    return _close(campaign=campaign, now=now, acting_person=acting_person)


def cut_off_due(*, now: datetime) -> list[CutOff]:
    """Cut off every campaign whose window has ended, each in a transaction of its own. Safe to run twice and in
    two workers: who comes second waits for the lock and then finds nothing left to do. One that fails is logged,
    tried again with the next call, and does not keep the others open."""
    done = []
    for campaign_id in due_for_cut_off(now=now):
        try:
            with transaction.atomic():
                campaign = lock_campaign(campaign_id=campaign_id)
                if campaign.status in TAKING_ORDERS and campaign.closes_at <= now:
                    done.append(cut_off(campaign=campaign, now=now))
        except Exception:
            log.exception("cut_off.failed", campaign=campaign_id)
    return done


@transaction.atomic
def cancel_after_cut_off(*, order: Order, acting_person: Person, now: datetime, reason: str) -> Order:
    """The operator takes an order out of a campaign that is cut off: refunded, and written down as a delta
    snapshot. Raises what `payments.services.cancel_order` raises: nothing may be handed over yet."""
    campaign = lock_campaign(campaign_id=order.campaign_id)
    order = cancel_order(order=order, acting_person=acting_person, now=now, reason=reason, after_cut_off=True)
    record_changes(campaign=campaign, reason=reason, now=now)
    return order


def _turnover_by_offer(*, campaign: Campaign) -> dict[int, int]:
    """Offer id -> net amount of its standing lines, in fen."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT line.offer_id, sum(line.amount_fen + coalesce((
                SELECT sum(a.amount_fen) FROM ordering_orderadjustment a WHERE a.line_id = line.id), 0))::bigint
            FROM ordering_orderline line JOIN ordering_order o ON o.id = line.order_id
            WHERE o.campaign_id = %s AND o.status = 'confirmed' AND line.quantity > 0
            GROUP BY line.offer_id
            """,
            [campaign.pk],
        )
        return dict(cursor.fetchall())


def _cancel_offers(*, campaign: Campaign, offer_ids: Sequence[int], now: datetime) -> None:
    """Take what did not reach its minimum out of every order, refund it, and tell who ordered it."""
    touched = take_offers_out(
        campaign=campaign, offer_ids=offer_ids, reason=MINIMUM_NOT_MET, refund_reason=MINIMUM_NOT_MET,
        acting_person=None, now=now,
    )  # fmt: skip
    for offer_id in sorted(offer_ids):
        announce(
            topic="minimum_not_met", subject=f"offer:{offer_id}", now=now,
            payload={"campaign_id": campaign.pk, "person_ids": _buyers(offer_id=offer_id, order_ids=touched)},
        )  # fmt: skip


def _buyers(*, offer_id: int, order_ids: Sequence[int]) -> list[int]:
    rows = Order.objects.filter(pk__in=order_ids, lines__offer_id=offer_id)
    return sorted(set(rows.values_list("person_id", flat=True)))


def _call_off(*, campaign: Campaign, now: datetime, acting_person: Person | None) -> CutOff:
    """The campaign as a whole did not reach its minimum: nothing is bought, everything goes back."""
    live = campaign.orders.filter(status__in=[Order.Status.PENDING, Order.Status.CONFIRMED])
    cancel_orders(
        order_ids=list(live.values_list("pk", flat=True)), reason=MINIMUM_NOT_MET,
        refund_reason=MINIMUM_NOT_MET, acting_person=acting_person, now=now,
    )  # fmt: skip
    move_campaign(
        campaign=campaign, to_status=Status.CANCELLED, kind="campaign_cancelled", acting_person=acting_person,
        now=now, reason=MINIMUM_NOT_MET, details={"cause": MINIMUM_NOT_MET},
    )  # fmt: skip
    return CutOff(Ending.CALLED_OFF, campaign)


def _close(*, campaign: Campaign, now: datetime, acting_person: Person | None) -> CutOff:
    # The window ended ordering, however late the clock comes to take the snapshot.
    campaign = close_campaign(
        campaign=campaign, acting_person=acting_person, now=min(now, campaign.closes_at)
    )
    snapshot = take_snapshot(campaign=campaign, reason="cut_off", now=now)
    make_purchase_orders(snapshot=snapshot, now=now)
    standing = campaign.orders.filter(status=Order.Status.CONFIRMED)
    due_fen = standing.aggregate(due=Sum(F("list_fen") + F("adjustment_fen")))["due"] or 0
    announce(
        topic="campaign_closed", subject=f"campaign:{campaign.pk}", now=now,
        payload={
            "snapshot_id": snapshot.pk,
            "orders": standing.count(),
            "amount_fen": due_fen,
            "pickup_on": campaign.pickup_on,
        },
    )  # fmt: skip
    return CutOff(Ending.CLOSED, campaign, snapshot)
