"""What every command that needs the database begins with: where the data is, which database, which secret.

With DATABASE_URL the operator's own PostgreSQL is used (KAITUAN_OWNER_URL names the role that migrates, if it
is another). Without it the embedded server of the data folder is started or joined, and left at the end. The
settings read the environment, so it is set here before Django is.
"""

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kaituan.embedded import Server

DATABASE = "kaituan"
SECRET_FILE = "secret-key"  # noqa: S105
DEMO_FILE = "demo"

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder of the database and the uploads; ./data if neither this nor KAITUAN_DATA_DIR is given.",
    ),
]


class EnvironmentRefused(Exception):
    """The command cannot begin; the message is one line for the person at the keyboard."""


@dataclass(frozen=True)
class Environment:
    """What a command works with. app_role: the role that pages and workers use, None if it is the owner's."""

    data_dir: Path
    owner_url: str
    app_url: str
    app_role: str | None
    server: "Server | None"


@contextmanager
def environment(data: Path | None, *, as_owner: bool = False, pool: int = 0) -> Iterator[Environment]:
    """Set up data folder, database, secret and Django; at the end leave the embedded server.

    as_owner: connect as the role that owns the tables, for migrating. pool: connections of a web process.
    Raises EnvironmentRefused.
    """
    # Not at the top: every command imports this file, also those that need no database.
    from kaituan.embedded import EmbeddedError

    data_dir = _data_dir(data)
    try:
        server, owner_url, app_url, app_role = _database(data_dir)
    except EmbeddedError as error:
        raise EnvironmentRefused(str(error)) from error
    try:
        os.environ["KAITUAN_DATA_DIR"] = str(data_dir)
        os.environ["DATABASE_URL"] = owner_url if as_owner else app_url
        os.environ["KAITUAN_POOL"] = str(pool)
        if len(os.environ.setdefault("KAITUAN_SECRET_KEY", _secret_key(data_dir))) < 32:
            raise EnvironmentRefused(
                "KAITUAN_SECRET_KEY is shorter than 32 characters: who guesses it is anybody."
            )
        # A mark in the folder, not a variable that may linger in a shell: personas open a demo's doors only.
        os.environ["KAITUAN_DEMO"] = "1" if is_demo(data_dir) else ""
        _set_up_django()
        yield Environment(data_dir, owner_url, app_url, app_role, server)
    finally:
        _close_connections()
        if server is not None:
            server.stop()


def is_demo(data_dir: Path) -> bool:
    """Whether the folder was made by `kaituan demo`."""
    return (data_dir / DEMO_FILE).is_file()


def mark_as_demo(data: Path | None) -> Path:
    """Make the folder a demo's, before anything is in it. Raises EnvironmentRefused for one in real use."""
    data_dir = _data_dir(data)
    if not is_demo(data_dir):
        if (data_dir / "postgres").exists() or (data_dir / "uploads").exists():
            raise EnvironmentRefused(f"{data_dir} holds data that no demo made: choose another with --data.")
        (data_dir / DEMO_FILE).touch(mode=0o600)
    return data_dir


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a refusal into one line on stderr and exit code 2, an interruption into 130."""
    try:
        yield
    except EnvironmentRefused as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(130) from None


def _data_dir(data: Path | None) -> Path:
    chosen = data or Path(os.environ.get("KAITUAN_DATA_DIR") or "data")
    data_dir = Path(os.path.abspath(chosen))
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"{data_dir} cannot be used: {error.strerror}.") from error
    return data_dir


def _database(data_dir: Path) -> tuple["Server | None", str, str, str | None]:
    """(embedded server or None, owner's URL, app's URL, app's role). Raises EmbeddedError."""
    from kaituan.embedded import APP, ensure_database, open_server

    given = os.environ.get("DATABASE_URL")
    if given:
        owner_url = os.environ.get("KAITUAN_OWNER_URL") or given
        app_role = _role(given)
        return None, owner_url, given, app_role if app_role != _role(owner_url) else None
    server = open_server(data_dir)
    try:
        database = ensure_database(server, DATABASE)
    except BaseException:
        server.stop()
        raise
    return server, database.owner_dsn, database.app_dsn, APP


def _role(url: str) -> str:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return str(conninfo_to_dict(url).get("user") or "")
    except ProgrammingError as error:
        raise EnvironmentRefused(f"The database address cannot be read: {str(error).strip()}") from error


def _secret_key(data_dir: Path) -> str:
    """The key of this data folder, made at the first time; for its owner's eyes only."""
    path = data_dir / SECRET_FILE
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    key = path.read_text().strip()
    if len(key) < 32:
        raise EnvironmentRefused(f"{path} holds no secret key: delete it, and everybody signs in again.")
    return key


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kaituan.config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    _set_up_logging()
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise EnvironmentRefused(str(error)) from error


def _set_up_logging() -> None:
    """One line per event on stderr, with its time; colours only for a person who watches."""
    import structlog

    from kaituan.intake.requests import add_request

    watched = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if watched else structlog.processors.LogfmtRenderer()
    structlog.configure(
        processors=[
            add_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _close_connections() -> None:
    """The embedded server stops when the last one leaves: nobody may hold a connection then."""
    if "django.db" in sys.modules:
        from django.conf import settings
        from django.db import connections

        if settings.configured:
            connections.close_all()
            for alias in connections:
                if getattr(connections[alias], "pool", None):
                    connections[alias].close_pool()  # type: ignore[attr-defined]
