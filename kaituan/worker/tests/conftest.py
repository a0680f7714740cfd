"""The queue's connection is closed before the test database goes: Django closes the other alias only."""

from collections.abc import Iterator

import pytest
from django.db import connections


@pytest.fixture(scope="session", autouse=True)
def close_queue_connection(django_db_setup: None) -> Iterator[None]:
    yield
    connections["jobs"].close()
