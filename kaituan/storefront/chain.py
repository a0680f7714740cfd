"""The public chain as chain.js and the thread take it."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from kaituan.ordering.queries import ChainEntry, Item


def items_text(items: Iterable[Item]) -> str:
    """`橙子 ×2 · 草莓 ×1`."""
    return " · ".join(f"{item.title} ×{item.quantity}" for item in items)


def chain_rows(entries: Iterable[ChainEntry], *, person_id: int | None) -> list[dict[str, Any]]:
    return [
        {
            "number": entry.follow_number,
            "name": entry.name,
            "items": items_text(entry.items),
            "state": "done" if entry.handed_over else "",
            "mine": person_id is not None and entry.person_id == person_id,
            "at": timezone.localtime(entry.placed_at).strftime("%H:%M"),
        }
        for entry in entries
    ]
