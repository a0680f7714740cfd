"""The clock's duties as jobs of the queue: those that leave the house wait there for other people's machines."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate import exceptions
from procrastinate.contrib.django import app

from kaituan.worker.clock import attempt, duty_named

QUEUE = "clock"


@app.task(name="kaituan.run_duty", queue=QUEUE)
def run_duty(name: str) -> None:
    """Run a duty now. What it raises has been logged; the next look comes soon, so the job is not retried."""
    attempt(duty_named(name), now=timezone.now())


def defer_duty(name: str) -> bool:
    """Queue a duty unless it waits already; False if it does."""
    try:
        # One may run while one waits, and two never run at once: `lock` is held by the running job.
        with transaction.atomic(using=settings.PROCRASTINATE_DATABASE_ALIAS):
            run_duty.configure(queueing_lock=name, lock=name).defer(name=name)
    except exceptions.AlreadyEnqueued:
        return False
    return True
