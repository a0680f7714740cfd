"""Folders and files as the world has them: odd names, types that nobody asked for, damaged bytes, far years.

Whatever the file, Python and DuckDB say the same: the same bytes, or the same one line.
"""

import gc
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kaituan.settlement.engines import duckdb_engine, python_engine
from kaituan.settlement.engines.parquet_lines import _codes
from kaituan.settlement.engines.records import InputError
from kaituan.settlement.tests.random_cases import RandomCase
from kaituan.settlement.tests.test_bad_input import plan, put, sound_case

FAR = {
    "year 2300": 10_413_792_000,
    "year 9999": 253_402_214_400,
    "year 20000": 568_971_820_800,
    "before year 1": -99_999_999_999,
}


def answer(settle: Callable[..., None], folder: Path, out: Path, *, totals: bool) -> str | bytes:
    try:
        settle(folder, out, totals=totals)
    except InputError as told:
        assert not out.exists()
        return str(told)
    return out.read_bytes()


def answers(folder: Path, out: Path) -> list[tuple[str | bytes, str | bytes]]:
    """What Python and DuckDB say: of the rows, and of the totals."""
    return [
        (
            answer(python_engine.settle_folder, folder, out / f"python-{totals}.csv", totals=totals),
            answer(duckdb_engine.settle_folder, folder, out / f"duckdb-{totals}.csv", totals=totals),
        )
        for totals in (False, True)
    ]


def assert_paid_alike(case: RandomCase, folder: Path) -> None:
    """Both engines settle the case to the same bytes, from Parquet and from CSV."""
    for source in (case.write_parquet(folder / "parquet"), case.write_csv(folder / "csv")):
        for python, duckdb in answers(source, folder):
            assert isinstance(python, bytes)
            assert python == duckdb


def with_column(folder: Path, table: str, column: str, values: pa.Array) -> Path:
    path = folder / f"{table}.parquet"
    read = pq.read_table(path)
    pq.write_table(read.set_column(read.column_names.index(column), column, values), path)
    return folder


@pytest.mark.parametrize("parquet", [True, False])
@pytest.mark.parametrize(
    "name", ["tier=host", "amount_fen=10000", "referrer_id=", "case[1]", "case*", "cas?1", "it's", "月 份"]
)
def test_a_folder_is_called_whatever_it_likes(name: str, parquet: bool, tmp_path: Path) -> None:
    neighbour = sound_case()
    put("lines", 0, "paid_fen", 20_000)(neighbour)
    expected = tmp_path / "expected.csv"
    for case, folder in ((neighbour, tmp_path / "case1"), (sound_case(), tmp_path / name)):
        source = case.write_parquet(folder) if parquet else case.write_csv(folder)
    python_engine.settle_folder(source, expected)
    for python, duckdb in answers(source, tmp_path):
        assert python == duckdb
    assert (tmp_path / "duckdb-False.csv").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("column", ["sku", "order_id"])
@pytest.mark.parametrize("values", [pa.array([1.5, 2.5]), pa.array([True, False]), pa.array([[1], [2]])])
def test_what_is_no_text_is_refused_though_nothing_depends_on_it(
    column: str, values: pa.Array, tmp_path: Path
) -> None:
    folder = with_column(sound_case().write_parquet(tmp_path / "case"), "lines", column, values)
    for python, duckdb in answers(folder, tmp_path):
        assert f"{column} must be text" in str(python)
        assert f"{column} must be text" in str(duckdb) or "cannot be read" in str(duckdb)


@pytest.mark.parametrize(
    ("table", "column"), [("lines", "qty"), ("lines", "sku"), ("lines", "line_id"), ("leaders", "leader_id")]
)
def test_a_column_that_is_there_twice_is_refused(table: str, column: str, tmp_path: Path) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    read = pq.read_table(folder / f"{table}.parquet")
    pq.write_table(read.append_column(column, read[column]), folder / f"{table}.parquet")
    for said in answers(folder, tmp_path):
        assert said == (f"{table}.parquet: column {column} is there twice",) * 2


def test_parts_of_another_column_are_no_columns(tmp_path: Path) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    read = pq.read_table(folder / "lines.parquet")
    more = pa.array([{"qty": 1, "in": {"line_id": "N9"}}] * read.num_rows)
    pq.write_table(read.add_column(0, "more", more), folder / "lines.parquet")
    for python, duckdb in answers(folder, tmp_path):
        assert isinstance(python, bytes)
        assert python == duckdb


