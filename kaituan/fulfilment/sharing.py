"""Sharing out what was received: everybody gets all, or goes short by a stated policy and gets money back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign
from kaituan.catalogue.models import Variant
from kaituan.fulfilment.allocation import Want, first_come, pro_rata
from kaituan.fulfilment.goods import COMPONENTS
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, SharingOut, ShortShare
from kaituan.fulfilment.refusals import SharingRefused
from kaituan.notices.services import announce, announce_many
from kaituan.ordering.locks import lock_orders
from kaituan.ordering.models import Order, OrderAdjustment
from kaituan.ordering.services import LineAdjustment, adjust_lines, net_amounts_fen
from kaituan.payments.models import Refund
from kaituan.payments.services import settle_differences
from kaituan.people.models import Person

Policy = SharingOut.Policy
POLICIES: dict[str, Callable[..., dict[int, int]]] = {
    Policy.FIRST_COME: first_come,
    Policy.PRO_RATA: pro_rata,
}


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a sharing-out. Quantities in base steps of the line's offer. wanted_quantity: what it can use:
    less than ordered for a bundle of which another part is short already. refund_fen: what the line gets back
    if nothing else of it goes short."""

    line_id: int
    order_id: int
    listing_id: int
    pickup_point_id: int
    follow_number: int
    offer_id: int
    ordered_quantity: int
    wanted_quantity: int
    given_quantity: int
    refund_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What sharing out would do, or did. Quantities in base steps of the variant."""

    variant_id: int
    policy: str
    available_quantity: int
    needed_quantity: int
    shares: Sequence[Share]

    @property
    def short_quantity(self) -> int:
        return max(0, self.needed_quantity - self.available_quantity)

    @property
    def refund_fen(self) -> int:
        return sum(share.refund_fen for share in self.shares)

    @property
    def short_shares(self) -> list[Share]:
        return [share for share in self.shares if share.given_quantity < share.wanted_quantity]


def missing_fen(*, net_fen: int, ordered_quantity: int, given_quantity: int) -> int:
    """What a line gets back for what it does not get: that part of its net amount, a fraction of a fen rounded
    up for the member; all of it when nothing comes."""
    if ordered_quantity == 0:
        return 0
    return -(-net_fen * (ordered_quantity - given_quantity) // ordered_quantity)


def available_quantity(*, campaign_id: int, variant_id: int) -> int:
    """Base steps of a variant that were received for a campaign. Raises SharingRefused if not all is counted."""
    lines = PurchaseOrderLine.objects.filter(
        purchase_order__snapshot__campaign_id=campaign_id, variant_id=variant_id
    )
    if lines.exclude(purchase_order__status=PurchaseOrder.Status.RECEIVED).exists():
        raise SharingRefused(_("Receive the purchase order first: it is not counted yet."))
    return lines.aggregate(total=Sum("received_quantity"))["total"] or 0


def preview_sharing(*, campaign: Campaign, variant: Variant, policy: str) -> Plan:
    """Who would get how much, and what it costs in refunds. Changes nothing. Raises SharingRefused."""
    if policy not in POLICIES:
        raise SharingRefused(_("Choose how the shortage is shared: first come, or in proportion."))
    available = available_quantity(campaign_id=campaign.pk, variant_id=variant.pk)
    rows = _waiting_lines(campaign_id=campaign.pk, variant_id=variant.pk)
    wants = [
        Want(line_id=row.line_id, quantity=row.wanted, rank=rank, steps_per_step=row.steps_per_step)
        for rank, row in enumerate(rows)
    ]
    given = POLICIES[policy](available=available, wants=wants)
    net_fen = net_amounts_fen(line_ids=[row.line_id for row in rows if given[row.line_id] < row.quantity])
    shares = [
        Share(
            line_id=row.line_id,
            order_id=row.order_id,
            listing_id=row.listing_id,
            pickup_point_id=row.pickup_point_id,
            follow_number=row.follow_number,
            offer_id=row.offer_id,
            ordered_quantity=row.quantity,
            wanted_quantity=row.wanted,
            given_quantity=given[row.line_id],
            refund_fen=missing_fen(
                net_fen=net_fen.get(row.line_id, 0),
                ordered_quantity=row.quantity,
                given_quantity=given[row.line_id],
            ),
        )
        for row in rows
    ]
    return Plan(
        variant_id=variant.pk,
        policy=policy,
        available_quantity=available,
        needed_quantity=sum(want.needed for want in wants),
        shares=shares,
    )


@transaction.atomic
def share_out(
    *, campaign: Campaign, variant: Variant, policy: str, acting_person: Person | None, now: datetime
) -> SharingOut:
    """Give every waiting line of a variant its share, refund what is missing, and tell those who go short.

    Done once for a variant and campaign: a second call answers the first sharing. A bundle gets its share when
    all its goods are shared out. Raises SharingRefused.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    done = SharingOut.objects.filter(campaign=campaign, variant=variant).first()
    if done is not None:
        return done
    if campaign.status != Campaign.Status.CLOSED:
        raise SharingRefused(_("Only the goods of a group buy that is cut off are shared out."))
    lock_orders(order_ids=_confirmed_orders(campaign_id=campaign.pk))
    plan = preview_sharing(campaign=campaign, variant=variant, policy=policy)
    sharing = SharingOut.objects.create(
        campaign=campaign,
        variant=variant,
        policy=policy,
        available_quantity=plan.available_quantity,
        ordered_quantity=plan.needed_quantity,
        shared_at=now,
        shared_by=acting_person,
    )
    ShortShare.objects.bulk_create(
        ShortShare(sharing=sharing, order_line_id=share.line_id, quantity=share.given_quantity)
        for share in plan.short_shares
    )
    _allocate(campaign=campaign, now=now)
    announce(topic="goods_shared_out", subject=f"sharing:{sharing.pk}", payload={}, now=now)
    return sharing


