"""What every test session needs beside its database server (kaituan/embedded/testing.py)."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.utils import translation


@pytest.fixture(autouse=True)
def site_language() -> None:
    """Every test begins in the site's own language: a page asked for in another leaves that one behind."""
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """As pytest-django's own, but at the end nobody stays connected: the job queue's alias and the threads of a
    race have connections that pytest-django does not know of, and a database in use cannot be dropped."""
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections["jobs"].close()
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
            )
