"""A site that runs as it would on a machine of its own: data folder, embedded database, `kaituan serve` under the
restart rule of the systemd unit in docs/operating.md, and buyers who do not give up. For tests and benchmarks."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg

from kaituan.embedded import Server, ensure_database, open_server
from kaituan.embedded.testing import throwaway_folder

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "kaituan-site-"
RESTART_S = 0.5


@dataclass(frozen=True, slots=True)
class Town:
    """What `benchmarks.rush_town` made. buyers: (listing, pass); offers by code; staff: an operator's session."""

    campaign: str
    version: int
    offers: list[str]
    buyers: list[tuple[str, str]]
    staff: str = ""
    usual: str = ""
    """The listing of a campaign of thirty offers, where nothing happens."""


class Site:
    """A data folder with its database, and the serving processes on it."""

    def __init__(
        self, *, workers: int = 2, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        """settings: of the environment, beside those that every such site has."""
        self.settings = settings or {}
        self.folder = throwaway_folder(PREFIX)
        self.workers = workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # A share of its own, so that the database outlives the serving processes.
        self._server: Server = open_server(self.folder, durable=durable)
        self.owner_dsn = ensure_database(self._server, "kaituan").owner_dsn
        self.restarts = 0
        self._wanted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self.log = self.folder / "serve.log"
        self.run("migrate")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "KAITUAN"))
        }
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "kaituan.config.settings",
            "KAITUAN_GATEWAYS": "sandbox",
            **self.settings,
        }

    def run(self, *words: str) -> str:
        """Run a kaituan command on this folder; what it says, or an error with all that it said."""
        command = [sys.executable, "-m", "kaituan.cli", *words, "--data", str(self.folder)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def build_town(
        self, *, offers: int = 4, groups: int = 2, members: int = 80, quota: int = 0, limit: int = 0
    ) -> Town:
        """A campaign that is open, with members who have passes. quota: units of each offer, limit: for one
        person; 0 = plenty."""
        command = [sys.executable, "-m", "benchmarks.rush_town", str(self.folder)]
        numbers = [str(number) for number in (offers, groups, members, quota, limit)]
        done = subprocess.run(
            [*command, *numbers], cwd=ROOT, env=self.environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return read_town(json.loads(done.stdout))

    def renew(self, town: Town) -> Town:
        """The same town with fresh passes: they are good for ten minutes."""
        command = [sys.executable, "-m", "benchmarks.rush_town", str(self.folder), "--renew"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=True
        )
        return read_town(json.loads(done.stdout))

    # -- Serving ------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._wanted = True
        self._spawn()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        self.wait_until_ready()

    def _spawn(self) -> None:
        words = [
            "serve",
            "--port",
            str(self.port),
            "--workers",
            str(self.workers),
            "--data",
            str(self.folder),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kaituan.cli", *words],
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        """Restart=always, and KillMode=control-group: what the dead left behind is ended first."""
        while self._wanted:
            process = self._process
            if process is not None and process.poll() is not None and self._wanted:
                end_group(process.pid)
                time.sleep(RESTART_S)
                if self._wanted:
                    self.restarts += 1
                    self._spawn()
            time.sleep(0.05)

    def stop(self) -> int | None:
        """As `systemctl stop`: SIGTERM to the parent. Its exit code."""
        self._wanted = False
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            return process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            end_group(process.pid)
            return process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def worker_pids(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.pid).children()]

    def postmaster_pid(self) -> int:
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self, what: str) -> None:
        """kill -9 of `postgres`, a `worker` or the `parent`."""
        pid = {
            "postgres": self.postmaster_pid,
            "worker": lambda: self.worker_pids()[0],
            "parent": lambda: self.pid,
        }[what]()
        os.kill(pid, signal.SIGKILL)

    def wait_until_ready(self, *, seconds: float = 60) -> float:
        """How long it took until orders can be taken."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - started
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"Not ready after {seconds} s:\n{self.log.read_text()[-4000:]}")

    def ask(self, query: str, *values: object) -> Any:
        """All rows of a query, asked of the database as the owner of its tables."""
        with psycopg.connect(self.owner_dsn, options="-c search_path=station") as connection:
            return connection.execute(query, values or None).fetchall()

    def tell(self, statement: str) -> None:
        with psycopg.connect(self.owner_dsn, options="-c search_path=station", autocommit=True) as connection:
            connection.execute(statement)

    def metric(self, name: str) -> float:
        """The sum of a figure of /metrics over its labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name
        )


def read_town(told: dict[str, Any]) -> Town:
    buyers = [(listing, token) for listing, token in told["buyers"]]
    return Town(told["campaign"], told["version"], told["offers"], buyers, told["staff"], told["usual"])


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


def end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(slots=True)
class Told:
    """What one request was answered, after as many tries as it took."""

    status: int
    outcome: str
    order: str | None
    follow_number: int | None
    tries: int = 1
    body: dict[str, Any] = field(default_factory=dict)


class Buyer:
    """One keep-alive connection of one buyer, who asks again with the same key until there is an answer."""

    def __init__(self, site_port: int) -> None:
        self._port = site_port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def order(
        self, town: Town, buyer: tuple[str, str], *, key: str, offers: Sequence[tuple[str, int]],
        pay: str = "sandbox", give_up_after: float = 60,
    ) -> Told:  # fmt: skip
        listing, token = buyer
        lines = [{"offer": code, "quantity": quantity} for code, quantity in offers]
        body = {"campaign": town.campaign, "listing": listing, "key": key, "pay": pay, "lines": lines}
        until = time.monotonic() + give_up_after
        tries = 0
        while True:
            tries += 1
            try:
                status, told = await asyncio.wait_for(self._post("/intake/orders", token, body), 25)
                if status not in (429, 503):
                    return Told(
                        status, told["outcome"], told.get("order"), told.get("follow_number"), tries, told
                    )
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
                self.close()
            if time.monotonic() > until:
                raise AssertionError(f"No answer for {key} after {tries} tries.")
            await asyncio.sleep(0.1)

    async def _post(self, path: str, token: str, body: object) -> tuple[int, dict[str, Any]]:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        raw = json.dumps(body).encode()
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\norigin: http://127.0.0.1:{self._port}\r\n"
            f"content-type: application/json\r\ncookie: kaituan_pass={token}\r\n"
            f"content-length: {len(raw)}\r\n\r\n".encode()
            + raw
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        answer = await self._reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return int(head.split(" ", 2)[1]), json.loads(answer)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
