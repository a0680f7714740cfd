"""From the database to a settlement folder: the tables of one closed period, as every engine reads them.

The same SELECTs are read in two ways. By ADBC into Parquet, in a connection and a snapshot of its own: the
default, fast. By COPY into CSV over Django's connection: inside a transaction that is still open, and without
pyarrow. Times are cut to whole seconds, which is all that the contract knows.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from psycopg import pq
from psycopg.conninfo import make_conninfo

from kaituan.commission.models import PlanVersion
from kaituan.ledger.models import Period
from kaituan.ordering.models import OrderAdjustment
from kaituan.settlement.engines.folder import CASE_FILE
from kaituan.settlement.models import SettledLine

BATCH_BYTES = 2**24
COMPLETED = """
    SELECT l.id AS line_id, category.code AS category
    FROM ordering_orderline l
    JOIN campaigns_offer offer ON offer.id = l.offer_id
    JOIN catalogue_variant variant ON variant.id = offer.variant_id
    JOIN catalogue_product product ON product.id = variant.product_id
    JOIN catalogue_category category ON category.id = product.category_id
    WHERE l.completed_at >= {start} AND l.completed_at < {end}
"""
"""The lines completed in [start, end), each with its category of now."""
KEYWORDS = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def count_lines(*, period: Period) -> int:
    """Note every line that the closed period counts, with its category; says how many there are in all.

    Nothing new can be completed in a closed period, so a second run adds nothing.
    """
    with connection.cursor() as cursor:
        completed = COMPLETED.format(start="%s", end="%s")
        cursor.execute(
            f"""
            INSERT INTO settlement_settledline (line_id, period_id, category)
            SELECT line_id, %s, category FROM ({completed}) AS completed
            ON CONFLICT (line_id) DO NOTHING
            """,  # noqa: S608
            [period.pk, period.starts_at, period.ends_at],
        )
    return SettledLine.objects.filter(period=period).count()


def period_plan(*, period: Period) -> PlanVersion | None:
    """The plan in force when the period started; in the first one, the first that came into force within it."""
    in_force = PlanVersion.objects.filter(effective_from__lte=period.starts_at).order_by("-effective_from")
    first = PlanVersion.objects.filter(effective_from__lt=period.ends_at).order_by("effective_from")
    return in_force.first() or first.first()


def write_case_file(folder: Path, *, period: Period, plan: PlanVersion) -> None:
    """case.json: every plan ever published, for lines keep the plan of their order."""
    assert period.ends_at is not None
    document = {
        "plans": [row.document for row in PlanVersion.objects.order_by("pk")],
        "period_plan": plan.version,
        "start": stamp_text(period.starts_at),
        "end": stamp_text(period.ends_at),
    }
    (folder / CASE_FILE).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def write_csv_tables(folder: Path, *, period: Period, until: datetime | None = None) -> None:
    """leaders, tiers, lines and refunds as CSV, by COPY over Django's own connection.

    until: take the lines completed before then, whether the period has counted them or not; None for those it
    has counted.
    """
    for table, select in _selects(period, as_text=True, until=until):
        statement = f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)"
        with (
            (folder / f"{table}.csv").open("wb") as file,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for block in copy:
                file.write(block)


def write_parquet_tables(folder: Path, *, period: Period) -> None:
    """leaders, tiers, lines and refunds as Parquet, by ADBC, all from one snapshot."""
    from adbc_driver_postgresql import dbapi
    from pyarrow import parquet

    with dbapi.connect(_conninfo()) as reader, reader.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table, select in _selects(period, as_text=False):
            cursor.execute(select)
            batches = cursor.fetch_record_batch()
            with parquet.ParquetWriter(
                folder / f"{table}.parquet", batches.schema, compression="lz4"
            ) as file:
                for batch in batches:
                    file.write_batch(batch)
        reader.rollback()


def _conninfo() -> str:
    """libpq's words for the database that Django is connected to."""
    given = connection.get_connection_params()
    return make_conninfo(
        **{key: value for key, value in given.items() if key in KEYWORDS and value is not None}
    )


def stamp_text(time: datetime) -> str:
    """A time in the one form of the contract."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _selects(period: Period, *, as_text: bool, until: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Table -> SELECT of its columns. as_text: times as text, for CSV. until: as for the CSV tables."""
    ends_at = until or period.ends_at
    assert ends_at is not None
    start, end = (
        f"'{time.astimezone(UTC).isoformat()}'::timestamptz" for time in (period.starts_at, ends_at)
    )
    kinds = ", ".join(f"'{kind}'" for kind in OrderAdjustment.REMEDIES)
    # A remedy that gives something back is a refund; one that is partly withdrawn counts as paid again.
    gives_back = f"a.kind IN ({kinds}) AND a.amount_fen < 0"
    counted = f"SELECT s.line_id, s.category FROM settlement_settledline s WHERE s.period_id = {period.pk}"  # noqa: S608
    scope = f"""
        {counted if until is None else COMPLETED.format(start=start, end=end)}
        UNION ALL
        SELECT s.line_id, s.category FROM settlement_settledline s
        JOIN ledger_period p ON p.id = s.period_id AND p.starts_at < {start}
        WHERE s.line_id IN (
            SELECT a.line_id FROM ordering_orderadjustment a
            WHERE {gives_back} AND a.created_at >= {start} AND a.created_at < {end}
        )
    """  # noqa: S608

    def second(column: str) -> str:
        if as_text:
            return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
        return f"date_trunc('second', {column})"

    yield "leaders", "SELECT id AS leader_id, referrer_id FROM people_leader ORDER BY id"
    yield (
        "tiers",
        f"""
        SELECT DISTINCT ON (leader_id, date_trunc('second', effective_from))
            leader_id, tier, {second("effective_from")} AS effective_from
        FROM people_leadertier WHERE effective_from < {end}
        ORDER BY leader_id, date_trunc('second', effective_from), people_leadertier.effective_from DESC
        """,  # noqa: S608
    )
    yield (
        "lines",
        f"""
        WITH scope AS ({scope}), added AS (
            SELECT a.line_id, sum(a.amount_fen)::bigint AS fen FROM ordering_orderadjustment a
            WHERE a.line_id IN (SELECT line_id FROM scope) AND NOT ({gives_back}) GROUP BY a.line_id
        )
        SELECT l.id AS line_id, l.order_id, listing.leader_id, variant.sku, scope.category,
            l.quantity AS qty, l.amount_fen + coalesce(added.fen, 0) AS paid_fen, l.cost_fen, l.sale_rate_bp,
            l.pickup_leader_id, o.plan_version, {second("l.completed_at")} AS completed_at
        FROM scope JOIN ordering_orderline l ON l.id = scope.line_id
        JOIN ordering_order o ON o.id = l.order_id
        JOIN campaigns_listing listing ON listing.id = o.listing_id
        JOIN campaigns_offer offer ON offer.id = l.offer_id
        JOIN catalogue_variant variant ON variant.id = offer.variant_id
        LEFT JOIN added ON added.line_id = l.id
        """,  # noqa: S608
    )
    yield (
        "refunds",
        f"""
        WITH scope AS ({scope})
        SELECT a.line_id, {second("a.created_at")} AS refunded_at, -a.amount_fen AS amount_fen
        FROM ordering_orderadjustment a
        WHERE a.line_id IN (SELECT line_id FROM scope) AND {gives_back} AND a.created_at < {end}
        """,  # noqa: S608
    )
