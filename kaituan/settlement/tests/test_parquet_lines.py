"""Totals read Parquet column by column: what they look at in the ids, and forms of files that others write."""

import random
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kaituan.settlement.engines import duckdb_engine, parquet_lines, python_engine
from kaituan.settlement.engines.forest import Cards
from kaituan.settlement.engines.line_blocks import NONE, CardFinder, Lines
from kaituan.settlement.engines.line_ids import Sieve, Texts
from kaituan.settlement.engines.records import InputError
from kaituan.settlement.tests.random_cases import RandomCase, random_case

# Few letters and long common beginnings, so that ids differ anywhere and are often equal.
IDS = st.lists(
    st.builds(
        str.__add__, st.sampled_from(["", "N", "order-2026-", "order-2026-10-"]), st.text("019é", max_size=12)
    ),
    max_size=12,
)


def texts(ids: list[str], kind: pa.DataType) -> Texts:
    """The ids as a part of a longer array, whose bytes before and after must not matter."""
    return Texts(pa.array(["before", *ids, "after"], kind).slice(1, len(ids)))


@given(ids=IDS, in_order=st.booleans(), kind=st.sampled_from([pa.string(), pa.large_string()]))
def test_ids_ascend_where_each_is_longer_or_follows_by_its_bytes(
    ids: list[str], in_order: bool, kind: pa.DataType
) -> None:
    keys = [(len(each.encode()), each.encode()) for each in ids]
    if in_order:
        keys.sort()
    array = texts([key.decode() for _, key in keys], kind)
    assert array.ascend(array.tails()) == all(before < after for before, after in pairwise(keys))


@given(few=IDS, many=IDS)
def test_a_sieve_holds_back_none_of_the_few(few: list[str], many: list[str]) -> None:
    let_through = Sieve(texts(few, pa.string())).let_through(texts(many, pa.string()).tails())
    assert {place for place, each in enumerate(many) if each in few} <= set(let_through.tolist())


def totals_of(folder: Path, engine: object, out: Path) -> bytes:
    engine.settle_folder(folder, out, totals=True)  # type: ignore[attr-defined]
    return out.read_bytes()


def rewritten(folder: Path, change: object, **options: object) -> Path:
    """The folder with its lines changed, and written in another way."""
    path = folder / "lines.parquet"
    pq.write_table(change(pq.read_table(path)), path, **options)  # type: ignore[operator]
    return folder


