"""The eight cases that come with the contract, on every engine that writes files on its own."""

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
