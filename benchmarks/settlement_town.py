"""A month of the demo town from its database to its books, and a plain loop over the same rows beside it.

    python benchmarks/settlement_town.py [FOLDER]    prints what was measured as JSON

Raises the shipped town in a data folder (a temporary one without FOLDER), takes back its last four weekly
settlements, and settles the four weeks again as one period: by the service that the office uses, and, undone
afterwards, by a loop as one writes it first with an ORM: for each line a query for what was given back and one for
the seller's tier, an insert for each amount, then a statement and an entry for each leader. Both must come to the
sum of the four settlements.
"""

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kaituan.cli.environment import environment  # noqa: E402

WEEKS = 4


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="kaituan-town-") as place:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        # Where root runs this, PostgreSQL runs as somebody else, who must get in.
        Path(place).chmod(0o755)
        with environment(folder, as_owner=True) as town:
            raise_town(town)
            json.dump(measure(), sys.stdout)


def raise_town(town: Any) -> None:
    """The shipped town with all of its history."""
    from kaituan.cli import demo
    from kaituan.demo import shipped

    if not demo.raise_town(town):
        return
    shipped.load_history(
        dsn=town.owner_url,
        manifest=shipped.read_manifest(),
        shift_days=int((town.data_dir / demo.SHIFT_FILE).read_text()),
        report=lambda done: None,
    )


def measure() -> dict[str, float | int]:
    from django.db import transaction

    from kaituan.settlement.models import SettlementRun
    from kaituan.settlement.runs import close_and_settle

    expected_fen, starts_at, ends_at = take_back()
    began = time.perf_counter()
    with transaction.atomic():
        loop_fen, loop_lines = row_loop(starts_at=starts_at, ends_at=ends_at)
        loop_s = time.perf_counter() - began
        transaction.set_rollback(True)
    began = time.perf_counter()
    run: SettlementRun = close_and_settle(ends_at=ends_at, now=ends_at, acting_person=None)
    took_s = time.perf_counter() - began
    if not expected_fen == loop_fen == run.total_fen or loop_lines != run.line_count:
        raise SystemExit(
            f"four weeks {expected_fen}, loop {loop_fen} ({loop_lines} lines), "
            f"run {run.total_fen} ({run.line_count} lines)"
        )
    return {"lines": run.line_count, "rows": run.row_count, "settle_s": took_s, "loop_s": loop_s}


def take_back() -> tuple[int, datetime, datetime]:
    """Undo the last four settlements: their sum in fen, and the bounds of what is one open period now."""
    from django.db import connection, transaction

    from kaituan.ledger.models import Period
    from kaituan.settlement.models import CommissionRow, Dispute, SettledLine, SettlementRun, Statement

    closed = Period.objects.filter(status=Period.Status.CLOSED)
    weeks = sorted(closed.order_by("-starts_at")[:WEEKS], key=lambda period: period.starts_at)
    ids = [period.pk for period in weeks]
    expected_fen = sum(SettlementRun.objects.filter(period_id__in=ids).values_list("total_fen", flat=True))
    starts_at, ends_at = weeks[0].starts_at, weeks[-1].ends_at
    assert ends_at is not None
    with transaction.atomic(), connection.cursor() as cursor:
        Dispute.objects.filter(statement__period_id__in=ids).delete()
        for model in (CommissionRow, Statement, SettledLine, SettlementRun):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE period_id = ANY(%s)", [ids])
        # Rows that later payouts stand on are left: only what settling writes is taken back.
        cursor.execute("DELETE FROM ledger_period WHERE id = ANY(%s) OR status = 'open'", [ids])
        Period.objects.create(starts_at=starts_at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return expected_fen, starts_at, ends_at


def row_loop(*, starts_at: datetime, ends_at: datetime) -> tuple[int, int]:
    """Settle line by line; (sum in fen, lines)."""
    from kaituan.ledger.models import Period
    from kaituan.ledger.services import Move, post_entry
    from kaituan.ordering.models import OrderLine
    from kaituan.settlement.models import CommissionRow, Statement
    from kaituan.settlement.postings import COMMISSION_COST, payable_account

    period = Period.objects.get(starts_at=starts_at)
    sums: dict[int, list[int]] = defaultdict(list)
    lines = OrderLine.objects.filter(completed_at__gte=starts_at, completed_at__lt=ends_at).select_related(
        "order__listing__leader", "offer__variant__product__category"
    )
    count = 0
    for line in lines:
        count += 1
        for leader_id, rule, fen in earned(line, ends_at):
            CommissionRow.objects.create(
                period=period, leader_id=leader_id, rule=rule, line_id=line.pk, amount_fen=fen,
                plan_version=line.order.plan_version,
            )  # fmt: skip
            sums[leader_id].append(fen)
    for leader_id, amounts in sums.items():
        Statement.objects.create(
            period=period, leader_id=leader_id, total_fen=sum(amounts), row_count=len(amounts), created_at=ends_at
        )  # fmt: skip
        post_entry(
            key=f"loop/{leader_id}", kind="commission_settled", reference=f"leader:{leader_id}", occurred_at=ends_at,
            moves=[Move(COMMISSION_COST, payable_account(leader_id=leader_id), sum(amounts))],
        )  # fmt: skip
    return sum(sum(amounts) for amounts in sums.values()), count


def earned(line: Any, ends_at: datetime) -> Sequence[tuple[int, str, int]]:
    """Sale and hand-over pay of one line under the town's plan, which has no other rules."""
    from kaituan.commission.queries import read_version
    from kaituan.commission.rules import Holder, LineFacts, explain_line

    paid_fen, refunded_fen, refunded_before_fen = line.amount_fen, 0, 0
    for adjustment in line.adjustments.all():
        if adjustment.kind not in adjustment.REMEDIES or adjustment.amount_fen > 0:
            paid_fen += adjustment.amount_fen
        elif adjustment.created_at < ends_at:
            refunded_fen -= adjustment.amount_fen
            if adjustment.created_at <= line.completed_at:
                refunded_before_fen -= adjustment.amount_fen
    seller = line.order.listing.leader
    held = seller.tiers.filter(effective_from__lte=line.completed_at).order_by("-effective_from").first()
    earnings = explain_line(
        read_version(line.order.plan_version),
        LineFacts(
            paid_fen=paid_fen, cost_fen=line.cost_fen, category=line.offer.variant.product.category.code,
            net_fen=paid_fen - refunded_fen, service_net_fen=paid_fen - refunded_before_fen,
            sale_rate_bp=line.sale_rate_bp,
        ),
        seller=Holder(str(seller.pk), held.tier if held and held.tier else None),
        ancestors=[],
        pickup_leader_id=str(line.pickup_leader_id) if line.pickup_leader_id else None,
    )  # fmt: skip
    return [(int(each.leader_id), each.rule, each.amount_fen) for each in earnings if each.amount_fen]


if __name__ == "__main__":
    main()
