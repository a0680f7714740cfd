"""The pytest plugin that gives a whole test session one database server.

Loaded with `-p kaituan.embedded.testing` (see pyproject.toml), because a conftest.py comes too late:
pytest-django reads the settings, and with them DATABASE_URL, before any conftest.py is imported.
If DATABASE_URL is set, it is used as it is. If not, a throwaway server is started in a temporary folder
and DATABASE_URL names it. The workers of pytest-xdist inherit the variable and share that server.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from kaituan.embedded.databases import ensure_database
from kaituan.embedded.errors import EmbeddedError
from kaituan.embedded.server import Server, end_unused, open_server

PREFIX = "kaituan-tests-"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    asked = early_config.known_args_namespace
    # A station takes no sandbox money unless it is told to.
    os.environ.setdefault("KAITUAN_GATEWAYS", "sandbox")
    os.environ.setdefault("KAITUAN_SECRET_KEY", "the tests' own secret, known to everybody")
    if not os.environ.get("DATABASE_URL") and not asked.help and not asked.version:
        early_config.add_cleanup(start_session_server())
    return (yield)


class SessionServer:
    """A throwaway server with DATABASE_URL pointing at it; call it to end it. Harmless when repeated."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder = folder
        self._server = server
        self._url = ensure_database(server, "kaituan", createdb=True).owner_dsn
        os.environ["DATABASE_URL"] = self._url

    def __call__(self) -> None:
        if os.environ.get("DATABASE_URL") == self._url:
            del os.environ["DATABASE_URL"]
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_session_server() -> SessionServer:
    """Start a throwaway server: owner and app are not superusers, and the owner may make test databases."""
    _sweep()
    folder = throwaway_folder(PREFIX)
    session = SessionServer(folder, open_server(folder, durable=False))
    atexit.register(session)
    return session


def throwaway_folder(prefix: str) -> Path:
    """A new temporary folder that the server's account may enter; root's tmp_path is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


def _sweep() -> None:
    """End the servers, and remove the folders, of sessions that were killed before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        users = folder / "postgres" / "users.lock"
        try:
            # A folder without the file is one whose session is only just beginning.
            if folder.lstat().st_uid == os.geteuid() and users.is_file() and end_unused(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, EmbeddedError):
            continue  # Another session is sweeping it at this moment.
