"""Purchase orders: made from a snapshot, sent to the supplier, seen, confirmed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.catalogue.models import Variant
from kaituan.catalogue.queries import current_prices
from kaituan.fulfilment.goods import variant_quantities
from kaituan.fulfilment.locks import lock_purchase_order
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, Snapshot
from kaituan.fulfilment.refusals import PurchasingRefused
from kaituan.fulfilment.snapshots import offer_totals
from kaituan.notices.services import announce
from kaituan.people.models import Person

Status = PurchaseOrder.Status


def purchase_units(*, quantity: int, steps_per_purchase_unit: int) -> int:
    """Whole purchase units that cover `quantity` base steps."""
    return -(-quantity // steps_per_purchase_unit)


def make_purchase_orders(*, snapshot: Snapshot, now: datetime) -> list[PurchaseOrder]:
    """One draft for each supplier of a first snapshot, at the purchase prices in force; the caller's
    transaction. A variant without a price is asked for at 0 fen, so that the cut-off never waits for a price
    list; whoever sends the order sees it."""
    needed = variant_quantities(
        campaign_id=snapshot.campaign_id, offer_quantities=offer_totals(snapshot=snapshot)
    )
    variants = Variant.objects.filter(pk__in=needed).select_related("product").order_by("product__name", "pk")
    prices = current_prices(variant_ids=needed, now=now)
    by_supplier: defaultdict[int, list[Variant]] = defaultdict(list)
    for variant in variants:
        if needed[variant.pk] > 0:
            by_supplier[variant.product.supplier_id].append(variant)
    made = []
    for supplier_id, rows in sorted(by_supplier.items()):
        purchase_order = PurchaseOrder.objects.create(
            number=_number(snapshot=snapshot, supplier_id=supplier_id, now=now),
            snapshot=snapshot,
            supplier_id=supplier_id,
            arrives_on=snapshot.campaign.pickup_on,
            created_at=now,
        )
        PurchaseOrderLine.objects.bulk_create(
            PurchaseOrderLine(
                purchase_order=purchase_order,
                variant=variant,
                ordered_quantity=needed[variant.pk],
                purchase_units=purchase_units(
                    quantity=needed[variant.pk], steps_per_purchase_unit=variant.steps_per_purchase_unit
                ),
                purchase_price_fen=prices[variant.pk].purchase_price_fen if variant.pk in prices else 0,
                steps_per_purchase_unit=variant.steps_per_purchase_unit,
            )
            for variant in rows
        )
        made.append(purchase_order)
    return made


def _number(*, snapshot: Snapshot, supplier_id: int, now: datetime) -> str:
    """`PO261001-12-3`: local date, campaign, supplier; what is said over the phone."""
    return f"PO{timezone.localtime(now):%y%m%d}-{snapshot.campaign_id}-{supplier_id}"


@transaction.atomic
def send(*, purchase_order: PurchaseOrder, acting_person: Person | None, now: datetime) -> PurchaseOrder:
    """Show the order to its supplier and tell its staff. Sending again changes nothing."""
    purchase_order = lock_purchase_order(purchase_order_id=purchase_order.pk)
    if purchase_order.status != Status.DRAFT:
        return purchase_order
    purchase_order.status, purchase_order.sent_at = Status.SENT, now
    purchase_order.save(update_fields=["status", "sent_at"])
    _announce("purchase_order_sent", purchase_order, now)
    return purchase_order


@transaction.atomic
def send_all(
    *, purchase_orders: Iterable[PurchaseOrder], acting_person: Person | None, now: datetime
) -> list[PurchaseOrder]:
    """Send several, in one transaction."""
    ordered = sorted(purchase_orders, key=lambda row: row.pk)
    return [send(purchase_order=row, acting_person=acting_person, now=now) for row in ordered]


@transaction.atomic
def mark_seen(*, purchase_order: PurchaseOrder, acting_person: Person, now: datetime) -> PurchaseOrder:
    """The supplier has opened it. Only the first time counts."""
    purchase_order = lock_purchase_order(purchase_order_id=purchase_order.pk)
    if purchase_order.status == Status.SENT:
        purchase_order.status, purchase_order.seen_at = Status.SEEN, now
        purchase_order.save(update_fields=["status", "seen_at"])
    return purchase_order


@transaction.atomic
def confirm(
    *, purchase_order: PurchaseOrder, quantities: Mapping[int, int], acting_person: Person, now: datetime
) -> PurchaseOrder:
    """The supplier says how much will come: line id -> base steps; lines not named come in full.

    Can be said anew until the goods are received. Raises PurchasingRefused.
    """
    purchase_order = lock_purchase_order(purchase_order_id=purchase_order.pk)
    if purchase_order.status == Status.DRAFT:
        raise PurchasingRefused(_("This purchase order has not been sent yet."))
    if purchase_order.status == Status.RECEIVED:
        raise PurchasingRefused(_("The goods of this purchase order are already received."))
    lines = list(purchase_order.lines.select_for_update().filter(ordered_quantity__gt=0).order_by("pk"))
    if quantities.keys() - {line.pk for line in lines} or any(q < 0 for q in quantities.values()):
        raise PurchasingRefused(_("Say how much will come of each line: 0 or more."))
    said = {line.pk: quantities.get(line.pk, asked_quantity(line)) for line in lines}
    first_time = purchase_order.status != Status.CONFIRMED
    changed = [line for line in lines if line.confirmed_quantity != said[line.pk]]
    if not changed and not first_time:
        return purchase_order
    for line in changed:
        line.confirmed_quantity = said[line.pk]
    PurchaseOrderLine.objects.bulk_update(changed, ["confirmed_quantity"])
    purchase_order.status, purchase_order.confirmed_at = Status.CONFIRMED, now
    purchase_order.seen_at = purchase_order.seen_at or now
    purchase_order.save(update_fields=["status", "confirmed_at", "seen_at"])
    _announce("purchase_order_confirmed", purchase_order, now)
    return purchase_order


def asked_quantity(line: PurchaseOrderLine) -> int:
    """Base steps in the whole purchase units that were asked for; may be more than members ordered."""
    return line.purchase_units * line.steps_per_purchase_unit


@transaction.atomic
def follow_pickup_date(*, campaign_id: int, now: datetime) -> int:
    """Goods that are not received yet are asked for on the campaign's pickup date, which may have moved."""
    rows = PurchaseOrder.objects.filter(snapshot__campaign_id=campaign_id).exclude(status=Status.RECEIVED)
    moved = 0
    for row in rows.select_related("snapshot__campaign").order_by("pk"):
        purchase_order = lock_purchase_order(purchase_order_id=row.pk)
        pickup_on = row.snapshot.campaign.pickup_on
        if purchase_order.status == Status.RECEIVED or purchase_order.arrives_on == pickup_on:
            continue
        purchase_order.arrives_on = pickup_on
        purchase_order.save(update_fields=["arrives_on"])
        moved += 1
        if purchase_order.status != Status.DRAFT:
            _announce("purchase_order_moved", purchase_order, now)
    return moved


def _announce(topic: str, purchase_order: PurchaseOrder, now: datetime) -> None:
    announce(topic=topic, subject=f"purchase_order:{purchase_order.pk}", payload={}, now=now)
