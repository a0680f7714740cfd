"""The worker process: one thread relays events, one looks at the clock, the job queue runs in the main thread.

Any number of workers may run; stopping lets each finish what it has in hand. A worker that is killed loses
nothing: what it held is rolled back and found again.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from procrastinate.contrib.django import app

from kaituan.notices.relay import relay_once
from kaituan.worker.clock import DUTIES, attempt
from kaituan.worker.handlers import HANDLERS
from kaituan.worker.jobs import defer_duty

IDLE_SECONDS = 0.25
AFTER_TROUBLE_SECONDS = 2.0
GRACE_SECONDS = 20.0

log = structlog.get_logger(__name__)


class Worker:
    """Relay, clock and job queue until `stop` is called or the process is asked to end."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._next_look = dict.fromkeys((duty.name for duty in DUTIES), 0.0)

    def stop(self) -> None:
        """End the work; from any thread, or from a signal."""
        self._stopping.set()
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def run(self, *, handle_signals: bool = True, on_ready: Callable[[], None] = lambda: None) -> None:
        """Work until asked to stop."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        if handle_signals:
            # Set explicitly: a process started in the background by a shell ignores SIGINT otherwise.
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self.stop)
        threads = [
            threading.Thread(target=self._keep_on, args=(work,), name=work.__name__)
            for work in (self._relay, self._look_at_the_clock)
        ]
        for thread in threads:
            thread.start()
        try:
            on_ready()
            await self._run_queue(self._ended)
        finally:
            self.stop()
            for thread in threads:
                await asyncio.to_thread(thread.join, GRACE_SECONDS)

    async def _run_queue(self, ended: asyncio.Event) -> None:
        """The job queue's own worker, begun again when the database was away."""
        ending = asyncio.create_task(ended.wait())
        while not ended.is_set():
            queue = asyncio.create_task(self._queue_worker())
            await asyncio.wait({queue, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ended.is_set():
                queue.cancel()
            # Waited for in any case: its failure is looked at, and its jobs may finish.
            await asyncio.wait({queue}, timeout=GRACE_SECONDS)
            if not ended.is_set():
                log.warning("queue.lost", error=str(queue.exception()))
                await asyncio.wait({ending}, timeout=AFTER_TROUBLE_SECONDS)

    async def _queue_worker(self) -> None:
        # An app of its own: the threads go on deferring through Django's connections meanwhile.
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
        try:
            async with app.with_connector(connector).open_async() as queue:
                await queue.run_worker_async(
                    concurrency=2,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    fetch_job_polling_interval=2.0,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                )
        finally:
            # Told to stop while it opens, it leaves a pool that goes on connecting and keeps the process alive.
            await connector.close_async()

    def _keep_on(self, work: Callable[[], bool]) -> None:
        """Call `work` for ever; rest when it found nothing to do, and longer when the database is away."""
        try:
            while not self._stopping.is_set():
                try:
                    busy = work()
                except DatabaseError as error:
                    log.warning("worker.database_away", work=work.__name__, error=str(error))
                    connections.close_all()
                    self._stopping.wait(AFTER_TROUBLE_SECONDS)
                else:
                    if not busy:
                        self._stopping.wait(IDLE_SECONDS)
        finally:
            connections.close_all()

    def _relay(self) -> bool:
        """Hand on what is in the outbox; True while there may be more."""
        done = relay_once(handlers=HANDLERS, now=timezone.now())
        return done.handled > 0

    def _look_at_the_clock(self) -> bool:
        """Run the duties whose next look has come; False, for there is always time for a rest."""
        for duty in DUTIES:
            if self._stopping.is_set():
                break
            if time.monotonic() < self._next_look[duty.name]:
                continue
            if duty.leaves_the_house:
                defer_duty(duty.name)
            else:
                error = attempt(duty, now=timezone.now())
                if isinstance(error, DatabaseError):
                    raise error
            self._next_look[duty.name] = time.monotonic() + duty.every
        return False


def run_worker(*, on_ready: Callable[[], None] = lambda: None) -> None:
    """Work in this process until SIGINT or SIGTERM."""
    asyncio.run(Worker().run(on_ready=on_ready))
