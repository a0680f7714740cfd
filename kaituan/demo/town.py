"""The town itself: its station, people, places and goods, on the day it was founded. No orders yet.

Rows that no rule stands behind (thousands of persons and members) are written in bulk; what a rule decides
(appointing leaders, staff roles, the commission plan) goes through its service.
"""

from datetime import datetime
from itertools import cycle, islice
from random import Random

from django.db import transaction

from kaituan.catalogue.models import Supplier
from kaituan.catalogue.services import add_supplier_staff
from kaituan.commission.services import publish_plan
from kaituan.commission.tiers import publish_tier_rules
from kaituan.demo import names
from kaituan.demo.goods import build_goods, rows
from kaituan.demo.sizes import Size
from kaituan.people.models import Account, Group, Leader, Member, Person, PickupPoint, StaffRole
from kaituan.people.services import (
    add_helper,
    appoint_leader,
    assign_keeper,
    create_group,
    create_pickup_point,
    create_staff_account,
    grant_role,
    register_person,
)

PLAN = {
    "version": "2026-a",
    "tiers": ["host", "captain", "partner"],
    "sale": {
        "base": "paid",
        "rates_bp": {"host": 800, "captain": 1000, "partner": 1200},
        "category_rates_bp": {
            "grain": {"host": 400, "captain": 500, "partner": 600},
            "household": {"host": 600, "captain": 800, "partner": 900},
        },
    },
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "guards": {"paid_depth": 0},
}
"""Pay for selling and for handing over, and for nothing else."""
TIER_RULES = {
    "tiers": [
        {"tier": "host"},
        {
            "tier": "captain",
            "promotion": {
                "window_days": 30,
                "own_turnover_fen": 18_000_00,
                "group_members": 30,
                "claim_rate_bp": 250,
                "on_time_rate_bp": 9_000,
            },
            "keeping": {
                "window_days": 60, "need": "any", "own_turnover_fen": 12_000_00, "team_turnover_fen": 25_000_00,
            },
        },
        {
            "tier": "partner",
            "promotion": {
                "window_days": 30,
                "team_turnover_fen": 120_000_00,
                "groups_owned": 2,
                "claim_rate_bp": 300,
                "on_time_rate_bp": 9_000,
            },
            "keeping": {
                "window_days": 60, "need": "any", "own_turnover_fen": 30_000_00, "team_turnover_fen": 40_000_00,
            },
        },
    ]
}  # fmt: skip
"""What leaders sell and how they care for it; never whom they recruited."""
STATION_NAME = "北京站"
ACCOUNT_SHARE = 0.3
"""Of the members, those who sign in; the others are names in a chat."""
LEADER_PERSONA = "王秀兰"
MEMBER_PERSONA = "林晓雯"
USERNAMES = {
    "member": "demo-member",
    "leader": "demo-leader",
    "operator": "demo-operator",
    "cashier": "demo-cashier",
    "supplier": "demo-supplier",
}
RULES = "文明接龙，看好截单时间；自提请带提货码；有问题 48 小时内找群主。"


@transaction.atomic
def build_town(*, size: Size, seed: int, now: datetime) -> None:
    """Write the town into an empty station, as of `now`; the same seed makes the same town."""
    rng = Random(seed)  # noqa: S311 - a story, not a secret
    build_goods(products=size.products, now=now)
    operator = _staff(now=now)
    _suppliers_staff(operator=operator, now=now)
    publish_plan(document=PLAN, effective_from=now, reason="开站方案", acting_person=operator, now=now)
    publish_tier_rules(
        document=TIER_RULES, effective_from=now, reason="开站规则", acting_person=operator, now=now
    )
    points = _points(size=size)
    leaders = _leaders(rng, size=size, operator=operator, now=now)
    groups = _groups(rng, leaders=leaders, points=points, operator=operator, now=now)
    _members(rng, groups=groups, count=size.members, now=now)


def _staff(*, now: datetime) -> Person:
    """The operator, who may do everything, and the cashier. They come in by their links: the passwords are
    random and kept nowhere."""
    made = []
    for persona, name, roles in (
        ("operator", "何静", (StaffRole.Role.ADMIN, StaffRole.Role.OPERATOR)),
        ("cashier", "许文娟", (StaffRole.Role.CASHIER,)),
    ):
        account = create_staff_account(
            name=name, username=USERNAMES[persona], password=_password(), acting_person=None, now=now
        )
        for role in roles:
            grant_role(person=account.person, role=role, acting_person=None, now=now)
        made.append(account.person)
    return made[0]


def _password() -> str:
    import secrets

    return secrets.token_urlsafe(24)


