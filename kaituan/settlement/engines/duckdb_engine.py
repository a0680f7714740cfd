"""The default engine: a whole period by DuckDB, from a folder to a file.

Leaders and tiers become cards (`forest.py`), the lines are read once into a typed table, and one statement
computes and writes every row of every line. Totals (`duckdb_totals.py`) need no row: they read Parquet by its
dictionaries (`parquet_lines.py`) and find the cards by number. Lines with a refund are few and go apart. The
rules are those of `vector_rules.py`.
"""

import gc
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_leaders import load_leaders, load_tiers
from kaituan.settlement.engines.duckdb_lines import (
    check_line_ids,
    check_lines,
    check_refunds,
    load_lines,
    load_refunded_ids,
)
from kaituan.settlement.engines.duckdb_source import create_table, open_source, quoted
from kaituan.settlement.engines.duckdb_totals import (
    NUMBERED_LINES,
    paid_by_card_sql,
    service_by_pickup_sql,
    sums_sql,
)
from kaituan.settlement.engines.folder import read_case_file
from kaituan.settlement.engines.forest import Cards, Forest, TierRows, draw_cards
from kaituan.settlement.engines.output import HEADER, RULES, TOTALS_HEADER, appearing_whole, check_ending
from kaituan.settlement.engines.period_rules import PeriodFacts, period_rows
from kaituan.settlement.engines.rates import Vocabulary, rate_columns, rate_rows, vocabulary
from kaituan.settlement.engines.records import COLUMNS, CaseFile

Progress = Callable[[str, float], None]
ROW_GROUP = 500_000
NARROW, WIDE = "BIGINT", "HUGEINT"


def settle_folder(
    folder: Path,
    out: Path,
    *,
    totals: bool = False,
    ordered: bool = True,
    threads: int | None = None,
    progress: Progress = lambda step, part: None,
) -> None:
    """Settle the case in `folder` and write its rows to `out` (.csv or .parquet).

    totals: the sums per leader and rule instead of the rows. ordered: sorted as the contract says; without
    it the rows come in any order, which is faster. Raises InputError, and then nothing is written.
    """
    check_ending(out)
    with connection_for_settling(threads) as connection, undisturbed():
        _Run(connection, folder, progress).write(out, totals=totals, ordered=ordered)


def check_folder(folder: Path) -> None:
    """Read and check everything in a folder, and settle nothing. Raises InputError."""
    with connection_for_settling(None) as connection:
        run = _Run(connection, folder, lambda step, part: None)
        run.leaders = load_leaders(connection, run.sources["leaders"])
        run.load_refunds()
        run.load_tiers()
        load_lines(connection, run.sources["lines"], run.words)
        check_lines(connection, run.sources["lines"], run.case.plans)
        check_line_ids(connection, run.sources["lines"])
        run.execute("CREATE VIEW refunded_line AS SELECT * FROM loaded WHERE line_key IS NOT NULL")
        check_refunds(connection, run.sources["refunds"])


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


@contextmanager
def undisturbed() -> Iterator[None]:
    """Threads take turns more often, or what computes in numpy would wait for plain Python at every step; and
    nobody looks for circles among millions of numbers."""
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(usual / 20)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


