"""The engine for many machines: the same rules on Spark, for one folder or for many as one job.

Leaders and tiers are few and are read and checked on the driver, as for DuckDB; lines and refunds are read,
checked and settled by Spark. Every leader, rate class and rate of every case has a number of its own, so
that the cases share the tables and never meet. Needs pyspark and Java 17 (`pip install kaituan[spark]`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from kaituan.money.fen import MAX_FEN
from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.dialect import for_spark
from kaituan.settlement.engines.duckdb_leaders import Leaders, load_leaders, load_tiers
from kaituan.settlement.engines.duckdb_run import check_folder, connection_for_settling, period_facts
from kaituan.settlement.engines.duckdb_source import open_source
from kaituan.settlement.engines.folder import CaseFile, read_case_file
from kaituan.settlement.engines.forest import Cards, TierRows
from kaituan.settlement.engines.output import appearing_whole, check_ending, write_rows
from kaituan.settlement.engines.period_rules import period_rows
from kaituan.settlement.engines.rates import Vocabulary, rate_columns, rate_rows, vocabulary
from kaituan.settlement.engines.records import CommissionRow, refusal
from kaituan.settlement.engines.spark_source import read_tables, session

Progress = Callable[[str, float], None]


def settle_folder(
    folder: Path,
    out: Path,
    *,
    totals: bool = False,
    ordered: bool = True,
    threads: int | None = None,
    progress: Progress = lambda step, part: None,
) -> None:
    """Settle the case in `folder` and write its rows to `out`. Raises InputError; then nothing is written."""
    check_ending(out)
    job = _Job(session(threads), {0: folder}, progress)
    rows = job.rows(totals=totals, ordered=ordered)
    with appearing_whole(out) as unfinished:
        write_rows(_commission_rows(rows), unfinished, totals=totals)
    progress("done", 1.0)


def settle_folders(
    folders: Mapping[int, Path], *, threads: int | None = None
) -> dict[int, list[CommissionRow]]:
    """The sorted rows of many cases, settled as one job. Raises InputError for the first folder refused."""
    settled: dict[int, list[CommissionRow]] = {key: [] for key in folders}
    rows = _Job(session(threads), folders, lambda step, part: None).rows(totals=False, ordered=True)
    for row in rows.toLocalIterator(prefetchPartitions=True):
        settled[row.case_no].append(CommissionRow(row.leader_id, row.rule, row.line_id, row.amount_fen))
    return settled


def _commission_rows(rows: DataFrame) -> Iterator[CommissionRow]:
    for row in rows.toLocalIterator(prefetchPartitions=True):
        yield CommissionRow(row.leader_id, row.rule, row.line_id, row.amount_fen)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the driver knows of one case. leaders_from: the first of its leaders' numbers in the job."""

    case: CaseFile
    words: Vocabulary
    leaders: Leaders
    tiers: TierRows
    cards: Cards
    leaders_from: int

    def draw(self, begins: int, ends: int, sellers: Iterable[int] | None = None) -> None:
        self.words.draw(self.cards, self.leaders.forest, self.tiers, begins, ends, sellers)


def _know(folder: Path, leaders_from: int) -> _Known:
    """Read and check what is small of a case. Raises InputError."""
    case = read_case_file(folder)
    words = vocabulary(case.plans.values())
    with connection_for_settling(1) as connection:
        leaders = load_leaders(connection, open_source(connection, folder, "leaders"))
        tiers = load_tiers(connection, open_source(connection, folder, "tiers"), words)
    known = _Known(case, words, leaders, tiers, Cards(words.rungs), leaders_from)
    known.draw(case.start, case.end)
    return known


