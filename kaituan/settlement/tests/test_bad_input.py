"""Every error of the contract: one line that names the file, the row and the ids; exit 2; nothing written."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from kaituan.cli.main import app
from kaituan.settlement.engines.duckdb_source import _time
from kaituan.settlement.engines.records import read_time
from kaituan.settlement.tests.random_cases import RandomCase

PLAN = {
    "version": "v1",
    "tiers": ["host", "captain"],
    "sale": {"base": "paid", "rates_bp": {"host": 1000, "captain": 1300}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "differential": {},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}


def sound_case() -> RandomCase:
    """Lin (captain) referred Wang (host); Wang sold two lines, one of them partly refunded."""
    line = {
        "order_id": "O1",
        "leader_id": "Wang",
        "sku": "S1",
        "category": "fruit",
        "qty": 1,
        "paid_fen": 10_000,
        "cost_fen": 7000,
        "sale_rate_bp": None,
        "pickup_leader_id": "Wang",
        "plan_version": "v1",
        "completed_at": "2026-10-05T08:00:00Z",
    }
    return RandomCase(
        {
            "plans": [PLAN],
            "period_plan": "v1",
            "start": "2026-10-01T00:00:00Z",
            "end": "2026-11-01T00:00:00Z",
        },
        {
            "leaders": [
                {"leader_id": "Lin", "referrer_id": ""},
                {"leader_id": "Wang", "referrer_id": "Lin"},
            ],
            "tiers": [
                {"leader_id": "Lin", "tier": "captain", "effective_from": "2026-01-01T00:00:00Z"},
                {"leader_id": "Wang", "tier": "host", "effective_from": "2026-01-01T00:00:00Z"},
            ],
            "lines": [{"line_id": "N1", **line}, {"line_id": "N2", **line}],
            "refunds": [{"line_id": "N2", "refunded_at": "2026-10-09T00:00:00Z", "amount_fen": 4000}],
        },
    )


def put(table: str, row: int, column: str, value: Any) -> Callable[[RandomCase], None]:
    def change(case: RandomCase) -> None:
        case.tables[table][row][column] = value

    return change


def add(table: str, **values: Any) -> Callable[[RandomCase], None]:
    def change(case: RandomCase) -> None:
        case.tables[table].append(case.tables[table][0] | values)

    return change


def document(key: str, value: Any) -> Callable[[RandomCase], None]:
    def change(case: RandomCase) -> None:
        case.document[key] = value

    return change


def plan(**changes: Any) -> Callable[[RandomCase], None]:
    return document("plans", [PLAN | changes])


def without(key: str) -> Callable[[RandomCase], None]:
    def change(case: RandomCase) -> None:
        del case.document[key]

    return change


def without_column(table: str, column: str) -> Callable[[RandomCase], None]:
    def change(case: RandomCase) -> None:
        case.columns[table] = tuple(name for name in case.columns[table] if name != column)
        for row in case.tables[table]:
            del row[column]

    return change


def cycle(case: RandomCase) -> None:
    case.tables["leaders"] += [
        {"leader_id": "Chen", "referrer_id": "Zhao"},
        {"leader_id": "Bai", "referrer_id": "Chen"},
        {"leader_id": "Zhao", "referrer_id": "Bai"},
        {"leader_id": "Below", "referrer_id": "Bai"},
    ]


REFUSED: dict[str, tuple[Callable[[RandomCase], None], tuple[str, ...]]] = {
    "cycle": (cycle, ("leaders", "row 4", "Bai -> Chen -> Zhao -> Bai")),
    "refers to itself": (put("leaders", 0, "referrer_id", "Lin"), ("leaders", "row 1", "Lin -> Lin")),
    "unknown referrer": (
        put("leaders", 1, "referrer_id", "Nobody"),
        ("leaders", "row 2", "Wang", "Nobody", "unknown referrer"),
    ),
    "leader twice": (add("leaders", leader_id="Wang"), ("leaders", "row 3", "Wang", "twice")),
    "empty leader_id": (put("leaders", 1, "leader_id", ""), ("leaders", "row 2", "leader_id", "empty")),
    "tier of an unknown leader": (put("tiers", 1, "leader_id", "Nobody"), ("tiers", "row 2", "Nobody")),
    "two tiers at one time": (
        add("tiers", leader_id="Wang", tier=""),
        ("tiers", "row 3", "Wang", "two tiers"),
    ),
    "tier time with an offset": (
        put("tiers", 0, "effective_from", "2026-01-01T00:00:00+08:00"),
        ("tiers", "row 1", "Lin", "effective_from", "+08:00"),
    ),
    "line twice": (add("lines", line_id="N2"), ("lines", "row 3", "N2", "twice")),
    "empty line_id": (put("lines", 0, "line_id", ""), ("lines", "row 1", "line_id", "empty")),
    "unknown seller": (put("lines", 1, "leader_id", "Nobody"), ("lines", "row 2", "N2", "Nobody", "seller")),
    "unknown pickup leader": (
        put("lines", 1, "pickup_leader_id", "Nobody"),
        ("lines", "row 2", "N2", "Nobody", "pickup leader"),
    ),
    "unknown plan version": (put("lines", 0, "plan_version", "v9"), ("lines", "row 1", "N1", "v9")),
    "negative amount": (put("lines", 1, "paid_fen", -1), ("lines", "row 2", "N2", "paid_fen", "-1")),
    "negative quantity": (put("lines", 1, "qty", -1), ("lines", "row 2", "N2", "qty", "-1")),
    "rate too high": (
        put("lines", 0, "sale_rate_bp", 10_001),
        ("lines", "row 1", "N1", "sale_rate_bp", "10001"),
    ),
    "time without a zone": (
        put("lines", 1, "completed_at", "2026-10-05T08:00:00"),
        ("lines", "row 2", "N2", "completed_at"),
    ),
    "no such day": (put("lines", 1, "completed_at", "2026-02-30T08:00:00Z"), ("lines", "row 2", "N2")),
    "no such hour": (put("lines", 1, "completed_at", "2026-10-05T24:00:00Z"), ("lines", "row 2", "N2")),
    "refund of an unknown line": (put("refunds", 0, "line_id", "N9"), ("refunds", "row 1", "N9")),
    "refunds beyond paid": (
        add("refunds", line_id="N2", amount_fen=6001, refunded_at="2027-01-01T00:00:00Z"),
        ("refunds", "row 2", "N2", "10001", "10000"),
    ),
    "refund of nothing": (put("refunds", 0, "amount_fen", 0), ("refunds", "row 1", "N2", "amount_fen")),
    "sums past 64 bits": (put("lines", 0, "paid_fen", 2**63 - 1), ("lines", "adds up")),
    "missing key": (without("end"), ("case.json", "end")),
    "unknown period plan": (document("period_plan", "v2"), ("case.json", "v2")),
    "period without a zone": (document("start", "2026-10-01"), ("case.json", "start", "2026-10-01")),
    "period backwards": (document("end", "2026-09-01T00:00:00Z"), ("case.json", "end")),
    "plan twice": (document("plans", [PLAN, PLAN]), ("case.json", "v1", "twice")),
    "rate that is no integer": (
        plan(sale={"base": "paid", "rates_bp": {"host": 1000.5}}),
        ("case.json", "v1", "sale.rates_bp.host", "1000.5"),
    ),
    "plan rate too high": (plan(service={"rate_bp": 10_001}), ("case.json", "service.rate_bp", "10001")),
    "brackets that do not rise": (
        plan(team_ladder={"brackets": [[0, 1], [5, 1], [5, 2]]}),
        ("case.json", "team_ladder", "rise"),
    ),
    "pay by people recruited": (
        plan(recruit_bonus_fen=100),
        ("case.json", "recruit_bonus_fen", "《禁止传销条例》第七条"),
    ),
    **{
        f"missing column {table}.{column}": (without_column(table, column), (table, column, "missing"))
        for table, column in (
            ("leaders", "referrer_id"),
            ("tiers", "tier"),
            ("lines", "sku"),
            ("lines", "cost_fen"),
            ("refunds", "amount_fen"),
        )
    },
}
# What only text can hold.
REFUSED_IN_CSV = {
    "amount with a fraction": (put("lines", 1, "paid_fen", "12.5"), ("lines", "row 2", "N2", "12.5")),
    "amount in words": (put("lines", 1, "cost_fen", "1e3"), ("lines", "row 2", "N2", "1e3")),
    "amount with a space": (put("lines", 1, "cost_fen", " 12"), ("lines", "row 2", "N2", "cost_fen")),
    "amount left out": (put("lines", 1, "paid_fen", ""), ("lines", "row 2", "N2", "paid_fen", "empty")),
    "amount past 64 bits": (put("lines", 1, "paid_fen", str(2**63)), ("lines", "row 2", "N2", str(2**63))),
    "rate with a fraction": (put("lines", 0, "sale_rate_bp", "1200.5"), ("lines", "row 1", "N1", "1200.5")),
}


# Nearly the form YYYY-MM-DDTHH:MM:SSZ, each wrong in one way that some reader would take.
WRONG_TIMES = (
    "2026-10-05T08:00:00",
    "2026-10-05T08:00:00z",
    "2026-10-05t08:00:00Z",
    "2026-10-05 08:00:00Z",
    "2026-10-05T08:00:00+00:00",
    "2026-10-05T08:00:00.5Z",
    "2026-10-05T08:00:5.Z",
    "2026-10-05T08:00Z",
    "2026-10-05",
    " 2026-10-05T08:00:00Z",
    "2026-10-05T08:00:00Z ",
    "2026-10-5T08:00:00Z ",
    " 026-10-05T08:00:00Z",
    "2026-10-05T 8:00:00Z",
    "2026/10/05T08:00:00Z",
    "2026-13-05T08:00:00Z",
    "2026-00-05T08:00:00Z",
    "2026-02-30T08:00:00Z",
    "2026-10-05T24:00:00Z",
    "2026-10-05T08:60:00Z",
    "2026-12-31T23:59:60Z",
    "0000-10-05T08:00:00Z",
    "２026-10-05T08:00:00Z",
    "２26-10-05T08:00:0Z",
)


def refusal_of(folder: Path, engine: str, tmp_path: Path, *options: str) -> str:
    """The one line that the command answers with; asserts exit 2 and that nothing was written."""
    out = tmp_path / "out" / "rows.csv"
    out.parent.mkdir(exist_ok=True)
    result = CliRunner().invoke(app, ["settle", str(folder), "--engine", engine, "--out", str(out), *options])
    assert result.exit_code == 2, result.output
    assert list(out.parent.iterdir()) == []
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_the_sound_case_is_settled(engine: str, tmp_path: Path) -> None:
    folder = sound_case().write_csv(tmp_path / "case")
    out = tmp_path / "rows.csv"
    result = CliRunner().invoke(app, ["settle", str(folder), "--engine", engine, "--out", str(out)])
    assert (result.exit_code, result.output) == (0, "")
    assert out.read_text(encoding="utf-8") == (
        "leader_id,rule,line_id,amount_fen\n"
        "Lin,differential,N1,300\nLin,differential,N2,180\n"
        "Wang,sale,N1,1000\nWang,sale,N2,600\n"
        "Wang,service,N1,120\nWang,service,N2,120\n"
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize("mistake", REFUSED)
def test_refused(mistake: str, engine: str, form: str, tmp_path: Path) -> None:
    change, named = REFUSED[mistake]
    case = sound_case()
    change(case)
    write = case.write_csv if form == "csv" else case.write_parquet
    told = refusal_of(write(tmp_path / "case"), engine, tmp_path)
    for part in named:
        assert part in told


@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize("mistake", REFUSED_IN_CSV)
def test_refused_in_csv(mistake: str, engine: str, tmp_path: Path) -> None:
    change, named = REFUSED_IN_CSV[mistake]
    case = sound_case()
    change(case)
    told = refusal_of(case.write_csv(tmp_path / "case"), engine, tmp_path)
    for part in ("lines.csv", *named):
        assert part in told


@pytest.mark.parametrize("mistake", [*REFUSED, *REFUSED_IN_CSV])
def test_both_engines_say_the_same(mistake: str, tmp_path: Path) -> None:
    change, _ = (REFUSED | REFUSED_IN_CSV)[mistake]
    case = sound_case()
    change(case)
    folder = case.write_csv(tmp_path / "case")
    assert refusal_of(folder, "duckdb", tmp_path) == refusal_of(folder, "python", tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("mistake", REFUSED)
def test_totals_are_refused_in_the_same_words(mistake: str, form: str, tmp_path: Path) -> None:
    change, _ = REFUSED[mistake]
    case = sound_case()
    change(case)
    write = case.write_csv if form == "csv" else case.write_parquet
    folder = write(tmp_path / "case")
    assert refusal_of(folder, "duckdb", tmp_path, "--totals") == refusal_of(folder, "python", tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("text", WRONG_TIMES)
def test_a_time_in_another_form_is_refused(text: str, form: str, tmp_path: Path) -> None:
    case = sound_case()
    put("lines", 1, "completed_at", text)(case)
    write = case.write_csv if form == "csv" else case.write_parquet
    folder = write(tmp_path / "case")
    told = refusal_of(folder, "python", tmp_path)
    assert f"lines.{form} row 2 (line_id N2): completed_at must be a UTC time" in told
    assert refusal_of(folder, "duckdb", tmp_path) == told
    assert refusal_of(folder, "duckdb", tmp_path, "--totals") == told


@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("DOUBLE", "1000.5"),
        ("DOUBLE", "'nan'"),
        ("DECIMAL(18,2)", "1000.25"),
        ("BOOLEAN", "true"),
        ("HUGEINT", "9223372036854775808"),
    ],
)
def test_parquet_amounts_of_another_kind_are_refused(
    engine: str, kind: str, value: str, tmp_path: Path
) -> None:
    folder = retyped(tmp_path, "paid_fen", f"CAST({value} AS {kind})")
    told = refusal_of(folder, engine, tmp_path)
    assert "lines.parquet row 1 (line_id N1): paid_fen" in told


@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize(
    "value",
    [
        "TIMESTAMP '2026-10-05 08:00:00'",
        "TIMESTAMPTZ '2026-10-05 08:00:00.5Z'",
        "DATE '2026-10-05'",
        "20261005",
    ],
)
def test_parquet_times_of_another_kind_are_refused(engine: str, value: str, tmp_path: Path) -> None:
    folder = retyped(tmp_path, "completed_at", value)
    assert "lines.parquet row 1 (line_id N1): completed_at" in refusal_of(folder, engine, tmp_path)


def retyped(tmp_path: Path, column: str, expression: str) -> Path:
    """The sound case in Parquet with another expression for a column of the lines."""
    folder = sound_case().write_parquet(tmp_path / "case")
    path = folder / "lines.parquet"
    with duckdb.connect() as connection:
        changed = f"SELECT * REPLACE ({expression} AS {column}) FROM '{path}'"
        connection.execute(f"CREATE TABLE lines AS {changed}").fetchall()
        connection.execute(f"COPY lines TO '{path}' (FORMAT parquet)").fetchall()
    return folder


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_a_row_with_too_few_fields_is_named(engine: str, tmp_path: Path) -> None:
    folder = sound_case().write_csv(tmp_path / "case")
    with (folder / "refunds.csv").open("a", encoding="utf-8") as text:
        text.write("N1,2026-10-09T00:00:00Z\n")
    assert "refunds.csv row 2 (line_id N1)" in refusal_of(folder, engine, tmp_path)


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_text_that_is_not_utf_8_is_refused(engine: str, tmp_path: Path) -> None:
    folder = sound_case().write_csv(tmp_path / "case")
    path = folder / "leaders.csv"
    path.write_bytes(path.read_bytes() + "团长,\n".encode("gbk"))
    assert "leaders.csv" in refusal_of(folder, engine, tmp_path)


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_a_missing_file_and_one_too_many_are_refused(engine: str, tmp_path: Path) -> None:
    folder = sound_case().write_csv(tmp_path / "case")
    sound_case().write_parquet(tmp_path / "other")
    (tmp_path / "other" / "tiers.parquet").rename(folder / "tiers.parquet")
    assert "tiers.csv" in refusal_of(folder, engine, tmp_path)
    (folder / "tiers.csv").unlink()
    (folder / "tiers.parquet").unlink()
    assert "tiers.csv" in refusal_of(folder, engine, tmp_path)


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_a_file_that_is_no_parquet_is_refused(engine: str, tmp_path: Path) -> None:
    folder = sound_case().write_parquet(tmp_path / "case")
    (folder / "refunds.parquet").write_bytes(b"PAR1 this is not what it says PAR1")
    assert "refunds.parquet" in refusal_of(folder, engine, tmp_path)


def test_an_output_of_unknown_form_is_refused(tmp_path: Path) -> None:
    folder = sound_case().write_csv(tmp_path / "case")
    result = CliRunner().invoke(app, ["settle", str(folder), "--out", str(tmp_path / "rows.xlsx")])
    assert result.exit_code == 2
    assert ".csv or .parquet" in result.stderr


def test_duckdb_reads_times_exactly_as_the_plain_reader_does() -> None:
    """Thousands of nearly right times: what one refuses the other refuses, and what both take is equal."""
    dice = random.Random(20261001)
    strange = "0123456789 -T:Z.+\t\n\r/２a"
    right = ("2026-10-05T03:10:09Z", "2024-02-29T23:59:59Z", "0999-12-31T20:00:00Z", "0001-01-01T00:00:00Z")
    texts = set(right)
    for _ in range(20_000):
        text = list(dice.choice(right))
        for _ in range(dice.choice((1, 1, 2, 3))):
            place = dice.randrange(len(text))
            edit = dice.random()
            if edit < 0.6:
                text[place] = dice.choice(strange)
            elif edit < 0.8:
                del text[place]
            else:
                text.insert(place, dice.choice(strange))
        texts.add("".join(text))
    column = _time("at", "VARCHAR")
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE given ("at" VARCHAR)').fetchall()
        connection.execute("INSERT INTO given SELECT unnest(?::VARCHAR[])", [sorted(texts)]).fetchall()
        rows = connection.execute(f'SELECT "at", {column.allowed}, {column.value} FROM given').fetchall()
    taken = 0
    for text, allowed, value in rows:
        try:
            expected = read_time(text)
        except ValueError:
            assert not allowed, text
        else:
            assert (allowed, value) == (True, expected), text
            taken += 1
    assert taken > 300
