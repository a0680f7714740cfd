"""Statements as Excel, and the quarterly file of leaders' income."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from kaituan.commission.explanations import RULE_NAMES, percent
from kaituan.money.fen import format_yuan
from kaituan.people.models import Person
from kaituan.people.privacy import log_export
from kaituan.settlement.models import Statement
from kaituan.settlement.queries import StatementRow, statement_rows

ZONE = ZoneInfo("Asia/Shanghai")
MONTHS = {1: (1, 4), 2: (4, 7), 3: (7, 10), 4: (10, 13)}
"""Quarter -> its first month, and the month after it (13: January of the next year)."""


class ExportRefused(ValueError):
    """There is no such file; the message says why."""


def statement_workbook(*, statement: Statement) -> bytes:
    """A statement as .xlsx: one row per amount in the order of the page, with the sum below."""
    # Imported here: a web worker must not load openpyxl until somebody wants a file.
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = _("Statement")
    period = statement.period
    span = f"{_day(period.starts_at)} – {_day(period.ends_at)}"
    rows: list[list[Any]] = [
        [_("Statement"), statement.leader.person.name, span],
        [],
        [
            _("Rule"), _("Group buy"), _("Number"), _("Completed"), _("Explanation"), _("Base (yuan)"), _("Rate"),
            _("Amount (yuan)"), _("Plan"),
        ],
    ]  # fmt: skip
    rows += [_cells(row) for row in statement_rows(statement=statement)]
    rows.append(["", "", "", "", _("Total"), "", "", _yuan(statement.total_fen), ""])
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(row=number, column=column)
            # A workbook holds no control characters, which a title may.
            cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", value) if isinstance(value, str) else value
            if isinstance(value, str):
                # Text stays text: a title that begins with = is no formula.
                cell.data_type = "s"
            elif isinstance(value, Decimal):
                cell.number_format = "0.00"
    for number in (1, 3, len(rows)):
        for cell in sheet[number]:
            cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFGHI", (14, 22, 8, 18, 70, 12, 8, 14, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A4"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cells(row: StatementRow) -> list[Any]:
    return [
        str(RULE_NAMES.get(row.rule, row.rule)),
        row.campaign,
        row.follow_number if row.follow_number is not None else "",
        f"{row.completed_at.astimezone(ZONE):%Y-%m-%d %H:%M}" if row.completed_at else "",
        row.words,
        _yuan(row.base_fen) if row.base_fen is not None else "",
        percent(row.rate_bp) if row.rate_bp is not None else "",
        _yuan(row.amount_fen),
        row.plan_version,
    ]


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _day(time: datetime | None) -> str:
    return f"{time.astimezone(ZONE):%Y-%m-%d}" if time else ""


INCOME_SQL = """
    SELECT leader.public_id, person.name, coalesce(paid.payouts, 0), coalesce(paid.income_fen, 0),
        coalesce(paid.tax_fen, 0), coalesce(paid.netted_fen, 0), coalesce(settled.sale_fen, 0),
        coalesce(settled.service_fen, 0), coalesce(settled.other_fen, 0)
    FROM people_leader leader
    JOIN people_person person ON person.id = leader.person_id
    LEFT JOIN (
        SELECT leader_id, count(*) AS payouts, sum(amount_fen) AS income_fen, sum(tax_fen) AS tax_fen,
            sum(netted_fen) AS netted_fen
        FROM settlement_withdrawal
        WHERE status = 'paid' AND paid_at >= %(start)s AND paid_at < %(end)s GROUP BY leader_id
    ) paid ON paid.leader_id = leader.id
    LEFT JOIN (
        SELECT r.leader_id,
            coalesce(sum(r.amount_fen) FILTER (WHERE r.rule = 'sale'), 0) AS sale_fen,
            coalesce(sum(r.amount_fen) FILTER (WHERE r.rule = 'service'), 0) AS service_fen,
            coalesce(sum(r.amount_fen) FILTER (WHERE r.rule NOT IN ('sale', 'service')), 0) AS other_fen
        FROM settlement_commissionrow r
        JOIN settlement_settlementrun run ON run.period_id = r.period_id
        WHERE run.settled_at >= %(start)s AND run.settled_at < %(end)s GROUP BY r.leader_id
    ) settled ON settled.leader_id = leader.id
    WHERE paid.leader_id IS NOT NULL OR settled.leader_id IS NOT NULL
    ORDER BY leader.id
"""
INCOME_HEADER = (
    "leader", "name", "quarter", "payouts", "income_yuan", "tax_withheld_yuan", "netted_yuan",
    "settled_sale_yuan", "settled_service_yuan", "settled_other_yuan",
)  # fmt: skip


def income_file(*, year: int, quarter: int, acting_person: Person, now: datetime) -> bytes:
    """What every leader was paid and what was settled in a quarter (of Beijing), as CSV for the tax report.

    Names leave the house with it, so that the export is logged. Raises ExportRefused.
    """
    if quarter not in MONTHS:
        raise ExportRefused(_("A year has the quarters 1 to 4."))
    start, end = quarter_bounds(year=year, quarter=quarter)
    with connection.cursor() as cursor:
        cursor.execute(INCOME_SQL, {"start": start, "end": end})
        found = cursor.fetchall()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(INCOME_HEADER)
    for public_id, name, payouts, *amounts in found:
        yuan = [format_yuan(int(fen)) for fen in amounts]
        writer.writerow([public_id, _harmless(name), f"{year}Q{quarter}", payouts, *yuan])
    log_export(
        acting_person=acting_person,
        what="leader_income",
        subject=f"quarter:{year}Q{quarter}",
        row_count=len(found),
        now=now,
    )
    # With a byte order mark, or Excel takes the names for another encoding.
    return text.getvalue().encode("utf-8-sig")


def quarter_bounds(*, year: int, quarter: int) -> tuple[datetime, datetime]:
    """[start, end) of a quarter in Beijing."""
    first, after = MONTHS[quarter]
    end = date(year + 1, 1, 1) if after == 13 else date(year, after, 1)
    return (
        datetime(year, first, 1, tzinfo=ZONE),
        datetime(end.year, end.month, end.day, tzinfo=ZONE),
    )


def _harmless(text: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
