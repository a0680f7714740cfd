"""Weeks of a town's life on a simulated clock, by the services that real stations use: nothing is written past
a rule. The same seed and size make the same history, down to the fen (`digest.py`)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.demo.campaigns import THEMES, Window, basket, open_campaign, order_request
from kaituan.demo.delivery import Delivery
from kaituan.demo.office import Office
from kaituan.demo.sizes import Size
from kaituan.demo.timetable import Timetable
from kaituan.demo.town import USERNAMES
from kaituan.fulfilment.cutoff import cut_off
from kaituan.notices.models import OutboxMessage
from kaituan.notices.relay import relay_all
from kaituan.ordering.core import OrderRequest, Outcome, StockRefused, place_orders
from kaituan.ordering.models import Order
from kaituan.ordering.services import OrderRefused
from kaituan.payments import services as payments
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.people.models import Account, Group, Member, Person
from kaituan.worker.handlers import HANDLERS

BEIJING = ZoneInfo("Asia/Shanghai")
LEADER_CHANNELS = {"cash": 35, "wechat_transfer": 45, "payment_code": 20}
ORDERING_HOURS = ((0, 9), (0, 12), (0, 20), (1, 9), (1, 13), (1, 18))
"""Day of the window and local hour at which orders come in."""


def local(day: datetime, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A time of the local day that `day` falls into, or of one some days later."""
    date = day.astimezone(BEIJING).date() + timedelta(days=days)
    return datetime.combine(date, time(hour, minute), BEIJING)


