"""`kaituan demo`: a living town on this machine, its database, site and worker included, and nothing left behind."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kaituan.cli.children import Children
from kaituan.cli.environment import (
    DataOption,
    Environment,
    EnvironmentRefused,
    environment,
    mark_as_demo,
    one_line_errors,
)

EXAMPLE = "Example: kaituan demo --port 8000 --data ./data"
READY_WITHIN_S = 90
LIVE_CAMPAIGNS = 6
HISTORY_COMMAND = "demo-history"
SHIFT_FILE = "shift-days"
FINGERPRINT_FILE = "schema-fingerprint"
"""Of which version the tables are: the second start need not look through all migrations."""
ROLE_NAMES = {
    "member": "群成员 member",
    "leader": "团长 leader",
    "operator": "运营 operator",
    "cashier": "出纳 cashier",
    "supplier": "供应商 supplier",
}


def demo(
    data: DataOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the site.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets phones in the same network in.")
    ] = "127.0.0.1",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw the demo's data away and begin anew.")
    ] = False,
    rebuild_town: Annotated[
        Path | None,
        typer.Option(
            "--rebuild-town",
            metavar="FILE",
            help="Grow the shipped town anew by the services, into this file.",
        ),
    ] = None,
) -> None:
    """Start a living demo town: database, site and worker; prints a sign-in link for each persona.

    Eight weeks of history are loaded behind the running site. SIGINT and SIGTERM stop all that was started and
    nothing else. The links sign in without a password, in this data folder only.
    """
    with one_line_errors(), stopped_by_signals():
        if os.environ.get("DATABASE_URL"):
            raise EnvironmentRefused("The demo brings a database of its own: unset DATABASE_URL first.")
        if rebuild_town is not None:
            from kaituan.cli.rebuild_town import rebuild

            rebuild(rebuild_town)
            return
        _require_free_port(host, port)
        data_dir = mark_as_demo(data)
        if fresh:
            _throw_away(data_dir)
        _keep_bytecode(data_dir)
        run(data_dir, host=host, port=port)


def _keep_bytecode(data_dir: Path) -> None:
    """Where Python may write no bytecode beside its sources, keep it with the demo's data: each start would
    compile some 1,300 modules anew, in every process."""
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(data_dir / "bytecode")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def run(data_dir: Path, *, host: str, port: int) -> None:
    """Raise the town if it is not there, start what serves it, and stay until a signal comes."""
    began = time.monotonic()
    shown_host = _lan_address() if host in ("0.0.0.0", "::") else host  # noqa: S104
    site = f"http://{shown_host}:{port}"
    os.environ["KAITUAN_SITE_URL"] = site
    os.environ["KAITUAN_HOSTS"] = f"localhost,127.0.0.1,{shown_host}"
    children = Children(environ=os.environ)
    with environment(data_dir, as_owner=True) as place:
        try:
            history_waits = raise_town(place)
            serving = [
                "serve",
                "--data",
                str(data_dir),
                "--host",
                host,
                "--port",
                str(port),
                "--workers",
                "1",
            ]
            children.start("site", serving, log=data_dir / "site.log")
            _open_campaigns()
            _wait_until_ready(children, host, port, log=data_dir / "site.log")
            _print_links(site, seconds=time.monotonic() - began)
            children.start("worker", ["worker", "--data", str(data_dir)], log=data_dir / "worker.log")
            if history_waits:
                children.start("history", [HISTORY_COMMAND, "--data", str(data_dir)])
            _close_connections()
            _stay(children, data_dir)
        finally:
            children.stop()


def raise_town(place: Environment) -> bool:
    """Tables and the town proper, if they are not there yet; says whether its history is still to be loaded."""
    import psycopg
    from django.utils import timezone

    from kaituan.cli.migrate import bring_up_to_date
    from kaituan.cli.rights import grant_rights
    from kaituan.demo import shipped
    from kaituan.demo.town import STATION_NAME

    manifest = shipped.read_manifest()
    fingerprint = shipped.schema_fingerprint()
    known = place.data_dir / FINGERPRINT_FILE
    now = timezone.now()
    with psycopg.connect(place.owner_url) as connection:
        [is_new] = connection.execute("SELECT to_regclass('station.people_station') IS NULL").fetchone() or (
            True,
        )
    if is_new and manifest.fingerprint == fingerprint:
        # The same tables that migrating makes, in a tenth of its time.
        shipped.load_schema(dsn=place.owner_url)
        _load_core(place, manifest, now)
        if place.app_role is not None:
            grant_rights(app_role=place.app_role)
    elif is_new:
        bring_up_to_date(station_name=STATION_NAME, books_from=now, app_role=place.app_role)
        _load_core(place, manifest, now)
    elif not known.is_file() or known.read_text() != fingerprint:
        bring_up_to_date(station_name=STATION_NAME, books_from=now, app_role=place.app_role)
    known.write_text(fingerprint)
    return not shipped.history_is_loaded(dsn=place.owner_url, manifest=manifest)


def load_history(data: DataOption = None) -> None:
    """Load the demo town's history behind the running site (started by `kaituan demo`)."""
    with one_line_errors(), stopped_by_signals(), environment(data, as_owner=True) as place:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from kaituan.demo import shipped

        os.nice(10)
        manifest = shipped.read_manifest()
        rows = sum(table.rows for table in manifest.tables if not table.is_core)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
            task = progress.add_task("小镇的八周往事 history", total=rows)
            shipped.load_history(
                dsn=place.owner_url,
                manifest=manifest,
                shift_days=int((place.data_dir / SHIFT_FILE).read_text()),
                report=lambda done: progress.update(task, completed=done),
            )
        typer.echo(f"往事已就绪：{manifest.orders:,} 单。The history is complete.", err=True)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM interrupt what runs inside, once; set explicitly, for a shell's background job is
    started with SIGINT ignored. While it is being tidied up, further ones are ignored."""

    def interrupt(_number: int, _frame: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load_core(place: Environment, manifest: Any, now: Any) -> None:
    from kaituan.demo import shipped

    shift_days = manifest.shift_days(now=now)
    # The history follows in another process, perhaps on another day: it moves by as much.
    (place.data_dir / SHIFT_FILE).write_text(str(shift_days))
    shipped.load_core(dsn=place.owner_url, manifest=manifest, shift_days=shift_days)


def _require_free_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise EnvironmentRefused(
                f"Port {port} cannot be used ({error.strerror}): choose another with --port."
            ) from error


def _throw_away(data_dir: Path) -> None:
    """Empty a folder that is marked as a demo's. Raises EnvironmentRefused while somebody uses it."""
    from kaituan.embedded import EmbeddedError
    from kaituan.embedded.server import end_unused

    try:
        unused = end_unused(data_dir)
    except EmbeddedError as error:
        raise EnvironmentRefused(str(error)) from error
    if not unused:
        raise EnvironmentRefused(f"{data_dir} is in use: stop the demo that runs there first.")
    for name in ("postgres", "uploads"):
        shutil.rmtree(data_dir / name, ignore_errors=True)
    for name in (SHIFT_FILE, FINGERPRINT_FILE):
        (data_dir / name).unlink(missing_ok=True)