class _Job:
    """Many cases on one session; its tables are views of the session."""

    def __init__(self, spark: SparkSession, folders: Mapping[int, Path], progress: Progress) -> None:
        self.spark = spark
        self.folders = folders
        self.progress = progress

    def rows(self, *, totals: bool, ordered: bool) -> DataFrame:
        """Columns case_no, leader_id, rule, line_id, amount_fen."""
        self.progress("leaders", 0.0)
        self.known: dict[int, _Known] = {}
        leaders_from = 0
        for case_no, folder in self.folders.items():
            self.known[case_no] = _know(folder, leaders_from)
            leaders_from += self.known[case_no].leaders.forest.size
        self.rungs = max(known.words.rungs for known in self.known.values())
        self._create_leader()
        self._create_class()
        self.progress("lines", 0.2)
        highest = self._create_line()
        self.progress("rules", 0.4)
        self._create_card_and_rate(highest)
        self.progress("rows", 0.6)
        return self._paid(totals=totals, ordered=ordered)

    def _view(self, name: str, statement: str) -> DataFrame:
        rows = self.spark.sql(for_spark(statement))
        rows.createOrReplaceTempView(name)
        return rows

    def _table(self, name: str, columns: Mapping[str, tuple[list[Any], pa.DataType]]) -> None:
        """A small table from the driver. Spark takes Arrow as it is, without a detour by rows."""
        table = pa.table({column: pa.array(values, kind) for column, (values, kind) in columns.items()})
        self.spark.createDataFrame(table).createOrReplaceTempView(name)

    def _create_leader(self) -> None:
        numbers: list[int] = []
        case_nos: list[int] = []
        ids: list[str] = []
        for case_no, known in self.known.items():
            numbers += range(known.leaders_from, known.leaders_from + known.leaders.forest.size)
            case_nos += [case_no] * known.leaders.forest.size
            ids += known.leaders.ids
        self._table(
            "leader",
            {
                "number": (numbers, pa.int64()),
                "case_no": (case_nos, pa.int64()),
                "leader_id": (ids, pa.string()),
            },
        )

    def _create_class(self) -> None:
        """The tables `rate_class` (numbered through all cases) and `period`."""
        rows = [
            (case_no, each.version, each.category)
            for case_no, known in self.known.items()
            for each in known.words.classes
        ]
        self._table(
            "rate_class",
            {
                "number": (list(range(len(rows))), pa.int64()),
                "case_no": ([case_no for case_no, _, _ in rows], pa.int64()),
                "plan_version": ([version for _, version, _ in rows], pa.string()),
                "category": ([category for _, _, category in rows], pa.string()),
            },
        )
        cases = [known.case for known in self.known.values()]
        self._table(
            "period",
            {
                "case_no": (list(self.known), pa.int64()),
                "period_start": ([case.start for case in cases], pa.int64()),
                "period_end": ([case.end for case in cases], pa.int64()),
            },
        )

    def _create_line(self) -> int:
        """The tables `line` and `refund`, checked. Returns the largest paid_fen."""
        try:
            for table in ("lines", "refunds"):
                read_tables(self.spark, self.folders, table).createOrReplaceTempView(f"given_{table}")
            loaded = self.spark.sql("""
                SELECT q.case_no, q.line_id, concat(q.case_no, ':', q.line_id) AS line_key,
                    seller.number AS seller, pickup.number AS pickup,
                    COALESCE(listed.number, other.number) AS rate_class, q.paid_fen, q.cost_fen, q.sale_rate_bp,
                    q.completed_at, p.period_start, p.period_end,
                    q.allowed AND seller.number IS NOT NULL AND other.number IS NOT NULL
                        AND (pickup.number IS NOT NULL OR q.pickup_leader_id = '') AS allowed
                FROM given_lines AS q JOIN period AS p ON p.case_no = q.case_no
                LEFT JOIN leader AS seller ON seller.case_no = q.case_no AND seller.leader_id = q.leader_id
                LEFT JOIN leader AS pickup
                    ON pickup.case_no = q.case_no AND pickup.leader_id = q.pickup_leader_id
                LEFT JOIN rate_class AS listed ON listed.case_no = q.case_no
                    AND listed.plan_version = q.plan_version AND listed.category = q.category
                LEFT JOIN (SELECT * FROM rate_class WHERE category IS NULL) AS other
                    ON other.case_no = q.case_no AND other.plan_version = q.plan_version
            """)
            loaded.persist()
            loaded.createOrReplaceTempView("loaded")
            self.spark.sql("""
                SELECT concat(case_no, ':', line_id) AS line_key, case_no, refunded_at, amount_fen, allowed
                FROM given_refunds
            """).createOrReplaceTempView("refund")
            highest = self._check_lines()
        except PySparkException as mistake:
            raise self._named(list(self.folders), str(mistake)) from None
        self.spark.sql("SELECT * FROM loaded WHERE completed_at < period_end").createOrReplaceTempView("line")
        self._view("refunded", rules.refunded_sql("l.period_start", "l.period_end")).persist()
        return highest

    def _check_lines(self) -> int:
        """Raise InputError where any line or refund may not stand."""
        checks = self.spark.sql(f"""
            SELECT case_no FROM loaded WHERE NOT allowed
            UNION ALL SELECT case_no FROM loaded GROUP BY case_no, line_id HAVING COUNT(*) > 1
            UNION ALL SELECT case_no FROM loaded GROUP BY case_no
                HAVING SUM(CAST(paid_fen AS DECIMAL(38, 0))) > {MAX_FEN}
            UNION ALL SELECT case_no FROM refund WHERE NOT allowed
            UNION ALL
            SELECT r.case_no FROM (
                SELECT case_no, line_key, SUM(CAST(amount_fen AS DECIMAL(38, 0))) AS total_fen FROM refund
                GROUP BY case_no, line_key
            ) AS r LEFT JOIN loaded AS l ON l.line_key = r.line_key
            WHERE l.line_key IS NULL OR r.total_fen > l.paid_fen
        """)
        bad = sorted({row.case_no for row in checks.distinct().collect()})
        if bad:
            raise self._named(bad, "a row may not stand")
        [(highest,)] = self.spark.sql("SELECT COALESCE(MAX(paid_fen), 0) FROM loaded").collect()
        return int(highest)

    def _named(self, case_nos: list[int], otherwise: str) -> Exception:
        """The refusal with file, row and ids, found by reading the folders again on the driver."""
        for case_no in case_nos:
            check_folder(self.folders[case_no])
        return refusal("lines", otherwise.splitlines()[0])

    def _create_card_and_rate(self, highest_fen: int) -> None:
        self._draw_earlier()
        columns: dict[str, list[int | None]] = {
            name: [] for name in ("card_no", "seller", "begins", "ends", "shape")
        }
        columns |= {f"a{rung}": [] for rung in range(1, self.rungs + 1)}
        rates: list[dict[str, int]] = []
        first_class = 0
        classes = sum(len(known.words.classes) for known in self.known.values())
        for known in self.known.values():
            _add_cards(columns, known)
            for row in rate_rows(known.case.plans, known.words, known.cards.shapes):
                shape, of_class = divmod(row["rate_no"], len(known.words.classes))
                rates.append(row | {"rate_no": shape * classes + first_class + of_class})
            first_class += len(known.words.classes)
        names = rate_columns(self.rungs)
        self._table("card", {name: (values, pa.int64()) for name, values in columns.items()})
        self._table("rate", {name: ([row.get(name, 0) for row in rates], pa.int64()) for name in names})
        self._table("slot", {"slot": (list(range(self.rungs + 3)), pa.int64())})
        self.setting = rules.Setting(
            start="l.period_start",
            end="l.period_end",
            rungs=self.rungs,
            classes=classes,
            amount=rules.NARROW if highest_fen < rules.NARROW_BELOW_FEN else "DECIMAL(38, 0)",
            rule_type="STRING",
            constants={},
        )

    def _draw_earlier(self) -> None:
        """Cards of the sellers of earlier lines that this period's refunds touch."""
        earlier = self.spark.sql("""
            SELECT l.case_no, l.seller, min(l.completed_at) AS first
            FROM line AS l JOIN refunded AS f ON f.line_key = l.line_key
            WHERE l.completed_at < l.period_start AND f.by_end_fen > f.before_fen
            GROUP BY l.case_no, l.seller
        """)
        by_case: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for row in earlier.collect():
            by_case[row.case_no].append((row.seller, row.first))
        for case_no, found in by_case.items():
            known = self.known[case_no]
            sellers = [seller - known.leaders_from for seller, _ in found]
            known.draw(min(first for _, first in found), known.case.start, sellers)

    def _create_period_rows(self) -> None:
        """The table `of_period`: team_ladder and dividend of every case."""
        turnover = {
            row.seller: row.gmv_fen
            for row in self.spark.sql(for_spark(rules.turnover_sql(self.setting))).collect()
        }
        paid: list[tuple[int, str, int]] = []
        for known in self.known.values():
            first, size = known.leaders_from, known.leaders.forest.size
            gmv_fen = [turnover.get(number, 0) for number in range(first, first + size)]
            facts = period_facts(known.case, known.words, known.leaders.forest, known.tiers, gmv_fen)
            for leader, rule, amount in period_rows(known.case.period_plan, facts):
                paid.append((first + leader, rule, amount))
        self._table(
            "of_period",
            {
                "leader": ([leader for leader, _, _ in paid], pa.int64()),
                "rule": ([rule for _, rule, _ in paid], pa.string()),
                "line_id": ([""] * len(paid), pa.string()),
                "amount_fen": ([amount for _, _, amount in paid], pa.int64()),
            },
        )

    def _paid(self, *, totals: bool, ordered: bool) -> DataFrame:
        setting = self.setting
        self._create_period_rows()
        self._view("current_amounts", rules.amounts_sql(setting, rules.current_sql(setting)))
        self._view("new_amounts", rules.amounts_sql(setting, rules.earlier_sql(setting, "by_end_fen")))
        self._view("old_amounts", rules.amounts_sql(setting, rules.earlier_sql(setting, "before_fen")))
        self._view("current_rows", rules.rows_sql(setting, "current_amounts", rules.slots(setting)))
        self._view("adjustment_rows", rules.adjustments_sql(setting, "new_amounts", "old_amounts"))
        rows = "SELECT * FROM current_rows UNION ALL SELECT * FROM adjustment_rows UNION ALL SELECT * FROM of_period"
        if totals:
            rows = f"""
                SELECT leader, rule, '' AS line_id, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen
                FROM ({rows}) GROUP BY leader, rule HAVING SUM(amount_fen) <> 0
            """
        order = "ORDER BY case_no, leader_id, rule, line_id" if ordered else ""
        return self.spark.sql(f"""
            SELECT l.case_no, l.leader_id, r.rule, r.line_id, r.amount_fen
            FROM ({rows}) AS r JOIN leader AS l ON l.number = r.leader {order}
        """)


def _add_cards(columns: dict[str, list[int | None]], known: _Known) -> None:
    """Append a case's cards, its leaders numbered as in the job; rungs it does not know stay empty."""
    first, cards, drawn = known.leaders_from, known.cards, len(columns["card_no"])
    columns["card_no"] += range(drawn, drawn + len(cards))
    columns["seller"] += (first + cards.seller).tolist()
    for name in ("begins", "ends", "shape"):
        columns[name] += getattr(cards, name).tolist()
    for rung in range(1, sum(name.startswith("a") for name in columns) + 1):
        if rung <= len(cards.ancestors):
            columns[f"a{rung}"] += [first + a if a >= 0 else None for a in cards.ancestors[rung - 1].tolist()]
        else:
            columns[f"a{rung}"] += [None] * len(cards)
