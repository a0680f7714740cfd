"""Reading what was settled: statements that open to their lines, balances, and returns that look like a pattern."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, Sum
from django.utils.translation import gettext as _

from kaituan.commission.explanations import Explained, explain_lines
from kaituan.ledger.models import Period
from kaituan.ledger.queries import balance_fen
from kaituan.money.fen import BASIS_POINTS
from kaituan.ordering.models import Order, OrderLine
from kaituan.ordering.states import LIVE
from kaituan.payments.models import Remittance
from kaituan.people.models import Leader
from kaituan.settlement.corrections import correction_words
from kaituan.settlement.minimum import minimum_in_force
from kaituan.settlement.models import CommissionRow, SettledLine, Statement, Withdrawal
from kaituan.settlement.postings import held_account, payable_account

WAITING = (Withdrawal.Status.REQUESTED, Withdrawal.Status.APPROVED)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One amount of a statement and where it comes from. rate_bp, base_fen: None for a rule of the whole period."""

    row_id: int
    rule: str
    line_id: int | None
    order_id: int | None
    follow_number: int | None
    campaign: str
    amount_fen: int
    rate_bp: int | None
    base_fen: int | None
    plan_version: str
    completed_at: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class RuleTotal:
    rule: str
    amount_fen: int
    row_count: int


@dataclass(frozen=True, slots=True)
class LeaderBalance:
    """payable_fen: settled and not asked for; below zero after later refunds. held_fen: members' money to hand
    over. remitting_fen: of it, said to be handed over and not yet confirmed. guaranteed_fen: what members still owe
    for goods that they have on the leader's word. waiting_fen: asked for, not paid yet. paid_fen: gross of all
    payouts so far. minimum_fen: the least that may be asked for at once. frozen_because: why payouts are stopped,
    empty while they go on."""

    payable_fen: int
    held_fen: int
    remitting_fen: int
    guaranteed_fen: int
    waiting_fen: int
    paid_fen: int
    minimum_fen: int
    frozen_because: str

    @property
    def withdrawable_fen(self) -> int:
        """What may be asked for now; the rest stays until the cashier has seen the money, or members have paid."""
        return withdrawable_fen(
            payable_fen=self.payable_fen, remitting_fen=self.remitting_fen, guaranteed_fen=self.guaranteed_fen
        )

    @property
    def short_of_minimum_fen(self) -> int:
        """How much more must come in before anything may be asked for."""
        return max(0, max(1, self.minimum_fen) - self.withdrawable_fen)

    @property
    def is_frozen(self) -> bool:
        return bool(self.frozen_because)

    @property
    def may_withdraw(self) -> bool:
        return not self.is_frozen and not self.short_of_minimum_fen


def leader_balance(*, leader: Leader, now: datetime) -> LeaderBalance:
    """What a leader earned, holds and is waiting for, under the minimum of `now`."""
    sums = dict(leader.withdrawals.values_list("status").annotate(Sum("amount_fen")))
    freeze = leader.withdrawal_freezes.filter(lifted_at__isnull=True).first()
    return LeaderBalance(
        payable_fen=balance_fen(payable_account(leader_id=leader.pk)),
        held_fen=balance_fen(held_account(leader_id=leader.pk)),
        remitting_fen=remitting_fen(leader=leader),
        guaranteed_fen=guaranteed_fen(leader=leader),
        waiting_fen=sum(sums.get(status, 0) for status in WAITING),
        paid_fen=sums.get(Withdrawal.Status.PAID, 0),
        minimum_fen=minimum_in_force(at=now),
        frozen_because=freeze.reason if freeze else "",
    )


def withdrawable_fen(*, payable_fen: int, remitting_fen: int, guaranteed_fen: int) -> int:
    """What somebody only says is handed over, or has vouched for, is not paid out before the money is seen."""
    return max(0, payable_fen - remitting_fen - guaranteed_fen)


def remitting_fen(*, leader: Leader) -> int:
    """Members' money that the leader says is handed over, and nobody has confirmed."""
    waiting = leader.remittances.filter(status=Remittance.Status.ANNOUNCED)
    return sum(waiting.values_list("amount_fen", flat=True))


