"""The periods of the books: stamping inside the open one, and closing it so that nothing falls in between."""

from datetime import datetime

from django.db import transaction

from kaituan.ledger.models import Period
from kaituan.ledger.services import LedgerError

EPOCH_MESSAGE = "The books have no open period: run `kaituan migrate`."


def open_first_period(*, starts_at: datetime) -> Period:
    """The open period, made if the books have none yet."""
    period, _ = Period.objects.get_or_create(status=Period.Status.OPEN, defaults={"starts_at": starts_at})
    return period


def stamp(*, now: datetime) -> datetime:
    """The time to record for something that settlement counts by; call it inside the writing transaction.

    Holds the open period FOR SHARE until commit. A clock that lags behind the period's start is moved
    up to it, so that what is recorded late counts when it was recorded.
    """
    # FOR SHARE, not FOR UPDATE: many writers at once, only closing has to wait for them.
    select = "SELECT * FROM ledger_period WHERE status = %s FOR SHARE"
    # Twice: who waited for a closing finds its row closed, and sees the next period only when asking again.
    for _attempt in range(2):
        for period in Period.objects.raw(select, [Period.Status.OPEN]):
            return max(now, period.starts_at)
    raise LedgerError(EPOCH_MESSAGE)


@transaction.atomic
def close_period(*, ends_at: datetime) -> Period:
    """Close the open period at `ends_at` and open the next from that instant.

    Raises LedgerError when it would end before it started, or when something in it is already stamped later
    (the caller passes a time that has come).
    """
    period = Period.objects.select_for_update().get(status=Period.Status.OPEN)
    if ends_at <= period.starts_at:
        raise LedgerError("A period ends after it starts.")
    period.ends_at = ends_at
    period.status = Period.Status.CLOSED
    period.save(update_fields=["ends_at", "status"])
    Period.objects.create(starts_at=ends_at)
    return period