def large(table: pa.Table) -> pa.Table:
    kinds = [pa.large_string() if pa.types.is_string(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


def narrow(table: pa.Table) -> pa.Table:
    """qty as one byte, rates as two, and amounts without a sign."""
    for name, kind in (("qty", pa.uint8()), ("sale_rate_bp", pa.int16()), ("paid_fen", pa.uint64())):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return table


def in_dictionaries(table: pa.Table) -> pa.Table:
    return table.set_column(4, "category", table["category"].dictionary_encode())


def ordered(table: pa.Table) -> pa.Table:
    keys = pa.table({"length": pc.binary_length(table["line_id"]), "line_id": table["line_id"]})
    return table.take(pc.sort_indices(keys, [("length", "ascending"), ("line_id", "ascending")]))


@pytest.mark.parametrize("change", [large, narrow, in_dictionaries, ordered])
@pytest.mark.parametrize(
    "options", [{"row_group_size": 7}, {"use_dictionary": False}, {"compression": "zstd"}]
)
@pytest.mark.parametrize("seed", [400, 401])
def test_however_the_lines_are_written_the_totals_are_the_same(
    seed: int, options: dict[str, object], change: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_lines, "TASK_ROWS", 20)
    folder = random_case(seed).write_parquet(tmp_path / "case")
    expected = totals_of(folder, python_engine, tmp_path / "python.csv")
    folder = rewritten(folder, change, **options)
    assert totals_of(folder, duckdb_engine, tmp_path / "duckdb.csv") == expected


@pytest.mark.parametrize("seed", range(405, 411))
def test_lines_that_a_refund_may_be_for_and_is_not_are_summed_like_any_other(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(_: Sieve, tails: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.arange(len(tails))

    folder = random_case(seed).write_parquet(tmp_path / "case")
    expected = totals_of(folder, python_engine, tmp_path / "python.csv")
    monkeypatch.setattr(Sieve, "let_through", everything)
    assert totals_of(folder, duckdb_engine, tmp_path / "duckdb.csv") == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_line_finds_the_card_of_its_seller_at_its_time(seed: int) -> None:
    dice = random.Random(seed)
    start, end, classes = 1_000, 1_100, 3
    cards = Cards(0)
    stretches: list[tuple[int, int, int, int]] = []
    for seller in range(dice.randint(1, 6)):
        begins = [start, *sorted(dice.sample(range(start + 1, end), dice.randint(0, 4)))]
        stretches += [(seller, since, until, dice.randrange(5)) for since, until in pairwise([*begins, end])]
    cards.add(*np.array(stretches, dtype=np.int64).T, [])
    told = [
        (dice.randrange(seller + 1), dice.choice((start - 1, start, end - 1, end, dice.randint(900, 1_200))))
        for _ in range(50)
    ]
    lines = Lines(
        seller=np.array([seller for seller, _ in told], dtype=np.int32),
        pickup=np.zeros(50, dtype=np.int32),
        rate_class=np.arange(50, dtype=np.int32) % classes,
        completed_at=np.array([time for _, time in told], dtype=np.int64),
        paid_fen=None,
        cost_fen=None,
        sale_rate_bp=None,
    )
    place = CardFinder(cards, start=start, end=end, classes=classes).find(lines)
    for row, (who, time) in enumerate(told):
        if not start <= time < end:
            assert place.card_no[row] == NONE
            assert row in place.outside
            continue
        [(number, shape)] = [
            (number, shape)
            for number, (seller, since, until, shape) in enumerate(stretches)
            if seller == who and since <= time < until
        ]
        assert (place.card_no[row], place.rate_no[row]) == (number, shape * classes + row % classes)
        assert row not in place.outside


@pytest.mark.parametrize("options", [{}, {"write_statistics": False}])
@pytest.mark.parametrize("column", ["qty", "cost_fen", "paid_fen"])
def test_a_number_out_of_bounds_is_found_with_statistics_and_without(
    column: str, options: dict[str, object], tmp_path: Path
) -> None:
    def one_below(table: pa.Table) -> pa.Table:
        numbers = table[column].to_pylist()
        numbers[-1] = -1
        place = table.column_names.index(column)
        return table.set_column(place, column, pa.array(numbers, table[column].type))

    folder = rewritten(random_case(412).write_parquet(tmp_path / "case"), one_below, **options)
    with pytest.raises(InputError, match=rf"^lines.parquet row \d+ .*: {column} must be from 0"):
        duckdb_engine.settle_folder(folder, tmp_path / "out.csv", totals=True)


def test_whatever_refuses_a_folder_nothing_goes_on_being_read(tmp_path: Path) -> None:
    folder = random_case(413).write_parquet(tmp_path / "case")
    (folder / "case.json").write_text("{}")
    before = threading.active_count()
    with pytest.raises(InputError, match=r"^case.json"):
        duckdb_engine.settle_folder(folder, tmp_path / "out.csv", totals=True)
    assert threading.active_count() == before


def without_lines(case: RandomCase) -> RandomCase:
    case.tables["lines"].clear()
    case.tables["refunds"].clear()
    return case


def test_no_line_at_all_pays_nothing(tmp_path: Path) -> None:
    folder = without_lines(random_case(402)).write_parquet(tmp_path / "case")
    assert totals_of(folder, duckdb_engine, tmp_path / "out.csv") == b"leader_id,rule,amount_fen\n"


def test_an_id_that_comes_again_in_a_later_part_of_the_file_is_found(tmp_path: Path) -> None:
    folder = random_case(403).write_parquet(tmp_path / "case")

    def last_again(table: pa.Table) -> pa.Table:
        table = ordered(table)
        return pa.concat_tables([table, table.slice(table.num_rows - 1)])

    lines = ordered(pq.read_table(folder / "lines.parquet"))
    rewritten(folder, last_again, row_group_size=lines.num_rows)
    with pytest.raises(InputError, match=f"row {lines.num_rows + 1} .*the line_id is there twice"):
        duckdb_engine.settle_folder(folder, tmp_path / "out.csv", totals=True)
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_no_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = random_case(404).write_parquet(tmp_path / "case")
    (folder / "lines.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"^lines.parquet: cannot be read"):
        duckdb_engine.settle_folder(folder, tmp_path / "out.csv", totals=True)
