"""What a period would have paid under other plans: its real lines, each plan in place of all of theirs.

The same tables as for a settlement go to the same engine, once for each plan; nothing is written to the
database. Rates that campaigns promised (帮卖) stay: a plan does not change a promise.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.commission.models import PlanVersion
from kaituan.commission.plan import Guards, Plan
from kaituan.ledger.models import Period
from kaituan.money.fen import BASIS_POINTS
from kaituan.people.models import Leader
from kaituan.settlement.engines.folder import CASE_FILE
from kaituan.settlement.period_data import stamp_text, write_csv_tables
from kaituan.settlement.runs import SettlementRefused

if TYPE_CHECKING:
    import duckdb

RULES = ("sale", "service", "differential", "peer", "team_ladder", "dividend")
SHOWN = 10
BUCKETS_FEN = (0, 10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
"""Where each bucket of the distribution begins; the first also holds what is below zero."""


class NothingToSimulate(SettlementRefused):
    """The period has no time in it yet, or no plan was ever published."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one plan would have paid, in fen.

    by_rule: every rule of the contract. share_bp: of the turnover, 0 where there is none. capped_lines: how
    many lines of the period the line cap cuts. leaders: how many would get something, or lose something.
    buckets: how many of those leaders fall in each bucket of BUCKETS_FEN.
    """

    plan: Plan
    total_fen: int
    share_bp: int
    by_rule: Mapping[str, int]
    capped_lines: int
    margin_left_fen: int
    leaders: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What one leader would have got under the first plan and under the second."""

    leader: Leader
    first_fen: int
    second_fen: int

    @property
    def difference_fen(self) -> int:
        return self.second_fen - self.first_fen


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans over the same lines. turnover_fen: net of refunds; cost_fen: what the lines' goods cost."""

    starts_at: datetime
    ends_at: datetime
    line_count: int
    turnover_fen: int
    cost_fen: int
    first: Side
    second: Side
    gains: tuple[Change, ...]
    losses: tuple[Change, ...]


