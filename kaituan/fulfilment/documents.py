"""What is printed and sent: purchase order, sorting sheet, labels, pickup list. Each names its snapshot.

Nothing here changes anything, except that taking a pickup list out of the house is logged.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils import formats
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.catalogue.models import Variant
from kaituan.fulfilment.goods import components
from kaituan.fulfilment.list_order import standing_lines, standing_quantity
from kaituan.fulfilment.models import PickupCode, PurchaseOrder, PurchaseOrderLine, Snapshot, SnapshotLine
from kaituan.fulfilment.purchasing import asked_quantity
from kaituan.fulfilment.sheets import Cell, Column, Kind, Sheet
from kaituan.money.fen import line_amount_fen
from kaituan.money.quantities import format_units
from kaituan.ordering.models import Order, OrderLine
from kaituan.people.masking import mask_name
from kaituan.people.models import Person, PickupPoint
from kaituan.people.services import log_export


def goods_name(variant: Variant) -> str:
    return f"{variant.product.name} {variant.name}".strip()


def amount_text(*, quantity: int, variant: Variant) -> str:
    """Base steps as people say them: `2 × 5斤`, `1.5 斤`, `3 盒`."""
    units = format_units(quantity, steps_per_unit=variant.steps_per_sale_unit)
    told_apart = variant.sale_unit[:1].isdigit()
    return f"{units} × {variant.sale_unit}" if told_apart else f"{units} {variant.sale_unit}"


def snapshot_text(*, campaign: Campaign) -> str:
    """`1`, or `1 + 2, 3` when something has changed since the cut-off."""
    numbers = list(campaign.snapshots.order_by("number").values_list("number", flat=True))
    if not numbers:
        return "-"
    deltas = ", ".join(str(number) for number in numbers[1:])
    return f"{numbers[0]} + {deltas}" if deltas else str(numbers[0])


def purchase_order_sheet(*, purchase_order: PurchaseOrder) -> Sheet:
    """What the supplier is asked for. Knows purchase prices; no retail price and nobody's name."""
    snapshot = purchase_order.snapshot
    lines = (
        purchase_order.lines.filter(ordered_quantity__gt=0)
        .select_related("variant__product")
        .order_by("variant__product__name", "variant_id")
    )
    changes = _changes_since(snapshot=snapshot, supplier_id=purchase_order.supplier_id)
    rows: list[list[Cell]] = []
    for line in lines:
        variant = line.variant
        confirmed = line.confirmed_quantity
        rows.append(
            [
                variant.sku,
                goods_name(variant),
                line.purchase_units,
                variant.purchase_unit,
                amount_text(quantity=line.ordered_quantity, variant=variant),
                amount_text(quantity=changes[variant.pk], variant=variant) if changes.get(variant.pk) else "",
                line.purchase_price_fen,
                asked_fen(line),
                "" if confirmed is None else amount_text(quantity=confirmed, variant=variant),
            ]
        )
    total_fen = sum(asked_fen(line) for line in lines)
    return Sheet(
        title=_("Purchase order %(number)s") % {"number": purchase_order.number},
        facts=[
            (_("Supplier"), purchase_order.supplier.name),
            (_("Arrives on"), formats.date_format(purchase_order.arrives_on, "DATE_FORMAT")),
            (_("Snapshot"), str(snapshot.number)),
        ],
        columns=[
            Column("sku", _("Item number")),
            Column("goods", _("Goods")),
            Column("units", _("Quantity"), Kind.NUMBER),
            Column("unit", _("Unit")),
            Column("ordered", _("Of which ordered")),
            Column("changed", _("Changed since")),
            Column("price", _("Price"), Kind.MONEY),
            Column("amount", _("Amount"), Kind.MONEY),
            Column("confirmed", _("Confirmed")),
        ],
        rows=rows,
        totals=[_("Total"), "", None, "", "", "", None, total_fen, ""],
        file_name=purchase_order.number,
    )


def asked_fen(line: PurchaseOrderLine) -> int:
    """Amount of the whole purchase units that are asked for."""
    return line_amount_fen(
        price_fen=line.purchase_price_fen,
        price_quantity=line.steps_per_purchase_unit,
        quantity=asked_quantity(line),
    )


