"""What settling is measured against: a made month of order lines, and bare queries over it.

    python benchmarks/settlement_floor.py make FOLDER [--lines 10000000]
    python benchmarks/settlement_floor.py floor FOLDER [--threads 2]
    python benchmarks/settlement_floor.py totals FOLDER [--threads 2]

`floor` is DuckDB alone: tiers as of each line, sale, service and differential, every row to Parquet. It leaves
out refunds, caps, peers, earlier periods, the period's own rules and every check, so it is no settlement, only
the least that any engine must do. `totals` is polars alone: what was paid by leader, plan version and category.
"""

import argparse
import json
import os
from pathlib import Path

DAY = 86_400
LEADERS = 50_000
PLAN = {
    "version": "v1",
    "tiers": ["host", "captain", "partner"],
    "sale": {
        "base": "paid",
        "rates_bp": {"host": 1000, "captain": 1300, "partner": 1500},
        "category_rates_bp": {"seafood": {"host": 800, "captain": 1000, "partner": 1100}},
    },
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "differential": {},
    "peer": {"rates_bp": {"host": 500, "captain": 500, "partner": 300}},
    "team_ladder": {"brackets": [[0, 0], [1_000_000, 100], [5_000_000, 200]]},
    "dividend": {"pool_bp": 50, "tiers": ["partner"], "weight": "territory"},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}
CASE = {
    "plans": [PLAN],
    "period_plan": "v1",
    "start": "2026-10-01T00:00:00Z",
    "end": "2026-11-01T00:00:00Z",
}


def make(folder: Path, lines: int, leaders: int = LEADERS, seed: int = 20261001) -> None:
    """Write the month: 50 roots and a bushy forest below, 1 to 5 tiers a leader over ten months, lines from two
    days before the period on, one in ten with a promised rate, one in fifty partly refunded."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    dice = np.random.default_rng(seed)
    october = np.datetime64("2026-10-01T00:00:00")

    def times(seconds: np.ndarray) -> np.ndarray:
        told = np.datetime_as_string(october + seconds.astype("timedelta64[s]"), unit="s")
        return np.char.add(told, "Z")

    def save(table: str, **columns: object) -> None:
        pq.write_table(pa.table(columns), folder / f"{table}.parquet")

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.json").write_text(json.dumps(CASE, ensure_ascii=False, indent=1), encoding="utf-8")
    names = np.char.add("L", np.char.zfill(np.arange(leaders).astype(str), 6))
    referrer = np.array([dice.integers(0, max(50, i // 8)) if i >= 50 else -1 for i in range(leaders)])
    save("leaders", leader_id=names, referrer_id=np.where(referrer >= 0, names[referrer], ""))

    holder = np.repeat(np.arange(leaders), dice.integers(1, 6, leaders))
    begins = dice.integers(-300 * DAY, 31 * DAY, holder.size)
    _, kept = np.unique(holder.astype(np.int64) * 10**9 + begins, return_index=True)
    holder, begins = holder[kept], begins[kept]
    rank = (holder % 7 == 0) * 1 + (holder % 90 == 0) * 1 + dice.integers(0, 2, holder.size)
    tiers = np.array(PLAN["tiers"])[np.minimum(rank, 2)]
    save("tiers", leader_id=names[holder], tier=tiers, effective_from=times(begins))

    number = np.arange(lines)
    line_id = np.char.add("N", number.astype(str))
    paid = dice.integers(100, 20_000, lines)
    save(
        "lines",
        line_id=line_id,
        order_id=np.char.add("O", (number // 3).astype(str)),
        leader_id=names[dice.integers(0, leaders, lines)],
        sku=np.char.add("S", dice.integers(0, 2_000, lines).astype(str)),
        category=np.array(["fruit", "seafood", "grain", "dairy"])[dice.integers(0, 4, lines)],
        qty=dice.integers(1, 4, lines),
        paid_fen=paid,
        cost_fen=paid * 7 // 10,
        sale_rate_bp=pa.array(np.full(lines, 1_200), mask=dice.random(lines) < 0.9),
        pickup_leader_id=names[dice.integers(0, leaders, lines)],
        plan_version=np.full(lines, "v1"),
        completed_at=times(dice.integers(-2 * DAY, 31 * DAY, lines)),
    )
    refunded = np.sort(dice.choice(lines, lines // 50, replace=False))
    save(
        "refunds",
        line_id=line_id[refunded],
        refunded_at=times(dice.integers(0, 31 * DAY, refunded.size)),
        amount_fen=np.maximum(1, paid[refunded] // 3),
    )


FLOOR = """
CREATE MACRO rate_of(tier, seafood) AS CASE WHEN seafood
    THEN CASE tier WHEN 0 THEN 800 WHEN 1 THEN 1000 WHEN 2 THEN 1100 ELSE 0 END
    ELSE CASE tier WHEN 0 THEN 1000 WHEN 1 THEN 1300 WHEN 2 THEN 1500 ELSE 0 END END;
