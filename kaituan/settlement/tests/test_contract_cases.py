"""The eight cases that come with the contract, on every engine that writes files on its own."""

import shutil
from pathlib import Path

import pytest

from kaituan.settlement.engines import duckdb_engine
from kaituan.settlement.engines.case_reader import read_case
from kaituan.settlement.engines.output import write_rows
from kaituan.settlement.engines.python_engine import settle

CASES = Path(__file__).parent / "cases"
NUMBERS = sorted(int(folder.name) for folder in CASES.iterdir() if folder.is_dir())


def test_all_eight_are_here() -> None:
    assert NUMBERS == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("number", NUMBERS)
def test_python_gives_the_expected_bytes(number: int, tmp_path: Path) -> None:
    folder = CASES / str(number)
    out = tmp_path / "out.csv"
    write_rows(settle(read_case(folder)), out)
    assert out.read_bytes() == (folder / "expected.csv").read_bytes()


@pytest.mark.parametrize("number", NUMBERS)
def test_duckdb_gives_the_expected_bytes(number: int, tmp_path: Path) -> None:
    folder = CASES / str(number)
    out = tmp_path / "out.csv"
    duckdb_engine.settle_folder(folder, out)
    assert out.read_bytes() == (folder / "expected.csv").read_bytes()


def test_a_period_without_any_line_settles_to_the_header_alone(tmp_path: Path) -> None:
    """A quiet week: leaders and a plan, nothing completed, nothing refunded."""
    folder = tmp_path / "quiet"
    shutil.copytree(CASES / "1", folder)
    for name in ("lines", "refunds"):
        table = folder / f"{name}.csv"
        table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    duckdb_engine.settle_folder(folder, out)
    assert out.read_text(encoding="utf-8") == "leader_id,rule,line_id,amount_fen\n"
    write_rows(settle(read_case(folder)), out)
    assert out.read_text(encoding="utf-8") == "leader_id,rule,line_id,amount_fen\n"
