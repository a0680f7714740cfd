"""`kaituan backup`: the whole station in one file, taken while it runs."""

import io
import json
import os
import subprocess
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kaituan.cli.environment import DataOption, Environment, EnvironmentRefused, environment, one_line_errors

EXAMPLE = "Example: kaituan backup /var/backups/kaituan-$(date +%F).tar --data /var/lib/kaituan"
FORMAT = 1
"""Raised when a restore must know which way a backup was written."""
MANIFEST, DATABASE_DUMP, UPLOADS = "manifest.json", "database.dump", "uploads"


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    data: DataOption = None,
) -> None:
    """Write database and uploads into one file. The site may go on: the database is read as of one instant.

    The secret key is not in it, so that who finds the file can sign nothing: after a restore elsewhere everybody
    signs in again. The file holds names, phones and addresses: keep it as you keep the database.
    """
    with one_line_errors():
        if file.exists():
            raise EnvironmentRefused(f"{file} exists already: choose another name.")
        if not file.parent.is_dir():
            raise EnvironmentRefused(f"{file.parent} is not a folder.")
        with environment(data, as_owner=True) as place:
            _require_station(place)
            write_backup(file, place)
        typer.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB.")


def write_backup(file: Path, place: Environment) -> None:
    """The archive, whole or not at all. Raises EnvironmentRefused."""
    unfinished = file.with_name(file.name + ".part")
    try:
        # For its owner's eyes from the first byte on: it holds what people told us.
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(handle, "wb") as stream,
            tempfile.NamedTemporaryFile(dir=file.parent, suffix=".dump") as dump,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            _dump(Path(dump.name), place)
            _add_manifest(archive)
            archive.add(dump.name, DATABASE_DUMP)
            # After the dump: whatever file it speaks of was stored before.
            uploads = place.data_dir / UPLOADS
            if uploads.is_dir():
                archive.add(uploads, UPLOADS)
            archive.close()
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise EnvironmentRefused(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _dump(dump: Path, place: Environment) -> None:
    from kaituan.embedded.binaries import binary

    command = [str(binary("pg_dump")), "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}"]
    answer = subprocess.run([*command, place.owner_url], capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        raise EnvironmentRefused(f"The database cannot be read: {last_line(answer.stderr)}")


def last_line(text: str) -> str:
    """What a PostgreSQL program says in the end, for one sentence."""
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _add_manifest(archive: tarfile.TarFile) -> None:
    from importlib.metadata import version

    document = {"format": FORMAT, "kaituan": version("kaituan"), "taken_at": datetime.now(UTC).isoformat()}
    content = json.dumps(document).encode()
    member = tarfile.TarInfo(MANIFEST)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _require_station(place: Environment) -> None:
    if not has_station(place):
        raise EnvironmentRefused(f"There is no station in {place.data_dir} to back up.")


def has_station(place: Environment) -> bool:
    """Whether the database has a station's tables."""
    import psycopg
    from django.conf import settings

    with psycopg.connect(place.owner_url) as connection:
        query = "SELECT to_regclass(%s) IS NOT NULL"
        found = connection.execute(query, [f"{settings.STATION_SCHEMA}.people_station"]).fetchone()
        return found == (True,)
