"""Reading the inbox, and what waits to be told."""

from collections.abc import Sequence
from datetime import datetime

from kaituan.notices.models import Delivery, Notice, OutboxMessage


def unread_count(*, person_id: int) -> int:
    return Notice.objects.filter(person_id=person_id, read_at__isnull=True).count()


def inbox(*, person_id: int, limit: int = 50, before_id: int | None = None) -> Sequence[Notice]:
    """A person's notices, newest first; before_id: the last one of the page before."""
    notices = Notice.objects.filter(person_id=person_id)
    if before_id is not None:
        notices = notices.filter(pk__lt=before_id)
    return list(notices.order_by("-id")[:limit])


def waiting_messages(*, older_than: datetime) -> int:
    """Events written before `older_than` that are not handled yet: 0 when the worker keeps up."""
    return OutboxMessage.objects.filter(handled_at__isnull=True, created_at__lt=older_than).count()


def failing_messages(*, limit: int = 50) -> Sequence[OutboxMessage]:
    """Events whose handlers failed and will be tried again, oldest first, each with its `last_error`."""
    failing = OutboxMessage.objects.filter(handled_at__isnull=True, attempts__gt=0)
    return list(failing.order_by("id")[:limit])


def failed_deliveries(*, limit: int = 50) -> Sequence[Delivery]:
    """Deliveries that were given up, newest first."""
    failed = Delivery.objects.filter(status=Delivery.Status.FAILED).select_related("notice")
    return list(failed.order_by("-id")[:limit])
