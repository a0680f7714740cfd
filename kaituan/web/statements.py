"""What the leader's and the office's pages of a statement share: its rows page by page, the way of one amount, and the
printed sheet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, overload

from django.utils.translation import gettext as _

from kaituan.commission.explanations import RULE_NAMES
from kaituan.ordering.models import OrderLine
from kaituan.ordering.queries import item_of
from kaituan.settlement.corrections import fen_fallen, parts_of
from kaituan.settlement.models import CommissionRow, Statement
from kaituan.settlement.period_words import way_of_period_row
from kaituan.settlement.queries import StatementRow, explain_row, statement_rows, statement_totals
from kaituan.web.formats import money_html, rate_text

ROWS = 100
"""Amounts on one page."""
MOST_PRINTED = 5_000
"""A statement with more amounts than this goes out as Excel."""

Step = tuple[str, str, str, str]
"""What, its value, small words below, an address; the last step is the amount."""


class Rows(Sequence[StatementRow]):
    """All amounts of a statement (or those of one rule, `count` of them), read slice by slice: for a Paginator."""

    def __init__(self, statement: Statement, *, rule: str | None = None, count: int | None = None) -> None:
        self.statement, self.rule = statement, rule
        self.count_of_all = statement.row_count if count is None else count

    def __len__(self) -> int:
        return self.count_of_all

    @overload
    def __getitem__(self, place: int) -> StatementRow: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[StatementRow]: ...
    def __getitem__(self, place: int | slice) -> StatementRow | Sequence[StatementRow]:
        first, last = (place, place + 1) if isinstance(place, int) else (place.start or 0, place.stop)
        limit = None if last is None else last - first
        rows = statement_rows(statement=self.statement, rule=self.rule, offset=first, limit=limit)
        return rows[0] if isinstance(place, int) else rows


def amount_way(row: CommissionRow, *, order_href: str = "") -> dict[str, Any]:
    """The words and steps of one amount, for {% trace steps %}. order_href: a page of the line's order."""
    if row.rule == CommissionRow.CORRECTION:
        return _correction_way(row, order_href)
    explained = explain_row(row=row)
    if explained is None:
        steps: list[Step] = [
            (step.what, money_html(step.fen), "" if step.rate_bp is None else rate_text(step.rate_bp), "")
            for step in way_of_period_row(row=row)
        ]
        return {"words": "", "steps": steps, "plan_version": row.plan_version}
    steps = [
        _line_step(row.line_id or 0, order_href),
        (_("Counted from"), money_html(explained.base_fen), "", ""),
        (_("Rate"), rate_text(explained.rate_bp), "", ""),
        (_("Amount"), money_html(explained.amount_fen), "", ""),
    ]  # fmt: skip
    return {"words": explained.words, "steps": steps, "plan_version": explained.plan_version}


def _line_step(line_id: int, order_href: str) -> Step:
    line = OrderLine.objects.select_related("order__campaign", "offer").get(pk=line_id)
    item = item_of(line)
    what = f"#{line.order.follow_number} {line.order.campaign.title}"
    return what, "", f"{item.title} ×{item.quantity}", order_href


def _correction_way(row: CommissionRow, order_href: str) -> dict[str, Any]:
    """From the amount that was disputed to what it became; below it what the platform said."""
    statement = Statement.objects.select_related("period").get(
        period_id=row.period_id, leader_id=row.leader_id
    )
    parts = parts_of(statement=statement, line_ids=[row.line_id]).get(row.line_id, [])
    steps: list[Step] = [_line_step(row.line_id, order_href)] if row.line_id is not None else []
    for part in parts:
        steps.append((part.what, money_html(part.settled_fen), part.span, ""))
        steps.append((_("Found right, more"), money_html(part.amount_fen), part.reason, ""))
    if (fallen_fen := fen_fallen(row, parts)) > 0:
        steps.append((_("Given back in full since"), money_html(-fallen_fen), "", ""))
    steps.append((_("Amount"), money_html(row.amount_fen), "", ""))
    return {"words": "", "steps": steps, "plan_version": row.plan_version}


def printed_statement(statement: Statement, *, now: datetime) -> dict[str, Any]:
    """The context of web/statement_print.html: the amounts rule by rule, each rule with its sum."""
    rows = statement_rows(statement=statement, limit=MOST_PRINTED)
    plans = sorted({row.plan_version for row in rows})
    return {
        "now": now,
        "statement": statement,
        "leader": statement.leader.person,
        "parts": [
            (RULE_NAMES.get(total.rule, total.rule), total, [row for row in rows if row.rule == total.rule])
            for total in statement_totals(statement=statement)
        ],
        "plans": plans,
        "left_out": max(0, statement.row_count - MOST_PRINTED),
    }
