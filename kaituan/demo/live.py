"""The group buys that take orders now: six of them, one about to close so that a visitor sees the cut-off."""

from datetime import datetime, timedelta
from random import Random

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.demo.campaigns import THEMES, Window, basket, open_campaign, order_request
from kaituan.demo.history import BEIJING, local
from kaituan.demo.town import USERNAMES
from kaituan.ordering.core import OrderRequest, place_orders
from kaituan.people.models import Account, Group, Member, Person

CLOSES_SOON = timedelta(minutes=8)
STILL_SOON = timedelta(minutes=3)
GROUPS_EACH = 3
ORDERS_EACH = 5


def open_live_campaigns(*, count: int, now: datetime) -> list[Campaign]:
    """Open what is missing to `count` campaigns that take orders for a while, and one that ends in minutes, if
    none does. Orders stand in the new ones already. Answers those that were opened."""
    rng = Random(int(now.timestamp()))  # noqa: S311 - a story, not a secret
    taking = Campaign.objects.filter(status__in=TAKING_ORDERS, closes_at__gt=now + STILL_SOON)
    soon = taking.filter(closes_at__lte=now + 2 * CLOSES_SOON).exists()
    missing = count - (1 - soon) - taking.count()
    today = local(now, 20)
    first_evening = 0 if today - now > timedelta(hours=2) else 1
    opened = []
    if not soon:
        opened.append(_open(rng, closes_at=now + CLOSES_SOON, theme=0, now=now))
    for number in range(max(0, missing)):
        closes_at = local(now, 20 + number % 2, days=first_evening + number // 2)
        opened.append(_open(rng, closes_at=closes_at, theme=number + 1, now=now))
    return opened


def _open(rng: Random, *, closes_at: datetime, theme: int, now: datetime) -> Campaign:
    """In the leader persona's first group and in some others, with the orders of its first hour."""
    groups = list(Group.objects.select_related("owner__person", "pickup_point").order_by("pk"))
    chosen = [groups[0], *rng.sample(groups[1:], min(GROUPS_EACH, len(groups)) - 1)]
    operator = Person.objects.get(account__username=USERNAMES["operator"])
    window = Window(
        opens_at=now,
        closes_at=closes_at.replace(second=0, microsecond=0),
        pickup_on=closes_at.astimezone(BEIJING).date() + timedelta(days=1),
    )
    campaign, listings = open_campaign(
        rng, theme=THEMES[theme % len(THEMES)], window=window, groups=chosen, acting_person=operator, now=now
    )
    _first_orders(rng, campaign=campaign, listings=listings, now=now)
    return campaign


def _first_orders(rng: Random, *, campaign: Campaign, listings: list[Listing], now: datetime) -> None:
    """Members whose leader stands in for the money, as in any chat; the member persona has not ordered yet."""
    offers: list[Offer] = list(campaign.offers.order_by("position"))
    weights = [rng.randint(1, 10) for _ in offers]
    persona = Account.objects.get(username=USERNAMES["member"]).person_id
    requests: list[OrderRequest] = []
    for listing in listings:
        members = list(
            Member.objects.filter(group_id=listing.group_id).exclude(person_id=persona).order_by("pk")
        )
        for member in rng.sample(members, min(ORDERS_EACH, len(members))):
            lines = basket(rng, offers=offers, weights=weights)
            key = f"demo-{campaign.pk}-{len(requests)}"
            requests.append(
                order_request(rng, listing=listing, member=member, signs_in=False, lines=lines, key=key)
            )
    place_orders(now=now, campaign_id=campaign.pk, version=None, requests=requests)
