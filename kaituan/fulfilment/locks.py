"""Row locks of this folder. The order of all locks is in `ordering/locks.py`: the campaign first
(`campaigns/locks.py`), after the orders their lines, then purchase orders, each by id."""

from collections.abc import Iterable

from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ordering.locks import lock_orders
from kaituan.ordering.models import OrderLine


def lock_lines(*, line_ids: Iterable[int]) -> list[OrderLine]:
    """Lines with their orders, both locked, by id; ids that do not exist are left out."""
    wanted = set(line_ids)
    order_ids = OrderLine.objects.filter(pk__in=wanted).values_list("order_id", flat=True)
    orders = {order.pk: order for order in lock_orders(order_ids=order_ids)}
    lines = list(
        OrderLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=wanted)
        .select_related("offer")
        .order_by("pk")
    )
    for line in lines:
        line.order = orders[line.order_id]
    return lines


def lock_purchase_order(*, purchase_order_id: int) -> PurchaseOrder:
    return (
        PurchaseOrder.objects.select_for_update(of=("self",))
        .select_related("snapshot", "supplier")
        .get(pk=purchase_order_id)
    )
