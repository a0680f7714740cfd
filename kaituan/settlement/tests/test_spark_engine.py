"""Spark gives the same fen as the others: many random cases as one job, and the eight of the contract."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kaituan.cli.main import app
from kaituan.settlement.engines import python_engine
from kaituan.settlement.engines.case_reader import read_case
from kaituan.settlement.engines.output import write_rows
from kaituan.settlement.engines.python_engine import settle
from kaituan.settlement.tests.random_cases import random_case
from kaituan.settlement.tests.test_bad_input import REFUSED, sound_case

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install kaituan[spark]")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java 17, and there is no java here", allow_module_level=True)

from kaituan.settlement.engines import spark_engine
from kaituan.settlement.engines.spark_source import session

CASES = Path(__file__).parent / "cases"
# Spark's Python side closes its sockets to the JVM only when it is collected.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def running_spark() -> Iterator[None]:
    spark = session(2)
    yield
    spark.stop()


def random_folders(seeds: range, tmp_path: Path) -> dict[int, Path]:
    """Every second case in CSV, the others in Parquet, of these every second with timestamps."""
    folders = {}
    for seed in seeds:
        case = random_case(seed, lines=60)
        folder = tmp_path / str(seed)
        if seed % 2:
            folders[seed] = case.write_csv(folder)
        else:
            folders[seed] = case.write_parquet(folder, timestamps=seed % 4 == 0)
    return folders


def test_the_eight_cases_and_some_random_ones_as_one_job(tmp_path: Path) -> None:
    contract = {number: CASES / str(number) for number in range(1, 9)}
    folders = contract | random_folders(range(100, 124), tmp_path)
    settled = spark_engine.settle_folders(folders, threads=2)
    for number, folder in contract.items():
        write_rows(settled[number], tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_bytes() == (folder / "expected.csv").read_bytes()
    for key, folder in folders.items():
        assert settled[key] == settle(read_case(folder)), f"case {key}"


@pytest.mark.parametrize("name", ["case[1]", "a{1,2}", "tier=host"])
def test_a_folder_is_called_whatever_it_likes(name: str, tmp_path: Path) -> None:
    random_case(125, lines=60).write_parquet(tmp_path / "case1")
    folder = random_case(124, lines=60).write_parquet(tmp_path / name)
    spark_engine.settle_folder(folder, tmp_path / "out.csv", threads=2)
    write_rows(settle(read_case(folder)), tmp_path / "expected.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.long
def test_500_random_cases_as_one_job(tmp_path: Path) -> None:
    folders = random_folders(range(1000, 1500), tmp_path)
    settled = spark_engine.settle_folders(folders, threads=2)
    for key, folder in folders.items():
        assert settled[key] == settle(read_case(folder)), f"case {key}"


@pytest.mark.parametrize("totals", [False, True])
def test_one_folder_by_the_command(totals: bool, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    arguments = ["settle", str(CASES / "2"), "--engine", "spark", "--threads", "2", "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--totals"] if totals else arguments)
    assert result.exit_code == 0, result.output
    python_engine.settle_folder(CASES / "2", tmp_path / "expected.parquet", totals=totals)
    assert out.read_bytes() == (tmp_path / "expected.parquet").read_bytes()


@pytest.mark.parametrize(
    "mistake",
    [
        "cycle",
        "line twice",
        "unknown seller",
        "negative amount",
        "time without a zone",
        "refunds beyond paid",
    ],
)
def test_refused_as_by_the_others(mistake: str, tmp_path: Path) -> None:
    change, named = REFUSED[mistake]
    case = sound_case()
    change(case)
    folder = case.write_csv(tmp_path / "case")
    out = tmp_path / "out" / "rows.csv"
    out.parent.mkdir()
    result = CliRunner().invoke(app, ["settle", str(folder), "--engine", "spark", "--out", str(out)])
    assert result.exit_code == 2
    assert list(out.parent.iterdir()) == []
    for part in named:
        assert part in result.stderr
