"""Totals: the lines summed up by card and by pickup leader, and what the output wants of the sums.

Totals name no line, so lines are only read and added up. `paid_by_card` is what the lines of a card pay but for
their service, `service_by_pickup` is the service. Lines that were ever refunded are in neither.

Parquet is read by its dictionaries (`parquet_lines.py`), and the cards are found by number (`line_blocks.py`). Of
those lines, the ones that a refund may be for are looked at while the others are added up.
"""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_leaders import load_leaders
from kaituan.settlement.engines.duckdb_lines import check_refunds
from kaituan.settlement.engines.duckdb_run import OF_PERIOD, Progress, Run, amount_type
from kaituan.settlement.engines.forest import Cards
from kaituan.settlement.engines.output import TOTALS_HEADER, appearing_whole
from kaituan.settlement.engines.vector_rules import Setting

if TYPE_CHECKING:
    from kaituan.settlement.engines.parquet_lines import Reading


class TotalsRun(Run):
    """The sums per leader and rule. reading: the lines by blocks, None where they are not read so."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        progress: Progress,
        reading: "Reading | None",
    ) -> None:
        super().__init__(connection, folder, progress)
        self.reading = reading

    def write(self, out: Path, *, ordered: bool) -> None:
        self.progress("leaders", 0.0)
        with ThreadPoolExecutor(4) as beside:
            # What one core can do is done beside the main work: refunds while leaders are read, then the
            # cards, and the search for repeated ids.
            refunds = beside.submit(self.load_refunds)
            self.leaders = load_leaders(self.connection, self.sources["leaders"], by_number=True)
            self.progress("lines", 0.1)
            cards = beside.submit(self.cards_of_the_period)
            refunds.result()
            if self.reading:
                service_added, ids_checked = self._add_up_blocks(self.reading, cards, beside)
            else:
                service_added, ids_checked = self._add_up_table(cards, beside)
            self.create_of_period(TURNOVER)
            service_added.result()
            self.progress("rows", 0.5)
            with appearing_whole(out) as unfinished:
                order = ("leader_id", "rule") if ordered else ()
                self.save(totals_sql(self.setting), TOTALS_HEADER, unfinished, order=order)
                ids_checked.result()
        self.progress("done", 1.0)

    def _add_up_table(self, cards: Future[Cards], beside: Executor) -> tuple[Future[None], Future[None]]:
        """The tables `paid_by_card`, `of_refunded`, and when the first future is done `service_by_pickup`; when the
        second is, no id is there twice."""
        ids_checked = self.load_lines(cards, beside, with_ids=False)
        lines = rules.never_refunded_sql(self.setting, "every_line")
        self.execute(paid_by_card_sql(self.setting, lines))
        service_added = beside.submit(self._execute_beside, service_by_pickup_sql(self.setting, lines), {})
        self._create_of_refunded()
        return service_added, ids_checked

    def _add_up_blocks(
        self, reading: "Reading", cards: Future[Cards], beside: Executor
    ) -> tuple[Future[None], Future[None]]:
        """As `_add_up_table`, by blocks."""
        # These load pyarrow, which is there where blocks are.
        from kaituan.settlement.engines.duckdb_blocks import load_blocks
        from kaituan.settlement.engines.line_blocks import CardFinder

        def card_finder() -> CardFinder:
            return CardFinder(
                cards.result(), start=self.case.start, end=self.case.end, classes=len(self.words.classes)
            )

        loaded = load_blocks(
            self.connection,
            self.sources["lines"],
            reading,
            self.case.plans,
            self.words,
            self.leaders.ids,
            beside.submit(card_finder),
            with_costs=self.with_costs,
        )
        self.progress("rules", 0.45)
        in_order = loaded.ids_ascend()
        ids_checked = beside.submit(lambda: None if in_order else self.check_line_ids(kept=False))
        self.prepare(cards.result(), amount_type(loaded.highest_fen))
        numbered = {"numbered_line": loaded.numbered()}
        lines = numbered_sql("numbered_line", with_costs=self.with_costs)
        paid = paid_by_card_sql(self.setting, lines, numbered=True)
        paid_added = beside.submit(self._execute_beside, paid, numbered)

        aside = {"aside": loaded.aside()}
        self.connection.register("aside", aside["aside"])
        self.execute(refunded_line_sql(with_costs=self.with_costs))
        check_refunds(self.connection, self.sources["refunds"])
        self.look_up_refunds(cards.result())
        self._create_of_refunded()
        paid_added.result()
        put_back = numbered_sql(PUT_BACK, with_costs=self.with_costs)
        lines = f"{lines} UNION ALL {put_back}"
        served = service_by_pickup_sql(self.setting, lines, numbered=True)
        service_added = beside.submit(self._execute_beside, served, numbered | aside)
        self.execute(paid_by_card_sql(self.setting, put_back, numbered=True, more=True))
        return service_added, ids_checked

    def _execute_beside(self, statement: str, tables: dict[str, Any]) -> None:
        """Execute it on a connection of its own, which knows these Arrow tables."""
        with self.connection.cursor() as cursor:
            for name, table in tables.items():
                cursor.register(name, table)
            cursor.execute(statement).fetchall()

    def _create_of_refunded(self) -> None:
        """The table `of_refunded`: the sums of all rows that have to do with a refund."""
        rows = self.rows_sql(rules.current_sql(self.setting))
        self.execute(f"""
            CREATE TABLE of_refunded AS
            SELECT leader, rule, SUM(amount_fen) AS amount_fen FROM ({rows}) AS r GROUP BY leader, rule
        """)


# Lines that were put aside, are of the period, and that no refund is for.
PUT_BACK = "(SELECT * FROM aside WHERE line_key = 0 AND card_no >= 0)"


def numbered_sql(lines: str, *, with_costs: bool) -> str:
    """Numbered lines (see `line_blocks.py`) as `vector_rules` wants them: those of the period without a refund."""
    cost_fen = "cost_fen" if with_costs else "0 AS cost_fen"
    return f"""
        SELECT '' AS line_id, pickup, paid_fen, {cost_fen}, sale_rate_bp,
            paid_fen AS net_fen, paid_fen AS service_net_fen, card_no, rate_no
        FROM {lines} AS numbered
    """


def refunded_line_sql(*, with_costs: bool) -> str:
    """Creates the table `refunded_line` out of the lines put aside."""
    cost_fen = "cost_fen" if with_costs else "0 AS cost_fen"
    return f"""
        CREATE TABLE refunded_line AS
        SELECT '' AS line_id, line_key, seller, NULLIF(pickup, -1) AS pickup, rate_class, completed_at, paid_fen,
            {cost_fen}, sale_rate_bp
        FROM aside WHERE line_key > 0
    """


def paid_by_card_sql(setting: Setting, lines: str, *, numbered: bool = False, more: bool = False) -> str:
    """Creates the table `paid_by_card` of the lines of a statement, beside the amounts what was paid for them. more:
    it is there, and gets more rows."""
    names = ["paid_fen", *(pay.amount for pay in rules.refundable_slots(setting))]
    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    amounts = rules.amounts_sql(setting, lines, numbered=numbered)
    return f"""
        {"INSERT INTO paid_by_card" if more else "CREATE TABLE paid_by_card AS"}
        SELECT card_no, {sums} FROM ({amounts}) AS a GROUP BY card_no
    """


def service_by_pickup_sql(setting: Setting, lines: str, *, numbered: bool = False) -> str:
    """Creates the table `service_by_pickup` of the lines of a statement. A pickup that is no leader is nobody's."""
    served = rules.service_sql(setting, lines, numbered=numbered)
    return f"""
        CREATE TABLE service_by_pickup AS
        SELECT pickup, SUM(service_fen) AS service_fen FROM ({served}) AS s GROUP BY pickup
    """


