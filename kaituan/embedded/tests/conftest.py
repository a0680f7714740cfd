"""A data folder of its own for each test, and a second process that shares its server."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from kaituan.embedded import Server, end_unused, open_server
from kaituan.embedded.testing import throwaway_folder

# Not the session servers' prefix: other sessions sweep up what bears that one and is not in use.
OWN_PREFIX = "kaituan-embedded-"
# Opens the server, tells its process id and whether it was started here, and leaves when told to.
NEIGHBOUR = """
import sys
import time
from pathlib import Path
from kaituan.embedded import open_server
server = open_server(Path(sys.argv[1]))
print(server.pid, server.started, flush=True)
sys.stdin.readline()
server.stop()
"""


class Neighbour:
    """Another process with a share in the server."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NEIGHBOUR, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> tuple[int, bool]:
        """The server's process id, and whether the neighbour started it."""
        pid, started = self.process.stdout.readline().split()
        return int(pid), started == "True"

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    """A data folder whose cluster has been made and shut down; to be copied, since initdb takes a second."""
    folder = throwaway_folder(OWN_PREFIX)
    open_server(folder).stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def new_dir() -> Iterator[Path]:
    """A data folder with nothing in it."""
    folder = throwaway_folder(OWN_PREFIX)
    yield folder
    end_unused(folder)
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(new_dir: Path, made_once: Path) -> Path:
    """A data folder whose server has run before."""
    subprocess.run(["cp", "-a", made_once / "postgres", new_dir / "postgres"], check=True)
    return new_dir


@pytest.fixture
def neighbour(new_dir: Path) -> Iterator[Callable[[], Neighbour]]:
    """Call it for another process that opens the same server."""
    neighbours: list[Neighbour] = []

    def open_next_door() -> Neighbour:
        neighbours.append(Neighbour(new_dir))
        return neighbours[-1]

    yield open_next_door
    for one in neighbours:
        if one.process.poll() is None:
            one.kill()


def ask(server: Server, query: str) -> object:
    """The first value a query gives, asked by the superuser."""
    with psycopg.connect(server.dsn()) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def tell(server: Server, statement: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(statement)


def kill(server: Server) -> None:
    """End the server as the system does when memory runs out, and wait until it is dead."""
    os.kill(server.pid, signal.SIGKILL)
    while is_alive(server.pid):
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped by a lazy parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