def guaranteed_fen(*, leader: Leader) -> int:
    """What members still owe on orders that stand on the leader's word and have begun to earn commission."""
    due = F("list_fen") + F("adjustment_fen")
    orders = Order.objects.filter(
        Exists(OrderLine.objects.filter(order=OuterRef("pk"), completed_at__isnull=False)),
        listing__leader=leader,
        settles=Order.Settles.LEADER,
        status__in=LIVE,
        paid_fen__lt=due + F("refunded_fen"),
    )
    return sum(order.unpaid_fen for order in orders)


@dataclass(frozen=True, slots=True)
class OrderEarning:
    """What a settled period paid (or took back) for an order, and the statement that it stands on."""

    statement_id: str
    period_ends_at: datetime
    amount_fen: int


def settled_of_order(*, order: Order, leader: Leader) -> list[OrderEarning]:
    """One row for each period that paid this leader something for the order, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.public_id, p.ends_at, sum(r.amount_fen)::bigint
            FROM settlement_commissionrow r
            JOIN settlement_statement s ON s.period_id = r.period_id AND s.leader_id = r.leader_id
            JOIN ledger_period p ON p.id = r.period_id
            WHERE r.leader_id = %(leader)s
                AND r.period_id IN (SELECT period_id FROM settlement_statement WHERE leader_id = %(leader)s)
                AND r.line_id IN (SELECT id FROM ordering_orderline WHERE order_id = %(order)s)
            GROUP BY s.public_id, p.ends_at ORDER BY p.ends_at
            """,
            {"leader": leader.pk, "order": order.pk},
        )
        return [OrderEarning(*row) for row in cursor.fetchall()]


def statement_totals(*, statement: Statement) -> list[RuleTotal]:
    """The statement's sums per rule."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule, sum(amount_fen)::bigint, count(*) FROM settlement_commissionrow"
            " WHERE period_id = %s AND leader_id = %s GROUP BY rule ORDER BY rule",
            [statement.period_id, statement.leader_id],
        )
        return [RuleTotal(*row) for row in cursor.fetchall()]


def statement_rows(
    *, statement: Statement, rule: str | None = None, offset: int = 0, limit: int | None = None
) -> list[StatementRow]:
    """The statement's amounts with their words, sorted by rule, then line; of one rule, or a page, if asked."""
    rows = CommissionRow.objects.filter(period_id=statement.period_id, leader_id=statement.leader_id)
    if rule is not None:
        rows = rows.filter(rule=rule)
    page = list(rows.order_by("rule", "line_id")[offset : None if limit is None else offset + limit])
    line_ids = [row.line_id for row in page if row.line_id is not None]
    explained = _explained(statement, line_ids)
    stories = _line_stories(line_ids)
    corrected = correction_words(statement=statement, rows=page)
    return [
        _statement_row(row, explained.get((row.rule, row.line_id or 0)), stories, corrected) for row in page
    ]


def explain_row(*, row: CommissionRow) -> Explained | None:
    """One line's amount with every step of its calculation; None for a rule of the whole period and for a correction,
    which no rule gave."""
    if row.line_id is None or row.rule == CommissionRow.CORRECTION:
        return None
    statement = Statement.objects.select_related("period").get(
        period_id=row.period_id, leader_id=row.leader_id
    )
    return _explained(statement, [row.line_id]).get((row.rule, row.line_id))


def _explained(statement: Statement, line_ids: Sequence[int]) -> dict[tuple[str, int], Explained]:
    """(rule, line id) -> the statement's leader's amount, worked out again by the rules."""
    period: Period = statement.period
    assert period.ends_at is not None
    categories = dict(SettledLine.objects.filter(line_id__in=line_ids).values_list("line_id", "category"))
    found = explain_lines(
        line_ids=line_ids, starts_at=period.starts_at, ends_at=period.ends_at, categories=categories
    )
    # A leader may earn one rule on a line at one step only, so rule and line name the amount.
    return {
        (row.rule, line_id): row
        for line_id, rows in found.items()
        for row in rows
        if row.leader_id == statement.leader_id
    }


@dataclass(frozen=True, slots=True)
class _LineStory:
    order_id: int
    follow_number: int
    campaign: str
    completed_at: datetime | None