@transaction.atomic
def share_out_complete(
    *, campaign: Campaign, acting_person: Person | None, now: datetime
) -> list[SharingOut]:
    """Share out everything that is received and not short, in one go. What is short waits for a policy."""
    lock_campaign(campaign_id=campaign.pk)
    shared = []
    for variant in variants_to_share(campaign=campaign):
        plan = preview_sharing(campaign=campaign, variant=variant, policy=Policy.FIRST_COME)
        if plan.short_quantity == 0:
            shared.append(
                share_out(
                    campaign=campaign,
                    variant=variant,
                    policy=Policy.FIRST_COME,
                    acting_person=acting_person,
                    now=now,
                )
            )
    return shared


def variants_to_share(*, campaign: Campaign) -> list[Variant]:
    """Variants that members ordered, received in full count and not shared out yet."""
    lines = PurchaseOrderLine.objects.filter(
        purchase_order__snapshot__campaign=campaign,
        purchase_order__status=PurchaseOrder.Status.RECEIVED,
        ordered_quantity__gt=0,
    ).exclude(variant__in=SharingOut.objects.filter(campaign=campaign).values("variant"))
    variants = Variant.objects.filter(pk__in=lines.values("variant")).select_related("product__supplier")
    return list(variants.order_by("product__name", "pk"))


@dataclass(frozen=True, slots=True)
class _Waiting:
    line_id: int
    order_id: int
    listing_id: int
    pickup_point_id: int
    follow_number: int
    offer_id: int
    quantity: int
    wanted: int
    steps_per_step: int


def _waiting_lines(*, campaign_id: int, variant_id: int) -> list[_Waiting]:
    """Standing lines that take of a variant, the earliest order first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT line.id, line.order_id, o.listing_id, listing.pickup_point_id, o.follow_number,
                line.offer_id, line.quantity, least(line.quantity, (
                    SELECT min(short.quantity) FROM fulfilment_shortshare short
                    WHERE short.order_line_id = line.id)),
                component.steps_per_step
            FROM ordering_order o
            JOIN campaigns_listing listing ON listing.id = o.listing_id
            JOIN ordering_orderline line ON line.order_id = o.id AND line.quantity > 0
            JOIN ({COMPONENTS}) component ON component.offer_id = line.offer_id
            WHERE o.campaign_id = %(campaign)s AND o.status = 'confirmed' AND component.variant_id = %(variant)s
                AND line.allocated_quantity IS NULL
            ORDER BY o.placed_at, o.id, line.id
            """,  # noqa: S608 - put together from this folder's own SQL
            {"campaign": campaign_id, "variant": variant_id},
        )
        return [_Waiting(*row) for row in cursor.fetchall()]


def _confirmed_orders(*, campaign_id: int) -> Iterable[int]:
    return Order.objects.filter(campaign_id=campaign_id, status=Order.Status.CONFIRMED).values_list(
        "pk", flat=True
    )


ALLOCATE = f"""
    WITH unshared AS (
        SELECT DISTINCT component.offer_id FROM ({COMPONENTS}) component
        WHERE NOT EXISTS (
            SELECT 1 FROM fulfilment_sharingout sharing
            WHERE sharing.campaign_id = %(campaign)s AND sharing.variant_id = component.variant_id
        )
    ), share AS (
        SELECT short.order_line_id AS line_id, min(short.quantity) AS quantity
        FROM fulfilment_shortshare short
        JOIN fulfilment_sharingout sharing ON sharing.id = short.sharing_id
        WHERE sharing.campaign_id = %(campaign)s
        GROUP BY short.order_line_id
    )
    UPDATE ordering_orderline line SET
        allocated_quantity = coalesce(share.quantity, line.quantity),
        -- Nothing comes, so there is nothing to hand over: the line has come to its end.
        handed_over_at = CASE WHEN share.quantity = 0 THEN %(now)s END
    FROM ordering_order o, ordering_orderline self LEFT JOIN share ON share.line_id = self.id
    WHERE self.id = line.id AND o.id = line.order_id
        AND o.campaign_id = %(campaign)s AND o.status = 'confirmed'
        AND line.quantity > 0 AND line.allocated_quantity IS NULL
        AND line.offer_id NOT IN (SELECT offer_id FROM unshared)
    RETURNING line.id, line.order_id, line.quantity, line.allocated_quantity
"""  # noqa: S608 - put together from this folder's own SQL


def _allocate(*, campaign: Campaign, now: datetime) -> None:
    """Set what each line gets whose goods are all shared out now, and give back the money for the rest."""
    with connection.cursor() as cursor:
        cursor.execute(ALLOCATE, {"campaign": campaign.pk, "now": now})
        short = [row for row in cursor.fetchall() if row[3] < row[2]]
    if not short:
        return
    net_fen = net_amounts_fen(line_ids=[line_id for line_id, *_rest in short])
    adjust_lines(
        adjustments=[
            LineAdjustment(
                line_id=line_id,
                kind=OrderAdjustment.Kind.SHORTAGE,
                amount_fen=-missing_fen(
                    net_fen=net_fen[line_id], ordered_quantity=ordered, given_quantity=given
                ),
            )
            for line_id, _order, ordered, given in sorted(short)
        ],
        now=now,
    )
    settle_differences(
        order_ids={order_id for _line, order_id, *_rest in short}, reason=Refund.Reason.SHORTAGE, now=now
    )
    announce_many(
        topic="line_short",
        messages=[
            (f"order:{order_id}", {"line_id": line_id, "given_quantity": given})
            for line_id, order_id, _ordered, given in sorted(short)
        ],
        now=now,
    )
