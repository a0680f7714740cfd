"""One settlement on one DuckDB connection: what rows and totals have in common.

Leaders and tiers become cards (`forest.py`), and lines with a refund, who are few, are looked at apart from the
others. The rules are those of `vector_rules.py`.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_leaders import Leaders, load_leaders, load_tiers
from kaituan.settlement.engines.duckdb_lines import (
    check_line_ids,
    check_lines,
    check_refunds,
    load_lines,
    load_refunded_ids,
)
from kaituan.settlement.engines.duckdb_source import create_table, open_source, quoted
from kaituan.settlement.engines.folder import CaseFile, read_case_file
from kaituan.settlement.engines.forest import Cards, Forest, TierRows
from kaituan.settlement.engines.output import RULES
from kaituan.settlement.engines.period_rules import PeriodFacts, period_rows
from kaituan.settlement.engines.rates import Vocabulary, rate_columns, rate_rows, vocabulary
from kaituan.settlement.engines.records import COLUMNS

Progress = Callable[[str, float], None]
ROW_GROUP = 500_000
WIDE = "HUGEINT"


@contextmanager
def connection_for_settling(threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into a folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kaituan-settle-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {quoted(spill)}").fetchall()
        connection.execute("SET preserve_insertion_order = false").fetchall()
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        # Leaders and cards are numbered without gaps: up to so many bits, sums go straight to their number.
        connection.execute("SET perfect_ht_threshold = 20").fetchall()
        if threads:
            connection.execute(f"SET threads = {int(threads)}").fetchall()
        yield connection


def check_folder(folder: Path) -> None:
    """Read and check everything in a folder, and settle nothing. Raises InputError."""
    with connection_for_settling(None) as connection:
        run = Run(connection, folder, lambda step, part: None)
        run.leaders = load_leaders(connection, run.sources["leaders"])
        run.load_refunds()
        run.load_tiers()
        load_lines(connection, run.sources["lines"], run.words)
        check_lines(connection, run.sources["lines"], run.case.plans)
        check_line_ids(connection, run.sources["lines"])
        run.execute("CREATE VIEW refunded_line AS SELECT * FROM loaded WHERE line_key IS NOT NULL")
        check_refunds(connection, run.sources["refunds"])


class Run:
    """One settlement on one connection."""

    leaders: Leaders
    setting: rules.Setting

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
        self.connection = connection
        self.progress = progress
        self.case = read_case_file(folder)
        self.words = vocabulary(self.case.plans.values())
        self.with_costs = any(plan.sale.base == "margin" for plan in self.case.plans.values())
        self.sources = {table: open_source(connection, folder, table) for table in COLUMNS}

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement).fetchall()

    def load_refunds(self) -> None:
        with self.connection.cursor() as cursor:
            load_refunded_ids(cursor, self.sources["refunds"])

    def load_tiers(self) -> None:
        with self.connection.cursor() as cursor:
            self.tiers = load_tiers(cursor, self.sources["tiers"], self.words)

    def cards_of_the_period(self) -> Cards:
        self.load_tiers()
        cards = Cards(self.words.rungs)
        self.words.draw(cards, self.leaders.forest, self.tiers, self.case.start, self.case.end)
        return cards

    def load_lines(self, cards: Future[Cards], beside: Executor, *, with_ids: bool) -> Future[None]:
        """The view `every_line` and all that is known of its lines. The future is done once no id is there twice."""
        lines = self.sources["lines"]
        load_lines(self.connection, lines, self.words, with_ids=with_ids, with_costs=self.with_costs)
        # Where no plan pays on the margin, no cost is looked at.
        left_out = ("" if with_ids else ", '' AS line_id") + ("" if self.with_costs else ", 0 AS cost_fen")
        self.execute(f"CREATE VIEW every_line AS SELECT *{left_out} FROM loaded")
        ids_checked = beside.submit(self.check_line_ids, kept=True)
        highest = check_lines(self.connection, lines, self.case.plans)
        self.execute("CREATE TABLE refunded_line AS SELECT * FROM every_line WHERE line_key IS NOT NULL")
        check_refunds(self.connection, self.sources["refunds"])
        self.progress("rules", 0.45)
        self.prepare(cards.result(), amount_type(highest))
        self.look_up_refunds(cards.result())
        return ids_checked

    def check_line_ids(self, *, kept: bool) -> None:
        with self.connection.cursor() as cursor:
            check_line_ids(cursor, self.sources["lines"], kept=kept)

    def prepare(self, cards: Cards, amount: str, *, first: int = 0) -> None:
        """The tables that the rules read beside the lines: card, rate, slot; and the setting.

        first: the number of the first card that is new since the last time.
        """
        self._create_card(cards, first)
        rows = rate_rows(self.case.plans, self.words, cards.shapes)
        self.setting = rules.Setting(
            start=str(self.case.start),
            end=str(self.case.end),
            rungs=self.words.rungs,
            classes=len(self.words.classes),
            amount=amount,
            rule_type="rule",
            constants=shared_constants(rows),
        )
        names = rate_columns(self.words.rungs)
        create_table(self.connection, "rate", {name: [row[name] for row in rows] for name in names})
        create_table(self.connection, "slot", {"slot": range(self.words.rungs + 3)})

    def look_up_refunds(self, cards: Cards) -> None:
        """The tables `line` (the refunded ones: the others are read apart) and `refunded`, and the cards of the
        sellers of earlier lines that this period's refunds touch."""
        self.execute(f"CREATE VIEW line AS SELECT * FROM refunded_line WHERE completed_at < {self.case.end}")
        self.execute(
            "CREATE TABLE refunded AS " + rules.refunded_sql(str(self.case.start), str(self.case.end))
        )
        earlier = self.execute(f"""
            SELECT s.number, min(l.completed_at)
            FROM line AS l JOIN refunded AS f ON f.line_key = l.line_key JOIN leader AS s ON s.handle = l.seller
            WHERE l.completed_at < {self.case.start} AND f.by_end_fen > f.before_fen GROUP BY s.number
        """)
        if earlier:
            sellers, known = [seller for seller, _ in earlier], len(cards)
            begins = min(first for _, first in earlier)
            self.words.draw(cards, self.leaders.forest, self.tiers, begins, self.case.start, sellers)
            self.prepare(cards, self.setting.amount, first=known)

    def _create_card(self, cards: Cards, first: int) -> None:
        """The table `card`, or its rows from card number `first` on where there are earlier ones."""
        rungs = range(1, self.words.rungs + 1)
        create_table(self.connection, "drawn", cards.columns(first))
        above = "".join(f", above{rung}.handle AS a{rung}" for rung in rungs)
        joins = "".join(
            f" LEFT JOIN leader AS above{rung} ON above{rung}.number = d.a{rung}" for rung in rungs
        )
        self.execute(f"""
            {"INSERT INTO card" if first else "CREATE TABLE card AS"}
            SELECT CAST(d.card_no AS INTEGER) AS card_no, seller.handle AS seller, d.begins, d.ends,
                CAST(d.shape AS INTEGER) AS shape{above}
            FROM drawn AS d JOIN leader AS seller ON seller.number = d.seller{joins}
        """)

    def create_of_period(self, never_refunded: str) -> None:
        """The table `of_period`: team_ladder and dividend. never_refunded: SQL of gmv_fen by seller of the lines
        without any refund."""
        turnover = self.execute(f"""
            SELECT s.number, CAST(SUM(t.gmv_fen) AS BIGINT)
            FROM ({rules.turnover_sql(self.setting)} UNION ALL {never_refunded}) AS t
            JOIN leader AS s ON s.handle = t.seller GROUP BY s.number
        """)
        gmv_fen = [0] * self.leaders.forest.size
        for number, fen in turnover:
            gmv_fen[number] = fen
        facts = period_facts(self.case, self.words, self.leaders.forest, self.tiers, gmv_fen)
        paid = period_rows(self.case.period_plan, facts)
        columns: dict[str, list[Any]] = {
            "number": [leader for leader, _, _ in paid],
            "rule": [rule for _, rule, _ in paid],
            "amount_fen": [amount for _, _, amount in paid],
        }
        create_table(self.connection, "of_period", columns)

    def rows_sql(self, lines: str) -> str:
        """leader, rule, line_id, amount_fen of what lines of the period pay (a statement like `vector_rules`'
        `current_sql`), and of what this period's refunds change of earlier ones."""
        setting = self.setting
        self.execute(f"CREATE TYPE rule AS ENUM ({', '.join(map(quoted, RULES))})")
        for name, net in (("new_amounts", "by_end_fen"), ("old_amounts", "before_fen")):
            statement = rules.amounts_sql(setting, rules.earlier_sql(setting, net))
            self.execute(f"CREATE TABLE {name} AS {statement}")
        return f"""
            {rules.rows_sql(setting, f"({rules.amounts_sql(setting, lines)})", rules.slots(setting))}
            UNION ALL {rules.adjustments_sql(setting, "new_amounts", "old_amounts")}
        """

    def save(self, statement: str, names: Sequence[str], out: Path, *, order: Sequence[str]) -> None:
        """Write what a statement gives to a file, as its ending says."""
        if order:
            self.execute("SET preserve_insertion_order = true")
            statement += f" ORDER BY {', '.join(order)}"
        shown, form = _as_csv(names) if out.suffix == ".csv" else _as_parquet(names)
        self.execute(
            f"COPY (SELECT {shown} FROM ({statement})) TO {quoted(str(out))} ({form}, USE_TMP_FILE false)"
        )


