"""Where an order of one's own stands, in one word for its chip: from unpaid to handed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kaituan.fulfilment.models import Arrival, PickupCode
from kaituan.ordering.models import Order
from kaituan.ordering.states import LIVE

WAITING = ("pending", "unpaid", "paid", "ready")
"""The member still gets something for it."""
CHIPS: dict[str, tuple[Promise, str]] = {
    "cancelled": (_("Cancelled"), ""),
    "released": (_("Not paid in time"), "brick"),
    "pending": (_("Waiting for payment"), "honey"),
    "paid": (_("Paid"), "leaf"),
    "ready": (_("Ready to pick up"), "full"),
    "handed": (_("Picked up"), "leaf"),
    "over": (_("Did not come, money back"), ""),
}
"""Words and tone; `unpaid` has none of its own, since what is owed to the leader is said beside every stage."""
BEADS = {"cancelled": "lost", "released": "lost", "handed": "done", "over": "done"}


@dataclass(frozen=True, slots=True)
class Stage:
    """code: cancelled, released, pending (to be paid now), unpaid (pays the leader), paid, ready (at the pickup
    point), handed, over (nothing of it came, what was paid went back). pickup_code: only when ready."""

    code: str
    pickup_code: str = ""

    @property
    def is_waiting(self) -> bool:
        return self.code in WAITING

    @property
    def chip(self) -> tuple[Promise, str] | None:
        return CHIPS.get(self.code)

    @property
    def is_booked(self) -> bool:
        """The order stands, and nobody waits for its payment before it does."""
        return self.code not in ("cancelled", "released", "pending")

    @property
    def bead(self) -> str:
        return BEADS.get(self.code, "")


def stages_of(orders: Sequence[Order], *, now: datetime) -> dict[int, Stage]:
    """Order id -> its stage, in two queries; the orders come with lines and listings."""
    arrived = set(
        Arrival.objects.filter(
            campaign_id__in={order.campaign_id for order in orders}, arrived_at__lte=now
        ).values_list("campaign_id", "pickup_point_id")
    )
    codes = {
        (listing_id, member_id): code
        for listing_id, member_id, code in PickupCode.objects.filter(
            listing_id__in={order.listing_id for order in orders},
            member_id__in={order.member_id for order in orders},
        ).values_list("listing_id", "member_id", "code")
    }
    stages = {}
    for order in orders:
        code = _code(order, is_there=(order.campaign_id, order.listing.pickup_point_id) in arrived)
        shown = codes.get((order.listing_id, order.member_id), "") if code == "ready" else ""
        stages[order.pk] = Stage(code, shown)
    return stages


def _code(order: Order, *, is_there: bool) -> str:
    if order.status not in LIVE or order.status == Order.Status.PENDING:
        return str(order.status)
    lines = [line for line in order.lines.all() if line.quantity]
    if lines and all(line.handed_over_at or line.completed_at for line in lines):
        return "handed" if any(line.handed_over_at for line in lines) else "over"
    if is_there:
        return "ready"
    return "unpaid" if order.unpaid_fen else "paid"
