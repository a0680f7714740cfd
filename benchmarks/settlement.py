"""Settlement against its floors, in one run on one machine.

    python benchmarks/settlement.py [--lines 10000000] [--repeat 3] [--cases FOLDER] [--json FILE]

Makes the big month itself (once, where --cases names a folder to keep it in), then runs each command whole, start
of Python included, in turn with its floor; the quietest of the repeats counts for both. Wants about 2 GB of free
disk in the temporary folder.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLOOR = [sys.executable, str(HERE / "settlement_floor.py")]
SETTLE = [sys.executable, "-m", "kaituan.cli", "settle"]
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. ratio: as the target says it; met: None where it was not measured."""

    figure: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    target: str
    met: bool


@dataclass(frozen=True, slots=True)
class Ran:
    """One command, whole: seconds by the clock, seconds of all cores, bytes at its largest."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run(command: list[str]) -> Ran:
    """Run a command to its end and measure it. Raises CalledProcessError where it fails."""
    began = time.perf_counter()
    # From the project's own folder, so that `-m kaituan.cli` is this tree's.
    process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    # ru_maxrss is in KiB on Linux.
    return Ran(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def quietest(repeat: int, *commands: list[str]) -> list[Ran]:
    """The fastest run of each command, taken in turn so that all meet the same noise."""
    best: list[Ran | None] = [None] * len(commands)
    for _ in range(repeat):
        for place, command in enumerate(commands):
            ran = run(command)
            so_far = best[place]
            if so_far is None or ran.wall_s < so_far.wall_s:
                best[place] = ran
    return [ran for ran in best if ran is not None]


def settle(folder: Path, out: str, *options: str) -> list[str]:
    return [*SETTLE, str(folder), "--threads", "2", "--out", str(folder / out), *options]


def rows_figures(folder: Path, tenth: Path, lines: int, repeat: int) -> list[Figure]:
    """Every row, unsorted, against the bare query; memory; and a tenth of the lines for the growth."""
    big, floor = quietest(
        repeat, settle(folder, "rows.parquet", "--unsorted"), [*FLOOR, "floor", str(folder)]
    )
    [small] = quietest(repeat, settle(tenth, "rows.parquet", "--unsorted"))
    print(
        f"  settle {big.wall_s:.2f} s ({big.cpu_s:.1f} CPU-s), floor {floor.wall_s:.2f} s ({floor.cpu_s:.1f} CPU-s)"
    )
    ratio = big.wall_s / floor.wall_s
    growth = big.wall_s / small.wall_s
    return [
        Figure(
            f"{lines / 1e6:g} M lines, every row, DuckDB, 2 cores",
            round(big.wall_s, 2),
            "s",
            round(floor.wall_s, 2),
            round(ratio, 3),
            "<= 1.0 x floor",
            ratio <= 1.0,
        ),
        Figure(
            "the same, peak memory",
            round(big.peak_bytes / GIB, 2),
            "GiB",
            round(floor.peak_bytes / GIB, 2),
            round(big.peak_bytes / floor.peak_bytes, 3),
            "< 3 GB",
            big.peak_bytes < 3e9,
        ),
        Figure(
            f"time of {lines / 1e6:g} M lines over {lines / 1e7:g} M",
            round(growth, 2),
            "x",
            round(small.wall_s, 2),
            round(growth / 10, 3),
            "<= 10 x (linear)",
            growth <= 10,
        ),
    ]


def totals_figure(folder: Path, lines: int, repeat: int) -> Figure:
    ours, polars = quietest(
        repeat, settle(folder, "totals.parquet", "--totals", "--unsorted"), [*FLOOR, "totals", str(folder)]
    )
    ratio = polars.wall_s / ours.wall_s
    name = f"{lines / 1e6:g} M lines, totals per leader and rule"
    value, floor = round(lines / ours.wall_s / 1e6, 2), round(lines / polars.wall_s / 1e6, 2)
    return Figure(name, value, "M lines/s", floor, round(ratio, 3), ">= 0.3 x polars", ratio >= 0.3)


def spark_figure(folder: Path, lines: int) -> Figure:
    """The same case by Spark and by DuckDB, both sorted: rows that differ."""
    import pyarrow.parquet as pq

    began = time.perf_counter()
    run(settle(folder, "spark.parquet", "--engine", "spark"))
    took = time.perf_counter() - began
    run(settle(folder, "duckdb.parquet"))
    spark, duckdb = (pq.read_table(folder / f"{name}.parquet") for name in ("spark", "duckdb"))
    differing = 0 if spark.to_pylist() == duckdb.to_pylist() else max(spark.num_rows, duckdb.num_rows)
    print(f"  Spark local: {took:.1f} s for {lines:,} lines, {spark.num_rows:,} rows")
    name = f"rows that differ, Spark local and DuckDB, {lines:,} lines"
    return Figure(name, differing, "rows", None, None, "0 (equal to the fen)", differing == 0)


def explain_figure() -> Figure:
    """One line with all its steps, warm, against the same line's bare products."""
    from kaituan.commission.plan import read_plan
    from kaituan.commission.rules import Holder, LineFacts, explain_line

    sys.path.insert(0, str(HERE))
    from settlement_floor import PLAN

    plan = read_plan(PLAN)
    line = LineFacts(paid_fen=10_000, cost_fen=7_000, category="fruit", net_fen=9_000, service_net_fen=9_000)
    seller = Holder("Wang", "host")
    above = [Holder("Lin", "host"), Holder("Chen", "captain"), Holder("Zhao", "partner")]

    def explain() -> None:
        explain_line(plan, line, seller=seller, ancestors=above, pickup_leader_id="Wang")

    def bare() -> None:
        sale = 1_000 * 9_000 // 10_000
        _ = (sale, 300 * 9_000 // 10_000, 500 * sale // 10_000, 100 * 9_000 // 10_000 + 20)

    ours, floor = milliseconds(explain), milliseconds(bare)
    value = round(ours, 4)
    return Figure(
        "one line explained, warm", value, "ms", round(floor, 5), round(ours / floor, 1), "< 1 ms", ours < 1
    )


def town_figure() -> Figure:
    """A month of the demo town from its database to its books, against a row loop (settlement_town.py)."""
    print("  raising the demo town; its row loop takes a minute or two")
    told = subprocess.run([sys.executable, str(HERE / "settlement_town.py")], capture_output=True, check=True)
    seen = json.loads(told.stdout)
    lines, ours, loop = seen["lines"], seen["settle_s"], seen["loop_s"]
    print(
        f"  the town: {lines:,} lines, {seen['rows']:,} rows; settled in {ours:.2f} s, by a row loop in {loop:.1f} s"
    )
    return Figure(
        "a month of the demo town, database to books",
        round(lines / ours), "lines/s", round(lines / loop), round(loop / ours, 1), ">= 20 x an ORM row loop",
        loop / ours >= 20,
    )  # fmt: skip


def milliseconds(call: Callable[[], None], calls: int = 2_000) -> float:
    """One call, the quietest of five rounds."""
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - began) / calls * 1000)
    return min(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--spark-lines", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kaituan-bench-") as place:
        cases = asked.cases or Path(place)
        sizes = {asked.lines: "big", asked.lines // 10: "tenth", asked.spark_lines: "small"}
        for lines, name in sizes.items():
            if not (cases / name / "refunds.parquet").exists():
                run([*FLOOR, "make", str(cases / name), "--lines", str(lines)])
        big, tenth, small = (cases / name for name in ("big", "tenth", "small"))
        figures = rows_figures(big, tenth, asked.lines, asked.repeat)
        figures.append(totals_figure(big, asked.lines, asked.repeat))
        if importlib.util.find_spec("pyspark") and shutil.which("java"):
            figures.append(spark_figure(small, asked.spark_lines))
        else:
            print("  Spark left out: it needs kaituan[spark] and Java 17")
        figures.append(explain_figure())
    figures.append(town_figure())
    show(figures)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1), encoding="utf-8")


def show(figures: list[Figure]) -> None:
    for each in figures:
        floor = "-" if each.floor is None else each.floor
        ratio = "-" if each.ratio is None else each.ratio
        met = "met" if each.met else "MISSED"
        print(
            f"{each.figure}: {each.value} {each.unit}, floor {floor}, ratio {ratio}, target {each.target}: {met}"
        )


if __name__ == "__main__":
    main()