CREATE TEMP TABLE person AS
    SELECT leader_id, CAST(row_number() OVER () - 1 AS INTEGER) AS no, referrer_id
    FROM '{folder}/leaders.parquet';
CREATE TEMP TABLE held AS
    SELECT p.no, CASE tier WHEN 'host' THEN 0 WHEN 'captain' THEN 1 ELSE 2 END AS tier,
        CAST(epoch(CAST(effective_from AS TIMESTAMP)) AS BIGINT) AS since,
        COALESCE(lead(CAST(epoch(CAST(effective_from AS TIMESTAMP)) AS BIGINT))
            OVER (PARTITION BY p.no ORDER BY effective_from), CAST(1 AS BIGINT) << 60) AS until
    FROM '{folder}/tiers.parquet' JOIN person AS p USING (leader_id);
CREATE TEMP TABLE above AS
    SELECT p.no, r.no AS referrer FROM person AS p JOIN person AS r ON r.leader_id = p.referrer_id;
CREATE TEMP TABLE sold AS
    SELECT line_id, s.no, h.no AS handed_by, category = 'seafood' AS seafood, CAST(paid_fen AS INTEGER) AS paid,
        sale_rate_bp, CAST(epoch(CAST(completed_at AS TIMESTAMP)) AS BIGINT) AS moment
    FROM '{folder}/lines.parquet' AS l JOIN person AS s USING (leader_id)
        JOIN person AS h ON h.leader_id = l.pickup_leader_id
    WHERE completed_at >= '2026-10-01T00:00:00Z' AND completed_at < '2026-11-01T00:00:00Z';
CREATE TEMP TABLE rated AS
    SELECT sold.*, COALESCE(sale_rate_bp, rate_of(held.tier, seafood)) AS bp,
        greatest(COALESCE(sale_rate_bp, 0), rate_of(held.tier, seafood)) AS top
    FROM sold LEFT JOIN held ON held.no = sold.no AND moment >= since AND moment < until;
CREATE TEMP TABLE first_step AS
    SELECT rated.line_id, rated.paid, rated.moment, rated.seafood, rated.top, referrer AS no,
        COALESCE(rate_of(held.tier, seafood), 0) AS bp
    FROM rated JOIN above USING (no) LEFT JOIN held ON held.no = referrer AND moment >= since AND moment < until;
CREATE TEMP TABLE second_step AS
    SELECT f.line_id, f.paid, greatest(f.top, f.bp) AS top, referrer AS no, rate_of(held.tier, seafood) AS bp
    FROM first_step AS f JOIN above ON above.no = f.no
        JOIN held ON held.no = referrer AND moment >= since AND moment < until;
COPY (
    SELECT leader_id, rule, line_id, amount_fen FROM (
        SELECT no, 'sale' AS rule, line_id, bp * paid // 10000 AS amount_fen FROM rated WHERE bp * paid >= 10000
        UNION ALL SELECT handed_by, 'service', line_id, least(paid, 100 * paid // 10000 + 20) FROM rated
        UNION ALL SELECT no, 'differential', line_id, (bp - top) * paid // 10000 FROM first_step WHERE bp > top
        UNION ALL SELECT no, 'differential', line_id, (bp - top) * paid // 10000 FROM second_step WHERE bp > top
    ) JOIN person USING (no)
) TO '{folder}/floor.parquet'
"""


def floor(folder: Path, threads: int) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {threads}").fetchall()
        for statement in FLOOR.format(folder=folder).split(";"):
            connection.execute(statement).fetchall()


def totals(folder: Path, threads: int) -> None:
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    lines = pl.scan_parquet(folder / "lines.parquet")
    by = lines.group_by("leader_id", "plan_version", "category").agg(pl.col("paid_fen").sum())
    print(by.collect().height, "groups")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["make", "floor", "totals"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "make":
        make(asked.folder, asked.lines)
    elif asked.what == "floor":
        floor(asked.folder, asked.threads)
    else:
        totals(asked.folder, asked.threads)


if __name__ == "__main__":
    main()
