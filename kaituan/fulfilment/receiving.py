"""Receiving: what was counted of each line of a purchase order, and what is owed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.locks import lock_campaign
from kaituan.catalogue.models import Variant
from kaituan.catalogue.queries import current_prices
from kaituan.fulfilment.locks import lock_purchase_order
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, SharingOut
from kaituan.fulfilment.postings import post_received
from kaituan.fulfilment.purchasing import asked_quantity
from kaituan.fulfilment.refusals import ReceivingRefused
from kaituan.notices.services import announce
from kaituan.people.models import Person

Status = PurchaseOrder.Status
RECEIVABLE_FROM = (Status.SENT, Status.SEEN, Status.CONFIRMED, Status.RECEIVED)


class Outcome(StrEnum):
    """What became of one line. Follows from its numbers, is never stored."""

    NOT_COUNTED = "not_counted"
    AS_ASKED = "as_asked"
    LESS = "less"
    MORE = "more"
    NONE = "none"
    UNORDERED = "unordered"
    """Came without being asked for, or instead of something else."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One variant as it was counted, in base steps (>= 0).

    keep: for a variant that nobody ordered: True takes it at the purchase price in force, False (the rule)
    leaves it with the supplier, who is owed nothing for it.
    """

    variant_id: int
    quantity: int
    note: str = ""
    keep: bool = False


def outcome(line: PurchaseOrderLine) -> Outcome:
    """Compared with the whole purchase units that were asked for."""
    if line.received_quantity is None:
        return Outcome.NOT_COUNTED
    if line.ordered_quantity == 0:
        return Outcome.UNORDERED
    if line.received_quantity == 0:
        return Outcome.NONE
    asked = asked_quantity(line)
    if line.received_quantity == asked:
        return Outcome.AS_ASKED
    return Outcome.LESS if line.received_quantity < asked else Outcome.MORE


@transaction.atomic
def receive(
    *, purchase_order: PurchaseOrder, counts: Sequence[Counted], acting_person: Person | None, now: datetime
) -> PurchaseOrder:
    """Take down what was counted. Once every ordered line is counted the order is received and what is owed
    for it is posted; counting again corrects both, until the goods are shared out.

    The same counts again change nothing. Raises ReceivingRefused.
    """
    campaign_id = purchase_order.snapshot.campaign_id
    # Sharing out locks the campaign too: nobody shares out what is being counted anew.
    lock_campaign(campaign_id=campaign_id)
    purchase_order = lock_purchase_order(purchase_order_id=purchase_order.pk)
    if purchase_order.status not in RECEIVABLE_FROM:
        raise ReceivingRefused(_("Send purchase order %(number)s first.") % {"number": purchase_order.number})
    if any(count.quantity < 0 for count in counts) or len({c.variant_id for c in counts}) != len(counts):
        raise ReceivingRefused(_("Count each of the goods once, 0 or more."))
    lines = {line.variant_id: line for line in purchase_order.lines.select_for_update().order_by("pk")}
    shared = set(
        SharingOut.objects.filter(campaign_id=campaign_id, variant__in=[c.variant_id for c in counts])
        .values_list("variant_id", flat=True)
    )  # fmt: skip
    for count in counts:
        line = lines.get(count.variant_id)
        if line is None or line.ordered_quantity == 0:
            lines[count.variant_id] = _unordered_line(purchase_order=purchase_order, count=count, now=now)
        elif (line.received_quantity, line.receiving_note) != (count.quantity, count.note):
            if count.variant_id in shared and line.received_quantity != count.quantity:
                raise ReceivingRefused(
                    _("%(goods)s is already shared out: its count stands.") % {"goods": line.variant.product}
                )
            line.received_quantity, line.receiving_note = count.quantity, count.note
            line.save(update_fields=["received_quantity", "receiving_note"])
    if all(line.received_quantity is not None for line in lines.values()):
        _mark_received(purchase_order=purchase_order, acting_person=acting_person, now=now)
    return purchase_order


def _mark_received(*, purchase_order: PurchaseOrder, acting_person: Person | None, now: datetime) -> None:
    posted = post_received(purchase_order=purchase_order, now=now)
    first_time = purchase_order.status != Status.RECEIVED
    if first_time:
        purchase_order.status, purchase_order.received_at = Status.RECEIVED, now
        purchase_order.received_by = acting_person
        purchase_order.save(update_fields=["status", "received_at", "received_by"])
    if first_time or posted:
        announce(
            topic="purchase_order_received",
            subject=f"purchase_order:{purchase_order.pk}",
            payload={"campaign_id": purchase_order.snapshot.campaign_id},
            now=now,
        )


def _unordered_line(*, purchase_order: PurchaseOrder, count: Counted, now: datetime) -> PurchaseOrderLine:
    variant = Variant.objects.select_related("product").filter(pk=count.variant_id).first()
    if variant is None or variant.product.supplier_id != purchase_order.supplier_id:
        raise ReceivingRefused(_("These goods are not this supplier's."))
    price = current_prices(variant_ids=[variant.pk], now=now).get(variant.pk) if count.keep else None
    line, _created = PurchaseOrderLine.objects.update_or_create(
        purchase_order=purchase_order,
        variant=variant,
        defaults={
            "purchase_price_fen": price.purchase_price_fen if price else 0,
            "received_quantity": count.quantity,
            "receiving_note": count.note,
        },
        create_defaults={
            "ordered_quantity": 0,
            "purchase_units": 0,
            "steps_per_purchase_unit": variant.steps_per_purchase_unit,
            "purchase_price_fen": price.purchase_price_fen if price else 0,
            "received_quantity": count.quantity,
            "receiving_note": count.note,
        },
    )
    return line
