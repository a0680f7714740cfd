"""What Prometheus may know. With several workers every process keeps its own numbers in files of one folder
(PROMETHEUS_MULTIPROC_DIR, made by `kaituan serve`), and whichever answers adds them up."""

import os
from bisect import bisect_left
from collections import Counter as Count

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class ManyHistogram(Histogram):
    """A histogram that takes many observations at once: each alone would cost more than what it measures."""

    def observe_many(self, amounts: list[float]) -> None:
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        counts = Count(bisect_left(self._upper_bounds, amount) for amount in amounts)
        for bucket, count in counts.items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(amounts))


ORDERS = Counter("kaituan_intake_orders", "Order requests answered, by outcome.", ["outcome"])
ORDER_SECONDS = ManyHistogram(
    "kaituan_intake_order_seconds",
    "From the whole request read to its answer.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)
BATCH_SIZE = ManyHistogram(
    "kaituan_intake_batch_size", "Orders per call of the order core.", buckets=(1, 2, 4, 8, 16, 32, 48, 64)
)
BATCH_SECONDS = ManyHistogram(
    "kaituan_intake_batch_seconds",
    "One call of the order core, waiting for a connection and for locks included.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
STATEMENTS = Counter("kaituan_intake_statements", "Statements that the intake sent to the database.")
ONE_BY_ONE = Counter("kaituan_intake_one_by_one", "Batches that were placed again one by one.")
WITHOUT_SQL = Counter("kaituan_intake_sold_out_without_sql", "Sold-out answers that asked no database.")
WAITING = Gauge(
    "kaituan_intake_waiting", "Orders waiting for their batch or in it.", multiprocess_mode="livesum"
)
STREAMS = Gauge("kaituan_chain_streams", "Open live chains.", multiprocess_mode="livesum")
STREAMS_REFUSED = Counter(
    "kaituan_chain_streams_refused", "Live chains refused to an address that has many open."
)
SHARED_PAGES = Counter("kaituan_shared_pages", "Campaign pages served from memory.")
DJANGO_SECONDS = Histogram(
    "kaituan_page_seconds",
    "Requests that Django answered.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


_outcomes: Count[str] = Count()
_seconds: list[float] = []
_batch_sizes: list[float] = []
_batch_seconds: list[float] = []
_statements = 0
_pages = 0


def note_page() -> None:
    """Count one page from memory; `flush` passes it on."""
    global _pages
    _pages += 1


def note_order(outcome: str, seconds: float) -> None:
    """Count one answered request; `flush` passes it on."""
    _outcomes[outcome] += 1
    _seconds.append(seconds)


def note_statement() -> None:
    """Count one statement sent to the database; `flush` passes it on."""
    global _statements
    _statements += 1


def note_batch(size: int, seconds: float) -> None:
    """Count one call of the order core; `flush` passes it on."""
    _batch_sizes.append(size)
    _batch_seconds.append(seconds)


def flush() -> None:
    """Pass on what was noted; called every second or so."""
    global _pages, _statements
    SHARED_PAGES.inc(_pages)
    STATEMENTS.inc(_statements)
    _pages = _statements = 0
    for histogram, noted in ((BATCH_SIZE, _batch_sizes), (BATCH_SECONDS, _batch_seconds)):
        if noted:
            histogram.observe_many(noted)
            noted.clear()
    for outcome, count in _outcomes.items():
        ORDERS.labels(str(outcome)).inc(count)
    _outcomes.clear()
    if _seconds:
        ORDER_SECONDS.observe_many(_seconds)
        _seconds.clear()


def exposition() -> bytes:
    """Everything in Prometheus' text format, over all workers."""
    flush()
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
