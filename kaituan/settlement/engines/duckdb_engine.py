"""The default engine: a whole period by DuckDB, from a folder to a file.

The lines are read once into a typed table, and one statement computes and writes every row of every line. Totals
need no row, and go another way (`duckdb_totals.py`).
"""

import gc
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_leaders import load_leaders
from kaituan.settlement.engines.duckdb_lines import check_line_ids, check_lines, check_refunds, load_lines
from kaituan.settlement.engines.duckdb_run import OF_PERIOD, Progress, Run
from kaituan.settlement.engines.duckdb_source import quoted
from kaituan.settlement.engines.duckdb_totals import TotalsRun
from kaituan.settlement.engines.output import HEADER, appearing_whole, check_ending


def settle_folder(
    folder: Path,
    out: Path,
    *,
    totals: bool = False,
    ordered: bool = True,
    threads: int | None = None,
    progress: Progress = lambda step, part: None,
) -> None:
    """Settle the case in `folder` and write its rows to `out` (.csv or .parquet).

    totals: the sums per leader and rule instead of the rows. ordered: sorted as the contract says; without
    it the rows come in any order, which is faster. Raises InputError, and then nothing is written.
    """
    check_ending(out)
    with connection_for_settling(threads) as connection, undisturbed():
        kind = TotalsRun if totals else _RowsRun
        kind(connection, folder, progress).write(out, ordered=ordered)


def check_folder(folder: Path) -> None:
    """Read and check everything in a folder, and settle nothing. Raises InputError."""
    with connection_for_settling(None) as connection:
        run = Run(connection, folder, lambda step, part: None)
        run.leaders = load_leaders(connection, run.sources["leaders"])
        run.load_refunds()
        run.load_tiers()
        load_lines(connection, run.sources["lines"], run.words)
        check_lines(connection, run.sources["lines"], run.case.plans)
        check_line_ids(connection, run.sources["lines"])
        run.execute("CREATE VIEW refunded_line AS SELECT * FROM loaded WHERE line_key IS NOT NULL")
        check_refunds(connection, run.sources["refunds"])


@contextmanager
def connection_for_settling(threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into a folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kaituan-settle-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {quoted(spill)}").fetchall()
        connection.execute("SET preserve_insertion_order = false").fetchall()
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        # Leaders and cards are numbered without gaps: up to so many bits, sums go straight to their number.
        connection.execute("SET perfect_ht_threshold = 20").fetchall()
        if threads:
            connection.execute(f"SET threads = {int(threads)}").fetchall()
        yield connection


@contextmanager
def undisturbed() -> Iterator[None]:
    """Threads take turns more often, or what computes in numpy would wait for plain Python at every step; and
    nobody looks for circles among millions of numbers."""
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(usual / 20)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


class _RowsRun(Run):
    """Every row of every line."""

    def write(self, out: Path, *, ordered: bool) -> None:
        self.progress("leaders", 0.0)
        with ThreadPoolExecutor(3) as beside:
            # What one core can do is done beside the main work: refunds while leaders are read, then the
            # cards, and the search for repeated ids.
            refunds = beside.submit(self.load_refunds)
            self.leaders = load_leaders(self.connection, self.sources["leaders"])
            self.progress("lines", 0.1)
            cards = beside.submit(self.cards_of_the_period)
            refunds.result()
            ids_checked = self.load_lines(cards, beside, with_ids=True)
            never_refunded = rules.never_refunded_sql(self.setting, "every_line")
            self.create_of_period(rules.turnover_never_refunded_sql(never_refunded))
            self.progress("rows", 0.5)
            lines = f"{never_refunded} UNION ALL {rules.current_sql(self.setting)}"
            rows = f"{self.rows_sql(lines)} UNION ALL {OF_PERIOD}"
            statement = f"SELECT leader AS leader_id, rule, line_id, amount_fen FROM ({rows}) AS all_rows"
            with appearing_whole(out) as unfinished:
                order = ("leader_id", "rule", "line_id") if ordered else ()
                self.save(statement, HEADER, unfinished, order=order)
                ids_checked.result()
        self.progress("done", 1.0)
