"""What the town's leaders open: themed group buys from the selection pool, and who orders what in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random

from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.campaigns.services import OfferTerms, Terms, open_draft
from kaituan.catalogue.models import Variant
from kaituan.commission.opening import publish_and_list
from kaituan.ordering.core import LineRequest, OrderRequest
from kaituan.people.models import Group, Member, Person

POOL_UNITS = 600
SCARCE_UNITS = 60


@dataclass(frozen=True, slots=True)
class Theme:
    """A kind of group buy: its title, the categories it draws on and how many offers it has."""

    title: str
    story: str
    categories: tuple[str, ...]
    offers: int


THEMES = (
    Theme("当季水果到站", "产地直发，坏果包赔。截单次日到点，先到先得。", ("fruit",), 9),
    Theme("早市蔬菜团", "凌晨采收，中午到点。叶菜娇嫩，当天请来取。", ("vegetable",), 10),
    Theme("肉蛋补货团", "锅里少块肉，冰箱差板蛋。冷链到点。", ("meat",), 9),
    Theme("海鲜到港", "船一靠岸就发车，冷冻分装。", ("seafood",), 8),
    Theme("米面粮油一月一囤", "新米现磨，重货送到自提点。", ("grain",), 8),
    Theme("老北京熟食豆制品", "早上出锅，晚上上桌。", ("cooked",), 8),
    Theme("鲜奶烘焙早餐团", "一周的早餐都在这里。", ("dairy", "bakery"), 10),
    Theme("周末火锅团", "肉、菜、蘸料一次配齐。", ("meat", "vegetable", "cooked"), 11),
    Theme("家居日用凑单团", "纸巾洗衣液，比超市便宜一点。", ("household",), 9),
    Theme("水果蔬菜一车拉", "果蔬同车，省一次跑腿。", ("fruit", "vegetable"), 12),
)


@dataclass(frozen=True, slots=True)
class Window:
    """When a group buy takes orders and when its goods are picked up."""

    opens_at: datetime
    closes_at: datetime
    pickup_on: date


def open_campaign(
    rng: Random,
    *,
    theme: Theme,
    window: Window,
    groups: Sequence[Group],
    acting_person: Person,
    now: datetime,
) -> tuple[Campaign, list[Listing]]:
    """Write, publish and list one group buy in the groups, by its services."""
    terms = Terms(
        title=theme.title,
        story=theme.story,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        pickup_on=window.pickup_on,
        pickup_hours="10:00-20:30",
        claim_window_hours=48,
    )
    campaign = open_draft(terms=terms, offers=_offers(rng, theme=theme), acting_person=acting_person, now=now)
    listings = publish_and_list(
        campaign=campaign,
        groups=groups,
        expected_version=campaign.version,
        acting_person=acting_person,
        now=now,
    )
    return campaign, listings


def _offers(rng: Random, *, theme: Theme) -> list[OfferTerms]:
    variants = Variant.objects.filter(
        product__category__code__in=theme.categories, archived_at__isnull=True
    ).select_related("product")
    listed = list(variants.order_by("pk"))
    chosen = sorted(rng.sample(listed, min(theme.offers, len(listed))), key=lambda variant: variant.pk)
    scarce = rng.randrange(len(chosen)) if chosen else 0
    return [
        OfferTerms(
            variant_id=variant.pk,
            title=f"{variant.product.name} {variant.name}".strip(),
            private_quantity=(SCARCE_UNITS if number == scarce else POOL_UNITS) * variant.steps_per_sale_unit,
            per_person_quantity=6 * variant.steps_per_sale_unit if number == scarce else None,
        )
        for number, variant in enumerate(chosen)
    ]


def basket(rng: Random, *, offers: Sequence[Offer], weights: Sequence[int]) -> list[LineRequest]:
    """What one member takes: mostly one or two goods, mostly one of each."""
    wanted: dict[int, int] = {}
    for _ in range(rng.choices((1, 2, 3, 4), (34, 36, 20, 10))[0]):
        [offer] = rng.choices(offers, weights)
        units = rng.choices((1, 2, 3), (78, 18, 4))[0]
        wanted[offer.pk] = wanted.get(offer.pk, 0) + units * offer.price_quantity
    return [LineRequest(offer_id=offer_id, quantity=quantity) for offer_id, quantity in wanted.items()]


NOTES = ("", "", "", "", "", "", "", "晚点来取", "放门卫", "要熟一点的", "帮留一份好的")


def order_request(
    rng: Random, *, listing: Listing, member: Member, signs_in: bool, lines: list[LineRequest], key: str
) -> OrderRequest:
    """How this member orders: by tapping and paying beforehand, or in the chat, the leader taking the money."""
    by_tap = signs_in and rng.random() < 0.75
    source = "tap" if by_tap else rng.choices(("chain", "key_in"), (75, 25))[0]
    return OrderRequest(
        listing_id=listing.pk,
        member_id=member.pk,
        actor_id=member.person_id if by_tap else listing.leader.person_id,
        key=key,
        source=source,
        settles="prepaid" if by_tap else "leader",
        note=rng.choice(NOTES),
        claims_paid=source == "chain" and rng.random() < 0.6,
        lines=lines,
    )