def _changes_since(*, snapshot: Snapshot, supplier_id: int) -> dict[int, int]:
    """Variant id -> signed base steps that delta snapshots have changed since."""
    deltas = SnapshotLine.objects.filter(
        snapshot__campaign_id=snapshot.campaign_id, snapshot__number__gt=snapshot.number
    )
    parts = components(campaign_id=snapshot.campaign_id)
    changed: defaultdict[int, int] = defaultdict(int)
    for offer_id, quantity in deltas.values_list("offer_id").annotate(total=Sum("quantity")):
        for variant_id, steps in parts[offer_id].items():
            changed[variant_id] += quantity * steps
    return dict(changed)


def sorting_sheet(*, campaign: Campaign, pickup_points: Iterable[PickupPoint] | None = None) -> Sheet:
    """How much of each variant goes to which pickup point: one row per variant, one column per point."""
    chosen = None if pickup_points is None else {point.pk for point in pickup_points}
    parts = components(campaign_id=campaign.pk)
    quantities: defaultdict[tuple[int, int], int] = defaultdict(int)
    places: dict[int, str] = {}
    goods_order: dict[int, None] = {}
    for line in standing_lines(campaign=campaign).select_related("offer", "order__listing__pickup_point"):
        point = line.order.listing.pickup_point
        if chosen is not None and point.pk not in chosen:
            continue
        places[point.pk] = point.name
        for variant_id, steps in sorted(parts[line.offer_id].items()):
            goods_order[variant_id] = None
            quantities[variant_id, point.pk] += standing_quantity(line) * steps
    variants = Variant.objects.select_related("product").in_bulk(list(goods_order))
    first_offers = _first_positions(campaign=campaign, parts=parts)
    rows: list[list[Cell]] = []
    for variant_id in sorted(goods_order, key=lambda v: first_offers[v]):
        variant = variants[variant_id]
        each = [quantities[variant_id, point_id] for point_id in places]
        rows.append(
            [
                variant.sku,
                goods_name(variant),
                *(amount_text(quantity=quantity, variant=variant) if quantity else "" for quantity in each),
                amount_text(quantity=sum(each), variant=variant),
            ]
        )
    return Sheet(
        title=_("Sorting sheet: %(campaign)s") % {"campaign": campaign.title},
        facts=_campaign_facts(campaign=campaign),
        columns=[
            Column("sku", _("Item number")),
            Column("goods", _("Goods")),
            *(Column(f"point_{point_id}", name) for point_id, name in places.items()),
            Column("total", _("Total")),
        ],
        rows=rows,
        file_name=f"sorting-{campaign.pk}",
    )


def _first_positions(*, campaign: Campaign, parts: dict[int, dict[int, int]]) -> dict[int, tuple[int, int]]:
    """Variant id -> the place of the first offer that takes of it."""
    found: dict[int, tuple[int, int]] = {}
    for offer_id, position in campaign.offers.order_by("position", "pk").values_list("pk", "position"):
        for variant_id in sorted(parts[offer_id]):
            found.setdefault(variant_id, (position, offer_id))
    return found


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order on a label or list."""

    line_id: int
    code: str
    title: str
    amount: str
    short: bool
    """Less than ordered."""


@dataclass(frozen=True, slots=True)
class Label:
    """What sticks on one member's bag. No phone, no room, the name masked: bags stand in the open."""

    order_id: int
    follow_number: int
    masked_name: str
    group: str
    pickup_point: str
    items: Sequence[Item]
    snapshot: str


def labels(*, campaign: Campaign, pickup_point: PickupPoint | None = None) -> list[Label]:
    """One label per order with something in it, in list order."""
    snapshot = snapshot_text(campaign=campaign)
    found = []
    for order, lines in _orders(campaign=campaign, pickup_point=pickup_point):
        items = [item(line) for line in lines if standing_quantity(line)]
        if not items:
            continue
        found.append(
            Label(
                order_id=order.pk,
                follow_number=order.follow_number,
                masked_name=mask_name(order.member.display_name),
                group=order.listing.group.name,
                pickup_point=order.listing.pickup_point.name,
                items=items,
                snapshot=snapshot,
            )
        )
    return found