def _line_stories(line_ids: Sequence[int]) -> dict[int, _LineStory]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, l.order_id, o.follow_number, campaign.title, l.completed_at
            FROM ordering_orderline l JOIN ordering_order o ON o.id = l.order_id
            JOIN campaigns_campaign campaign ON campaign.id = o.campaign_id WHERE l.id = ANY(%s)
            """,
            [list(line_ids)],
        )
        return {line_id: _LineStory(*rest) for line_id, *rest in cursor.fetchall()}


def _statement_row(
    row: CommissionRow,
    explained: Explained | None,
    stories: dict[int, _LineStory],
    corrected: dict[int, str],
) -> StatementRow:
    story = stories.get(row.line_id or 0)
    if row.rule == "team_ladder":
        words = _("Your team's turnover in the period, by the ladder of plan %(plan)s") % {
            "plan": row.plan_version
        }
    elif row.rule == "dividend":
        words = _("Your share of the pool of plan %(plan)s") % {"plan": row.plan_version}
    else:
        words = corrected.get(row.pk) or (explained.words if explained else "")
    return StatementRow(
        row_id=row.pk,
        rule=row.rule,
        line_id=row.line_id,
        order_id=story.order_id if story else None,
        follow_number=story.follow_number if story else None,
        campaign=story.campaign if story else "",
        amount_fen=row.amount_fen,
        rate_bp=explained.rate_bp if explained else None,
        base_fen=explained.base_fen if explained else None,
        plan_version=row.plan_version,
        completed_at=story.completed_at if story else None,
        words=words,
    )


@dataclass(frozen=True, slots=True)
class ReturnPattern:
    """A seller whose lines of a closed period were given back soon after its end more than others' are."""

    leader_id: int
    sold_fen: int
    """Net turnover of the period as it was settled."""
    returned_fen: int
    line_count: int
    person_count: int
    """How many buyers the returned lines belong to: few is a hint, many is bad goods."""

    @property
    def share_bp(self) -> int:
        return self.returned_fen * BASIS_POINTS // self.sold_fen if self.sold_fen else BASIS_POINTS


def returns_after_period(
    *,
    period: Period,
    within: timedelta = timedelta(days=14),
    least_share_bp: int = 1_000,
    least_lines: int = 3,
) -> list[ReturnPattern]:
    """Sellers to look at: bought before the period's end, returned after it. The largest share first.

    A seller is named when at least `least_lines` lines that the period counted were given back within `within`
    of its end, worth at least `least_share_bp` of what the period counted for them.
    """
    assert period.ends_at is not None
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                SELECT s.line_id, listing.leader_id, o.person_id, l.amount_fen
                FROM settlement_settledline s
                JOIN ordering_orderline l ON l.id = s.line_id
                JOIN ordering_order o ON o.id = l.order_id
                JOIN campaigns_listing listing ON listing.id = o.listing_id
                WHERE s.period_id = %(period)s
            ), given_back AS (
                SELECT a.line_id,
                    coalesce(sum(a.amount_fen) FILTER (WHERE a.created_at < %(end)s), 0) AS before_fen,
                    coalesce(-sum(a.amount_fen) FILTER (WHERE a.amount_fen < 0
                        AND a.created_at >= %(end)s AND a.created_at < %(until)s), 0) AS after_fen
                FROM ordering_orderadjustment a
                WHERE a.line_id IN (SELECT line_id FROM counted) GROUP BY a.line_id
            )
            SELECT c.leader_id,
                sum(c.amount_fen + coalesce(g.before_fen, 0))::bigint AS sold_fen,
                sum(coalesce(g.after_fen, 0))::bigint AS returned_fen,
                count(*) FILTER (WHERE g.after_fen > 0) AS line_count,
                count(DISTINCT c.person_id) FILTER (WHERE g.after_fen > 0) AS person_count
            FROM counted c LEFT JOIN given_back g ON g.line_id = c.line_id
            GROUP BY c.leader_id
            HAVING count(*) FILTER (WHERE g.after_fen > 0) >= %(lines)s
                AND sum(coalesce(g.after_fen, 0)) * 10000
                    >= %(share)s * sum(c.amount_fen + coalesce(g.before_fen, 0))
            """,
            {
                "period": period.pk,
                "end": period.ends_at,
                "until": period.ends_at + within,
                "lines": least_lines,
                "share": least_share_bp,
            },
        )
        found = [ReturnPattern(*row) for row in cursor.fetchall()]
    return sorted(found, key=lambda pattern: (-pattern.share_bp, pattern.leader_id))