def _open_campaigns() -> None:
    from django.utils import timezone, translation

    from kaituan.demo.live import open_live_campaigns

    with translation.override("zh-hans"):
        open_live_campaigns(count=LIVE_CAMPAIGNS, now=timezone.now())


def _wait_until_ready(children: Children, host: str, port: int, *, log: Path) -> None:
    import urllib.request

    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if "site" in children.ended():
            raise EnvironmentRefused(f"The site did not start; {log} says why.")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise EnvironmentRefused(f"The site does not answer after {READY_WITHIN_S} s; {log} says why.")


def _print_links(site: str, *, seconds: float) -> None:
    from django.utils import timezone

    from kaituan.demo.personas import campaign_paths, personas

    typer.echo(f"\n开团 Kaituan 演示小镇 · {site}  （{seconds:.1f} s）\n")
    for persona in personas():
        typer.echo(f"  {ROLE_NAMES[persona.role]} · {persona.name}\n    {site}{persona.path}")
    for campaign, path in campaign_paths(now=timezone.now()):
        closes_at = timezone.localtime(campaign.closes_at)
        typer.echo(f"  团购 campaign · {campaign.title}（{closes_at:%m-%d %H:%M} 截单）\n    {site}{path}")
    typer.echo("\nCtrl-C 停止 stops everything.")


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


def _stay(children: Children, data_dir: Path) -> None:
    """Until a signal comes, or the site or the worker ends by itself."""
    try:
        while True:
            time.sleep(0.5)
            for name, code in children.ended().items():
                if name != "history":
                    raise EnvironmentRefused(
                        f"The {name} has ended ({code}); {data_dir / f'{name}.log'} says why."
                    )
                if code:
                    typer.echo("The history was not loaded; the next start tries again.", err=True)
    except KeyboardInterrupt:
        typer.echo("Stopping.", err=True)


def _lan_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
