"""The default engine: a whole period by DuckDB, from a folder to a file.

Rows (`duckdb_rows.py`) and totals (`duckdb_totals.py`) go different ways, for totals need no row.
"""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from kaituan.settlement.engines.output import check_ending

if TYPE_CHECKING:
    from kaituan.settlement.engines.parquet_lines import Reading


def settle_folder(
    folder: Path,
    out: Path,
    *,
    totals: bool = False,
    ordered: bool = True,
    threads: int | None = None,
    progress: Callable[[str, float], None] = lambda step, part: None,
) -> None:
    """Settle the case in `folder` and write its rows to `out` (.csv or .parquet).

    totals: the sums per leader and rule instead of the rows. ordered: sorted as the contract says; without
    it the rows come in any order, which is faster. Raises InputError, and then nothing is written.
    """
    check_ending(out)
    with _undisturbed, _read_ahead(folder, threads) if totals else nullcontext() as reading:
        # Loading these takes a fifth of a second, in which the first lines are read.
        from kaituan.settlement.engines.duckdb_rows import RowsRun
        from kaituan.settlement.engines.duckdb_run import connection_for_settling
        from kaituan.settlement.engines.duckdb_totals import TotalsRun

        with connection_for_settling(threads) as connection:
            if totals:
                TotalsRun(connection, folder, progress, reading).write(out, ordered=ordered)
            else:
                RowsRun(connection, folder, progress).write(out, ordered=ordered)


def _read_ahead(folder: Path, threads: int | None) -> "AbstractContextManager[Reading | None]":
    """The lines, where they are in a file that is read by blocks."""
    path = folder / "lines.parquet"
    if not path.is_file():
        return nullcontext()
    from kaituan.settlement.engines.parquet_lines import read_ahead

    return read_ahead(path, threads or os.cpu_count() or 1)


class _Undisturbed:
    """Threads take turns more often, or what computes in numpy would wait for plain Python at every step; and
    nobody looks for circles among millions of numbers. Both are the whole process's: the first to settle sets
    them, the last sets them back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._settling = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._settling:
                self._usual, self._collects = sys.getswitchinterval(), gc.isenabled()
                sys.setswitchinterval(self._usual / 20)
                gc.disable()
            self._settling += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._settling -= 1
            if not self._settling:
                sys.setswitchinterval(self._usual)
                if self._collects:
                    gc.enable()


_undisturbed = _Undisturbed()
