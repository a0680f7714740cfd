"""Order lines and refunds read by DuckDB, typed and checked: the tables `loaded`, `refund`."""

from collections.abc import Mapping
from itertools import accumulate
from typing import NoReturn

import duckdb

from kaituan.money.fen import MAX_FEN
from kaituan.settlement.engines.duckdb_leaders import second_row
from kaituan.settlement.engines.duckdb_source import (
    Source,
    check_values,
    create_table,
    first_row,
    in_file_order,
    quoted,
    refuse_values,
    tells_unreadable,
)
from kaituan.settlement.engines.duplicates import has_repeats
from kaituan.settlement.engines.rates import Vocabulary
from kaituan.settlement.engines.records import refusal

# More plan versions and categories than this are looked up by a join.
MOST_CASES = 24


@tells_unreadable
def load_refunded_ids(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The table `refunded_id`: each refunded line once, with a number (line_key) and its total_fen."""
    check_values(connection, source)
    value = {name: column.value for name, column in source.columns.items()}
    connection.execute(f"""
        CREATE TABLE given_refund AS SELECT {value["line_id"]} AS line_id,
            {value["refunded_at"]} AS refunded_at, {value["amount_fen"]} AS amount_fen FROM {source.relation}
    """).fetchall()
    connection.execute("""
        CREATE TABLE refunded_id AS
        SELECT line_id, CAST(row_number() OVER () AS INTEGER) AS line_key, SUM(amount_fen) AS total_fen
        FROM given_refund GROUP BY line_id
    """).fetchall()
    connection.execute("""
        CREATE TABLE refund AS SELECT k.line_key, g.refunded_at, g.amount_fen
        FROM given_refund AS g JOIN refunded_id AS k ON k.line_id = g.line_id
    """).fetchall()


@tells_unreadable
def load_lines(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    words: Vocabulary,
    *,
    with_ids: bool = True,
    with_costs: bool = True,
) -> None:
    """The table `loaded`: every line, typed, its leaders as handles, its plan and category as a rate class.

    Nothing is refused yet: `allowed` tells the rows that may stand, and `check_lines` looks at it. Ids and
    costs are always checked, and there only if asked for.
    """
    value = {name: column.value for name, column in source.columns.items()}
    rate_class, class_joins = _rate_class(connection, words)
    wanted = {"line_id": with_ids, "cost_fen": with_costs}
    names = [name for name, is_wanted in wanted.items() if is_wanted]
    connection.execute(f"""
        CREATE TABLE loaded AS
        SELECT {"".join(f"q.{name}, " for name in names)} q.line_hash, k.line_key,
            seller.handle AS seller, pickup.handle AS pickup, {rate_class} AS rate_class,
            q.paid_fen, q.sale_rate_bp, q.completed_at,
            q.allowed AND seller.handle IS NOT NULL AND ({rate_class}) IS NOT NULL
                AND (pickup.handle IS NOT NULL OR q.pickup_leader_id IS NULL OR q.pickup_leader_id = '') AS allowed
        FROM (
            SELECT {value["line_id"]} AS line_id, hash({value["line_id"]}) AS line_hash,
                {value["leader_id"]} AS leader_id, {source.columns["pickup_leader_id"].given} AS pickup_leader_id,
                {value["plan_version"]} AS plan_version, {source.columns["category"].given} AS category,
                {value["paid_fen"]} AS paid_fen, {value["cost_fen"]} AS cost_fen,
                CAST({value["sale_rate_bp"]} AS SMALLINT) AS sale_rate_bp,
                {value["completed_at"]} AS completed_at, ({source.allowed()}) IS TRUE AS allowed
            FROM {source.relation}
        ) AS q
        LEFT JOIN leader AS seller ON seller.leader_id = q.leader_id
        LEFT JOIN leader AS pickup ON pickup.leader_id = q.pickup_leader_id
        LEFT JOIN refunded_id AS k ON k.line_id = q.line_id
        {class_joins}
    """).fetchall()


def _rate_class(connection: duckdb.DuckDBPyConnection, words: Vocabulary) -> tuple[str, str]:
    """SQL of a line's rate class (null for an unknown plan version), and the joins that it needs.

    Few versions and categories are told apart by CASE, which DuckDB works out once for each distinct value.
    """
    firsts = {each.version: each.number for each in words.classes if each.category is None}
    categories = list(dict.fromkeys(each.category for each in words.classes if each.category is not None))
    # A null category is the empty one, which a plan may list; where none does, the plain column is faster.
    category = "COALESCE(q.category, '')" if "" in categories else "q.category"
    if len(firsts) + len(categories) > MOST_CASES:
        create_table(connection, "version", {"plan_version": list(firsts), "number": list(firsts.values())})
        ranks = {"category": categories, "number": range(1, len(categories) + 1)}
        create_table(connection, "category_rank", ranks)
        joins = f"""
            LEFT JOIN version AS v ON v.plan_version = q.plan_version
            LEFT JOIN category_rank AS c ON c.category = {category}
        """
        return "CAST(v.number + COALESCE(c.number, 0) AS INTEGER)", joins
    version = " ".join(f"WHEN {quoted(name)} THEN {number}" for name, number in firsts.items())
    rank = " ".join(f"WHEN {quoted(name)} THEN {number}" for number, name in enumerate(categories, start=1))
    ranked = f"(CASE {category} {rank} ELSE 0 END)" if categories else "0"
    return f"CAST((CASE q.plan_version {version} END) + {ranked} AS INTEGER)", ""


def check_lines(connection: duckdb.DuckDBPyConnection, source: Source, versions: Mapping[str, object]) -> int:
    """All lines may stand but for their ids being unique (`check_line_ids`). Returns the largest paid_fen."""
    [(bad, highest, total)] = connection.execute(
        "SELECT count(*) FILTER (NOT allowed), COALESCE(max(paid_fen), 0), COALESCE(sum(paid_fen), 0) FROM loaded"
    ).fetchall()
    if bad:
        refuse_line(connection, source, versions)
    check_total(source, total)
    return int(highest)


def check_total(source: Source, total_fen: int) -> None:
    """What was paid altogether can be told in fen. Raises InputError."""
    if total_fen > MAX_FEN:
        raise refusal(source.file, f"paid_fen adds up to {total_fen}, more than {MAX_FEN}")


def refuse_line(
    connection: duckdb.DuckDBPyConnection, source: Source, versions: Mapping[str, object]
) -> NoReturn:
    """Name the first line that is not allowed, for its values or for an unknown leader or plan version."""
    value = {name: column.value for name, column in source.columns.items()}
    known = "IN (SELECT leader_id FROM leader)"
    create_table(connection, "known_version", {"plan_version": list(versions)})
    checks = {
        "seller": ("leader_id", f"{value['leader_id']} NOT {known}"),
        "pickup leader": (
            "pickup_leader_id",
            f"{value['pickup_leader_id']} <> '' AND {value['pickup_leader_id']} NOT {known}",
        ),
        "plan version": (
            "plan_version",
            f"{value['plan_version']} NOT IN (SELECT plan_version FROM known_version)",
        ),
    }
    for name, (column, condition) in checks.items():
        found = first_row(connection, source, f"({source.allowed()}) IS TRUE AND {condition}")
        if found:
            row, raw = found
            ids = {"line_id": raw["line_id"], column: raw[column]}
            raise refusal(source.file, f"unknown {name}", row=row, ids=ids)
    refuse_values(connection, source)


@tells_unreadable
def check_line_ids(connection: duckdb.DuckDBPyConnection, source: Source, *, kept: bool = True) -> None:
    """No line_id is there twice. Equal ids have equal hashes, so ids are compared only if two hashes are.

    kept: the hashes are in the table `loaded`; otherwise the ids are read for it.
    """
    line_hash = f"hash({source.columns['line_id'].value}) AS line_hash FROM {source.relation}"
    hashes = connection.execute(
        "SELECT line_hash FROM loaded" if kept else f"SELECT {line_hash}"
    ).fetchnumpy()["line_hash"]
    if not has_repeats(hashes):
        return
    twice = connection.execute(
        f"SELECT {source.columns['line_id'].value} AS line_id FROM {source.relation} "
        "GROUP BY line_id HAVING count(*) > 1 ORDER BY line_id LIMIT 1"
    ).fetchall()
    if twice:
        raise second_row(connection, source, "line_id", twice[0][0], "the line_id is there twice")


def check_refunds(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Every refund has its line in `refunded_line`, and no line more refunds than were paid."""
    unknown = connection.execute(
        "SELECT line_id FROM refunded_id WHERE line_key NOT IN "
        "(SELECT line_key FROM refunded_line) ORDER BY line_id LIMIT 1"
    ).fetchall()
    line_id = source.columns["line_id"].value
    if unknown:
        literal = "'" + unknown[0][0].replace("'", "''") + "'"
        row, _ = first_row(connection, source, f"{line_id} = {literal}") or (None, None)
        raise refusal(source.file, "unknown line", row=row, ids={"line_id": unknown[0][0]})
    over = connection.execute(
        "SELECT k.line_id, l.paid_fen FROM refunded_id AS k JOIN refunded_line AS l ON l.line_key = k.line_key "
        "WHERE k.total_fen > l.paid_fen ORDER BY k.line_id LIMIT 1"
    ).fetchall()
    if over:
        raise _beyond_paid(connection, source, *over[0])


def _beyond_paid(
    connection: duckdb.DuckDBPyConnection, source: Source, line_id: str, paid_fen: int
) -> Exception:
    with in_file_order(connection) as ordered:
        rows = ordered.execute(
            f"""
            SELECT row_no, amount_fen FROM (SELECT {source.columns["line_id"].value} AS given,
                {source.columns["amount_fen"].value} AS amount_fen, row_number() OVER () AS row_no
                FROM {source.relation}) WHERE given = ? ORDER BY row_no
            """,
            [line_id],
        ).fetchall()
    sums = zip((row for row, _ in rows), accumulate(amount for _, amount in rows), strict=True)
    row, refunded = next((row, refunded) for row, refunded in sums if refunded > paid_fen)
    told = f"refunds of {refunded} fen, but only {paid_fen} fen were paid"
    return refusal(source.file, told, row=row, ids={"line_id": line_id})
