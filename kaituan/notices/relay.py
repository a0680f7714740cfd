"""From the outbox to the handlers: after commit, at least once, by as many workers as there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from kaituan.notices.models import OutboxMessage

Handler = Callable[[OutboxMessage], None]
"""Does what follows from an event. It may run twice for one message, so it must be idempotent; what it
writes is committed together with the message's `handled_at`. Its time is `message.created_at`."""
Handlers = Mapping[str, Sequence[Handler]]
"""Topic -> its handlers, called in this order. A topic without any is done at once."""

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one call did: messages handled, and messages put off after a failure."""

    handled: int
    failed: int


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the given number of failures (>= 1): 5 s, 10 s, 20 s ... up to an hour."""
    return min(FIRST_DELAY * 2 ** min(attempts - 1, 12), LONGEST_DELAY)


@transaction.atomic
def relay_once(*, handlers: Handlers, now: datetime, limit: int = 100) -> Relayed:
    """Handle up to `limit` messages, oldest first. Safe to run in several workers at once.

    Each message has a savepoint: one that fails leaves nothing behind but its `last_error` and the time of
    its next attempt, and does not hold up the others.
    """
    # Locked and skipped, so that two workers share the work and none waits. A worker that dies lets go.
    messages = (
        OutboxMessage.objects.select_for_update(skip_locked=True)
        .filter(handled_at__isnull=True)
        .filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now))
        .order_by("id")[:limit]
    )
    handled = failed = 0
    for message in messages:
        if _handle(message, handlers.get(message.topic, ()), now=now):
            handled += 1
        else:
            failed += 1
    return Relayed(handled=handled, failed=failed)


def relay_all(*, handlers: Handlers, now: datetime) -> Relayed:
    """Handle until nothing is left that is due; what the handlers announce themselves included."""
    handled = failed = 0
    while (done := relay_once(handlers=handlers, now=now)) != Relayed(0, 0):
        handled += done.handled
        failed += done.failed
    return Relayed(handled=handled, failed=failed)


def _handle(message: OutboxMessage, handlers: Sequence[Handler], *, now: datetime) -> bool:
    message.attempts += 1
    try:
        with transaction.atomic():
            for handler in handlers:
                handler(message)
    except Exception as error:
        # Whatever a handler raises is kept with the message: nothing is lost and nobody else waits.
        log.exception("outbox.failed", topic=message.topic, subject=message.subject, attempt=message.attempts)
        message.last_error = f"{type(error).__name__}: {error}"[:2000]
        message.next_attempt_at = now + retry_delay(message.attempts)
        message.save(update_fields=["attempts", "last_error", "next_attempt_at"])
        return False
    message.handled_at = now
    message.last_error = ""
    message.save(update_fields=["attempts", "handled_at", "last_error"])
    return True
