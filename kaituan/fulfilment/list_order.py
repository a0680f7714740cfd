"""The one order in which people and goods stand on every list, label and export, on paper and on screen.

By pickup point, then listing, then follow number, then the offer's place in the campaign: who reads labels
beside a pickup list never has to search.
"""

from django.db.models import QuerySet

from kaituan.campaigns.models import Campaign
from kaituan.ordering.models import Order, OrderLine
from kaituan.people.models import PickupPoint

ORDERS = ("listing__pickup_point_id", "listing_id", "follow_number")
LINES = (*(f"order__{field}" for field in ORDERS), "offer__position", "offer_id")
GOODS = ("position", "pk")
"""Offers among themselves."""


def standing_lines(*, campaign: Campaign, pickup_point: PickupPoint | None = None) -> QuerySet[OrderLine]:
    """Lines that are to be handed over (or were), in list order: of confirmed orders, not taken back."""
    lines = OrderLine.objects.filter(
        order__campaign=campaign, order__status=Order.Status.CONFIRMED, quantity__gt=0
    )
    if pickup_point is not None:
        lines = lines.filter(order__listing__pickup_point=pickup_point)
    return lines.order_by(*LINES)


def standing_quantity(line: OrderLine) -> int:
    """What the member is to get: what was allocated, before that what was ordered. Base steps."""
    return line.quantity if line.allocated_quantity is None else line.allocated_quantity
