"""The one place where a page learns what time it is, so that a journey can run on a clock of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_standing: datetime | None = None


def now() -> datetime:
    """The present instant, UTC-aware: what every view passes on to services and queries."""
    return _standing or datetime.now(UTC)


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Within the block every page of this process believes that it is `moment`. For journeys and the demo town."""
    global _standing
    before, _standing = _standing, moment
    try:
        yield
    finally:
        _standing = before
