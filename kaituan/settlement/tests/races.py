"""Two who want the same rows at the same moment: the one in the test's own transaction, the other in a thread."""

import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections


def in_a_thread(function):
    """Run it on a connection of its own; a future of its answer."""

    def run():
        try:
            return function()
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


def until_it_waits_for_me(other):
    """Until the other thread waits for what this transaction holds; what it raised, if it ended instead."""
    # Not pg_stat_activity, of which a transaction sees what its first look saw.
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _ in range(2_000):
        with connection.cursor() as cursor:
            cursor.execute(waits)
            if cursor.fetchone():
                return
        if other.done():
            break
        time.sleep(0.01)
    raise AssertionError(f"It did not wait: {other.result(timeout=1)}.")
