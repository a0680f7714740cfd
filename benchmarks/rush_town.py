"""A town ready for a rush: one open campaign with many offers, listed in ten groups of some hundred members.

Every offer has all that an order must look at: a pool, a quota and a per-person limit, all too large to be
reached. Prices end in odd fen, so that nothing is free.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from kaituan.campaigns.models import Campaign, Listing, Offer, OfferPool
from kaituan.catalogue.models import Category, Product, StockPool, Supplier, Variant
from kaituan.ledger.models import Period
from kaituan.people.models import Account, Group, Leader, Member, Person, PickupPoint, Station
from kaituan.people.passes import issue_pass
from kaituan.web import clock

OFFERS = 1_000
GROUPS = 10
MEMBERS = 5_000
PLENTY = 10**12


@dataclass(frozen=True, slots=True)
class Buyer:
    listing: str
    token: str


@dataclass(frozen=True, slots=True)
class RushTown:
    campaign: Campaign
    offers: list[Offer]
    listings: list[Listing]

    def buyers(self) -> list[Buyer]:
        """Every member with a fresh pass (ten minutes) and the listing of the own group."""
        listings = {listing.group_id: listing.public_id for listing in self.listings}
        members = dict(Member.objects.filter(group__in=listings).values_list("person_id", "group_id"))
        now = clock.now()
        accounts = Account.objects.filter(person_id__in=members)
        return [
            Buyer(listings[members[account.person_id]], issue_pass(account=account, now=now))
            for account in accounts
        ]


def build(*, offers: int = OFFERS, groups: int = GROUPS, members: int = MEMBERS) -> RushTown:
    now = clock.now()
    Station.objects.create(name="测试城")
    Period.objects.create(starts_at=now - timedelta(days=30))
    persons = Person.objects.bulk_create(Person(name=f"邻居{n}", created_at=now) for n in range(members))
    Account.objects.bulk_create(
        Account(person=person, phone=f"139{n:08d}", phone_verified=True, password="!")
        for n, person in enumerate(persons)
    )
    leaders = Leader.objects.bulk_create(Leader(person=person, joined_at=now) for person in persons[:groups])
    point = PickupPoint.objects.create(name="翠成馨园", district="朝阳区")
    rows = Group.objects.bulk_create(
        Group(name=f"翠成馨园{n}群", owner=leader, pickup_point=point, created_at=now)
        for n, leader in enumerate(leaders, start=1)
    )
    Member.objects.bulk_create(
        Member(group=rows[n % groups], person=person, display_name=person.name, joined_at=now)
        for n, person in enumerate(persons)
    )
    campaign = Campaign.objects.create(
        title="开团", created_by=persons[0], status=Campaign.Status.OPEN, created_at=now,
        opens_at=now - timedelta(hours=1), closes_at=now + timedelta(days=1),
        pickup_on=(now + timedelta(days=2)).date(), plan_version="rush",
    )  # fmt: skip
    listings = Listing.objects.bulk_create(
        Listing(campaign=campaign, leader=group.owner, group=group, pickup_point=point, created_at=now)
        for group in rows
    )
    return RushTown(campaign, _offers(campaign, offers), listings)


def _offers(campaign: Campaign, count: int) -> list[Offer]:
    supplier = Supplier.objects.create(name="绿野果蔬", created_at=campaign.created_at)
    category = Category.objects.create(code="rush", name="水果")
    products = Product.objects.bulk_create(
        Product(supplier=supplier, category=category, name=f"草莓{n}", created_at=campaign.created_at)
        for n in range(count)
    )
    variants = Variant.objects.bulk_create(
        Variant(product=product, sku=f"RUSH{n:05d}", sale_unit="盒", purchase_unit="箱")
        for n, product in enumerate(products)
    )
    pools = StockPool.objects.bulk_create(
        StockPool(variant=variant, label="北京仓", supplied_quantity=PLENTY, available_quantity=PLENTY)
        for variant in variants
    )
    offers = Offer.objects.bulk_create(
        Offer(
            campaign=campaign,
            variant=variant,
            code=f"{n + 1}",
            title=f"草莓{n}",
            position=n % 30_000,
            sale_unit="盒",
            price_fen=995 + n % 7,
            cost_fen=600,
            quota_quantity=PLENTY,
            per_person_quantity=PLENTY,
        )  # fmt: skip
        for n, variant in enumerate(variants)
    )
    OfferPool.objects.bulk_create(
        OfferPool(offer=offer, pool=pool) for offer, pool in zip(offers, pools, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return offers


ORDERS_OF_A_RUN = (
    "payments_paymentintent", "ordering_orderline", "ordering_orderevent", "ordering_personofferquantity",
    "ordering_order", "notices_outboxmessage",
)  # fmt: skip


def clear_orders(cursor: object) -> None:
    """As if nobody had ordered: before every measured run, for the floors' tables are emptied too."""
    execute = cursor.execute  # type: ignore[attr-defined]
    execute(f"TRUNCATE {', '.join(ORDERS_OF_A_RUN)} RESTART IDENTITY CASCADE")
    execute("UPDATE campaigns_listing SET last_follow_number = 0")
    execute("UPDATE campaigns_offer SET sold_quantity = 0")
    execute("UPDATE catalogue_stockpool SET available_quantity = supplied_quantity")
