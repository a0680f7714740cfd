"""The site of the rush with its floors, single runs on them, and the list of what was measured."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import LiteralString

import psycopg

from benchmarks import rush_load
from benchmarks.floors import tables
from benchmarks.rush_load import Load
from kaituan.embedded import binary
from tests.serving import Site, Town, free_port

ROOT = Path(__file__).resolve().parent.parent
BUYERS = 64
OFFERS, GROUPS, MEMBERS = 1_000, 10, 5_000
PASSES_RENEWED_S = 240
WARM_S = 1
TRIES = 3
QUIET_CORES = 0.2
"""What others may take of the machine during a run that counts."""
CLEAR = """
TRUNCATE payments_paymentintent, ordering_orderline, ordering_orderevent, ordering_personofferquantity,
    ordering_order, notices_outboxmessage RESTART IDENTITY CASCADE;
UPDATE campaigns_listing SET last_follow_number = 0;
UPDATE campaigns_offer SET sold_quantity = 0;
UPDATE catalogue_stockpool SET available_quantity = supplied_quantity;
"""
UNDER_WAY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND state <> 'idle'
"""
INTAKE_UNDER_WAY = UNDER_WAY + "AND application_name = 'kaituan intake'"


@dataclass(frozen=True, slots=True)
class Figure:
    figure: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    target: str | None = None
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Middle:
    """The medians of some runs, each of its own: a busy neighbour spoils one run, not all."""

    per_cpu_s: float
    per_s: float
    p99_ms: float

    @classmethod
    def of(cls, runs: list[Load]) -> "Middle":
        return cls(
            median(run.per_cpu_s for run in runs),
            median(run.per_s for run in runs),
            median(run.p99_ms for run in runs),
        )


