"""The worker as a process: it relays, runs queued jobs, survives trouble and stops when asked."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, transaction

from kaituan.notices.models import Delivery, OutboxMessage
from kaituan.people.models import Leader
from kaituan.people.services import appoint_leader
from kaituan.worker.process import Worker
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "jobs"])
PATIENCE = 40


def wait_for(fact):
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path):
    """Starts workers on the test's own database; ends those that a failed test leaves behind."""
    started = []

    def start_worker():
        url = os.environ["DATABASE_URL"].replace("/kaituan?", f"/{connection.settings_dict['NAME']}?", 1)
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "KAITUAN_SENDERS": "kaituan.notices.senders.ConsoleSender",
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "kaituan.cli", "worker", "--data", str(tmp_path / "data")],
            env=environment,
            cwd=settings.PACKAGE_DIR.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        line = process.stderr.readline()
        assert line == "The worker is running.\n", line + process.stderr.read()
        return process

    yield start_worker
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_relays_what_was_announced_sends_it_and_stops_on_either_signal(start, monkeypatch):
    make.station()
    make.open_books()
    worker = start()
    with transaction.atomic():
        leader = appoint_leader(person=make.account().person, acting_person=None, now=NOON)
    wait_for(lambda: OutboxMessage.objects.filter(handled_at__isnull=False).exists())
    wait_for(lambda: Delivery.objects.filter(status="sent").exists())
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, err
    assert out.count("[notice:") == 1
    assert "The worker has stopped." in err
    assert Leader.objects.get() == leader
    second = start()
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=PATIENCE)
    assert second.returncode == 0


def test_two_workers_tell_once_and_one_that_is_killed_loses_nothing(start):
    make.station()
    make.open_books()
    first, second = start(), start()
    people = [make.account().person for _ in range(20)]
    with transaction.atomic():
        for person in people:
            appoint_leader(person=person, acting_person=None, now=NOON)
    first.kill()
    wait_for(lambda: not OutboxMessage.objects.filter(handled_at__isnull=True).exists())
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=PATIENCE)
    assert Delivery.objects.count() == 20


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
def test_a_worker_that_is_stopped_while_its_queue_connects_ends_at_once(steps, monkeypatch):
    monkeypatch.setattr(Worker, "_keep_on", lambda self, work: None)
    worker = Worker()

    async def stop_soon():
        for _ in range(steps):
            await asyncio.sleep(0)
        worker.stop()

    async def work():
        soon = []
        await worker.run(handle_signals=False, on_ready=lambda: soon.append(asyncio.create_task(stop_soon())))

    # A pool left behind would keep this loop from closing.
    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
