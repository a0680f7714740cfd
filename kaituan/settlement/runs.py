"""Closing a period and settling what it holds: from the database to the books, once.

The steps, each safe to repeat: close the period (a short transaction, under its row lock), note its lines,
then in one transaction lock the period, read one snapshot, compute, and write rows, statements, entries and
the run. Whatever is killed leaves either nothing or the whole; the next call goes on from there.
"""

import tempfile
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kaituan.commission.models import PlanVersion
from kaituan.ledger.bulk import post_entries
from kaituan.ledger.models import Period
from kaituan.ledger.periods import close_period
from kaituan.notices.services import announce_many
from kaituan.people.models import Person
from kaituan.settlement.corrections import write_correction_rows
from kaituan.settlement.models import SettlementRun, Statement
from kaituan.settlement.period_data import (
    count_lines,
    period_plan,
    write_case_file,
    write_csv_tables,
    write_parquet_tables,
)
from kaituan.settlement.postings import commission_entry

PYTHON = "python"
DUCKDB = "duckdb"
COPY_BLOCK = 2**20


class SettlementRefused(Exception):
    """A period that cannot be closed or settled; the message says why and what to do."""


class NotYet(SettlementRefused):
    """The period's end has not come."""


class NothingToClose(SettlementRefused):
    """No period ends there, and none can."""


class NoPlanYet(SettlementRefused):
    """There are lines to settle and no plan has ever been in force."""


def close_and_settle(
    *, ends_at: datetime, now: datetime, acting_person: Person | None, engine: str = DUCKDB
) -> SettlementRun:
    """Close the open period at `ends_at` (its fraction of a second dropped), settle it and any before it that
    is not settled yet; called again, answers the run of the period that ends there.

    engine: `duckdb` reads what is committed, in a connection of its own; `python` also sees the rows of the
    transaction it is called in. Raises NotYet, NothingToClose, NoPlanYet, or InputError (nothing is written
    then) where an engine finds the data broken.
    """
    ends_at = ends_at.replace(microsecond=0)
    if ends_at > now:
        raise NotYet(_("The period ends at %(time)s: settle it after that.") % {"time": ends_at})
    _close(ends_at)
    unsettled = Period.objects.filter(
        status=Period.Status.CLOSED, ends_at__lte=ends_at, settlement_run__isnull=True
    )
    for period in unsettled.order_by("starts_at"):
        settle_period(period=period, now=now, acting_person=acting_person, engine=engine)
    return SettlementRun.objects.get(period__ends_at=ends_at)


def _close(ends_at: datetime) -> None:
    """Close the open period there, unless one that ends there is closed already."""
    with transaction.atomic():
        # The row lock first: a second caller waits here and then finds the period closed.
        open_period = Period.objects.select_for_update().filter(status=Period.Status.OPEN).first()
        if Period.objects.filter(status=Period.Status.CLOSED, ends_at=ends_at).exists():
            return
        if open_period is None or ends_at <= open_period.starts_at:
            raise NothingToClose(
                _("The books are closed up to %(time)s already: choose a later end.")
                % {"time": open_period.starts_at if open_period else "-"}
            )
        close_period(ends_at=ends_at)


def settle_period(
    *, period: Period, now: datetime, acting_person: Person | None, engine: str = DUCKDB
) -> SettlementRun:
    """Settle one closed period; one that is settled already is left as it is."""
    if engine not in (PYTHON, DUCKDB):
        raise SettlementRefused(_("There is no engine called %(engine)s.") % {"engine": engine})
    with transaction.atomic():
        # On its own, so that a reader in another connection sees which lines are counted.
        line_count = count_lines(period=period)
    with transaction.atomic():
        period = Period.objects.select_for_update().get(pk=period.pk)
        settled = SettlementRun.objects.filter(period=period).first()
        if settled is not None:
            return settled
        plan = period_plan(period=period)
        if plan is None and line_count:
            raise NoPlanYet(_("No commission plan has been in force: publish one, then settle."))
        if plan is not None:
            _write_rows(period=period, plan=plan, engine=engine)
        write_correction_rows(period=period)
        return _write_run(
            period=period,
            plan=plan,
            engine=engine,
            line_count=line_count,
            now=now,
            acting_person=acting_person,
        )


