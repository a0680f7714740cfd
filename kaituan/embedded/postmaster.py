"""Telling our own server from any other process, whatever a pid file claims."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from kaituan.embedded.errors import EmbeddedError

# Written on the server's command line, hence kept in postmaster.opts: a server that somebody started
# by hand on our folder does not carry it, and is not ours to stop.
OURS = "cluster_name=kaituan"
ORPHANS_TIMEOUT_S = 20
SETTLE_TIMEOUT_S = 600


@dataclass(frozen=True)
class Postmaster:
    """A live server of one cluster, as its pid file describes it."""

    pid: int
    port: int
    socket_dir: str
    listen_address: str
    status: str
    """PostgreSQL's own word: starting, ready, standby or stopping."""
    ours: bool
    """Started by this package, in this process or another."""


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The live server of `cluster`, or None; a pid that was reused by another program is not believed."""
    lines = _pid_file_lines(cluster)
    pid = _pid(lines)
    if pid is None or not serves(pid, cluster):
        return None
    if lines[0].startswith("-"):
        raise EmbeddedError(
            f"The database folder {cluster} is in use by PostgreSQL's single-user mode (process {pid})."
        )
    if len(lines) < 8:
        return Postmaster(pid, 0, "", "", "starting", _started_by_us(cluster))
    return Postmaster(
        pid=pid,
        port=int(lines[3]),
        socket_dir=lines[4],
        listen_address=lines[5],
        status=lines[7].strip(),
        ours=_started_by_us(cluster),
    )


def settled_postmaster(cluster: Path) -> Postmaster | None:
    """As find_postmaster, once the server is neither starting nor stopping any more."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        postmaster = find_postmaster(cluster)
        if postmaster is None or postmaster.status not in ("starting", "stopping"):
            return postmaster
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"The server of {cluster} (process {postmaster.pid}) has been {postmaster.status} "
                f"for {SETTLE_TIMEOUT_S // 60} minutes: look at its log."
            )
        time.sleep(0.05)


def serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a PostgreSQL process of `cluster`: each of them works in that folder."""
    try:
        process = psutil.Process(pid)
        return bool(process.name() == "postgres" and process.cwd() == os.path.realpath(cluster))
    except (psutil.Error, OSError):
        # Gone, a zombie, or of another user: the files belong to the server's user, so not ours.
        return False


def clear_the_way(cluster: Path) -> bool:
    """Make a start possible after a crash; call it under the lock, with no live postmaster.

    Waits for children that outlive their postmaster by a moment: they still write. Then removes a pid
    file that names a live process of somebody else, which is what a reboot leaves behind once the number
    is reused: PostgreSQL would take that process for its own predecessor and refuse. A pid file that
    names a dead process stays: PostgreSQL uses it to find left-over shared memory, and removes it itself.

    Returns whether there was a pid file, that is, whether the last server ended without a farewell.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return False
    deadline = time.monotonic() + ORPHANS_TIMEOUT_S
    while orphans := [pid for pid in psutil.pids() if serves(pid, cluster)]:
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"Processes of a server that has crashed still work in {cluster}: {orphans}. "
                "Wait for them to end, or end them, and start again."
            )
        time.sleep(0.1)
    pid = _pid(_pid_file_lines(cluster))
    if pid is None or psutil.pid_exists(pid):
        pid_file.unlink(missing_ok=True)
    return True


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _pid(lines: list[str]) -> int | None:
    try:
        return abs(int(lines[0])) if lines else None
    except ValueError:
        return None


def _started_by_us(cluster: Path) -> bool:
    try:
        return OURS in (cluster / "postmaster.opts").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