def item(line: OrderLine) -> Item:
    quantity = standing_quantity(line)
    return Item(
        line_id=line.pk,
        code=line.offer.code,
        title=line.offer.title,
        amount=amount_text(quantity=quantity, variant=line.offer.variant),
        short=quantity < line.quantity,
    )


def _orders(*, campaign: Campaign, pickup_point: PickupPoint | None) -> list[tuple[Order, list[OrderLine]]]:
    """Standing orders with their lines, in list order."""
    lines = standing_lines(campaign=campaign, pickup_point=pickup_point).select_related(
        "offer__variant", "order__member", "order__listing__group", "order__listing__pickup_point"
    )
    grouped: dict[int, tuple[Order, list[OrderLine]]] = {}
    for line in lines:
        grouped.setdefault(line.order_id, (line.order, []))[1].append(line)
    return list(grouped.values())


def pickup_list(*, campaign: Campaign, pickup_point: PickupPoint, masked: bool = True) -> Sheet:
    """Who fetches what at one pickup point. Names are masked unless today's hand-over needs them: the keeper
    takes the full list out with `export_pickup_list`, which is logged."""
    rows: list[list[Cell]] = []
    orders = _orders(campaign=campaign, pickup_point=pickup_point)
    codes = _codes(orders=[order for order, _lines in orders])
    for order, lines in orders:
        standing = [line for line in lines if standing_quantity(line)]
        if not standing:
            continue
        name = order.member.display_name
        rows.append(
            [
                order.listing.group.name,
                order.follow_number,
                mask_name(name) if masked else name,
                "" if masked else order.member.room,
                "" if masked else codes.get((order.listing_id, order.member_id), ""),
                _items_text(standing),
                order.unpaid_fen or None,
                None,
            ]
        )
    return Sheet(
        title=_("Pickup list: %(point)s") % {"point": pickup_point.name},
        facts=[*_campaign_facts(campaign=campaign), (_("Orders"), str(len(rows)))],
        columns=[
            Column("group", _("Group")),
            Column("number", _("No."), Kind.NUMBER),
            Column("name", _("Name")),
            Column("room", _("Room")),
            Column("code", _("Pickup code")),
            Column("goods", _("Goods")),
            Column("unpaid", _("To take"), Kind.MONEY),
            Column("done", _("Handed over"), Kind.BOX),
        ],
        rows=rows,
        file_name=f"pickup-{campaign.pk}-{pickup_point.pk}",
    )


@transaction.atomic
def export_pickup_list(
    *, campaign: Campaign, pickup_point: PickupPoint, acting_person: Person, now: datetime, reason: str = ""
) -> Sheet:
    """The pickup list with names and rooms in full, and a log row that says who took it out."""
    sheet = pickup_list(campaign=campaign, pickup_point=pickup_point, masked=False)
    log_export(
        acting_person=acting_person,
        what="pickup_list",
        subject=f"campaign:{campaign.pk}/point:{pickup_point.pk}",
        row_count=len(sheet.rows),
        now=now,
        reason=reason,
    )
    return sheet


def _items_text(lines: Sequence[OrderLine]) -> str:
    return "；".join(f"{found.code} {found.title} {found.amount}" for found in map(item, lines))


def _codes(*, orders: Sequence[Order]) -> dict[tuple[int, int], str]:
    listing_ids = {order.listing_id for order in orders}
    rows = PickupCode.objects.filter(listing_id__in=listing_ids)
    return {(row.listing_id, row.member_id): row.code for row in rows}


def _campaign_facts(*, campaign: Campaign) -> list[tuple[str, str]]:
    return [
        (_("Group buy"), campaign.title),
        (_("Pickup on"), formats.date_format(campaign.pickup_on, "DATE_FORMAT")),
        (_("Snapshot"), snapshot_text(campaign=campaign)),
    ]