# What `create_of_period` paid, with the handles of `leader`.
OF_PERIOD = """
    SELECT l.handle AS leader, CAST(p.rule AS rule) AS rule, '' AS line_id, p.amount_fen
    FROM of_period AS p JOIN leader AS l ON l.number = p.number
"""


def _as_parquet(names: Sequence[str]) -> tuple[str, str]:
    # Line ids differ row by row: looking for a dictionary among them is lost work.
    return ", ".join(
        names
    ), f"FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP}, DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION v2"


def _as_csv(names: Sequence[str]) -> tuple[str, str]:
    """Each row as one text that is already CSV: DuckDB's own writer quotes more than `csv_field` does."""
    fields = [
        f"CASE WHEN regexp_matches(CAST({name} AS VARCHAR), '[\",\\r\\n]') "
        f"THEN '\"' || replace(CAST({name} AS VARCHAR), '\"', '\"\"') || '\"' ELSE CAST({name} AS VARCHAR) END"
        for name in names
    ]
    whole = " || ',' || ".join(fields)
    return (
        f'{whole} AS "{",".join(names)}"',
        "FORMAT csv, HEADER true, QUOTE '', ESCAPE '', DELIMITER E'\\x01'",
    )


def amount_type(highest_fen: int) -> str:
    """The integer type that holds every product of lines up to this paid_fen."""
    return rules.NARROW if highest_fen < rules.NARROW_BELOW_FEN else WIDE


def shared_constants(rows: list[dict[str, int]]) -> dict[str, int]:
    """The columns of `rate` that hold one value in all rows."""
    if not rows:
        return {}
    return {name: rows[0][name] for name in rows[0] if len({row[name] for row in rows}) == 1}


def period_facts(
    case: CaseFile, words: Vocabulary, forest: Forest, tiers: TierRows, gmv_fen: Sequence[int]
) -> PeriodFacts:
    """Turnover with who holds which tier of the period's plan at its start and end."""
    plan = case.period_plan
    listed = {words.tier_codes[tier] for tier in plan.tiers}
    shared = (
        {words.tier_codes[tier] for tier in plan.dividend.tiers if tier in plan.tiers}
        if plan.dividend
        else set()
    )
    at_start = tiers.held(forest.size, case.start).tolist()
    at_end = tiers.held(forest.size, case.end - 1).tolist()
    return PeriodFacts(
        forest=forest,
        gmv_fen=gmv_fen,
        listed_at_end=[code in listed for code in at_end],
        eligible=[first in shared and last in shared for first, last in zip(at_start, at_end, strict=True)],
    )
