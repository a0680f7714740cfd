"""The files of one embedded server: its folder, its cluster, its settings, its socket."""

import hashlib
import os
import shlex
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kaituan.embedded.accounts import Account, blocked_folder, give, run
from kaituan.embedded.binaries import MAJOR
from kaituan.embedded.errors import EmbeddedError

SOCKET_PORT = 5432
# A socket's whole path, ending in /.s.PGSQL.<port>, has 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_BYTES = 103

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "192MB",
    "max_wal_size": "2GB",
    # Log files to be used again: in a rush a new one is a pause for everybody while it is filled with zeros.
    "min_wal_size": "256MB",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # One file for each day of the week, so that the log never grows without bound.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}
# For data that may be lost with the machine: a test session's.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Home:
    """The folder `postgres` inside the data folder; everything in it belongs to the server's account."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.path / "data"

    @property
    def gate(self) -> Path:
        """Locked while a server is started, joined or stopped."""
        return self.path / "gate.lock"

    @property
    def users(self) -> Path:
        """Locked (shared) by every process that uses the server, as long as it does."""
        return self.path / "users.lock"

    @property
    def start_log(self) -> Path:
        return self.path / "start.log"

    def prepare(self, account: Account | None) -> None:
        """Make the folder, mode 0700, the account's; the folders above keep their modes."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"The database folder {self.path} cannot be made: {error.strerror}."
            ) from error
        if account is None:
            return
        if self.path.stat().st_uid != account.uid:
            give(self.path, account)
        blocked = blocked_folder(self.path, account)
        if blocked is not None:
            if not any(self.path.iterdir()):
                self.path.rmdir()
            raise EmbeddedError(
                f"PostgreSQL runs not as root but as the user {account.name}, who may not enter {blocked}: "
                "choose another data folder, for example /var/lib/kaituan, or run it as an ordinary user."
            )


def ensure_cluster(home: Home, *, account: Account | None, programs: Path, durable: bool) -> None:
    """Make the cluster unless it exists; refuse one of another major version."""
    version_file = home.cluster / "PG_VERSION"
    if version_file.exists():
        major = version_file.read_text().strip()
        if major != str(MAJOR):
            raise EmbeddedError(
                f"The database folder {home.cluster} was made by PostgreSQL {major}, and this version of "
                f"Kaituan brings PostgreSQL {MAJOR}: dump it with the older programs and restore the dump "
                "into a new data folder."
            )
        return
    # A cluster appears whole or not at all: an interrupted initdb leaves only the staging folder.
    staging = home.path / "data.new"
    shutil.rmtree(staging, ignore_errors=True)
    # The builtin locale sorts and folds case the same on every machine; the wheel has no ICU.
    options = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    options += ["--builtin-locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256"]
    # New log files of 1 MiB are made in some 3 ms each; of the usual 16 MiB, everybody waits 50 ms for one.
    options += ["--wal-segsize=1"]
    options += ["--no-instructions", *([] if durable else ["--no-sync"])]
    answer = run([programs / "initdb", "-D", staging, *options], account=account)
    if answer.returncode != 0:
        raise EmbeddedError(
            f"PostgreSQL could not make its data folder {home.cluster}: {answer.stderr.strip()}"
        )
    with (staging / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(
            "\ninclude_if_exists = 'kaituan.conf'\n# Settings of your own go below this line; they win.\n"
        )
    staging.rename(home.cluster)


def write_settings(home: Home, *, account: Account | None, durable: bool) -> None:
    """Write kaituan.conf anew, so that an upgrade can bring other settings; the operator's come after it."""
    settings = SETTINGS if durable else SETTINGS | THROWAWAY_SETTINGS
    lines = ["# Written at each start: edit postgresql.conf instead."]
    lines += [f"{name} = '{value}'" for name, value in settings.items()]
    handle, name = tempfile.mkstemp(dir=home.cluster, prefix="kaituan.conf.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        give(file.fileno(), account)
    os.replace(name, home.cluster / "kaituan.conf")


def choose_socket_dir(home: Home, *, port: int, account: Account | None) -> Path:
    """A folder of mode 0700 for the socket: beside the cluster, or a short one when that path is too long."""
    beside = home.path / "run"
    if _fits(beside, port):
        beside.mkdir(mode=0o700, exist_ok=True)
        give(beside, account)
        return beside
    key = hashlib.sha256(os.fsencode(os.path.realpath(home.path))).hexdigest()[:12]
    runtime = "/run" if account else os.environ.get("XDG_RUNTIME_DIR", "")
    for base in (runtime, tempfile.gettempdir(), "/tmp"):  # noqa: S108
        folder = Path(base, f"kaituan-{key}")
        if base and os.access(base, os.W_OK) and _fits(folder, port):
            _make_private(folder, account)
            return folder
    raise EmbeddedError(
        f"The data folder {home.path.parent} is too long a path for a socket, and no shorter one is writable."
    )


def clear_socket(socket_dir: Path, *, port: int) -> None:
    """Remove a dead server's socket and its lock file; call it under the lock, with no live postmaster.

    The lock file names a process like the pid file does, and misleads in the same way once the number is
    reused. The folder is private to this cluster, so nobody else's socket can be in it.
    """
    for name in (f".s.PGSQL.{port}", f".s.PGSQL.{port}.lock"):
        (socket_dir / name).unlink(missing_ok=True)


def remove_socket_dir(home: Home, socket_dir: str) -> None:
    """Remove an emptied socket folder that lies outside the data folder."""
    if socket_dir and Path(socket_dir).parent != home.path and Path(socket_dir).name.startswith("kaituan-"):
        try:
            os.rmdir(socket_dir)
        except OSError:
            return  # Already gone, or the system keeps something there: no harm either way.


def server_options(socket_dir: Path, *, port: int, listen: bool, mark: str) -> str:
    """The words pg_ctl hands to the server through a shell.

    They are on the command line, not in a file, because nobody's postgresql.conf may move the socket.
    """
    settings = {
        "unix_socket_directories": f'"{socket_dir}"',
        "listen_addresses": "127.0.0.1" if listen else "",
        "port": str(port),
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return shlex.join([*words, "-c", mark])


def _fits(folder: Path, port: int) -> bool:
    """Short enough, and free of what libpq and PostgreSQL read as a list of folders."""
    path = os.fsencode(folder / f".s.PGSQL.{port}")
    return len(path) <= SOCKET_PATH_BYTES and not set(b',"\n') & set(path)


def _make_private(folder: Path, account: Account | None) -> None:
    """Make a folder where others can write, or take it again if it is ours: a stranger's is refused."""
    try:
        folder.mkdir(mode=0o700)
        give(folder, account)
    except FileExistsError:
        pass
    found = folder.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise EmbeddedError(
            f"The folder {folder}, needed for the database's socket, is somebody else's: remove it."
        )