def simulate(
    *, period: Period, first: Plan, second: Plan, now: datetime, until: datetime | None = None
) -> Comparison:
    """Settle the period's lines under two plans, side by side; an open period up to `now`.

    until: the end of a later period, to settle all of them as one, such as the weeks of a month. Lines that a
    later period completes are not guessed. Refunds of earlier lines are reckoned under the new plan too, as if it
    had always stood. Raises NothingToSimulate, or InputError where the data is broken.
    """
    ends_at = (until or period.ends_at or now).replace(microsecond=0)
    if ends_at <= period.starts_at:
        raise NothingToSimulate(_("The period has only just begun: nothing is completed in it yet."))
    versions = list(PlanVersion.objects.order_by("pk").values_list("version", flat=True))
    if not versions:
        raise NothingToSimulate(_("No plan was ever published, so that no line names one."))
    with tempfile.TemporaryDirectory(prefix="kaituan-simulate-") as name:
        folder = Path(name)
        with _one_snapshot():
            write_csv_tables(folder, period=period, until=ends_at)
        # Imported here: a web worker that never simulates must not load duckdb.
        import duckdb

        with duckdb.connect() as database:
            simulation = _Simulation(
                database, folder, versions, stamp_text(period.starts_at), stamp_text(ends_at)
            )
            return simulation.compare(first, second, starts_at=period.starts_at, ends_at=ends_at)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """All tables as of one moment; inside a transaction that is already open, as of that transaction."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


class _Simulation:
    """One period's tables in a folder, settled again and again; every settlement leaves a table of rows."""

    def __init__(
        self,
        database: "duckdb.DuckDBPyConnection",
        folder: Path,
        versions: Sequence[str],
        start: str,
        end: str,
    ) -> None:
        self.database, self.folder, self.versions = database, folder, versions
        self.start, self.end = start, end

    def compare(self, first: Plan, second: Plan, *, starts_at: datetime, ends_at: datetime) -> Comparison:
        self._read_tables()
        line_count, turnover_fen, cost_fen = self._turnover()
        sides = [
            self._side(name, plan, turnover_fen, cost_fen)
            for name, plan in (("first", first), ("second", second))
        ]
        changes = self._changes()
        return Comparison(
            starts_at=starts_at,
            ends_at=ends_at,
            line_count=line_count,
            turnover_fen=turnover_fen,
            cost_fen=cost_fen,
            first=sides[0],
            second=sides[1],
            gains=tuple(change for change in changes if change.difference_fen > 0),
            losses=tuple(change for change in reversed(changes) if change.difference_fen < 0),
        )

    def _rows(self, statement: str) -> list[tuple[int, ...]]:
        return self.database.execute(statement).fetchall()

    def _read_tables(self) -> None:
        for table in ("lines", "refunds"):
            path = str(self.folder / f"{table}.csv").replace("'", "''")
            self._rows(
                f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}', header = true, all_varchar = true)"  # noqa: S608
            )

    def _turnover(self) -> tuple[int, int, int]:
        """Lines completed in the period, turnover as the contract counts it, and what the goods cost."""
        [(count, turnover, cost)] = self._rows(f"""
            WITH refunded AS (
                SELECT line_id, sum(amount_fen::BIGINT) AS fen,
                    sum(CASE WHEN refunded_at >= '{self.start}' THEN amount_fen::BIGINT ELSE 0 END) AS late_fen
                FROM refunds GROUP BY line_id
            )
            SELECT count(*) FILTER (WHERE l.completed_at >= '{self.start}'),
                coalesce(sum(CASE WHEN l.completed_at >= '{self.start}'
                    THEN l.paid_fen::BIGINT - coalesce(r.fen, 0) ELSE -coalesce(r.late_fen, 0) END), 0)::BIGINT,
                coalesce(sum(CASE WHEN l.completed_at >= '{self.start}' THEN l.cost_fen::BIGINT END), 0)::BIGINT
            FROM lines l LEFT JOIN refunded r ON r.line_id = l.line_id
        """)  # noqa: S608
        return count, turnover, cost

    def _side(self, name: str, plan: Plan, turnover_fen: int, cost_fen: int) -> Side:
        self._settle(name, plan)
        by_rule = {str(rule): fen for rule, fen in self._rows(
            f"SELECT rule, sum(fen)::BIGINT FROM {name} GROUP BY rule"  # noqa: S608
        )}  # fmt: skip
        per_leader = [fen for (fen,) in self._rows(
            f"SELECT sum(fen)::BIGINT FROM {name} GROUP BY leader_id"  # noqa: S608
        )]  # fmt: skip
        total_fen = sum(by_rule.values())
        return Side(
            plan=plan,
            total_fen=total_fen,
            share_bp=total_fen * BASIS_POINTS // turnover_fen if turnover_fen > 0 else 0,
            by_rule={rule: by_rule.get(rule, 0) for rule in RULES},
            capped_lines=self._capped_lines(name, plan),
            margin_left_fen=turnover_fen - cost_fen - total_fen,
            leaders=len(per_leader),
            buckets=bucket_counts(per_leader),
        )

    def _capped_lines(self, name: str, plan: Plan) -> int:
        """Lines of the period on which pay above the seller is less than it would be without the cap."""
        if plan.guards.line_cap_bp is None or (plan.differential is None and plan.peer is None):
            return 0
        free = plan.model_copy(update={"guards": Guards(paid_depth=plan.guards.paid_depth)})
        self._settle("free", free)
        [(count,)] = self._rows(f"""
            WITH uncut AS (
                SELECT line_id, sum(fen) AS fen FROM free WHERE rule IN ('differential', 'peer') GROUP BY line_id
            ), cut AS (
                SELECT line_id, sum(fen) AS fen FROM {name} WHERE rule IN ('differential', 'peer') GROUP BY line_id
            )
            SELECT count(*) FROM uncut JOIN lines USING (line_id) LEFT JOIN cut USING (line_id)
            WHERE lines.completed_at >= '{self.start}' AND uncut.fen > coalesce(cut.fen, 0)
        """)  # noqa: S608
        return count

    def _settle(self, name: str, plan: Plan) -> None:
        """Settle the folder with this plan under every version's name; a table `name` of its rows."""
        from kaituan.settlement.engines.duckdb_engine import settle_folder

        document = {
            # Lines name the versions they were sold under: the plan stands under each of these names.
            "plans": [
                plan.model_copy(update={"version": version}).model_dump(mode="json", exclude_none=True)
                for version in self.versions
            ],
            "period_plan": self.versions[0],
            "start": self.start,
            "end": self.end,
        }
        (self.folder / CASE_FILE).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        out = self.folder / f"{name}.parquet"
        settle_folder(self.folder, out, ordered=False)
        path = str(out).replace("'", "''")
        self._rows(f"""
            CREATE OR REPLACE TABLE {name} AS
            SELECT leader_id, rule::VARCHAR AS rule, line_id, amount_fen::BIGINT AS fen
            FROM read_parquet('{path}')
        """)  # noqa: S608

    def _changes(self) -> list[Change]:
        """Who gains most, then who loses most, by what the second plan pays more or less than the first."""
        rows = self._rows(f"""
            WITH sums AS (
                SELECT leader_id::BIGINT AS leader_id, sum(first_fen)::BIGINT AS first_fen,
                    sum(second_fen)::BIGINT AS second_fen
                FROM (
                    SELECT leader_id, fen AS first_fen, 0 AS second_fen FROM first
                    UNION ALL SELECT leader_id, 0, fen FROM second
                ) GROUP BY leader_id
            ), ranked AS (
                SELECT *, row_number() OVER (ORDER BY second_fen - first_fen DESC, leader_id) AS most,
                    row_number() OVER (ORDER BY second_fen - first_fen, leader_id DESC) AS least FROM sums
            )
            SELECT leader_id, first_fen, second_fen FROM ranked
            WHERE (most <= {SHOWN} AND second_fen > first_fen) OR (least <= {SHOWN} AND second_fen < first_fen)
            ORDER BY second_fen - first_fen DESC, leader_id
        """)  # noqa: S608
        leaders = Leader.objects.select_related("person").in_bulk([row[0] for row in rows])
        return [Change(leaders[leader_id], one, two) for leader_id, one, two in rows]