@pytest.mark.parametrize("moment", FAR.values(), ids=FAR.keys())
@pytest.mark.parametrize("rest", [0, 500_000])
@pytest.mark.parametrize(
    ("table", "column"), [("lines", "completed_at"), ("refunds", "refunded_at"), ("tiers", "effective_from")]
)
def test_a_time_of_any_year_is_taken_or_refused_in_one_line(
    table: str, column: str, rest: int, moment: int, tmp_path: Path
) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    count = pq.read_metadata(folder / f"{table}.parquet").num_rows
    times = pa.array([moment * 1_000_000 + rest] * count, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    for python, duckdb in answers(with_column(folder, table, column, times), tmp_path):
        assert python == duckdb


def test_a_far_time_elsewhere_is_not_in_the_way_of_naming_what_is_wrong(tmp_path: Path) -> None:
    case = sound_case()
    put("lines", 0, "leader_id", "Nobody")(case)
    folder = case.write_parquet(tmp_path / "case")
    times = pa.array([FAR["year 9999"] * 1_000_000] * 2, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    for python, duckdb in answers(with_column(folder, "lines", "completed_at", times), tmp_path):
        assert python == duckdb == "lines.parquet row 1 (line_id N1, leader_id Nobody): unknown seller"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("leaders", "leader_id"),
        ("leaders", "referrer_id"),
        ("tiers", "leader_id"),
        ("tiers", "tier"),
        ("refunds", "line_id"),
        ("lines", "completed_at"),
    ],
)
def test_bytes_that_are_no_text_are_one_line(table: str, column: str, tmp_path: Path) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    count = pq.read_metadata(folder / f"{table}.parquet").num_rows
    raw = pa.array([b"\xff\xfe"] * count, pa.binary())
    texts = pa.Array.from_buffers(pa.string(), count, raw.buffers())
    for said in answers(with_column(folder, table, column, texts), tmp_path):
        assert all(isinstance(each, str) and each.startswith(f"{table}.parquet") for each in said)


def test_an_index_past_its_dictionary_is_no_missing_value() -> None:
    entries = pa.array([7, 8, -1], pa.int32()).to_numpy()
    assert _codes(pa.array([0, 1, None], pa.int32()), entries).tolist() == [7, 8, -1]
    for index in (2, 3, -1):
        with pytest.raises(pa.ArrowInvalid):
            _codes(pa.array([0, index, None], pa.int32()), entries)


@pytest.mark.parametrize("rate_bp", [0, 100])
def test_a_fee_per_line_past_all_money_pays_the_line_and_no_more(rate_bp: int, tmp_path: Path) -> None:
    case = sound_case()
    plan(service={"rate_bp": rate_bp, "fen_per_line": 2**63 - 1})(case)
    assert_paid_alike(case, tmp_path)


def test_an_id_may_be_long(tmp_path: Path) -> None:
    case = sound_case()
    put("lines", 0, "line_id", "N" * 200_000)(case)
    assert_paid_alike(case, tmp_path)


def test_half_a_character_in_a_plan_is_refused(tmp_path: Path) -> None:
    case = sound_case()
    folder = case.write_parquet(tmp_path / "case")
    plan(sale={"base": "paid", "rates_bp": {"host": 1}, "category_rates_bp": {"\ud800": {"host": 2}}})(case)
    (folder / "case.json").write_text(json.dumps(case.document), encoding="utf-8")
    for said in answers(folder, tmp_path):
        assert said == ("case.json: holds half a character",) * 2


def test_settlements_that_overlap_leave_the_process_as_it_was(tmp_path: Path) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    before = sys.getswitchinterval(), gc.isenabled()
    settling = [
        threading.Thread(
            target=duckdb_engine.settle_folder,
            args=(folder, tmp_path / f"{each}.csv"),
            kwargs={"totals": True},
        )
        for each in range(4)
    ]
    for each in settling:
        each.start()
    for each in settling:
        each.join()
    assert (sys.getswitchinterval(), gc.isenabled()) == before
    assert len({(tmp_path / f"{each}.csv").read_bytes() for each in range(4)}) == 1
