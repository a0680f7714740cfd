"""What happens in the town after a cut-off: buying, receiving, sharing out, handing over, claims."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from kaituan.aftersales.models import Claim
from kaituan.aftersales.services import claimable_fen, grant_claim, open_claim, refuse_claim, withdraw_claim
from kaituan.campaigns.models import Campaign, Listing
from kaituan.catalogue.models import SupplierStaff
from kaituan.demo.timetable import Timetable
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.fulfilment.purchasing import asked_quantity, confirm, mark_seen, send_all
from kaituan.fulfilment.receiving import Counted, receive
from kaituan.fulfilment.refusals import ArrivalRefused
from kaituan.fulfilment.sharing import share_out, share_out_complete, variants_to_share
from kaituan.ordering.models import Order, OrderLine
from kaituan.payments.services import Taken, leader_receives_many
from kaituan.people.models import Person

METHODS = ("code", "follow_number", "door", "name")
FETCHING = ((13, 0, 0.4), (19, 0, 0.9), (19, 1, 0.96))
"""Hour after midnight of the pickup day, days later, and the share of what is left that is fetched then."""
COMPLAINTS = (
    ("damaged", "到手有磕碰，坏了一部分"),
    ("quality", "不太新鲜，口感一般"),
    ("short_weight", "称了一下少了二两多"),
    ("missing", "袋子里少了一件"),
    ("other", "和图片不太一样"),
)


class Delivery:
    """Takes each campaign from its cut-off to the end of its claims."""

    def __init__(self, *, rng: Random, timetable: Timetable, operator: Person) -> None:
        self._rng = rng
        self._timetable = timetable
        self._operator = operator
        staff = SupplierStaff.objects.select_related("person").order_by("pk")
        self._suppliers = {row.supplier_id: row.person for row in staff}

    def plan(self, *, campaign: Campaign, listings: Sequence[Listing], cut_off_at: datetime) -> None:
        """From the cut-off at 21:00: ordered the same evening, received and brought out on the next day."""
        hour = timedelta(hours=1)
        midnight = cut_off_at + 3 * hour
        at = self._timetable.at
        at(cut_off_at + hour / 2, lambda now: self._send(campaign, now))
        at(cut_off_at + hour, lambda now: self._confirm(campaign, now))
        at(midnight + 6 * hour, lambda now: self._receive(campaign, now))
        at(midnight + 8 * hour, lambda now: self._share_out(campaign, now))
        points = {listing.pickup_point_id: listing for listing in listings}
        for number, listing in enumerate(points.values()):
            arrival = midnight + 10 * hour + timedelta(minutes=4 * number)
            at(arrival, self._arriving(campaign, listing))
        for hours, days, share in FETCHING:
            fetched_at = midnight + timedelta(days=days, hours=hours)
            at(fetched_at, self._fetching(campaign, listings, share))

    def _send(self, campaign: Campaign, now: datetime) -> None:
        orders = PurchaseOrder.objects.filter(snapshot__campaign=campaign).order_by("pk")
        send_all(purchase_orders=orders, acting_person=self._operator, now=now)

    def _confirm(self, campaign: Campaign, now: datetime) -> None:
        for order in PurchaseOrder.objects.filter(snapshot__campaign=campaign).order_by("pk"):
            person = self._suppliers[order.supplier_id]
            mark_seen(purchase_order=order, acting_person=person, now=now)
            confirm(purchase_order=order, quantities={}, acting_person=person, now=now)

    def _receive(self, campaign: Campaign, now: datetime) -> None:
        """Now and then a line comes short, rarely not at all."""
        orders = PurchaseOrder.objects.filter(snapshot__campaign=campaign).select_related("snapshot")
        for order in orders.order_by("pk"):
            counts = []
            for line in order.lines.order_by("pk"):
                chance = self._rng.random()
                percent = 0 if chance < 0.008 else self._rng.randint(55, 90) if chance < 0.07 else 100
                quantity = asked_quantity(line) if percent == 100 else line.ordered_quantity * percent // 100
                counts.append(
                    Counted(
                        variant_id=line.variant_id,
                        quantity=quantity,
                        note="" if percent == 100 else "供应商少发",
                    )
                )
            receive(purchase_order=order, counts=counts, acting_person=self._operator, now=now)

    def _share_out(self, campaign: Campaign, now: datetime) -> None:
        share_out_complete(campaign=campaign, acting_person=self._operator, now=now)
        for variant in variants_to_share(campaign=campaign):
            share_out(
                campaign=campaign,
                variant=variant,
                policy=self._rng.choice(("first_come", "pro_rata")),
                acting_person=self._operator,
                now=now,
            )

    def _arriving(self, campaign: Campaign, listing: Listing) -> Callable[[datetime], None]:
        def deed(now: datetime) -> None:
            try:
                confirm_arrival(
                    campaign=campaign,
                    pickup_point=listing.pickup_point,
                    acting_person=listing.leader.person,
                    now=now,
                )
            except ArrivalRefused:
                return  # Nobody ordered to this place.

        return deed

    def _fetching(
        self, campaign: Campaign, listings: Sequence[Listing], share: float
    ) -> Callable[[datetime], None]:
        return lambda now: self._fetch(campaign, listings, share, now)

    def _fetch(self, campaign: Campaign, listings: Sequence[Listing], share: float, now: datetime) -> None:
        """Some of those who have not been yet come and take what is theirs; what is unpaid is paid at the door."""
        waiting = _lines_to_fetch(campaign)
        for listing in listings:
            quantities: dict[int, int] = {}
            comers: list[Order] = []
            for order, lines in waiting.get(listing.pk, ()):
                if self._rng.random() > share:
                    continue
                comers.append(order)
                for line in lines:
                    quantities[line.pk] = self._fetched_quantity(line)
                    if self._rng.random() < 0.02:
                        self._timetable.at(now + timedelta(hours=3), self._complaining(line))
            if quantities:
                self._pay_at_the_door(comers, listing, now)
                hand_over(
                    lines_quantities=quantities, method=self._rng.choice(METHODS), leader=listing.leader,
                    acting_person=listing.leader.person, now=now, key=f"demo-{listing.pk}-{now:%d%H}",
                    despite_unpaid=True,
                )  # fmt: skip

    def _fetched_quantity(self, line: OrderLine) -> int:
        left = (line.allocated_quantity or 0) - line.handed_quantity
        unit = line.offer.price_quantity
        return unit if left >= 2 * unit and self._rng.random() < 0.12 else left

    def _pay_at_the_door(self, orders: Sequence[Order], listing: Listing, now: datetime) -> None:
        """All but a few, whom the leader trusts until the next time."""
        leader_receives_many(
            taken=[
                Taken(order, "cash", order.unpaid_fen, f"demo-door-{order.pk}-{order.paid_fen}")
                for order in orders
                if order.unpaid_fen and self._rng.random() < 0.95
            ],
            leader=listing.leader,
            acting_person=listing.leader.person,
            now=now,
        )

    def _complaining(self, line: OrderLine) -> Callable[[datetime], None]:
        def deed(now: datetime) -> None:
            left_fen = claimable_fen(line=line)
            asked_fen = left_fen * self._rng.choice((20, 30, 50, 100)) // 100
            if not asked_fen or line.claims.exists():
                return
            reason, words = self._rng.choice(COMPLAINTS)
            claim = open_claim(
                line=line, reason=reason, words=words, asked_fen=asked_fen, photos=[],
                acting_person=line.order.person, now=now, key=f"demo-claim-{line.pk}",
            )  # fmt: skip
            self._timetable.at(now + timedelta(hours=self._rng.randint(2, 20)), self._deciding(claim))

        return deed

    def _deciding(self, claim: Claim) -> Callable[[datetime], None]:
        def deed(now: datetime) -> None:
            chance = self._rng.random()
            if chance < 0.05:
                withdraw_claim(claim=claim, acting_person=claim.opened_by, now=now)
            elif chance < 0.22 or claim.opened_by_id == self._operator.pk:
                refuse_claim(
                    claim=claim,
                    answer="照片和描述看不出质量问题，抱歉。",
                    acting_person=self._operator,
                    now=now,
                )
            else:
                grant_claim(
                    claim=claim,
                    amount_fen=claim.asked_fen,
                    liability="supplier" if self._rng.random() < 0.7 else "platform",
                    answer="已按申请退款，给您添麻烦了。",
                    acting_person=self._operator,
                    now=now,
                )

        return deed


def _lines_to_fetch(campaign: Campaign) -> dict[int, list[tuple[Order, list[OrderLine]]]]:
    """Listing id -> orders of which something is to be handed over, with those lines."""
    lines = (
        OrderLine.objects.filter(
            order__campaign=campaign, order__status=Order.Status.CONFIRMED, handed_over_at__isnull=True,
            allocated_quantity__gt=0,
        )
        .select_related("order__person", "offer")
        .order_by("order_id", "pk")
    )  # fmt: skip
    by_order: dict[int, tuple[Order, list[OrderLine]]] = {}
    for line in lines:
        by_order.setdefault(line.order_id, (line.order, []))[1].append(line)
    found: defaultdict[int, list[tuple[Order, list[OrderLine]]]] = defaultdict(list)
    for order, order_lines in by_order.values():
        found[order.listing_id].append((order, order_lines))
    return found
