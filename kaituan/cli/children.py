"""Processes that a command starts beside itself: each in a group of its own, ended and reaped with it.

A command that is killed outright (SIGKILL, the kernel's out-of-memory killer) can end nobody: on Linux the kernel
then asks its children to stop, as `stop` would have done.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PARENT_VARIABLE = "KAITUAN_PARENT_PID"
PR_SET_PDEATHSIG = 1
GRACE_S = 25.0
"""Longer than a worker's own grace for what it has in hand."""


def stop_with_parent() -> None:
    """In a child, first of all: be told to stop when the command that started it is gone, however it went.

    Does nothing in a process that no `Children` started, and where the kernel is not Linux.
    """
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if not parent or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        raise SystemExit(f"The command that started this one ({parent}) is gone.")


class Children:
    """Other `kaituan` commands, by name. End them with `stop`, in any state."""

    def __init__(self, *, environ: Mapping[str, str]) -> None:
        self._environ = {**environ, PARENT_VARIABLE: str(os.getpid())}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str], *, log: Path | None = None) -> None:
        """Begin a command. log: where its stderr goes; with ours if not given.

        A session of its own keeps the terminal's Ctrl-C away: what ends it is `stop`, in its order.
        """
        errors = log.open("ab") if log else None
        try:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "kaituan.cli", *arguments],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        finally:
            if errors is not None:
                errors.close()

    def ended(self) -> dict[str, int]:
        """Name -> exit code of those that have ended by themselves since the last call."""
        found = {name: child.returncode for name, child in self._running.items() if child.poll() is not None}
        for name in found:
            del self._running[name]
        return found

    def stop(self) -> None:
        """Ask all to end, wait for them, end for good who does not, and leave no zombie behind."""
        for child in self._running.values():
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for child in self._running.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.wait()
        self._running.clear()


def _signal_group(child: "subprocess.Popen[bytes]", number: int) -> None:
    # Not reaped yet, its number is still its own: no other process can be hit.
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
