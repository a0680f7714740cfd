"""Read DATABASE_URL into Django's DATABASES: one database, two aliases.

`default` sees one station's schema and nothing else; `jobs` sees `public`, where the job queue keeps its
tables (they have triggers, which a station's schema may not have)."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class DatabaseUrlError(ValueError):
    """DATABASE_URL or the station's schema name cannot be used; the message says why."""


def parse_database_url(url: str) -> dict[str, Any]:
    """Connection settings (NAME, USER, PASSWORD, HOST, PORT, OPTIONS) of a postgresql:// URL.

    A socket folder may be given as `?host=/folder`; other query parameters are passed to libpq.
    Raises DatabaseUrlError for another scheme or a missing database name.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise DatabaseUrlError(
            "DATABASE_URL must start with postgresql:// (Kaituan runs on PostgreSQL only)."
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise DatabaseUrlError("DATABASE_URL names no database: postgresql://user@host/DATABASE.")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", unquote(parts.hostname or ""))
    port = query.pop("port", str(parts.port or ""))
    return {
        "NAME": name,
        "USER": query.pop("user", unquote(parts.username or "")),
        "PASSWORD": query.pop("password", unquote(parts.password or "")),
        "HOST": host,
        "PORT": port,
        "OPTIONS": query,
    }


def databases(url: str, *, station_schema: str, pool_size: int = 0) -> dict[str, dict[str, Any]]:
    """Django's DATABASES for one station. pool_size 0 means one plain connection per thread."""
    if not SCHEMA_NAME.fullmatch(station_schema):
        raise DatabaseUrlError(f"{station_schema!r} cannot be a schema name: use a-z, 0-9 and _.")
    parsed = parse_database_url(url)
    base = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": pool_size == 0,
        "CONN_MAX_AGE": 0 if pool_size else 60,
        **parsed,
    }
    pool: dict[str, Any] = (
        {"pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}} if pool_size else {}
    )
    return {
        "default": {
            **base,
            "OPTIONS": {**parsed["OPTIONS"], "options": f"-c search_path={station_schema}", **pool},
        },
        "jobs": {**base, "OPTIONS": {**parsed["OPTIONS"], "options": "-c search_path=public"}},
    }


class StationRouter:
    """Sends the job queue's tables to `jobs` and everything else to `default`."""

    JOBS_APP = "procrastinate"

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "jobs" if model._meta.app_label == self.JOBS_APP else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "jobs") == (app_label == self.JOBS_APP)