class _Run:
    """One settlement on one connection."""

    setting: rules.Setting
    # SQL of the lines without any refund, and whether they know their card and rate by number.
    never_refunded: str
    numbered: bool

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
        self.connection = connection
        self.progress = progress
        self.case = read_case_file(folder)
        self.words = vocabulary(self.case.plans.values())
        self.with_costs = any(plan.sale.base == "margin" for plan in self.case.plans.values())
        self.sources = {table: open_source(connection, folder, table) for table in COLUMNS}

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement).fetchall()

    def write(self, out: Path, *, totals: bool, ordered: bool) -> None:
        self.progress("leaders", 0.0)
        with ThreadPoolExecutor(3) as beside:
            # What one core can do is done beside the main work: refunds while leaders are read, then the
            # cards, and the search for repeated ids.
            refunds = beside.submit(self.load_refunds)
            by_blocks = beside.submit(self._reads_blocks) if totals else None
            self.leaders = load_leaders(self.connection, self.sources["leaders"], by_number=totals)
            self.progress("lines", 0.1)
            cards = beside.submit(self._cards_of_the_period)
            refunds.result()
            if by_blocks and by_blocks.result():
                ids_checked = self._number_lines(cards, beside)
            else:
                ids_checked = self._load_lines(cards, beside, totals=totals)
            turnover_fen = self._turnover_fen()
            of_period = beside.submit(self._period_rows, turnover_fen)
            if totals:
                self._add_up()
            create_table(self.connection, "of_period", of_period.result())
            self.progress("rows", 0.5)
            with appearing_whole(out) as unfinished:
                self._save(unfinished, totals=totals, ordered=ordered)
                ids_checked.result()
        self.progress("done", 1.0)

    def load_refunds(self) -> None:
        with self.connection.cursor() as cursor:
            load_refunded_ids(cursor, self.sources["refunds"])

    def load_tiers(self) -> None:
        with self.connection.cursor() as cursor:
            self.tiers = load_tiers(cursor, self.sources["tiers"], self.words)

    def _check_line_ids(self, *, kept: bool) -> None:
        with self.connection.cursor() as cursor:
            check_line_ids(cursor, self.sources["lines"], kept=kept)

    def _cards_of_the_period(self) -> Cards:
        self.load_tiers()
        cards = Cards(self.words.rungs)
        self._draw(cards, self.case.start, self.case.end)
        return cards

    def _draw(self, cards: Cards, begins: int, ends: int, sellers: Iterable[int] | None = None) -> None:
        draw_cards(
            cards,
            self.leaders.forest,
            self.tiers,
            begins=begins,
            ends=ends,
            reach=self.words.reach,
            far=self.words.far,
            sellers=sellers,
        )

    def _load_lines(self, cards: Future[Cards], beside: Executor, *, totals: bool) -> Future[None]:
        """The table `loaded` and all that is known of its lines."""
        lines = self.sources["lines"]
        load_lines(self.connection, lines, self.words, with_ids=not totals, with_costs=self.with_costs)
        # Totals name no line, and where no plan pays on the margin, no cost is looked at.
        left_out = (", '' AS line_id" if totals else "") + ("" if self.with_costs else ", 0 AS cost_fen")
        self.execute(f"CREATE VIEW every_line AS SELECT *{left_out} FROM loaded")
        ids_checked = beside.submit(self._check_line_ids, kept=True)
        highest = check_lines(self.connection, lines, self.case.plans)
        self.execute("CREATE TABLE refunded_line AS SELECT * FROM every_line WHERE line_key IS NOT NULL")
        self._look_up(cards.result(), highest)
        self.numbered, self.never_refunded = False, rules.never_refunded_sql(self.setting, "every_line")
        return ids_checked

    def _reads_blocks(self) -> bool:
        from kaituan.settlement.engines import duckdb_blocks

        return duckdb_blocks.reads(self.sources["lines"])

    def _number_lines(self, cards: Future[Cards], beside: Executor) -> Future[None]:
        """The Arrow table `numbered_line` and all that is known of its lines."""
        from kaituan.settlement.engines import duckdb_blocks, line_blocks

        [(threads,)] = self.execute("SELECT current_setting('threads')")
        with ThreadPoolExecutor(threads) as pool:
            blocks, highest = duckdb_blocks.load_blocks(
                self.connection,
                self.sources["lines"],
                self.case.plans,
                self.words,
                self.leaders.ids,
                with_costs=self.with_costs,
                pool=pool,
            )
            in_order = line_blocks.ids_ascend(blocks)
            ids_checked = beside.submit(lambda: None if in_order else self._check_line_ids(kept=False))
            numbered = beside.submit(
                line_blocks.numbered_lines,
                blocks,
                cards.result(),
                len(cards.result().seller),
                start=self.case.start,
                end=self.case.end,
                pool=pool,
            )
            self._look_up(cards.result(), highest)
            found = numbered.result()
        self.connection.register("numbered_line", found)
        self.numbered, self.never_refunded = True, NUMBERED_LINES
        return ids_checked

    def _look_up(self, cards: Cards, highest_fen: int) -> None:
        """What lines and refunds are held against, once the lines are read and `refunded_line` is there."""
        check_refunds(self.connection, self.sources["refunds"])
        self.progress("rules", 0.45)
        self._prepare(cards, amount_type(highest_fen))
        self._look_up_refunds(cards)

    def _add_up(self) -> None:
        """The tables `paid_by_card` and `service_by_pickup`."""
        paid = paid_by_card_sql(self.setting, self.never_refunded, numbered=self.numbered)
        self.execute(f"CREATE TABLE paid_by_card AS {paid}")
        served = service_by_pickup_sql(self.setting, self.never_refunded)
        self.execute(f"CREATE TABLE service_by_pickup AS {served}")

    def _prepare(self, cards: Cards, amount: str, *, first: int = 0) -> None:
        """The tables that the rules read beside the lines: card, rate, slot; and the setting.

        first: the number of the first card that is new since the last time.
        """
        self._create_card(cards, first)
        rows = rate_rows(self.case.plans, self.words, cards.shapes)
        self.setting = rules.Setting(
            start=str(self.case.start),
            end=str(self.case.end),
            rungs=self.words.rungs,
            shapes=len(cards.shapes),
            amount=amount,
            rule_type="rule",
            constants=shared_constants(rows),
        )
        names = rate_columns(self.words.rungs)
        create_table(self.connection, "rate", {name: [row[name] for row in rows] for name in names})
        create_table(self.connection, "slot", {"slot": range(self.words.rungs + 3)})

    def _look_up_refunds(self, cards: Cards) -> None:
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
            sellers, known = [seller for seller, _ in earlier], len(cards.seller)
            self._draw(cards, min(first for _, first in earlier), self.case.start, sellers)
            self._prepare(cards, self.setting.amount, first=known)

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

    def _turnover_fen(self) -> list[int]:
        """gmv of each leader by number."""
        turnover = self.execute(f"""
            SELECT s.number, CAST(SUM(t.gmv_fen) AS BIGINT)
            FROM (
                {rules.turnover_sql(self.setting)} UNION ALL {rules.turnover_never_refunded_sql(self.never_refunded)}
            ) AS t
            JOIN leader AS s ON s.handle = t.seller GROUP BY s.number
        """)
        gmv_fen = [0] * self.leaders.forest.size
        for number, fen in turnover:
            gmv_fen[number] = fen
        return gmv_fen

    def _period_rows(self, gmv_fen: Sequence[int]) -> dict[str, list[Any]]:
        """The columns of the table `of_period`: team_ladder and dividend."""
        facts = period_facts(self.case, self.words, self.leaders.forest, self.tiers, gmv_fen)
        paid = period_rows(self.case.period_plan, facts)
        return {
            "number": [leader for leader, _, _ in paid],
            "rule": [rule for _, rule, _ in paid],
            "amount_fen": [amount for _, _, amount in paid],
        }

    def _rows(self, *, totals: bool) -> str:
        """Every row of the output as leader, rule, line_id, amount_fen; for totals already summed in part."""
        setting = self.setting
        self.execute(f"CREATE TYPE rule AS ENUM ({', '.join(map(quoted, RULES))})")
        for name, net in (("new_amounts", "by_end_fen"), ("old_amounts", "before_fen")):
            statement = rules.amounts_sql(setting, rules.earlier_sql(setting, net))
            self.execute(f"CREATE TABLE {name} AS {statement}")
        lines = rules.current_sql(setting)
        if not totals:
            lines = f"{self.never_refunded} UNION ALL {lines}"
        of_lines = rules.rows_sql(setting, f"({rules.amounts_sql(setting, lines)})", rules.slots(setting))
        if totals:
            of_lines = f"{sums_sql(setting)} UNION ALL {of_lines}"
        return f"""
            {of_lines}
            UNION ALL {rules.adjustments_sql(setting, "new_amounts", "old_amounts")}
            UNION ALL
            SELECT l.handle, CAST(p.rule AS rule), '', p.amount_fen
            FROM of_period AS p JOIN leader AS l ON l.number = p.number
        """

    def _save(self, out: Path, *, totals: bool, ordered: bool) -> None:
        rows = self._rows(totals=totals)
        if totals:
            statement = f"""
                SELECT l.leader_id, t.rule, t.amount_fen
                FROM (
                    SELECT leader, rule, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen
                    FROM ({rows}) AS all_rows GROUP BY leader, rule HAVING SUM(amount_fen) <> 0
                ) AS t JOIN leader AS l ON l.handle = t.leader
            """
        else:
            statement = f"SELECT leader AS leader_id, rule, line_id, amount_fen FROM ({rows}) AS all_rows"
        if ordered:
            self.execute("SET preserve_insertion_order = true")
            statement += " ORDER BY leader_id, rule" + ("" if totals else ", line_id")
        names = TOTALS_HEADER if totals else HEADER
        shown, form = _as_csv(names) if out.suffix == ".csv" else _as_parquet(names)
        self.execute(
            f"COPY (SELECT {shown} FROM ({statement})) TO {quoted(str(out))} ({form}, USE_TMP_FILE false)"
        )


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
    return NARROW if highest_fen < rules.NARROW_BELOW_FEN else WIDE


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