def _write_rows(*, period: Period, plan: PlanVersion, engine: str) -> None:
    """Compute the period in a folder and COPY its rows."""
    with tempfile.TemporaryDirectory(prefix="kaituan-settle-") as name:
        folder = Path(name)
        out = folder / "rows.csv"
        write_case_file(folder, period=period, plan=plan)
        if engine == DUCKDB:
            # Imported here: a web worker must never load duckdb and pyarrow.
            from kaituan.settlement.engines.duckdb_engine import settle_folder

            write_parquet_tables(folder, period=period)
            settle_folder(folder, out, ordered=False)
        else:
            from kaituan.settlement.engines.case_reader import read_case
            from kaituan.settlement.engines.output import write_rows
            from kaituan.settlement.engines.python_engine import settle

            write_csv_tables(folder, period=period)
            write_rows(settle(read_case(folder)), out)
        _copy_rows(out, period=period, plan=plan)


def _copy_rows(path: Path, *, period: Period, plan: PlanVersion) -> None:
    """The engine's rows into the table: by COPY, then each with the plan version of its line's order."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.settled_rows")
        cursor.execute(
            "CREATE TEMPORARY TABLE settled_rows"
            " (leader_id bigint, rule text, line_id bigint, amount_fen bigint) ON COMMIT DROP"
        )
        with (
            cursor.copy("COPY settled_rows FROM STDIN (FORMAT csv, HEADER)") as copy,
            path.open("rb") as file,
        ):
            while block := file.read(COPY_BLOCK):
                copy.write(block)
        cursor.execute(
            """
            INSERT INTO settlement_commissionrow (period_id, leader_id, rule, line_id, amount_fen, plan_version)
            SELECT %s, r.leader_id, r.rule, r.line_id, r.amount_fen, coalesce(o.plan_version, %s)
            FROM settled_rows r
            LEFT JOIN ordering_orderline l ON l.id = r.line_id
            LEFT JOIN ordering_order o ON o.id = l.order_id
            """,
            [period.pk, plan.version],
        )


def _write_run(
    *,
    period: Period,
    plan: PlanVersion | None,
    engine: str,
    line_count: int,
    now: datetime,
    acting_person: Person | None,
) -> SettlementRun:
    """Statements, entries, what is told, and the run itself, from the rows that were written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leader_id, sum(amount_fen)::bigint, count(*) FROM settlement_commissionrow"
            " WHERE period_id = %s GROUP BY leader_id ORDER BY leader_id",
            [period.pk],
        )
        totals = cursor.fetchall()
    statements = Statement.objects.bulk_create(
        (
            Statement(period=period, leader_id=leader_id, total_fen=fen, row_count=rows, created_at=now)
            for leader_id, fen, rows in totals
        ),
        batch_size=5_000,
    )
    post_entries(
        entries=[
            commission_entry(period_id=period.pk, leader_id=leader_id, total_fen=fen)
            for leader_id, fen, _rows in totals
            if fen
        ],
        occurred_at=now,
    )
    announce_many(
        topic="statement_ready",
        messages=[
            (f"statement:{row.pk}", {"leader_id": row.leader_id, "amount_fen": row.total_fen})
            for row in statements
        ],
        now=now,
    )
    return SettlementRun.objects.create(
        period=period,
        plan_version=plan.version if plan else "",
        engine=engine,
        line_count=line_count,
        row_count=sum(rows for _leader, _fen, rows in totals),
        total_fen=sum(fen for _leader, fen, _rows in totals),
        settled_at=now,
        settled_by=acting_person,
    )
