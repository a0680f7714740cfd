"""The nine days before the pictures: what happened, hour by hour, and where each picture is found."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from docs.tour.story import BASKETS, BEIJING, PRESENT, Story
from kaituan.campaigns.models import Campaign, Listing
from kaituan.catalogue.models import Supplier
from kaituan.demo.town import MEMBER_PERSONA
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ordering.models import Order
from kaituan.people.models import Account

LIVE = (
    "赣南脐橙", "烟台红富士苹果/5斤", "烟台红富士苹果/10斤", "丹东红颜草莓", "散养土鸡蛋/30枚", "有机蔬菜箱/五样",
    "酱牛肉",
)  # fmt: skip
"""Goods, with the unit or variant after a slash where a product has several."""
CHAIN = """#接龙 周六鲜果到家
明晚8点截单，周六下午4点自提
1. 张姐 8-1202 脐橙2 草莓1
2. 豆豆妈妈 3-502 草莓2
3. 李阿姨 11-301 A1 E1
4. 半夏 6-1-703 D1 E1
5. 米粒奶奶 2-201 脐橙1
6. 老周 15-902 牛肉2 脐橙1
7. 听雨 9-604 草莓1 A1
8. 小满爸爸 5-1101 脐橙1 牛肉1
"""
GROWN = (
    CHAIN
    + """9. 木子 7-802 草莓3
10. 孙姐 12-405 苹果1
11. 朵朵姥姥 1-303 脐橙2 牛肉1
12. 老北京 4-2-601 E2 D1
"""
)
"""The same chain an hour later: three lines that are certain, and one that could mean either size of apples."""


@dataclass(frozen=True)
class Places:
    """Addresses of what the pictures show."""

    listing: Listing
    arrived: Order
    """The member's, at the pickup point."""
    handed: Order
    """The member's, in the bag since yesterday."""
    counter: Order
    diff: str
    draft: str
    campaign: str
    received: PurchaseOrder
    asked: PurchaseOrder
    statement: str
    row: str


def tell(story: Story) -> Places:
    """Live through the days up to PRESENT. Answers where to look then."""
    handed = _first_days(story)
    arrived, waiting = _the_group_buy_that_is_here(story)
    received, asked = _the_one_that_is_bought(story)
    listing, diff, draft = _the_one_that_runs(story)
    story.until(PRESENT)
    story.show_the_same_code(arrived)
    story.prove()
    statement, row = story.statement()
    return Places(
        listing=listing,
        arrived=arrived,
        handed=handed,
        counter=waiting,
        diff=diff,
        draft=draft,
        campaign=f"/console/campaigns/{received.snapshot.campaign.public_id}/",
        received=received,
        asked=asked,
        statement=statement,
        row=row,
    )


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BEIJING)


def _first_days(story: Story) -> Order:
    """A group buy a day; the persona's every other day. Answers the member's order in the last of them."""
    leaders = [story.leader, story.others[0], story.leader, story.others[1], story.leader, story.others[2]]
    before: Listing | None = None
    mine: Order | None = None
    for number, leader in enumerate([*leaders, story.leader]):
        day = at(28, 0, month=10) + timedelta(days=number)
        if before is not None:
            story.until(day + timedelta(hours=8))
            story.deliver(before.campaign)
        story.until(day + timedelta(hours=9))
        listing = story.open(
            leader,
            f"{'一二三四五六日'[day.weekday()].join(('周', '邻里团'))}",
            BASKETS[number % len(BASKETS)],
            closes=day + timedelta(hours=20),
            pickup=(day + timedelta(days=1)).date(),
            groups=list(leader.groups.order_by("pk")),
        )
        story.until(day + timedelta(hours=11))
        for each in listing.campaign.listings.order_by("pk"):
            story.chain(each, 12 + number)
        story.until(day + timedelta(hours=15))
        if leader == story.leader:
            mine = story.tap(story.member, listing, {"A": 1, "B": 2})
        story.tap(neighbour(listing, number), listing, {"B": 1, "D": 1})
        if before is not None:
            story.until(day + timedelta(hours=18))
            story.hand_over(standing(before.campaign))
        story.until(day + timedelta(hours=20))
        before = listing
        if number == 5:
            story.until(at(3, 7))
            story.post(story.cashier, "/console/settlement/", {})
    assert before is not None
    assert mine is not None
    story.until(at(4, 8))
    story.deliver(before.campaign)
    return mine