# gmv_fen by seller of the lines without any refund.
TURNOVER = """
    SELECT k.seller, CAST(SUM(p.paid_fen) AS BIGINT) AS gmv_fen
    FROM paid_by_card AS p JOIN card AS k ON k.card_no = p.card_no GROUP BY k.seller
"""


def totals_sql(setting: Setting) -> str:
    """leader_id, rule, amount_fen of the output."""
    by_card = " UNION ALL ".join(
        f"SELECT k.{pay.leader} AS leader, CAST('{pay.rule}' AS {setting.rule_type}) AS rule, "
        f"p.{pay.amount} AS amount_fen FROM paid_by_card AS p JOIN card AS k ON k.card_no = p.card_no"
        for pay in rules.refundable_slots(setting)
    )
    return f"""
        SELECT l.leader_id, t.rule, t.amount_fen
        FROM (
            SELECT leader, rule, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen
            FROM (
                {by_card}
                UNION ALL
                SELECT pickup, CAST('service' AS {setting.rule_type}), service_fen
                FROM service_by_pickup WHERE pickup >= 0
                UNION ALL SELECT leader, rule, amount_fen FROM of_refunded
                UNION ALL SELECT leader, rule, amount_fen FROM ({OF_PERIOD}) AS p
            ) AS all_sums
            GROUP BY leader, rule HAVING SUM(amount_fen) <> 0
        ) AS t JOIN leader AS l ON l.handle = t.leader
    """
