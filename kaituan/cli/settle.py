"""`kaituan settle`: commissions of a folder of tables, by any of the three engines."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Engine(StrEnum):
    """Three engines, one answer."""

    PYTHON = "python"
    DUCKDB = "duckdb"
    SPARK = "spark"


EXAMPLE = "Example: kaituan settle october --engine duckdb --out october.csv"


def settle(
    folder: Annotated[
        Path, typer.Argument(help="Holds case.json and leaders, tiers, lines, refunds as .csv or .parquet.")
    ],
    out: Annotated[Path, typer.Option(help="The table to write; its ending (.csv, .parquet) says the form.")],
    engine: Annotated[Engine, typer.Option(help="All three give the same fen.")] = Engine.DUCKDB,
    totals: Annotated[bool, typer.Option("--totals", help="Only the sums per leader and rule.")] = False,
    unsorted: Annotated[bool, typer.Option("--unsorted", help="Rows in any order, which is faster.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Cores to use; all if not given.")] = None,
) -> None:
    """Settle the commissions of one period: who earns what on which line, to the fen."""
    from kaituan.settlement.engines.records import InputError

    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _progress() as progress:
            _run(folder, out, engine, totals=totals, ordered=not unsorted, threads=threads, progress=progress)
    except (Exception, KeyboardInterrupt) as mistake:
        # An engine that is interrupted may tell it in an error of its own.
        if stopped:
            typer.echo("stopped; nothing was written", err=True)
            raise typer.Exit(128 + stopped[0]) from None
        if not isinstance(mistake, InputError):
            raise
        typer.echo(str(mistake), err=True)
        raise typer.Exit(2) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(
    folder: Path,
    out: Path,
    engine: Engine,
    *,
    totals: bool,
    ordered: bool,
    threads: int | None,
    progress: Callable[[str, float], None],
) -> None:
    """Hand the folder to the engine. Raises InputError."""
    from kaituan.settlement.engines.records import InputError

    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    match engine:
        case Engine.PYTHON:
            from kaituan.settlement.engines import python_engine

            python_engine.settle_folder(folder, out, totals=totals, progress=progress)
        case Engine.DUCKDB:
            from kaituan.settlement.engines import duckdb_engine

            duckdb_engine.settle_folder(
                folder, out, totals=totals, ordered=ordered, threads=threads, progress=progress
            )
        case Engine.SPARK:
            try:
                from kaituan.settlement.engines import spark_engine
            except ImportError:
                raise InputError("the spark engine needs: pip install kaituan[spark], and Java 17") from None

            spark_engine.settle_folder(
                folder, out, totals=totals, ordered=ordered, threads=threads, progress=progress
            )


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step, part: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:8}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("leaders", total=1.0)
        yield lambda step, part: bar.update(task, description=step, completed=part)
