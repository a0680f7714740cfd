"""What a campaign may become next."""

from kaituan.campaigns.models import Campaign

Status = Campaign.Status

MOVES: dict[str, frozenset[str]] = {
    Status.DRAFT: frozenset({Status.SCHEDULED, Status.OPEN, Status.CANCELLED}),
    # To closed without having been open: the window ends ordering, and the job that opens may have slept.
    Status.SCHEDULED: frozenset({Status.OPEN, Status.CLOSED, Status.CANCELLED}),
    Status.OPEN: frozenset({Status.CLOSED, Status.CANCELLED}),
    # After the cut-off goods are bought: what does not arrive is a shortage, not a cancelled campaign.
    Status.CLOSED: frozenset(),
    Status.CANCELLED: frozenset(),
}
PUBLISHED = (Status.SCHEDULED, Status.OPEN, Status.CLOSED, Status.CANCELLED)
"""Campaigns that members may see."""
TAKING_ORDERS = (Status.SCHEDULED, Status.OPEN)
"""Campaigns that take orders as long as the window is open, whatever the job that opens them has done."""


def may_become(*, from_status: str, to_status: str) -> bool:
    return to_status in MOVES[from_status]
