"""What an order may become next."""

from kaituan.ordering.models import Order

MOVES: dict[str, frozenset[str]] = {
    Order.Status.PENDING: frozenset({Order.Status.CONFIRMED, Order.Status.CANCELLED, Order.Status.RELEASED}),
    # Back to pending: an amendment made it dearer and the difference is not paid yet.
    Order.Status.CONFIRMED: frozenset({Order.Status.PENDING, Order.Status.CANCELLED}),
    # A payment that came late takes the stock again, if there still is some.
    Order.Status.RELEASED: frozenset({Order.Status.CONFIRMED}),
    Order.Status.CANCELLED: frozenset(),
}
LIVE = (Order.Status.PENDING, Order.Status.CONFIRMED)
"""Orders whose lines hold stock."""


def may_become(*, from_status: str, to_status: str) -> bool:
    return to_status in MOVES[from_status]
