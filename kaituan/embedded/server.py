"""One embedded server, shared by every process that needs it.

Two lock files do the sharing; the kernel drops the locks of a process that dies, so nothing has to be
cleaned up after a crash. The gate is held (exclusively) while somebody starts, joins or stops the server.
Each user of the server holds the users' lock (shared). Whoever leaves and finds that nobody else holds it
stops the server, if it was started by this package. So the demo can end while a test run goes on, and a
server left over from a process that was killed is joined by the next one and stopped when that one leaves.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from kaituan.embedded.accounts import Account, account_for, give, run
from kaituan.embedded.binaries import server_binaries
from kaituan.embedded.cluster import (
    SOCKET_PORT,
    Home,
    choose_socket_dir,
    clear_socket,
    ensure_cluster,
    remove_socket_dir,
    server_options,
    write_settings,
)
from kaituan.embedded.errors import EmbeddedError
from kaituan.embedded.postmaster import (
    OURS,
    Postmaster,
    clear_the_way,
    find_postmaster,
    settled_postmaster,
)

START_TIMEOUT_S = 600
STOP_TIMEOUT_S = 120
RETRY_S = 15
# What PostgreSQL says while the remains of a crashed server are still going away.
PASSING_TROUBLE = ("still in use", "lock file", "Address already in use", "could not bind")


class Server:
    """A running server and this process's share in it. Get one from open_server; leave it with stop()."""

    def __init__(
        self, home: Home, *, account: Account | None, postmaster: Postmaster, started: bool, share: int
    ) -> None:
        self.data_dir = home.path.parent
        self.socket_dir = Path(postmaster.socket_dir)
        self.port = postmaster.port
        self.pid = postmaster.pid
        self.started = started
        """Whether this call started the server, rather than joined a running one."""
        self._home = home
        self._account = account
        self._share: int | None = share
        self._opened_in = os.getpid()

    def dsn(self, dbname: str = "postgres", *, user: str = "postgres") -> str:
        """The address of a database through the server's socket, as psycopg and DATABASE_URL take it."""
        port = "" if self.port == SOCKET_PORT else f"&port={self.port}"
        where = quote(str(self.socket_dir), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(dbname, safe='')}?host={where}{port}"

    def stop(self) -> None:
        """Give up this process's share; the last one to leave stops the server. Harmless when repeated."""
        if self._share is None:
            return
        share, self._share = self._share, None
        if os.getpid() != self._opened_in:
            os.close(share)  # A forked copy: the share belongs to the parent.
            return
        with _gate(self._home, self._account):
            _leave(self._home, share, account=self._account)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def open_server(data_dir: Path, *, port: int | None = None, durable: bool = True) -> Server:
    """Start the server of `data_dir`, making its cluster at first, or join it if it runs already.

    It listens on a socket that only its owner and root can reach; `port` makes it listen on 127.0.0.1
    too, where roles need a password. `durable=False` is for data that nobody will miss: it trades the
    safety of a power cut for speed, and counts only for a server that this call starts.

    Raises EmbeddedError with a sentence for people.
    """
    home = Home(Path(os.path.abspath(data_dir)) / "postgres")
    account = account_for(home.cluster)
    home.prepare(account)
    with _gate(home, account):
        share = _open_lock(home.users, account)
        fcntl.flock(share, fcntl.LOCK_SH)
        try:
            postmaster = settled_postmaster(home.cluster)
            started = postmaster is None
            if postmaster is None:
                postmaster = _start(home, account=account, port=port, durable=durable)
            elif port is not None and (postmaster.port != port or not postmaster.listen_address):
                raise EmbeddedError(
                    f"The server of {home.path.parent} runs already and does not listen on port {port}: "
                    "stop whatever uses it first."
                )
        except BaseException:
            # Ctrl-C while it starts must not leave a server that nobody uses.
            _leave(home, share, account=account)
            raise
    return Server(home, account=account, postmaster=postmaster, started=started, share=share)


def _start(home: Home, *, account: Account | None, port: int | None, durable: bool) -> Postmaster:
    programs = server_binaries(account)
    ensure_cluster(home, account=account, programs=programs, durable=durable)
    crashed = clear_the_way(home.cluster)
    write_settings(home, account=account, durable=durable)
    socket_port = port or SOCKET_PORT
    socket_dir = choose_socket_dir(home, port=socket_port, account=account)
    clear_socket(socket_dir, port=socket_port)
    options = server_options(socket_dir, port=socket_port, listen=port is not None, mark=OURS)
    command: list[str | Path] = [programs / "pg_ctl", "start", "-w", "-t", str(START_TIMEOUT_S)]
    command += ["-D", home.cluster, "-l", home.start_log, "-o", options]
    deadline = time.monotonic() + RETRY_S
    while True:
        home.start_log.unlink(missing_ok=True)
        answer = run(command, account=account)
        postmaster = settled_postmaster(home.cluster)
        if answer.returncode == 0 and postmaster is not None:
            return postmaster
        reason = _log_tail(home) or answer.stderr.strip()
        passing = crashed or any(words in reason for words in PASSING_TROUBLE)
        if not passing or time.monotonic() > deadline:
            raise EmbeddedError(f"The embedded PostgreSQL in {home.cluster} does not start: {reason}")
        time.sleep(0.5)


def end_unused(data_dir: Path) -> bool:
    """Stop the server of `data_dir` if no process uses it; True if it is not running afterwards.

    For what a killed process has left behind. A server that somebody started by hand is left alone.
    """
    home = Home(Path(os.path.abspath(data_dir)) / "postgres")
    if not home.path.is_dir():
        return True
    account = account_for(home.cluster)
    with _gate(home, account):
        _stop_if_unused(home, account)
        return find_postmaster(home.cluster) is None


def _leave(home: Home, share: int, *, account: Account | None) -> None:
    """Drop a share; under the gate."""
    os.close(share)
    _stop_if_unused(home, account)


def _stop_if_unused(home: Home, account: Account | None) -> None:
    """Stop our server unless anybody holds a share, a forked copy of this process included."""
    alone = _open_lock(home.users, account)
    try:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postmaster = find_postmaster(home.cluster)
        if postmaster is None or not postmaster.ours:
            return
        command: list[str | Path] = [server_binaries(account) / "pg_ctl", "stop", "-m", "fast", "-w"]
        answer = run([*command, "-t", str(STOP_TIMEOUT_S), "-D", home.cluster], account=account)
        if answer.returncode != 0 and find_postmaster(home.cluster) is not None:
            reason = answer.stderr.strip()
            raise EmbeddedError(f"The embedded PostgreSQL in {home.cluster} does not stop: {reason}")
        remove_socket_dir(home, postmaster.socket_dir)
    finally:
        os.close(alone)


@contextmanager
def _gate(home: Home, account: Account | None) -> Iterator[None]:
    handle = _open_lock(home.gate, account)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open_lock(path: Path, account: Account | None) -> int:
    """Open a lock file, made if missing. Links are not followed: the folder is not root's."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedError(
            f"The lock file {path} cannot be opened ({error.strerror}): "
            "run this command as the owner of its folder."
        ) from error
    give(handle, account)
    return handle


def _log_tail(home: Home) -> str:
    """Why a server gave up, in its own words: from its first log, or from today's if it got that far."""
    logs = sorted((home.cluster / "log").glob("*.log"), key=lambda log: log.stat().st_mtime)
    for log in [home.start_log, *logs[-1:]]:
        lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        if any("FATAL" in line or "PANIC" in line for line in lines):
            return " / ".join(line.strip() for line in lines)
    return ""
