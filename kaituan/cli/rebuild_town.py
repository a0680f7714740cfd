"""Growing the shipped demo town anew: by the services, on a simulated clock, in a throwaway database."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import typer

from kaituan.cli.environment import EnvironmentRefused, environment, mark_as_demo


def rebuild(file: Path) -> None:
    """Write the town's file; an existing one is replaced only by a whole new one. Takes some minutes."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kaituan-town-"))
    folder.chmod(0o711)  # PostgreSQL's own account must be able to enter it.
    try:
        with environment(mark_as_demo(folder), as_owner=True) as place:
            from kaituan.cli.migrate import bring_up_to_date
            from kaituan.demo.growing import GROWN_UNTIL, founded_at, grow_town
            from kaituan.demo.sizes import FULL
            from kaituan.demo.town import STATION_NAME
            from kaituan.reporting.doctor import examine

            bring_up_to_date(
                station_name=STATION_NAME, books_from=founded_at(size=FULL), app_role=place.app_role
            )
            digest = small_town_digest()
            grow_town(size=FULL, report=_report)
            if problems := examine():
                raise EnvironmentRefused(f"The grown town is not well: {problems[0]}")
            write(file, dsn=place.owner_url, grown_until=GROWN_UNTIL, digest=digest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    typer.echo(f"\n{file}: {file.stat().st_size / 1e6:.1f} MB in {time.monotonic() - began:.0f} s.", err=True)


def small_town_digest() -> str:
    """What a small town comes to by the services of today; nothing of it is left."""
    from django.db import transaction

    from kaituan.demo.growing import founded_at, grow_town
    from kaituan.demo.sizes import SMALL
    from kaituan.ledger.models import Period

    with transaction.atomic():
        # Its books begin on its own first day.
        Period.objects.update(starts_at=founded_at(size=SMALL))
        digest = grow_town(size=SMALL, engine="python")
        transaction.set_rollback(True)
    return digest


def write(file: Path, *, dsn: str, grown_until: object, digest: str) -> None:
    """Dump a grown database beside `file`, then put it in its place."""
    from kaituan.demo import shipped
    from kaituan.embedded.binaries import binary

    command = [str(binary("pg_dump")), "--schema-only", "--no-owner", "--no-privileges", dsn]
    schema = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    unfinished = file.with_name(file.name + ".part")
    try:
        shipped.write_town(
            unfinished,
            dsn=dsn,
            schema_sql=schema,
            grown_until=grown_until,  # type: ignore[arg-type]
            digest=digest,
            schemas=("station", "public"),
        )
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _report(placed: int) -> None:
    typer.echo(f"\r{placed:,} orders", nl=False, err=True)
