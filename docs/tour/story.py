"""What the pictures of the tour show: nine days of a small town, told through the public pages on a clock that stands.

The people and goods are the demo town's. Every order, count, hand-over and settlement is made by the page that a
person would use, so a picture cannot show what the software cannot do. The same seed tells the same story.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from random import Random
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.test import Client

from kaituan.campaigns.models import Campaign, Listing
from kaituan.catalogue.models import Variant
from kaituan.demo.sizes import Size
from kaituan.demo.town import USERNAMES, build_town
from kaituan.fulfilment.models import PickupCode, PurchaseOrder
from kaituan.ordering.models import Order
from kaituan.people.models import Account, Group, Leader, Member
from kaituan.reporting.doctor import examine
from kaituan.settlement.queries import statement_rows
from kaituan.web import clock
from kaituan.web.sign_in.staff import PERSONA_SESSION_KEY
from kaituan.worker.clock import run_due

BEIJING = ZoneInfo("Asia/Shanghai")
SEED = 20261105
FOUNDED = datetime(2026, 10, 27, 9, 0, tzinfo=BEIJING)
PRESENT = datetime(2026, 11, 5, 17, 20, tzinfo=BEIJING)
"""The moment at which every picture is taken: a Thursday, when people come home from work."""
CODE = "704218"
TOWN = Size(
    partners=1, captains=2, hosts=3, members=260, products=120, points=6, days=0,
    campaigns_per_day=0, listings_per_campaign=0, orders_per_listing=0, live_campaigns=0,
)  # fmt: skip
BASKETS = (
    ("赣南脐橙", "烟台红富士苹果/5斤", "磨盘柿", "散养土鸡蛋/30枚", "有机菠菜"),
    ("黑猪五花肉", "琵琶腿", "舟山带鱼段", "西兰花", "蜜薯"),
    ("五常稻花香大米/10斤", "延庆黄小米", "小磨芝麻酱", "新疆灰枣"),
    ("酱牛肉", "普罗旺斯西红柿", "水果黄瓜", "双孢菇", "鲜鸭蛋"),
)
"""What the group buys of the first days sell, in turn."""


class Story:
    """The town, the moment it has reached, and one signed-in client per person who acts."""

    def __init__(self) -> None:
        self.now = FOUNDED
        self.rng = Random(SEED)  # noqa: S311 - a story, not a secret
        self._clients: dict[int, Client] = {}
        build_town(size=TOWN, seed=SEED, now=FOUNDED)
        self.leader = Leader.objects.get(person__account__username=USERNAMES["leader"])
        self.member = Account.objects.get(username=USERNAMES["member"])
        self.operator = Account.objects.get(username=USERNAMES["operator"])
        self.cashier = Account.objects.get(username=USERNAMES["cashier"])
        self.supplier = Account.objects.get(username=USERNAMES["supplier"])
        self.others = list(Leader.objects.exclude(pk=self.leader.pk).order_by("pk"))

    # People and pages

    def client(self, account: Account) -> Client:
        """A browser without windows in which this person has signed in."""
        if account.pk not in self._clients:
            self._clients[account.pk] = signed_in(account)
        return self._clients[account.pk]

    def session(self, account: Account) -> str:
        """What a real browser needs to be this person, who has just come in: no basket yet, nothing told."""
        return str(signed_in(account).cookies["sessionid"].value)

    def post(self, account: Account, path: str, data: Mapping[str, object]) -> str:
        """Send a form; answers where the page leads. Raises AssertionError if it was refused."""
        with clock.standing_at(self.now):
            answer = self.client(account).post(path, dict(data))
        if answer.status_code not in (302, 303):
            raise AssertionError(f"{path} answered {answer.status_code}: {answer.content.decode()[:4000]}")
        return str(answer["Location"])

    def until(self, moment: datetime) -> None:
        """Let time pass, doing what the clock does by itself."""
        self.now = moment
        failed = run_due(now=moment)
        if failed:
            raise AssertionError(f"these duties failed: {failed}")

    # The stations of a group buy

    def open(
        self, leader: Leader, title: str, goods: Iterable[str], *, closes: datetime, pickup: date,
        story: str = "", groups: list[Group] | None = None,
    ) -> Listing:  # fmt: skip
        """The leader's three pages: choose goods, set the terms, publish. Answers the listing in the first group."""
        account = leader.person.account
        draft = self.choose(leader, goods)
        campaign = Campaign.objects.get(public_id=draft.strip("/").split("/")[-1])
        groups = groups or list(leader.groups.order_by("pk")[:1])
        terms: dict[str, object] = {
            "title": title,
            "story": story,
            "opens_at": local(self.now),
            "closes_at": local(closes),
            "pickup_on": pickup.isoformat(),
            "pickup_hours": "16:00–20:00",
            "minimum_fen": "0",
            "minimum_policy": "refund",
            "groups": [group.pk for group in groups],
            "publish": "",
        }
        for offer in campaign.offers.all():
            terms |= {
                f"o{offer.pk}-price": f"{offer.price_fen / 100:.2f}",
                f"o{offer.pk}-code": offer.code,
                f"o{offer.pk}-title": offer.title,
            }
        self.post(account, draft, terms)
        return Listing.objects.get(campaign=campaign, group=groups[0])

    def choose(self, leader: Leader, goods: Iterable[str]) -> str:
        """The first of those pages: from the selection pool to a draft, whose address is answered."""
        found = []
        for name in goods:
            product, _slash, which = name.partition("/")
            variants = Variant.objects.filter(product__name=product).order_by("pk")
            found.append(
                variants.filter(Q(name=which) | Q(sale_unit=which)).get() if which else variants.get()
            )
        chosen = {"variant": [variant.pk for variant in found]}
        return self.post(leader.person.account, "/work/open/", chosen)

    def chain(self, listing: Listing, entries: int) -> None:
        """Members of the group write a chain in the chat; the leader pastes it and books what is certain."""
        members = self.rng.sample(list(Member.objects.filter(group=listing.group).order_by("pk")), entries)
        codes = list(listing.campaign.offers.values_list("code", flat=True).order_by("position"))
        lines = []
        for number, member in enumerate(members, start=1):
            picked = self.rng.sample(codes, self.rng.choice((1, 1, 2, 2, 3)))
            items = " ".join(f"{code}{self.rng.choice((1, 1, 1, 2))}" for code in sorted(picked))
            lines.append(f"{number}. {member.display_name} {items}")
        self.book(listing, self.paste(listing, "#接龙 " + listing.campaign.title + "\n" + "\n".join(lines)))

    def paste(self, listing: Listing, text: str) -> str:
        """Paste a chain; answers the address of the page that shows what booking would do."""
        account = listing.leader.person.account
        return self.post(account, f"/work/l/{listing.public_id}/paste/", {"text": text})

    def book(self, listing: Listing, diff: str) -> None:
        self.post(listing.leader.person.account, f"{diff}book/", {})

    def tap(self, account: Account, listing: Listing, quantities: Mapping[str, int]) -> Order:
        """A member joins on the campaign page and pays by the sandbox. quantities: offer code -> units."""
        page = f"/g/{listing.public_id}/join/"
        offers = {offer.code: offer.pk for offer in listing.campaign.offers.all()}
        self.post(account, page, {f"offer_{offers[code]}": number for code, number in quantities.items()})
        member = Member.objects.filter(group=listing.group, person=account.person).first()
        confirm = {
            "confirm": "1",
            "key": f"tap-{account.pk}-{listing.pk}",
            "settles": "prepaid",
            "display_name": member.display_name if member else account.person.name,
            "room": member.room if member else "3-502",
        }
        checkout = self.post(account, self.post(account, page, confirm), {"channel": "sandbox"})
        self.post(account, checkout, {})
        return Order.objects.filter(person=account.person, listing=listing).latest("pk")

    def key_in(self, listing: Listing, who: str, what: str, key: str) -> None:
        entry = {"who": who, "what": what, "paid_by": "cash", "note": "", "key": key}
        self.post(listing.leader.person.account, f"/work/l/{listing.public_id}/key-in/", entry)

    def buy(self, campaign: Campaign) -> list[PurchaseOrder]:
        """Send the purchase orders of a campaign that was cut off."""
        orders = list(PurchaseOrder.objects.filter(snapshot__campaign=campaign).order_by("pk"))
        for order in orders:
            self.post(self.operator, f"/console/purchasing/{order.public_id}/", {"send": ""})
        return orders

    def receive(self, order: PurchaseOrder, *, less: int = 0) -> None:
        """Count a delivery: everything that was asked for, but `less` purchase units of the first line."""
        counts: dict[str, object] = {}
        for number, line in enumerate(order.lines.order_by("pk")):
            units = -(-line.ordered_quantity // line.steps_per_purchase_unit)
            counts[f"line_{line.pk}"] = units - (less if number == 0 else 0)
        self.post(self.operator, f"/console/purchasing/{order.public_id}/", counts)

    def deliver(self, campaign: Campaign) -> None:
        """Everything came in full: count it, share it out, bring it to the points."""
        for order in self.buy(campaign):
            self.receive(order)
        self.post(self.operator, f"/console/campaigns/{campaign.public_id}/share-complete/", {})
        for listing in campaign.listings.select_related("leader__person__account"):
            self.post(listing.leader.person.account, f"/work/l/{listing.public_id}/arrived/", {})

    def hand_over(self, orders: Iterable[Order]) -> None:
        """Money first where some is missing, in cash; then everything into the member's bag."""
        for order in orders:
            account = order.listing.leader.person.account
            if order.unpaid_fen:
                cash = {"receive": "", "channel": "cash", "amount": yuan(order.unpaid_fen), "key": "door"}
                self.post(account, f"/work/o/{order.public_id}/", cash)
            lines = {f"line_{line.pk}": units(line) for line in order.lines.filter(allocated_quantity__gt=0)}
            if lines:
                tick = {**lines, "method": "follow_number", "key": "h"}
                self.post(account, f"/work/counter/{order.public_id}/", tick)

    # What the pictures want to know

    def statement(self) -> tuple[str, str]:
        """Addresses of the leader's statement, and of an amount in it that opens to its order."""
        sheet = self.leader.statements.latest("pk")
        row = max(statement_rows(statement=sheet), key=lambda row: (row.amount_fen, -row.row_id))
        page = f"/work/money/{sheet.public_id}/"
        return page, f"{page}row/{row.row_id}/"

    def show_the_same_code(self, order: Order) -> None:
        """Codes are drawn at random when goods arrive; a picture wants the same one each time."""
        PickupCode.objects.filter(listing_id=order.listing_id, member_id=order.member_id).update(code=CODE)

    def prove(self) -> None:
        """Raises AssertionError if any of the invariants does not hold: a picture of broken books is a lie."""
        broken = examine()
        if broken:
            raise AssertionError("; ".join(broken))


def signed_in(account: Account) -> Client:
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[PERSONA_SESSION_KEY] = True
    session.save()
    return client


def local(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def units(line: object) -> str:
    """What is allocated of a line, in sale units, as the counter's page would show it."""
    from kaituan.money.quantities import format_units

    return format_units(line.allocated_quantity, steps_per_unit=line.offer.price_quantity)  # type: ignore[attr-defined]