def _suppliers_staff(*, operator: Person, now: datetime) -> None:
    """The contact of each supplier may act in the portal; the first one is a persona."""
    for number, supplier in enumerate(Supplier.objects.order_by("pk")):
        person = register_person(name=supplier.contact_name, phone=supplier.phone, now=now)
        add_supplier_staff(supplier=supplier, person=person, acting_person=operator, now=now)
        Account.objects.create(
            person=person,
            username=USERNAMES["supplier"] if number == 0 else None,
            phone=supplier.phone,
            phone_verified=True,
            password="!",  # noqa: S106 - a password that no hash equals: none
        )


def _points(*, size: Size) -> list[PickupPoint]:
    listed = list(rows("communities"))
    chosen = [listed[number * len(listed) // size.points] for number in range(size.points)]
    return [
        create_pickup_point(
            name=row["community"],
            district=row["district"],
            address=f"{row['community']}东门自提柜旁",
            opening_hours="10:00-20:30",
            longitude_e6=_e6(row["lng_gcj02"]),
            latitude_e6=_e6(row["lat_gcj02"]),
        )
        for row in chosen
    ]


def _e6(degrees: str) -> int:
    whole, _dot, part = degrees.partition(".")
    return int(whole) * 1_000_000 + int(f"{part:0<6}"[:6])


def _leaders(rng: Random, *, size: Size, operator: Person, now: datetime) -> list[Leader]:
    """Partners first, who were referred by nobody; captains by partners, hosts by either or by nobody."""
    partners: list[Leader] = []
    captains: list[Leader] = []
    hosts: list[Leader] = []
    plan = [
        ("partner", partners, size.partners),
        ("captain", captains, size.captains),
        ("host", hosts, size.hosts),
    ]
    number = 0
    for tier, made, count in plan:
        for _ in range(count):
            is_persona = tier == "captain" and not captains
            name = LEADER_PERSONA if is_persona else names.person_name(rng)
            phone = f"139{20_000_000 + number:08d}"
            person = register_person(name=name, phone=phone, now=now)
            Account.objects.create(
                person=person, phone=phone, phone_verified=True, password="!",  # noqa: S106
                username=USERNAMES["leader"] if is_persona else None,
            )  # fmt: skip
            above = [*partners, *captains] if tier == "host" else partners if tier == "captain" else []
            referrer = rng.choice(above) if above and rng.random() < 0.85 else None
            made.append(
                appoint_leader(
                    person=person,
                    acting_person=operator,
                    now=now,
                    tier=tier,
                    referrer=referrer,
                    reason="开站",
                )
            )
            number += 1
    return [*captains, *partners, *hosts]


def _groups(
    rng: Random, *, leaders: list[Leader], points: list[PickupPoint], operator: Person, now: datetime
) -> list[Group]:
    """A leader keeps a point and has a group there; partners have three, captains two. The persona comes first."""
    counts = {"partner": 3, "captain": 2, "host": 1}
    groups = []
    for leader, point in zip(leaders, islice(cycle(points), len(leaders)), strict=True):
        assign_keeper(point=point, leader=leader, acting_person=operator, now=now)
        for number in range(counts[leader.tiers.get().tier]):
            name = f"{point.name}{rng.choice(('团购', '邻里', '优选', '好物'))}{number + 1}群"
            groups.append(create_group(owner=leader, name=name, pickup_point=point, now=now, rules=RULES))
    return groups


def _members(rng: Random, *, groups: list[Group], count: int, now: datetime) -> None:
    """Persons and their places in groups; one in ten is in two. The first is the member persona."""
    persons, doors, in_groups = [], [], []
    for number in range(count):
        name = MEMBER_PERSONA if number == 0 else names.person_name(rng)
        phone = f"137{30_000_000 + number:08d}" if number == 0 or rng.random() < ACCOUNT_SHARE else ""
        persons.append(Person(name=name, phone=phone, created_at=now))
        doors.append(names.room(rng))
        # A leader's first group is the fullest.
        home = groups[0] if number % 40 == 0 else rng.choice(groups)
        second = rng.choice(groups) if rng.random() < 0.1 else home
        in_groups.append({home.pk: home, second.pk: second})
    Person.objects.bulk_create(persons, batch_size=1_000)
    Account.objects.bulk_create(
        (
            Account(
                person=person, phone=person.phone, phone_verified=True, password="!",  # noqa: S106
                username=USERNAMES["member"] if number == 0 else None,
            )
            for number, person in enumerate(persons)
            if person.phone
        ),
        batch_size=1_000,
    )  # fmt: skip
    Member.objects.bulk_create(
        (
            Member(
                group=group,
                person=person,
                display_name=names.chat_name(rng, name=person.name, door=door) if number else person.name,
                room=door,
                joined_at=now,
            )
            for number, (person, door, homes) in enumerate(zip(persons, doors, in_groups, strict=True))
            for group in homes.values()
        ),
        batch_size=1_000,
    )
    helper = persons[min(1, count - 1)]
    add_helper(group=groups[0], person=helper, acting_person=None, now=now)
