"""How big a town is. Tests and the proof of the shipped town grow a small one by the same code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """partners, captains, hosts: leaders of each tier. members: persons in groups, leaders not counted."""

    partners: int
    captains: int
    hosts: int
    members: int
    products: int
    points: int
    days: int
    """Days of history before the present."""
    campaigns_per_day: int
    listings_per_campaign: int
    orders_per_listing: int
    live_campaigns: int = 6

    @property
    def leaders(self) -> int:
        return self.partners + self.captains + self.hosts


FULL = Size(
    partners=8, captains=16, hosts=36, members=3_000, products=120, points=60, days=56,
    campaigns_per_day=2, listings_per_campaign=12, orders_per_listing=17,
)  # fmt: skip
SMALL = Size(
    partners=1, captains=2, hosts=3, members=80, products=24, points=6, days=11,
    campaigns_per_day=1, listings_per_campaign=3, orders_per_listing=8, live_campaigns=6,
)  # fmt: skip
