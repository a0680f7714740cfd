"""`kaituan migrate`: bring the database to this version. Safe to repeat, and while an older worker waits."""

import os
from datetime import datetime
from typing import Annotated

import typer

from kaituan.cli.environment import DataOption, environment, one_line_errors

ADVISORY_LOCK = 7_502_442
"""Any constant will do: two migrations at once would trip over each other."""


def migrate(
    data: DataOption = None,
    station_name: Annotated[
        str,
        typer.Option(envvar="KAITUAN_STATION_NAME", help="Name of the city station, used when it is new."),
    ] = "我的团购站",
    books_from: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day of the books (UTC), used when they are new; today if not given.",
        ),
    ] = None,
) -> None:
    """Create or update the tables, the station, its books and the rights of the role that serves.

    Example: kaituan migrate --data /var/lib/kaituan --station-name 北京站
    """
    with one_line_errors(), environment(data, as_owner=True) as place:
        from datetime import UTC

        from django.utils import timezone

        start = books_from.replace(tzinfo=UTC) if books_from else timezone.now()
        bring_up_to_date(station_name=station_name, books_from=start, app_role=place.app_role)
        if place.app_role is None:
            typer.echo(
                "Note: pages connect as the owner of the tables. Give KAITUAN_OWNER_URL another role than"
                " DATABASE_URL to keep the ledger from being changed.",
                err=True,
            )
        typer.echo("The database is up to date.")


def bring_up_to_date(
    *, station_name: str, books_from: datetime, app_role: str | None, quiet: bool = True
) -> None:
    """Migrate, make what every station needs, and set the rights of `app_role`. Connected as the owner."""
    import psycopg
    from django.core.management import call_command

    from kaituan.cli.rights import grant_rights
    from kaituan.ledger.periods import open_first_period
    from kaituan.people.services import ensure_station

    # On a connection of its own, for Django's are closed and opened again on the way.
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        call_command("migrate", interactive=False, verbosity=0 if quiet else 1)
        call_command("createcachetable", verbosity=0)
        ensure_station(name=station_name)
        open_first_period(starts_at=books_from)
        if app_role is not None:
            grant_rights(app_role=app_role)
