"""Random settlement cases that look for trouble: odd ids, deep forests, edges of time, refunds everywhere."""

import csv
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = ("leaders", "tiers", "lines", "refunds")
TIER_NAMES = ("群主", "host", "captain", "partner", "director")
CATEGORIES = ("fruit", "seafood", "grain", "", "日用")
ID_SHAPES = (
    "B{:03}",
    "two\nlines{}",
    "tab\t{}",
    "ctl\x01{}",
    "a{:02}",
    "团{:02}",
    "é-{}",
    '"q{}"',
    "x,y{}",
    "🍊{}",
    " s{}",
    "#{}",
    "{}",
    "L'{}",
)


def form(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class RandomCase:
    """One case as plain rows: dictionaries of column to int, text or None (an empty number)."""

    document: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    columns: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "leaders": ("leader_id", "referrer_id"),
            "tiers": ("leader_id", "tier", "effective_from"),
            "lines": (
                "line_id",
                "order_id",
                "leader_id",
                "sku",
                "category",
                "qty",
                "paid_fen",
                "cost_fen",
                "sale_rate_bp",
                "pickup_leader_id",
                "plan_version",
                "completed_at",
            ),
            "refunds": ("line_id", "refunded_at", "amount_fen"),
        }
    )

    def shuffled(self, seed: int) -> "RandomCase":
        """The same case with the rows of every table in another order."""
        tables = {name: list(rows) for name, rows in self.tables.items()}
        for rows in tables.values():
            random.Random(seed).shuffle(rows)
        return RandomCase(self.document, tables, self.columns)

    def write_csv(self, folder: Path) -> Path:
        self._write_document(folder)
        for name, rows in self.tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as text:
                writer = csv.DictWriter(text, self.columns[name], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return folder

    def write_parquet(self, folder: Path, *, timestamps: bool = False) -> Path:
        """timestamps: times as UTC timestamps instead of texts, and empty texts as nulls."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._write_document(folder)
        for name, rows in self.tables.items():
            columns = {}
            for column in self.columns[name]:
                values: list[Any] = [row[column] for row in rows]
                kind: pa.DataType = pa.string()
                if column.endswith(("_fen", "_bp")) or column == "qty":
                    kind = pa.int64()
                elif timestamps and column in ("effective_from", "completed_at", "refunded_at"):
                    values = [datetime.fromisoformat(value) for value in values]
                    kind = pa.timestamp("us", tz="UTC")
                elif timestamps:
                    values = [value or None for value in values]
                columns[column] = pa.array(values, kind)
            pq.write_table(pa.table(columns), folder / f"{name}.parquet", row_group_size=64)
        return folder

    def _write_document(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.document, ensure_ascii=False)
        (folder / "case.json").write_text(text, encoding="utf-8")


def random_case(seed: int, *, lines: int = 120) -> RandomCase:
    """A case that depends on the seed only."""
    dice = random.Random(seed)
    tier_names = TIER_NAMES[: dice.randint(1, 5)]
    plans = [random_plan(dice, f"v{number}", tier_names) for number in range(1, dice.choice((2, 2, 3, 4)))]
    leaders = random_leaders(dice, dice.choice((1, 5, 30, 60)))
    ids = [row["leader_id"] for row in leaders]
    document = {
        "plans": plans,
        "period_plan": dice.choice(plans)["version"],
        "start": form(START),
        "end": form(END),
    }
    rows = random_lines(dice, lines, ids, [plan["version"] for plan in plans])
    tables = {
        "leaders": leaders,
        "tiers": random_tiers(dice, ids, tier_names),
        "lines": rows,
        "refunds": random_refunds(dice, rows),
    }
    return RandomCase(document, tables)


def random_plan(dice: random.Random, version: str, tier_names: tuple[str, ...]) -> dict[str, Any]:
    tiers = [name for name in tier_names if dice.random() < 0.9] or [tier_names[0]]
    dice.shuffle(tiers)

    def rates(most: int) -> dict[str, int]:
        return {
            name: dice.choice((0, 500, dice.randint(0, most))) for name in tier_names if dice.random() < 0.85
        }

    plan: dict[str, Any] = {
        "version": version,
        "tiers": tiers,
        "sale": {"base": dice.choice(("paid", "margin")), "rates_bp": rates(10_000)},
    }
    if dice.random() < 0.7:
        named = [category for category in CATEGORIES if dice.random() < 0.4]
        plan["sale"]["category_rates_bp"] = {category: rates(3000) for category in named}
    if dice.random() < 0.7:
        plan["service"] = {"rate_bp": dice.randint(0, 300), "fen_per_line": dice.choice((0, 7, 50))}
    if dice.random() < 0.75:
        plan["differential"] = {}
    if dice.random() < 0.6:
        plan["peer"] = {"rates_bp": rates(5000)}
    if dice.random() < 0.7:
        thresholds = sorted(dice.sample(range(1, 500_000), dice.randint(0, 3)))
        plan["team_ladder"] = {"brackets": [[at, dice.randint(0, 400)] for at in (0, *thresholds)]}
    if dice.random() < 0.7:
        plan["dividend"] = {
            "pool_bp": dice.randint(0, 300),
            "tiers": [name for name in tier_names if dice.random() < 0.7],
            "weight": dice.choice(("territory", "equal")),
        }
    if dice.random() < 0.9:
        plan["guards"] = {}
        if dice.random() < 0.7:
            plan["guards"]["line_cap_bp"] = dice.choice((0, 300, 1000, 2500))
        if dice.random() < 0.7:
            plan["guards"]["paid_depth"] = dice.choice((0, 1, 2, 2, 3, 7))
    return plan


def random_leaders(dice: random.Random, count: int) -> list[dict[str, Any]]:
    """A forest: bushy, long-chained or anything between."""
    ids = [dice.choice(ID_SHAPES).format(number) for number in range(count)]
    ids = list(dict.fromkeys(ids))
    newest = dice.choice((1, 3, count))
    rows = []
    for number, leader_id in enumerate(ids):
        low = max(0, number - newest)
        is_root = number == 0 or dice.random() < 0.08
        rows.append(
            {"leader_id": leader_id, "referrer_id": "" if is_root else ids[dice.randrange(low, number)]}
        )
    dice.shuffle(rows)
    return rows


def random_time(dice: random.Random) -> datetime:
    """Often just at an edge of the period, or at the same few instants."""
    edges = (START, END, START - timedelta(seconds=1), END - timedelta(seconds=1), START + timedelta(days=9))
    if dice.random() < 0.3:
        return dice.choice(edges)
    return START + timedelta(hours=dice.randint(-40 * 24, 35 * 24))


def random_tiers(dice: random.Random, ids: list[str], tier_names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = {}
    for leader_id in ids:
        for _ in range(dice.choice((0, 1, 1, 2, 4))):
            at = form(random_time(dice))
            tier = dice.choice((*tier_names, *tier_names, ""))
            rows[leader_id, at] = {"leader_id": leader_id, "tier": tier, "effective_from": at}
    found = list(rows.values())
    dice.shuffle(found)
    return found


def random_lines(
    dice: random.Random, count: int, ids: list[str], versions: list[str]
) -> list[dict[str, Any]]:
    # Now and then amounts beyond what 64 bits can multiply.
    most = dice.choice((500, 60_000, 60_000, 60_000, 10**15))
    rows = []
    for number in range(count):
        paid = dice.choice((0, 1, 99, dice.randint(0, most), dice.randint(0, most)))
        rows.append(
            {
                "line_id": dice.choice(("N{}", "行{}", "n-{}", "N,{}")).format(number),
                "order_id": f"O{number // 3}",
                "leader_id": dice.choice(ids),
                "sku": f"S{dice.randint(1, 9)}",
                "category": dice.choice(CATEGORIES),
                "qty": dice.randint(0, 5),
                "paid_fen": paid,
                "cost_fen": dice.choice((0, paid, paid * 7 // 10, paid + 5)),
                "sale_rate_bp": dice.choice((None, None, None, 0, 700, 2600, 10_000)),
                "pickup_leader_id": dice.choice((*ids[:20], "", "")),
                "plan_version": dice.choice(versions),
                "completed_at": form(random_time(dice)),
            }
        )
    return rows


def random_refunds(dice: random.Random, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for line in lines:
        left = line["paid_fen"]
        while left > 0 and dice.random() < 0.35:
            amount = dice.choice((left, dice.randint(1, left)))
            left -= amount
            at = random_time(dice)
            if dice.random() < 0.2:
                at = datetime.fromisoformat(line["completed_at"])
            rows.append({"line_id": line["line_id"], "refunded_at": form(at), "amount_fen": amount})
    dice.shuffle(rows)
    return rows
