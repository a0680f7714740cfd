"""`kaituan restore`: a backup into an empty place, looked over by the doctor at the end."""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kaituan.cli.backup import DATABASE_DUMP, FORMAT, MANIFEST, UPLOADS, has_station, last_line
from kaituan.cli.environment import DataOption, Environment, EnvironmentRefused, environment, one_line_errors

EXAMPLE = "Example: kaituan restore /var/backups/kaituan-2026-11-22.tar --data /var/lib/kaituan"


def restore(
    file: Annotated[Path, typer.Argument(help="A file that kaituan backup wrote.")],
    data: DataOption = None,
) -> None:
    """Put a backup into an empty data folder (or an empty database, with DATABASE_URL), bring it to this version
    and let the doctor look. All or nothing: a restore that fails leaves the place as empty as it was."""
    with one_line_errors():
        data_dir = _require_empty_folder(data)
        _look_into(file)
        try:
            with tarfile.open(file) as archive, environment(data_dir, as_owner=True) as place:
                problems = _restore(archive, place)
        except BaseException:
            _empty_again(data_dir)
            raise
        for problem in problems:
            typer.echo(problem)
        if problems:
            typer.echo(f"Restored, and not well: {len(problems)} things were broken in the backup already.")
            raise typer.Exit(1)
        typer.echo(f"Restored into {data_dir}; the doctor finds all well.")


def _require_empty_folder(data: Path | None) -> Path:
    chosen = data or Path(os.environ.get("KAITUAN_DATA_DIR") or "data")
    data_dir = Path(os.path.abspath(chosen))
    if data_dir.is_dir() and any(data_dir.iterdir()):
        raise EnvironmentRefused(f"{data_dir} is not empty: a backup is restored into an empty place only.")
    if data_dir.exists() and not data_dir.is_dir():
        raise EnvironmentRefused(f"{data_dir} is not a folder.")
    return data_dir


def _look_into(file: Path) -> None:
    """Whether it is a backup that can be restored, before anything is made. Raises EnvironmentRefused."""
    try:
        with tarfile.open(file) as archive:
            names = archive.getnames()
            manifest = archive.extractfile(MANIFEST) if MANIFEST in names else None
            document = json.load(manifest) if manifest else {}
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentRefused(f"{file} cannot be read as a backup: {reason}.") from error
    if DATABASE_DUMP not in names or "format" not in document:
        raise EnvironmentRefused(f"{file} is no backup of Kaituan.")
    if document["format"] != FORMAT:
        raise EnvironmentRefused(
            f"{file} was written by another version, {document.get('kaituan')}: use that one."
        )


def _restore(archive: tarfile.TarFile, place: Environment) -> list[str]:
    """Rows, uploads, this version's tables; answers what the doctor says."""
    if has_station(place):
        raise EnvironmentRefused("The database holds a station already: a backup needs an empty one.")
    with tempfile.TemporaryDirectory(dir=place.data_dir, prefix=".restoring-") as name:
        folder = Path(name)
        try:
            members = [m for m in archive.getmembers() if m.name.split("/")[0] in (DATABASE_DUMP, UPLOADS)]
            archive.extractall(folder, members=members, filter="data")
        except (OSError, EOFError, tarfile.TarError) as error:
            raise EnvironmentRefused(f"The backup is damaged: {error}.") from error
        _restore_database(folder / DATABASE_DUMP, place)
        if (folder / UPLOADS).is_dir():
            (folder / UPLOADS).rename(place.data_dir / UPLOADS)
    return _bring_to_this_version(place)


def _restore_database(dump: Path, place: Environment) -> None:
    from kaituan.embedded.binaries import binary

    command = [
        str(binary("pg_restore")),
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
    ]
    answer = subprocess.run(  # noqa: S603
        [*command, f"--dbname={place.owner_url}", str(dump)], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise EnvironmentRefused(f"The database cannot be restored: {last_line(answer.stderr)}")


def _bring_to_this_version(place: Environment) -> list[str]:
    from django.utils import timezone

    from kaituan.cli.migrate import bring_up_to_date
    from kaituan.reporting.doctor import examine

    bring_up_to_date(station_name="", books_from=timezone.now(), app_role=place.app_role)
    return examine()


def _empty_again(data_dir: Path) -> None:
    """Remove what this restore made; the folder was empty before it."""
    for path in data_dir.iterdir() if data_dir.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