@dataclass(frozen=True, slots=True)
class Span:
    """What may be simulated at once: one period, or the closed ones that begin in a month of the station's time.

    key: its name in an address. ends_at: None for the open period. month: the first day, or None for a period.
    """

    key: str
    period: Period
    ends_at: datetime | None
    month: date | None = None


def spans(periods: Iterable[Period]) -> list[Span]:
    """Months that are over and have more than one period, then each period; the latest first in both. periods: in
    any order."""
    ordered = sorted(periods, key=lambda period: period.starts_at)
    this_month = timezone.localdate(ordered[-1].starts_at).replace(day=1) if ordered else None
    months: dict[date, list[Period]] = {}
    for period in ordered:
        if period.ends_at is not None:
            months.setdefault(timezone.localdate(period.starts_at).replace(day=1), []).append(period)
    whole = [
        Span(f"{month:%Y-%m}", parts[0], parts[-1].ends_at, month)
        for month, parts in months.items()
        if len(parts) > 1 and month != this_month
    ]
    single = [Span(str(period.pk), period, period.ends_at) for period in ordered]
    return [*reversed(whole), *reversed(single)]


def bucket_counts(amounts_fen: Sequence[int]) -> tuple[int, ...]:
    """How many amounts fall in each bucket; each amount in exactly one."""
    counts = [0] * len(BUCKETS_FEN)
    for fen in amounts_fen:
        place = sum(start <= fen for start in BUCKETS_FEN) - 1
        counts[max(0, place)] += 1
    return tuple(counts)
