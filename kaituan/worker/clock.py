"""The clock: what is looked after again and again, and how often.

A duty only finds work that is due and calls the service that does it; the service locks its rows and is
harmless when repeated, so that any number of workers may look at once. What a page promises (the end of a
window, a deadline) holds by the time of each order, not by the punctuality of a duty.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.contrib.sessions.models import Session

from kaituan.campaigns.services import open_due
from kaituan.commission.tiers import evaluate_tiers
from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.cutoff import cut_off_due
from kaituan.fulfilment.handover import give_up_unclaimed
from kaituan.fulfilment.notices import remind_unclaimed
from kaituan.notices.deliveries import send_due
from kaituan.notices.relay import Handlers, relay_all
from kaituan.notices.senders import outside_senders
from kaituan.notices.services import forget_handled
from kaituan.ordering.pasting import expire_pastes
from kaituan.payments.services import release_unpaid, send_due_refunds
from kaituan.people.queries import addresses
from kaituan.reporting.names import names_of
from kaituan.settlement.suppliers import record_supplier_payables
from kaituan.worker.handlers import HANDLERS

EVENTS_KEPT = timedelta(days=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that is looked after. every: seconds between two looks. leaves_the_house: it talks to other
    people's machines and may be slow, so the job queue runs it, one at a time over all workers."""

    name: str
    every: int
    run: Callable[[datetime], object]
    leaves_the_house: bool = False


def send_notices(now: datetime) -> int:
    """Hand waiting notices to the senders outside."""
    return send_due(senders=outside_senders(), addresses=addresses, names=names_of, now=now)


def complete_lines(now: datetime) -> int:
    """Complete lines whose claim window has closed, all of them, a batch at a time."""
    done = 0
    while count := complete_due(now=now):
        done += count
    return done


def give_up_goods(now: datetime) -> int:
    """Complete what nobody fetched, all of it, a batch at a time."""
    done = 0
    while count := give_up_unclaimed(now=now):
        done += count
    return done


def tidy(now: datetime) -> int:
    """Forget handled events and sessions that are over."""
    ended, _tables = Session.objects.filter(expire_date__lt=now).delete()
    return ended + forget_handled(before=now - EVENTS_KEPT)


DUTIES: tuple[Duty, ...] = (
    Duty("open_campaigns", 1, lambda now: open_due(now=now)),
    Duty("cut_off_campaigns", 1, lambda now: cut_off_due(now=now)),
    Duty("release_unpaid_orders", 5, lambda now: release_unpaid(now=now)),
    Duty("remind_of_unclaimed_goods", 300, lambda now: remind_unclaimed(now=now)),
    Duty("give_up_unclaimed_goods", 60, give_up_goods),
    Duty("complete_lines", 30, complete_lines),
    Duty("record_supplier_payables", 60, lambda now: record_supplier_payables(now=now)),
    Duty("evaluate_tiers", 600, lambda now: evaluate_tiers(now=now)),
    Duty("expire_chain_texts", 600, lambda now: expire_pastes(now=now)),
    Duty("send_refunds", 5, lambda now: send_due_refunds(now=now), leaves_the_house=True),
    Duty("send_notices", 5, send_notices, leaves_the_house=True),
    Duty("tidy", 3600, tidy),
)


def duty_named(name: str) -> Duty:
    """The duty of that name. Raises KeyError."""
    return {duty.name: duty for duty in DUTIES}[name]


def attempt(duty: Duty, *, now: datetime) -> Exception | None:
    """Run one duty; what it raises is logged and answered, so that the others go on."""
    try:
        duty.run(now)
    except Exception as error:
        log.exception("duty.failed", duty=duty.name)
        return error
    return None


def run_due(
    *, now: datetime, duties: Sequence[Duty] = DUTIES, handlers: Handlers = HANDLERS
) -> Mapping[str, Exception]:
    """Everything that is due at `now`, once and in this thread: for journeys and for a simulated clock.

    Events are relayed before and after. Answers the duties that failed; an event that fails stays in the
    outbox with its error.
    """
    relay_all(handlers=handlers, now=now)
    failures = {duty.name: error for duty in duties if (error := attempt(duty, now=now)) is not None}
    relay_all(handlers=handlers, now=now)
    return failures