class History:
    """What happens in the town between its founding and the present."""

    def __init__(
        self, *, size: Size, seed: int, ends_at: datetime, engine: str, report: Callable[[int], None]
    ) -> None:
        """engine: of the settlement runs. report: told how many orders were placed so far, as it grows."""
        self.size = size
        self.ends_at = ends_at
        self.report = report
        self.placed = 0
        self._rng = Random(seed)  # noqa: S311 - a story, not a secret
        self._timetable = Timetable()
        self._operator = Person.objects.get(account__username=USERNAMES["operator"])
        self._groups = list(Group.objects.select_related("owner__person", "pickup_point").order_by("pk"))
        self._members = _members_by_group()
        self._delivery = Delivery(rng=self._rng, timetable=self._timetable, operator=self._operator)
        self._office = Office(
            rng=self._rng, timetable=self._timetable, operator=self._operator, engine=engine
        )

    def grow(self) -> None:
        """Live through all days up to the present; what is under way then stays under way."""
        first_day = self.ends_at - timedelta(days=self.size.days)
        for day in range(self.size.days):
            morning = local(first_day, 8, days=day)
            for number in range(self.size.campaigns_per_day):
                self._timetable.at(morning, self._opening(day * self.size.campaigns_per_day + number))
            self._office.plan_day(local(first_day, 0, days=day), number=day)
        self._timetable.run(until=self.ends_at)
        self._tell_the_latest()

    def _tell_the_latest(self) -> None:
        """People find the notices of the last two days in their inbox; older ones they have long read."""
        OutboxMessage.objects.filter(created_at__lt=self.ends_at - timedelta(days=2)).delete()
        relay_all(handlers=HANDLERS, now=self.ends_at)
        OutboxMessage.objects.filter(handled_at__isnull=False).delete()

    def _opening(self, number: int) -> Callable[[datetime], None]:
        theme = THEMES[number % len(THEMES)]

        def deed(now: datetime) -> None:
            window = Window(
                opens_at=now,
                closes_at=local(now, 21, days=1),
                pickup_on=local(now, 0, days=2).date(),
            )
            # The leader persona's first group takes part in most, so that this leader's pages are full.
            groups = self._rng.sample(self._groups[1:], self.size.listings_per_campaign - 1)
            if self._rng.random() < 0.7:
                groups.insert(0, self._groups[0])
            campaign, listings = open_campaign(
                self._rng, theme=theme, window=window, groups=groups, acting_person=self._operator, now=now
            )
            self._plan(campaign, listings, now)

        return deed

    def _plan(self, campaign: Campaign, listings: list[Listing], opened_at: datetime) -> None:
        offers = list(campaign.offers.order_by("position"))
        weights = [self._rng.randint(1, 10) for _ in offers]
        rounds = [local(opened_at, hour, self._rng.randrange(50), days=day) for day, hour in ORDERING_HOURS]
        for listing in listings:
            listing.leader = next(group.owner for group in self._groups if group.pk == listing.group_id)
        for at in rounds:
            self._timetable.at(at, lambda now: self._order(campaign, listings, offers, weights, now))
            self._timetable.at(at + timedelta(minutes=31), lambda now: payments.release_unpaid(now=now))
        for day in (0, 1):
            self._timetable.at(local(opened_at, 20, 55, days=day), lambda now: self._collect(campaign, now))
        self._timetable.at(campaign.closes_at, lambda now: self._cut_off(campaign, listings, now))

    def _cut_off(self, campaign: Campaign, listings: list[Listing], now: datetime) -> None:
        done = cut_off(campaign=campaign, now=now)
        if done.snapshot is not None:
            self._delivery.plan(campaign=done.campaign, listings=listings, cut_off_at=now)

    def _order(
        self,
        campaign: Campaign,
        listings: list[Listing],
        offers: Sequence[Offer],
        weights: list[int],
        now: datetime,
    ) -> None:
        """One hour's orders of all groups, placed in one call."""
        requests: list[OrderRequest] = []
        for listing in listings:
            for member, signs_in in self._buyers(listing):
                lines = basket(self._rng, offers=offers, weights=weights)
                key = f"demo-{campaign.pk}-{self.placed + len(requests)}"
                requests.append(
                    order_request(
                        self._rng, listing=listing, member=member, signs_in=signs_in, lines=lines, key=key
                    )
                )
        answers = place_orders(now=now, campaign_id=campaign.pk, version=None, requests=requests)
        placed = [
            answer.order_id
            for answer in answers
            if answer.outcome == Outcome.PLACED and answer.order_id is not None
        ]
        self.placed += len(placed)
        self.report(self.placed)
        orders = {
            order.pk: order
            for order in Order.objects.filter(pk__in=placed).select_related(
                "listing__leader__person", "person"
            )
        }
        self._timetable.at(
            now + timedelta(minutes=4), lambda at: self._pay([orders[pk] for pk in placed], at)
        )

    def _buyers(self, listing: Listing) -> Iterator[tuple[Member, bool]]:
        members = self._members[listing.group_id]
        count = min(len(members), self._share_of(self.size.orders_per_listing))
        chosen = self._rng.sample(members, count)
        # The member persona buys often, so that there is a history to look at.
        first = members[0]
        if listing.group_id == self._groups[0].pk and first not in chosen and self._rng.random() < 0.25:
            chosen.append(first)
        yield from chosen

    def _share_of(self, orders: int) -> int:
        """How many of a listing's orders come in one of its rounds: a fraction is a chance."""
        whole, part = divmod(orders, len(ORDERING_HOURS))
        return whole + (self._rng.random() < part / len(ORDERING_HOURS))

    def _pay(self, orders: Sequence[Order], now: datetime) -> None:
        """Those who tapped mostly pay at once, or forget and are released; some take it back or want more."""
        prepaid = []
        for order in orders:
            chance = self._rng.random()
            if order.settles == Order.Settles.PREPAID and chance < 0.94:
                prepaid.append(order)
            if chance < 0.015:
                self._timetable.at(now + timedelta(minutes=9), self._cancelling(order))
            elif chance < 0.03:
                self._timetable.at(now + timedelta(minutes=12), self._amending(order))
        pay_in_sandbox(orders=prepaid, now=now)

    def _collect(self, campaign: Campaign, now: datetime) -> None:
        """In the evening the leaders confirm the transfers and the cash that they got for their group's orders."""
        orders = Order.objects.filter(
            campaign=campaign, settles=Order.Settles.LEADER, status=Order.Status.CONFIRMED, paid_fen=0
        ).select_related("listing__leader__person", "person")
        taken = defaultdict(list)
        for order in orders.order_by("listing_id", "pk"):
            if order.unpaid_fen and self._rng.random() < 0.85:
                taken[order.listing].append(order)
        for listing, members_orders in taken.items():
            payments.leader_receives_many(
                taken=[
                    payments.Taken(order, self._channel(), order.unpaid_fen, f"demo-{order.pk}")
                    for order in members_orders
                ],
                leader=listing.leader,
                acting_person=listing.leader.person,
                now=now,
            )

    def _channel(self) -> str:
        [channel] = self._rng.choices(list(LEADER_CHANNELS), list(LEADER_CHANNELS.values()))
        return channel

    def _cancelling(self, order: Order) -> Callable[[datetime], None]:
        def deed(now: datetime) -> None:
            payments.cancel_order(order=order, acting_person=order.person, now=now, reason="不要了")

        return deed

    def _amending(self, order: Order) -> Callable[[datetime], None]:
        """One piece fewer or one more of the first of the goods; whoever must pay more does."""

        def deed(now: datetime) -> None:
            line = order.lines.select_related("offer").order_by("pk").first()
            if line is None:
                return
            more = line.quantity + line.offer.price_quantity
            try:
                changed = payments.amend_order(
                    order=order, quantities={line.offer_id: more}, acting_person=order.person, now=now
                )
            except (OrderRefused, StockRefused):
                return  # Too late, or sold out: it stays as it was.
            if changed.status == Order.Status.PENDING:
                pay_in_sandbox(orders=[changed], now=now)

        return deed


def pay_in_sandbox(*, orders: Sequence[Order], now: datetime) -> None:
    """Each member pays what is unpaid, and the gateway says so in one list."""
    gateway = SandboxGateway()
    intents = [payments.open_intent(order=order, channel="sandbox", now=now) for order in orders]
    payments.gateway_succeeded_many(
        successes=[
            payments.Success(intent, gateway.pay(intent=intent, now=now), intent.amount_fen)
            for intent in intents
        ],
        now=now,
    )


def _members_by_group() -> dict[int, list[tuple[Member, bool]]]:
    """Group id -> its members, each with whether they sign in."""
    accounts = set(Account.objects.values_list("person_id", flat=True))
    found: dict[int, list[tuple[Member, bool]]] = defaultdict(list)
    for member in Member.objects.order_by("pk"):
        found[member.group_id].append((member, member.person_id in accounts))
    return found
