"""Locking stock pools, always by id, after the campaign and the orders (see `ordering/locks.py`)."""

from collections.abc import Iterable

from kaituan.catalogue.models import StockPool


def lock_pools(*, pool_ids: Iterable[int]) -> list[StockPool]:
    """The pools as they are now, locked by id; ids that do not exist are left out."""
    return list(
        StockPool.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=set(pool_ids))
        .order_by("pk")
    )