def _the_group_buy_that_is_here(story: Story) -> tuple[Order, Order]:
    """Opened on Wednesday, at the pickup point on Thursday: the member's order there, and one to hand over."""
    story.until(at(4, 9))
    listing = story.open(
        story.leader,
        "周四鲜到 · 水果蛋奶",
        ("阳光玫瑰葡萄", "徐香猕猴桃", "散养土鸡蛋/30枚", "有机油麦菜", "蓝莓"),
        closes=at(4, 20),
        pickup=at(5, 0).date(),
    )
    story.until(at(4, 11))
    story.chain(listing, 12)
    story.until(at(4, 16))
    for number in range(3):
        story.tap(neighbour(listing, 20 + number), listing, {"A": 1, "E": 1})
    mine = story.tap(story.member, listing, {"A": 1, "C": 1, "E": 1})
    story.until(at(4, 18))
    last = Listing.objects.filter(leader=story.leader).exclude(pk=listing.pk).latest("pk")
    story.hand_over(standing(last.campaign))
    return mine, Order.objects.filter(listing=listing).exclude(pk=mine.pk).latest("pk")


def _the_one_that_is_bought(story: Story) -> tuple[PurchaseOrder, PurchaseOrder]:
    """Cut off today at noon; one supplier has brought too little, another still has to confirm."""
    partner = story.others[-1] if story.others[-1].groups.count() > 1 else story.others[0]
    groups = list(partner.groups.order_by("pk"))
    story.until(at(4, 18, 30))
    first = story.open(
        partner,
        "周五家常菜 · 肉禽海鲜",
        ("黑猪肋排", "原切牛腱子", "散养土鸡蛋/30枚", "青岛虾仁", "丹东红颜草莓", "赣南脐橙", "磨盘柿"),
        closes=at(5, 12),
        pickup=at(6, 0).date(),
        groups=groups,
    )
    story.until(at(4, 19, 30))
    for listing in first.campaign.listings.order_by("pk"):
        story.chain(listing, min(16, listing.group.members.count()))
        for number in range(2):
            story.tap(neighbour(listing, 40 + number), listing, {"A": 1, "B": 1})
    story.until(at(4, 20))
    story.until(at(5, 8))
    here = Listing.objects.get(campaign__title="周四鲜到 · 水果蛋奶")
    story.deliver(here.campaign)
    story.until(at(5, 12))
    orders = {order.supplier.name: order for order in story.buy(first.campaign)}
    meat = orders[Supplier.objects.get(products__name="黑猪肋排").name]
    story.until(at(5, 12, 40))
    _confirm(story, meat)
    story.until(at(5, 16))
    story.receive(meat, less=1)
    story.hand_over(standing(here.campaign)[:5])
    asked = next(
        order for order in orders.values() if order.supplier.staff.filter(person=story.supplier.person)
    )
    meat.refresh_from_db()
    return meat, asked


def _confirm(story: Story, order: PurchaseOrder) -> None:
    account = Account.objects.get(person=order.supplier.staff.get().person)
    asked = {
        f"line_{line.pk}": -(-line.ordered_quantity // line.steps_per_purchase_unit)
        for line in order.lines.all()
    }
    story.post(account, f"/portal/orders/{order.public_id}/", asked)


def _the_one_that_runs(story: Story) -> tuple[Listing, str, str]:
    """Open since four: eight from the chat, three by tapping, two keyed in; the chat has written on since."""
    story.until(at(5, 16, 5))
    listing = story.open(
        story.leader,
        "周六鲜果到家",
        LIVE,
        closes=at(6, 20),
        pickup=at(7, 0).date(),
        story="产地直发，周六下午到家门口。坏果包赔，拍照就行。",
    )
    story.until(at(5, 16, 30))
    story.book(listing, story.paste(listing, CHAIN))
    story.until(at(5, 16, 50))
    for number, wanted in enumerate(({"A": 1}, {"D": 1, "F": 1}, {"A": 2, "H": 1})):
        story.tap(neighbour(listing, 30 + number), listing, wanted)
    story.until(at(5, 17))
    story.key_in(listing, "赵奶奶 2-101", "A1 E1", "k1")
    story.key_in(listing, "孙爷爷 2-102", "D1", "k2")
    story.until(at(5, 17, 15))
    diff = story.paste(listing, GROWN)
    return listing, diff, story.choose(story.leader, ("砀山酥梨", "灵宝冬枣", "蜜薯", "有机蔬菜箱/八样"))


def neighbour(listing: Listing, number: int) -> Account:
    """Somebody of the group who signs in, other than the persona."""
    accounts = Account.objects.filter(person__memberships__group=listing.group, phone_verified=True)
    found = accounts.exclude(person__name=MEMBER_PERSONA).distinct().order_by("pk")
    return found[number % found.count()]


def standing(campaign: Campaign) -> list[Order]:
    """The orders that go to the counter, by number."""
    return list(campaign.orders.filter(status=Order.Status.CONFIRMED).order_by("listing", "follow_number"))
