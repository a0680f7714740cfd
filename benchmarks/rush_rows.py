"""The rows of the town of `rush_town`: imported once Django is set up."""

import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.test import Client

from kaituan.campaigns.models import Campaign, Listing, Offer, OfferPool
from kaituan.catalogue.models import Category, Product, StockPool, Supplier, Variant
from kaituan.people.models import Account, Group, Leader, Member, Person, PickupPoint
from kaituan.people.passes import issue_pass
from kaituan.people.services import create_staff_account, grant_role
from kaituan.web import clock

PLAN, USUAL = "rush", "usual"
"""The campaign of the rush, and one of a usual size, whose page is measured."""
USUAL_OFFERS = 30
PLENTY = 10**12


def tell() -> dict[str, Any]:
    """The campaign of the rush and every member of its groups, each with a pass of ten minutes."""
    campaign = Campaign.objects.get(plan_version=PLAN)
    listings = dict(campaign.listings.values_list("group_id", "public_id"))
    members = dict(Member.objects.filter(group__in=listings).values_list("person_id", "group_id"))
    now = clock.now()
    accounts = Account.objects.filter(person_id__in=members).order_by("pk")
    return {
        "campaign": campaign.public_id,
        "version": campaign.version,
        "usual": Listing.objects.filter(campaign__plan_version=USUAL)
        .values_list("public_id", flat=True)
        .first()
        or "",
        "offers": list(campaign.offers.values_list("code", flat=True)),
        "staff": Session.objects.values_list("session_key", flat=True).first() or "",
        "buyers": [
            (listings[members[account.person_id]], issue_pass(account=account, now=now))
            for account in accounts
        ],
    }


def sign_in_operator() -> None:
    """An operator who has signed in with password and second factor: whose console pages are asked for."""
    password, secret = secrets.token_urlsafe(16), totp.generate_totp_secret()
    account = create_staff_account(
        name="刘运营", username="operator", password=password, acting_person=None, now=clock.now()
    )
    grant_role(person=account.person, role="operator", acting_person=None, now=clock.now())
    totp.TOTP.activate(account, secret)
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.post("/staff/sign-in/", {"username": account.username, "password": password})
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    browser.post("/staff/sign-in/code/", {"code": code})
    if browser.get("/console/").status_code != 200:
        raise RuntimeError("The operator was not let in.")


def build(*, offers: int, groups: int, members: int, quota: int, limit: int) -> None:
    """quota: units of each offer in all, limit: for one person; 0 = plenty."""
    now = clock.now()
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
    _offers(_campaign(PLAN, persons[0], rows, now), offers, quota or PLENTY, limit or PLENTY)
    _offers(_campaign(USUAL, persons[0], rows[:1], now), USUAL_OFFERS, PLENTY, PLENTY)
    sign_in_operator()


def _campaign(plan: str, creator: Person, groups: list[Group], now: datetime) -> Campaign:
    campaign = Campaign.objects.create(
        title="开团", created_by=creator, status=Campaign.Status.OPEN, created_at=now,
        opens_at=now - timedelta(hours=1), closes_at=now + timedelta(days=1),
        pickup_on=(now + timedelta(days=2)).date(), plan_version=plan,
    )  # fmt: skip
    Listing.objects.bulk_create(
        Listing(
            campaign=campaign,
            leader=group.owner,
            group=group,
            pickup_point=group.pickup_point,
            created_at=now,
        )
        for group in groups
    )
    return campaign


def _offers(campaign: Campaign, count: int, quota: int, limit: int) -> None:
    supplier = Supplier.objects.get_or_create(name="绿野果蔬", defaults={"created_at": campaign.created_at})[
        0
    ]
    category = Category.objects.get_or_create(code="rush", name="水果")[0]
    products = Product.objects.bulk_create(
        Product(supplier=supplier, category=category, name=f"草莓{n}", created_at=campaign.created_at)
        for n in range(count)
    )
    variants = Variant.objects.bulk_create(
        Variant(product=product, sku=f"{campaign.plan_version}-{n:05d}", sale_unit="盒", purchase_unit="箱")
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
            quota_quantity=quota,
            per_person_quantity=limit,
        )
        for n, variant in enumerate(variants)
    )
    OfferPool.objects.bulk_create(
        OfferPool(offer=offer, pool=pool) for offer, pool in zip(offers, pools, strict=True)
    )