class Bench:
    """The site, the floors and what was measured."""

    def __init__(self, site: Site, *, seconds: int, repeats: int, tries: int = TRIES) -> None:
        """tries: how often a run may be made again for a quieter machine."""
        self.site = site
        self.seconds = seconds
        self.repeats = repeats
        self.tries = tries
        self.figures: list[Figure] = []
        self.town: Town = site.build_town(offers=OFFERS, groups=GROUPS, members=MEMBERS)
        self._renewed_at = time.monotonic()
        self._floor_dsn = site.owner_dsn.replace("/kaituan?", "/floor?")
        self._runs = 0
        self._make_floor()

    def _make_floor(self) -> None:
        admin = self.site.owner_dsn.replace("kaituan_owner@", "postgres@").replace("/kaituan?", "/postgres?")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE floor OWNER kaituan_owner")
        with psycopg.connect(self._floor_dsn, autocommit=True) as connection:
            connection.execute(tables.SCHEMA)

    def add(self, name: str, value: float, unit: str, *, floor: float | None = None, at_least: float | None = None,
            at_most: float | None = None) -> None:  # fmt: skip
        """Keep a figure. at_least, at_most: of the ratio to the floor, or of the value where there is none."""
        ratio = value / floor if floor else None
        judged = value if ratio is None else ratio
        met = target = None
        if at_least is not None:
            met, target = judged >= at_least, f"≥ {at_least:,g}"
        if at_most is not None:
            met, target = judged <= at_most, f"≤ {at_most:,g}"
        if target:
            target += f" {unit}" if ratio is None else " ×"
        self.figures.append(Figure(name, value, unit, floor, ratio, target, met))
        said = {True: "met", False: "MISSED", None: ""}[met]
        beside = f"   floor {floor:,.1f}   × {ratio:.3g}" if floor else ""
        print(f"  {name:<58}{value:>10,.4g} {unit}{beside}   {target or ''} {said}", flush=True)

    def renew(self) -> None:
        """Passes are good for ten minutes."""
        self.town = self.site.renew(self.town)
        self._renewed_at = time.monotonic()

    # -- One run each -------------------------------------------------------------------------------------

    def ours(self, lines: str, *, buyers: int = BUYERS, seconds: int | None = None) -> Load:
        """Full orders through the intake; what is stored afterwards is compared with what was answered."""
        return quietest(lambda: self._ours(lines, buyers, seconds), tries=self.tries)

    def _ours(self, lines: str, buyers: int, seconds: int | None) -> Load:
        if time.monotonic() - self._renewed_at > PASSES_RENEWED_S:
            self.renew()
        with psycopg.connect(self.site.owner_dsn, autocommit=True) as connection:
            wait_until_still(connection, INTAKE_UNDER_WAY)
        self.site.tell(CLEAR)
        # The database makes all its plans anew after a TRUNCATE, as it would not in the middle of a day.
        self._send(lines, buyers, WARM_S)
        return self._send(lines, buyers, seconds or self.seconds)

    def _send(self, lines: str, buyers: int, seconds: int) -> Load:
        self._runs += 1
        run = f"run-{self._runs}-{time.time_ns()}"
        script = rush_load.order_script(
            buyers=self.town.buyers, campaign=self.town.campaign, version=self.town.version, lines=lines, run=run,
            origin=self.site.url,
        )  # fmt: skip
        load = rush_load.wrk(
            f"{self.site.url}/intake/orders", script, connections=buyers, seconds=seconds,
            server=self.site.pid, database=self.site.postmaster_pid(),
        )  # fmt: skip
        [[stored]] = self.site.ask(
            "SELECT count(*) FROM ordering_order WHERE starts_with(idempotency_key, %s)", f"{run}-"
        )
        # What was under way when wrk left was placed and never answered.
        if load.refused or load.errors or not 0 <= stored - load.answered <= buyers:
            raise SystemExit(
                f"{load.refused} refused, {load.errors} errors, {stored} stored of {load.answered}."
            )
        return load

    def floor(
        self, url: str, sku: str, *, server: int, buyers: int = BUYERS, seconds: int | None = None
    ) -> Load:
        def run() -> Load:
            self._empty_floor()
            script = rush_load.FLOOR_ORDERS % sku
            rush_load.wrk(url, script, connections=buyers, seconds=WARM_S, server=None, database=None)
            return rush_load.wrk(
                url, script, connections=buyers, seconds=seconds or self.seconds,
                server=server, database=self.site.postmaster_pid(),
            )  # fmt: skip

        return quietest(run, tries=self.tries)

    def _empty_floor(self) -> None:
        with psycopg.connect(self._floor_dsn, autocommit=True) as connection:
            wait_until_still(connection, UNDER_WAY)
            connection.execute(tables.EMPTY)
            connection.execute(tables.TIDY)

    @contextmanager
    def floor_server(self, app: str) -> Iterator[tuple[str, int]]:
        """A floor under the server software of the site, with as many workers: its address and its process."""
        port = free_port()
        words = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(self.site.workers), "--loop"]
        words += ["uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *words, f"benchmarks.floors.apps:{app}"],
            cwd=ROOT,
            env={**os.environ, "FLOOR_DSN": self._floor_dsn, "PYTHONPATH": str(ROOT)},
        )
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url)
            yield url, server.pid
        finally:
            server.terminate()
            server.wait()

    def bare(self, *, clients: int = BUYERS) -> tuple[float, float]:
        """Six statements an order on one hot row, by pgbench: orders per second and p99 in ms."""
        self._empty_floor()
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "order.sql")
            script.write_text(tables.SIX_STATEMENTS.replace("{sku}", "1"))
            words = [
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                "2",
                "-T",
                str(self.seconds),
                "-l",
                "-f",
            ]
            subprocess.run(
                [binary("pgbench"), *words, script, self._floor_dsn],
                cwd=folder,
                check=True,
                capture_output=True,
            )
            lines = [line.split() for log in Path(folder).glob("pgbench_log.*") for line in log.open()]
        took = sorted(int(line[2]) for line in lines)
        ended = [int(line[4]) + int(line[5]) / 1e6 for line in lines]
        return len(lines) / (max(ended) - min(ended)), took[int(len(took) * 0.99)] / 1e3


def quietest(run: Callable[[], Load], *, tries: int) -> Load:
    """One run, or the quietest of some where others keep the machine busy."""
    runs: list[Load] = []
    while len(runs) < tries:
        runs.append(run())
        if runs[-1].others_cores < QUIET_CORES:
            break
    return min(runs, key=lambda load: load.others_cores)


def wait_until_still(connection: psycopg.Connection, under_way: LiteralString) -> None:
    """What was under way when the last run ended still holds its rows."""
    until = time.monotonic() + 20
    while connection.execute(under_way).fetchone() != (0,):
        if time.monotonic() > until:
            raise SystemExit("The tables of the last run are not let go of.")
        time.sleep(0.1)


def wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).read()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer.")
