"""Python and DuckDB agree to the fen on random cases, however the rows are ordered, stored or shared out."""

import csv
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kaituan.settlement.engines import duckdb_engine, python_engine
from kaituan.settlement.engines.case_reader import read_case
from kaituan.settlement.engines.python_engine import settle
from kaituan.settlement.engines.records import CommissionRow
from kaituan.settlement.tests.random_cases import END, START, RandomCase, form, random_case

FEW = range(36)
MANY = range(1000, 1500)


def assert_engines_agree(case: RandomCase, folder: Path) -> None:
    source = case.write_csv(folder / "case")
    python_engine.settle_folder(source, folder / "python.csv")
    duckdb_engine.settle_folder(source, folder / "duckdb.csv")
    assert (folder / "duckdb.csv").read_bytes() == (folder / "python.csv").read_bytes()
    # Totals take another way through DuckDB: one pass over a Parquet file, no line kept.
    parquet = case.write_parquet(folder / "parquet")
    python_engine.settle_folder(source, folder / "python_totals.csv", totals=True)
    duckdb_engine.settle_folder(parquet, folder / "totals.csv", totals=True)
    assert (folder / "totals.csv").read_bytes() == (folder / "python_totals.csv").read_bytes()


@pytest.mark.parametrize("seed", FEW)
def test_python_and_duckdb_agree(seed: int, tmp_path: Path) -> None:
    assert_engines_agree(random_case(seed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", MANY)
def test_python_and_duckdb_agree_500_times(seed: int, tmp_path: Path) -> None:
    assert_engines_agree(random_case(seed), tmp_path)


@pytest.mark.parametrize("seed", range(100, 106))
def test_order_of_rows_file_format_and_threads_do_not_matter(seed: int, tmp_path: Path) -> None:
    case = random_case(seed)
    folders = {
        "csv": case.write_csv(tmp_path / "csv"),
        "shuffled": case.shuffled(seed).write_csv(tmp_path / "shuffled"),
        "parquet": case.write_parquet(tmp_path / "parquet"),
        "timestamps": case.shuffled(seed).write_parquet(tmp_path / "timestamps", timestamps=True),
    }
    outputs, totals = set(), set()
    for name, folder in folders.items():
        python_engine.settle_folder(folder, tmp_path / f"{name}.python.csv")
        outputs.add((tmp_path / f"{name}.python.csv").read_bytes())
        for threads in (1, 4):
            out = tmp_path / f"{name}.{threads}.csv"
            duckdb_engine.settle_folder(folder, out, threads=threads)
            outputs.add(out.read_bytes())
            duckdb_engine.settle_folder(folder, out, threads=threads, totals=True)
            totals.add(out.read_bytes())
    assert (len(outputs), len(totals)) == (1, 1)


def test_nobody_and_nothing_pays_nothing(tmp_path: Path) -> None:
    case = random_case(8)
    for rows in case.tables.values():
        rows.clear()
    assert_engines_agree(case, tmp_path)


@pytest.mark.parametrize("paid_fen", [2**31 - 1, 2**31, 2**40, 2**61])
def test_amounts_past_narrow_products_are_exact(paid_fen: int, tmp_path: Path) -> None:
    """The square of an amount passes 63 bits: totals find out only when the lines are already read."""
    case = random_case(9)
    line = next(line for line in case.tables["lines"] if form(START) <= line["completed_at"] < form(END))
    line.update(paid_fen=paid_fen, cost_fen=1)
    folder = case.write_parquet(tmp_path / "case")
    for totals in (False, True):
        python_engine.settle_folder(folder, tmp_path / "python.csv", totals=totals)
        duckdb_engine.settle_folder(folder, tmp_path / "duckdb.csv", totals=totals)
        assert (tmp_path / "duckdb.csv").read_bytes() == (tmp_path / "python.csv").read_bytes()


@pytest.mark.parametrize("engine", [python_engine, duckdb_engine])
def test_parquet_out_holds_the_rows_of_csv(engine: object, tmp_path: Path) -> None:
    folder = random_case(7).write_csv(tmp_path / "case")
    engine.settle_folder(folder, tmp_path / "out.parquet")  # type: ignore[attr-defined]
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["leader_id", "rule", "line_id", "amount_fen"]
    assert str(table.schema.field("amount_fen").type) == "int64"
    found = [CommissionRow(*row.values()) for row in table.to_pylist()]
    assert found == settle(read_case(folder))


def test_unsorted_output_holds_the_same_rows(tmp_path: Path) -> None:
    folder = random_case(8).write_csv(tmp_path / "case")
    duckdb_engine.settle_folder(folder, tmp_path / "out.parquet", ordered=False)
    rows = [CommissionRow(*row.values()) for row in pq.read_table(tmp_path / "out.parquet").to_pylist()]
    assert sorted(rows, key=CommissionRow.sort_key) == settle(read_case(folder))


@pytest.mark.parametrize("seed", range(200, 206))
def test_totals_are_the_sums_of_the_rows(seed: int, tmp_path: Path) -> None:
    folder = random_case(seed).write_csv(tmp_path / "case")
    python_engine.settle_folder(folder, tmp_path / "python.csv", totals=True)
    duckdb_engine.settle_folder(folder, tmp_path / "duckdb.csv", totals=True)
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in settle(read_case(folder)):
        sums[row.leader_id, row.rule] += row.amount_fen
    with (tmp_path / "python.csv").open(encoding="utf-8", newline="") as text:
        found = [(row["leader_id"], row["rule"], int(row["amount_fen"])) for row in csv.DictReader(text)]
    assert found == sorted(
        ((*key, amount) for key, amount in sums.items() if amount), key=lambda row: (row[0].encode(), row[1])
    )
    assert (tmp_path / "duckdb.csv").read_bytes() == (tmp_path / "python.csv").read_bytes()


@pytest.mark.parametrize("seed", range(300, 308))
def test_an_undone_line_pays_nothing_but_service_over_all_periods(seed: int, tmp_path: Path) -> None:
    """October pays and takes part back, November takes back the rest; every line is refunded in full."""
    case = random_case(seed)
    case.document["period_plan"] = case.document["plans"][0]["version"]
    lines = [line for line in case.tables["lines"] if form(START) <= line["completed_at"] < form(END)]
    case.tables["lines"] = lines
    case.tables["refunds"] = [
        {"line_id": line["line_id"], "refunded_at": at, "amount_fen": amount}
        for line in lines
        for at, amount in (
            ("2026-10-31T12:00:00Z", line["paid_fen"] // 3),
            ("2026-11-05T12:00:00Z", line["paid_fen"] - line["paid_fen"] // 3),
        )
        if amount
    ]
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    services = 0
    for month, (start, end) in enumerate(((START, END), (END, END.replace(month=12)))):
        case.document |= {"start": form(start), "end": form(end)}
        folder = case.write_csv(tmp_path / f"month{month}")
        duckdb_engine.settle_folder(folder, tmp_path / "out.parquet")
        for row in pq.read_table(tmp_path / "out.parquet").to_pylist():
            if row["rule"] == "service":
                services += 1
                assert month == 0
                assert row["amount_fen"] > 0
            elif row["line_id"]:
                sums[row["leader_id"], row["rule"], row["line_id"]] += row["amount_fen"]
    assert set(sums.values()) <= {0}
    assert sums or services or not any(line["paid_fen"] for line in lines)


@pytest.mark.parametrize("seed", range(400, 412))
def test_dividend_shares_add_up_to_the_pool(seed: int, tmp_path: Path) -> None:
    case = random_case(seed)
    plan = case.document["plans"][0]
    plan["dividend"] = {
        "pool_bp": 137,
        "tiers": plan["tiers"],
        "weight": "equal" if seed % 2 else "territory",
    }
    case.document["period_plan"] = plan["version"]
    case.tables["refunds"] = []
    folder = case.write_csv(tmp_path / "case")
    duckdb_engine.settle_folder(folder, tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    shared = sum(row["amount_fen"] for row in rows if row["rule"] == "dividend")
    turnover = sum(
        line["paid_fen"] for line in case.tables["lines"] if form(START) <= line["completed_at"] < form(END)
    )
    assert shared in (0, turnover * 137 // 10_000)
