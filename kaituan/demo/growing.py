"""Growing a town from its founding to its present, all by services, in an empty station."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.utils import translation

from kaituan.demo.digest import town_digest
from kaituan.demo.history import History
from kaituan.demo.sizes import Size
from kaituan.demo.town import STATION_NAME, build_town
from kaituan.ledger.periods import open_first_period
from kaituan.people.services import ensure_station

GROWN_UNTIL = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)
"""Four in the morning in Beijing: yesterday's goods are fetched, today's are still on their way."""
SEED = 20_261_031
FOUNDED_BEFORE = timedelta(days=14)
"""From the founding to the first group buy."""


def founded_at(*, size: Size, ends_at: datetime = GROWN_UNTIL) -> datetime:
    return ends_at - timedelta(days=size.days) - FOUNDED_BEFORE


def grow_town(
    *,
    size: Size,
    seed: int = SEED,
    ends_at: datetime = GROWN_UNTIL,
    engine: str = "duckdb",
    report: Callable[[int], None] = lambda placed: None,
) -> str:
    """Found the town and live through its days up to `ends_at`; answers its digest.

    engine: of the settlement runs. report: told how many orders were placed so far.
    """
    founded = founded_at(size=size, ends_at=ends_at)
    # What is written down for good (reasons, notices) is in the town's language.
    with translation.override("zh-hans"):
        ensure_station(name=STATION_NAME)
        open_first_period(starts_at=founded)
        build_town(size=size, seed=seed, now=founded)
        History(size=size, seed=seed + 1, ends_at=ends_at, engine=engine, report=report).grow()
    return town_digest()
