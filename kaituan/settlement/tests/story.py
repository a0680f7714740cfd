"""A small town to settle: sellers, orders that were completed, and what was given back."""

from datetime import datetime, timedelta
from typing import Any

from kaituan.campaigns.models import Listing, Offer
from kaituan.ordering.models import Order, OrderAdjustment, OrderLine
from kaituan.people.models import Leader, Member
from tests import factories as make

NOON = make.NOON
MONTH_ENDS = NOON + timedelta(days=30)
FULL_PLAN: dict[str, Any] = {
    "version": make.PLAN,
    "tiers": ["host", "captain", "partner"],
    "sale": {
        "base": "paid",
        "rates_bp": {"host": 1000, "captain": 1300, "partner": 1500},
        "category_rates_bp": {"seafood": {"host": 800, "captain": 1000, "partner": 1100}},
    },
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "differential": {},
    "peer": {"rates_bp": {"host": 500, "captain": 500, "partner": 300}},
    "team_ladder": {"brackets": [[0, 0], [1000000, 100], [5000000, 200]]},
    "dividend": {"pool_bp": 50, "tiers": ["partner"], "weight": "territory"},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}


def books_and_plan(**plan: Any) -> None:
    """A station with books open since noon, and one plan."""
    make.station()
    make.open_books(starts_at=NOON)
    make.plan(**plan)


class Shop:
    """One leader selling one offer at 1 yuan a piece, so that quantities are yuan."""

    def __init__(self, leader: Leader, *, offer: Offer | None = None, **listing: Any) -> None:
        self.leader = leader
        make.payee_account(leader)
        offer = offer or make.offer(
            make.campaign(), make.pool(quantity=10_000_000), price_fen=100, cost_fen=70, title="橙子"
        )
        self.offer = offer
        self.group = make.group(leader, name=f"{leader.person.name}的群")
        self.listing: Listing = make.listing(offer.campaign, self.group, **listing)
        self.member: Member = make.member(self.group)

    def sell(
        self, yuan: int, *, completed_at: datetime | None = None, handed_by: Leader | None = None
    ) -> OrderLine:
        """An order that was paid, handed over by the seller (or `handed_by`) and completed."""
        order = make.place(self.listing, self.member, (self.offer, yuan), settles="leader")
        Order.objects.filter(pk=order.pk).update(paid_fen=order.due_fen)
        completed_at = completed_at or NOON + timedelta(days=3)
        order.lines.update(
            handed_quantity=yuan,
            handed_over_at=completed_at - timedelta(days=2),
            completed_at=completed_at,
            pickup_leader_id=(handed_by or self.leader).pk,
        )
        return order.lines.get()


def give_back(line: OrderLine, fen: int, at: datetime) -> None:
    OrderAdjustment.objects.create(
        order_id=line.order_id, line=line, kind="claim", amount_fen=-fen, created_at=at
    )
