"""Handing notices to the senders outside: each once, tried again when the other side is away.

Nothing can be sent exactly once to a house one does not own. A worker that dies between sending and noting
it leaves a lease behind; when that has run out the notice is sent again, under the same key, by which a
sender that can tell repeats will.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation

from kaituan.notices.models import Delivery
from kaituan.notices.relay import retry_delay
from kaituan.notices.senders import Address, AddressBook, Sender, SendFailed
from kaituan.notices.wording import Names, named_ids, words

NameBook = Callable[[Mapping[str, set[int]]], Names]
"""{"campaign": {12}, ...} -> the names to show. Given by the caller: those rows stand below this folder."""

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
"""About eleven minutes of trying; a message about goods at the door is of no use the next day."""

log = structlog.get_logger(__name__)


def send_due(
    *,
    senders: Sequence[Sender],
    addresses: AddressBook,
    names: NameBook,
    now: datetime,
    limit: int = 100,
) -> int:
    """Send what is due, oldest first; says how many went out. Safe to run in several workers at once."""
    by_code = {sender.code: sender for sender in senders}
    sent = 0
    taken = _take(codes=by_code.keys(), now=now, limit=limit)
    book = addresses([delivery.notice.person_id for delivery in taken])
    known = names(named_ids(delivery.notice.data for delivery in taken))
    for delivery in taken:
        address = book.get(delivery.notice.person_id)
        if address is None:
            _give_up(delivery, error="nobody to reach")
        elif _send(delivery, by_code[delivery.sender], address, known, now=now):
            sent += 1
    return sent


@transaction.atomic
def _take(*, codes: Iterable[str], now: datetime, limit: int) -> list[Delivery]:
    """Lease some deliveries to this worker: counted as an attempt, untouchable for others for a while."""
    due = list(
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(status=Delivery.Status.PENDING, sender__in=list(codes))
        .filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now))
        .select_related("notice")
        .order_by("pk")[:limit]
    )
    for delivery in due:
        delivery.attempts += 1
        delivery.next_attempt_at = now + LEASE
    Delivery.objects.bulk_update(due, ["attempts", "next_attempt_at"])
    return due


def _send(delivery: Delivery, sender: Sender, address: Address, names: Names, *, now: datetime) -> bool:
    notice = delivery.notice
    with translation.override(address.language or settings.LANGUAGE_CODE):
        shown = words(kind=notice.kind, data=notice.data, names=names)
    try:
        sender.send(to=address, title=shown.title, body=shown.body, key=f"notice:{notice.pk}")
    except SendFailed as failure:
        if delivery.attempts >= MAX_ATTEMPTS:
            _give_up(delivery, error=str(failure))
        else:
            delivery.last_error = str(failure)[:200]
            delivery.next_attempt_at = now + retry_delay(delivery.attempts)
            delivery.save(update_fields=["last_error", "next_attempt_at"])
        return False
    delivery.status = Delivery.Status.SENT
    delivery.sent_at = now
    delivery.last_error = ""
    delivery.save(update_fields=["status", "sent_at", "last_error"])
    return True


def _give_up(delivery: Delivery, *, error: str) -> None:
    log.warning("delivery.failed", delivery=delivery.pk, sender=delivery.sender, error=error)
    delivery.status = Delivery.Status.FAILED
    delivery.last_error = error[:200]
    delivery.save(update_fields=["status", "last_error"])
