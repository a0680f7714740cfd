"""Leaders and tiers read by DuckDB and checked: the forest, the dated tiers, and the table `leader`.

The table `leader` (number, leader_id, handle) turns a leader's text into what the rules join by. The handle
is an enum whose order is that of the ids' bytes: it takes two or four bytes a row, sorts like the text, and
goes to Parquet as a dictionary. Past MOST_ENUM_LEADERS the dictionary would outweigh the rows, and the handle
is the text itself. Where no row of the lines is written, the handle is the number: DuckDB compares the types of
a statement again and again while it plans, and long enums word by word.
"""

from dataclasses import dataclass

import duckdb
import numpy as np

from kaituan.settlement.engines.case_reader import cycle_refusal
from kaituan.settlement.engines.duckdb_source import (
    Source,
    check_values,
    create_table,
    first_row,
    in_file_order,
    tells_unreadable,
)
from kaituan.settlement.engines.forest import CycleFound, Forest, TierRows, plant
from kaituan.settlement.engines.rates import Vocabulary
from kaituan.settlement.engines.records import refusal

MOST_ENUM_LEADERS = 200_000


@dataclass(frozen=True, slots=True)
class Leaders:
    """ids: by number, which follows the ids' bytes."""

    ids: list[str]
    forest: Forest


@tells_unreadable
def load_leaders(
    connection: duckdb.DuckDBPyConnection, source: Source, *, by_number: bool = False
) -> Leaders:
    """The forest, and the table `leader`. by_number: the handle is the number. Raises InputError."""
    check_values(connection, source)
    leader_id, referrer_id = (source.columns[name].value for name in ("leader_id", "referrer_id"))
    connection.execute(
        f"CREATE TABLE referral AS SELECT {leader_id} AS leader_id, {referrer_id} AS referrer_id "
        f"FROM {source.relation}"
    ).fetchall()
    _refuse_twice(connection, source)
    [(count,)] = connection.execute("SELECT count(*) FROM referral").fetchall()
    handle = "leader_id"
    if by_number:
        handle = "CAST(row_number() OVER (ORDER BY leader_id) - 1 AS INTEGER)"
    elif 0 < count <= MOST_ENUM_LEADERS:
        connection.execute(
            "CREATE TYPE leader_handle AS ENUM (SELECT leader_id FROM referral ORDER BY leader_id)"
        ).fetchall()
        handle = "CAST(leader_id AS leader_handle)"
    connection.execute(
        "CREATE TABLE leader AS SELECT row_number() OVER (ORDER BY leader_id) - 1 AS number, leader_id, "
        f"{handle} AS handle FROM referral"
    ).fetchall()
    return Leaders(*_forest(connection, source, count))


def _refuse_twice(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    twice = connection.execute(
        "SELECT leader_id FROM referral GROUP BY leader_id HAVING count(*) > 1 ORDER BY leader_id LIMIT 1"
    ).fetchall()
    if twice:
        raise second_row(connection, source, "leader_id", twice[0][0], "the leader_id is there twice")


def second_row(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, value: str, what: str
) -> Exception:
    """The refusal of a value that is there twice, naming the row where it comes again."""
    with in_file_order(connection) as ordered:
        rows = ordered.execute(
            f"SELECT row_no FROM (SELECT {source.columns[column].value} AS given, row_number() OVER () AS row_no "
            f"FROM {source.relation}) WHERE given = ? ORDER BY row_no LIMIT 2",
            [value],
        ).fetchall()
    return refusal(source.file, what, row=rows[-1][0], ids={column: value})


def _forest(connection: duckdb.DuckDBPyConnection, source: Source, count: int) -> tuple[list[str], Forest]:
    table = connection.execute("""
        SELECT own.number, own.leader_id, r.referrer_id, COALESCE(above.number, -1) AS parent
        FROM referral AS r JOIN leader AS own ON own.leader_id = r.leader_id
        LEFT JOIN leader AS above ON above.leader_id = r.referrer_id
        ORDER BY own.number
    """).fetchall()
    # Rows may come in any order where insertion order is not preserved, so each goes to its own place.
    ids = [""] * count
    parent = np.full(count, -1, dtype=np.int64)
    for number, leader_id, referrer_id, above in table:
        if above < 0 and referrer_id:
            row, _ = first_row(connection, source, f"leader_id = {_literal(leader_id)}") or (None, None)
            ids_shown = {"leader_id": leader_id, "referrer_id": referrer_id}
            raise refusal(source.file, "unknown referrer", row=row, ids=ids_shown)
        ids[number] = leader_id
        parent[number] = above
    try:
        return ids, plant(parent)
    except CycleFound as found:
        members = [ids[number] for number in found.members]
        first = min(members, key=str.encode)
        row, _ = first_row(connection, source, f"leader_id = {_literal(first)}") or (None, None)
        raise cycle_refusal(source.file, members, {first: row} if row else {}) from None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@tells_unreadable
def load_tiers(connection: duckdb.DuckDBPyConnection, source: Source, words: Vocabulary) -> TierRows:
    """The dated tiers in the codes of the plans. Raises InputError."""
    check_values(connection, source)
    create_table(
        connection,
        "tier_code",
        {"tier": list(words.tier_codes.keys()), "code": list(words.tier_codes.values())},
    )
    values = ", ".join(f"{column.value} AS {name}" for name, column in source.columns.items())
    columns = connection.execute(f"""
        SELECT COALESCE(l.number, -1) AS leader, COALESCE(c.code, 0) AS code, t.effective_from AS begins
        FROM (SELECT {values} FROM {source.relation}) AS t
        LEFT JOIN leader AS l ON l.leader_id = t.leader_id LEFT JOIN tier_code AS c ON c.tier = t.tier
    """).fetchnumpy()
    leader, code, begins = (
        np.asarray(columns[name], dtype=np.int64) for name in ("leader", "code", "begins")
    )
    if (leader < 0).any():
        row, raw = first_row(
            connection, source, f"{source.columns['leader_id'].value} NOT IN (SELECT leader_id FROM leader)"
        ) or (None, {"leader_id": None})
        raise refusal(source.file, "unknown leader", row=row, ids={"leader_id": raw["leader_id"]})
    order = np.lexsort((begins, leader))
    leader, code, begins = leader[order], code[order], begins[order]
    again = np.flatnonzero((leader[1:] == leader[:-1]) & (begins[1:] == begins[:-1]))
    if len(again):
        raise _two_at_once(connection, source, int(leader[again[0]]), int(begins[again[0]]))
    return TierRows(leader, code, begins)


def _two_at_once(
    connection: duckdb.DuckDBPyConnection, source: Source, leader: int, begins: int
) -> Exception:
    [(leader_id,)] = connection.execute("SELECT leader_id FROM leader WHERE number = ?", [leader]).fetchall()
    condition = (
        f"{source.columns['leader_id'].value} = {_literal(leader_id)} "
        f"AND {source.columns['effective_from'].value} = {begins}"
    )
    row, _ = first_row(connection, source, condition, after=1) or (None, None)
    return refusal(source.file, "two tiers of a leader at one time", row=row, ids={"leader_id": leader_id})
