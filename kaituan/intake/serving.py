"""The serving processes: a parent that holds the socket and keeps its workers alive, and what a worker runs.

The parent does nothing else: it loads the application once, forks, and waits. A worker that dies is replaced;
workers whose parent dies finish what they have taken and go, so that whoever starts it again (systemd) finds
the port free. The listening socket outlives any worker: who connects in between waits, and is served.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvicorn

from kaituan.intake import memory

if TYPE_CHECKING:
    from kaituan.intake.router import Application

log = structlog.get_logger(__name__)

GRACE_S = 25
"""What was taken is answered within this time after a stop was asked for."""
KEEP_ALIVE_S = 75
BACKLOG = 2048
BIND_FOR_S = 10.0
SHORT_LIFE_S = 1.0
PAUSE_S = 1.0
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


class CannotBind(Exception):
    """Something else listens there; the message is one line."""


@dataclass(slots=True)
class _Workers:
    """Process id -> when it was started (monotonic)."""

    started_at: dict[int, float] = field(default_factory=dict)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Waits a little for the workers of a parent that was killed to let go of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    until = time.monotonic() + BIND_FOR_S
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if time.monotonic() > until:
                raise CannotBind(f"{host}:{port} cannot be listened on: {error.strerror}.") from error
            time.sleep(0.2)
        else:
            listener.setblocking(False)
            return listener


def serve(
    *,
    listener: socket.socket,
    workers: int,
    load: Callable[[], "Application"],
    watch: Callable[[], None],
    behind_proxy: bool,
    on_ready: Callable[[], None],
) -> None:
    """Run until SIGTERM or SIGINT. watch: called about once a second, to look after the database."""
    figures = Path(tempfile.mkdtemp(prefix="kaituan-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(figures)
    # Signals are waited for, not interrupted by: nothing happens in the middle of anything.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    reading, writing = os.pipe()
    try:
        application = load()
        memory.settle()
        fork = _forker(listener, application, reading, writing, behind_proxy)
        _look_after(workers, fork, watch, on_ready)
    finally:
        shutil.rmtree(figures, ignore_errors=True)
        os.close(writing)
        os.close(reading)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def _look_after(
    count: int, fork: Callable[[], int], watch: Callable[[], None], on_ready: Callable[[], None]
) -> None:
    workers = _Workers()
    for _ in range(count):
        workers.started_at[fork()] = time.monotonic()
    on_ready()
    next_start = 0.0
    try:
        while True:
            received = signal.sigtimedwait(WATCHED, 1.0)
            if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
                return
            if _reap(workers):
                # One that cannot even start must not be started a thousand times a second.
                next_start = time.monotonic() + PAUSE_S
            if len(workers.started_at) < count and time.monotonic() >= next_start:
                workers.started_at[fork()] = time.monotonic()
            if received is None:
                watch()
    finally:
        _stop(workers)


def _reap(workers: _Workers) -> bool:
    """Note the workers that have ended; True if one of them had hardly begun."""
    from prometheus_client.multiprocess import mark_process_dead

    was_short = False
    while workers.started_at:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return was_short
        if pid == 0:
            return was_short
        started_at = workers.started_at.pop(pid, None)
        if started_at is None:
            continue
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
        log.warning("serve.worker_ended", worker=pid, status=os.waitstatus_to_exitcode(status))
        was_short = was_short or time.monotonic() - started_at < SHORT_LIFE_S
    return was_short


def _stop(workers: _Workers) -> None:
    """Ask all workers to finish; those that have not after the time of grace are ended."""
    for pid in workers.started_at:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + GRACE_S + 5
    while workers.started_at and time.monotonic() < until:
        signal.sigtimedwait({signal.SIGCHLD}, 0.5)
        _reap(workers)
    for pid in list(workers.started_at):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _forker(
    listener: socket.socket, application: "Application", reading: int, writing: int, behind_proxy: bool
) -> Callable[[], int]:
    def fork() -> int:
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            _Worker(application, parent=reading, behind_proxy=behind_proxy).run(sockets=[listener])
            status = 0
        except BaseException as error:
            log.exception("serve.worker_failed", error=str(error))
        finally:
            sys.stderr.flush()
            os._exit(status)

    return fork


class _Worker(uvicorn.Server):
    """Uvicorn that lets the live chains go when it stops, and stops when its parent is gone."""

    def __init__(self, application: "Application", *, parent: int, behind_proxy: bool) -> None:
        # It needs the models, which are there once the application is loaded.
        from kaituan.intake.protocol import OrderProtocol

        config = uvicorn.Config(
            application,
            loop="uvloop",
            http=OrderProtocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=behind_proxy,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self._application = application
        self._parent = parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        asyncio.get_running_loop().add_reader(self._parent, self._parent_is_gone)

    def _parent_is_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._parent)
        log.warning("serve.parent_is_gone", worker=os.getpid())
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._application.end_streams()
        await super().shutdown(sockets=sockets)
