"""`kaituan serve`: the site, on one address, by several processes."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from kaituan.cli.environment import (
    DataOption,
    Environment,
    EnvironmentRefused,
    environment,
    one_line_errors,
)

if TYPE_CHECKING:
    from kaituan.embedded import Server
    from kaituan.intake.router import Application

EXAMPLE = "Example: kaituan serve --data /var/lib/kaituan --host 127.0.0.1 --port 8000 --workers 2"


def serve(
    data: DataOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on; behind a proxy leave it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; about one for each processor.")
    ] = min(4, os.cpu_count() or 1),
) -> None:
    """Serve the pages, the API and the order intake.

    A worker that dies is replaced, an embedded database that dies is started again. SIGINT and SIGTERM let it
    answer what it has taken. Apply migrations first (kaituan migrate), and run kaituan worker beside it.
    """
    os.environ["KAITUAN_HASHED_FILES"] = "1"
    with one_line_errors(), environment(data) as place:
        from kaituan.intake import serving

        _require_migrated()
        _prepare_static_files()
        try:
            listener = serving.bind(host, port)
        except serving.CannotBind as error:
            raise EnvironmentRefused(str(error)) from error
        shown = f"[{host}]" if ":" in host else host
        watch = _DatabaseWatch(place)
        try:
            serving.serve(
                listener=listener,
                workers=workers,
                load=_load,
                watch=watch.look,
                behind_proxy=os.environ.get("KAITUAN_BEHIND_PROXY", "").lower() in ("1", "true", "yes", "on"),
                on_ready=lambda: typer.echo(f"Serving on http://{shown}:{port}/", err=True),
            )
        finally:
            listener.close()
            watch.leave()
        typer.echo("Stopped.", err=True)


def _load() -> "Application":
    """The application with all its pages, loaded before the workers are forked from here."""
    from django.conf import settings
    from django.urls import get_resolver
    from django.utils.module_loading import import_string

    # By the name the settings give it, as any server would: wiring stands below the commands on the map.
    application: Application = import_string(settings.ASGI_APPLICATION)

    # Asking for it imports every view: once, not once in each worker at its first request.
    _ = get_resolver().url_patterns
    return application


def _prepare_static_files() -> None:
    """Static files under their hashed names, in the data folder. Before the application, which looks for them."""
    from django.contrib.staticfiles.storage import staticfiles_storage

    from kaituan.web.static_files import prepare

    try:
        prepare(staticfiles_storage)
    except OSError as error:
        raise EnvironmentRefused(f"The static files cannot be written: {error}.") from error


def _require_migrated() -> None:
    """Refuse to serve on tables of another version; leaves no connection behind for the workers to share."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise EnvironmentRefused(f"The database does not answer: {error}".strip()) from error
    finally:
        connection.close()
    mine = [migration for migration, _ in waiting if migration.app_label != "procrastinate"]
    if mine:
        raise EnvironmentRefused(f"{len(mine)} migrations wait to be applied: run kaituan migrate first.")


class _DatabaseWatch:
    """Looks after the embedded server: killed, it is started again. DATABASE_URL's is its operator's."""

    def __init__(self, place: Environment) -> None:
        self._place = place
        self._again: Server | None = None

    def look(self) -> None:
        from kaituan.embedded import EmbeddedError, open_server

        server = self._again or self._place.server
        if server is None or _is_alive(server.pid):
            return
        try:
            again = open_server(self._place.data_dir)
        except EmbeddedError as error:
            typer.echo(f"The database is gone and does not start again yet: {error}", err=True)
            return
        typer.echo("The database was gone; it is started again.", err=True)
        self.leave()
        self._again = again

    def leave(self) -> None:
        """Give up the share in a server that was started here; the environment gives up its own."""
        if self._again is not None:
            self._again.stop()


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
