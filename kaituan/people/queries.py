"""Reading what we know of people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import QuerySet

from kaituan.notices.senders import Address
from kaituan.people.groups import holds_at
from kaituan.people.models import Account, Leader, LeaderTier, Member, Person, StaffRole, Station


def station() -> Station:
    """The station of this schema. Raises Station.DoesNotExist before `kaituan migrate`."""
    row = Station.objects.order_by("pk").first()
    if row is None:
        raise Station.DoesNotExist("This schema has no station yet: run `kaituan migrate`.")
    return row


def tiers_at(*, leader_ids: Iterable[int], at: datetime) -> dict[int, str]:
    """Leader id -> the tier held at that time; leaders without one are left out."""
    rows = (
        LeaderTier.objects.filter(leader_id__in=list(leader_ids), effective_from__lte=at)
        .order_by("leader_id", "-effective_from")
        .distinct("leader_id")
        .values_list("leader_id", "tier")
    )
    return {leader_id: tier for leader_id, tier in rows if tier}


def tier_at(*, leader: Leader, at: datetime) -> str:
    """The tier a leader held at that time; empty for none."""
    return tiers_at(leader_ids=[leader.pk], at=at).get(leader.pk, "")


def group_members(*, group_id: int, search: str = "") -> QuerySet[Member]:
    """Who is in a group now, by name; search: a part of the name or the room."""
    members = Member.objects.filter(group_id=group_id, left_at__isnull=True).select_related("person")
    for word in search.split()[:4]:
        members = members.filter(display_name__icontains=word) | members.filter(room__icontains=word)
    return members.order_by("display_name", "pk")


def addresses(person_ids: Sequence[int]) -> Mapping[int, Address]:
    """Where persons are reached: the proven phone of their account, and the language they read."""
    accounts = Account.objects.filter(person_id__in=person_ids, is_active=True)
    return {
        account.person_id: Address(
            phone=account.phone if account.phone and account.phone_verified else "",
            language=account.language,
        )
        for account in accounts
    }


def staff_person_ids(*, roles: Iterable[str], at: datetime) -> list[int]:
    """Who holds one of the staff roles at that time."""
    held = StaffRole.objects.filter(holds_at(at), role__in=list(roles))
    return sorted(set(held.values_list("person_id", flat=True)))


def possible_twins(*, person: Person, limit: int = 20) -> Sequence[Person]:
    """Other persons who may be the same: the same phone, or the same name in one of the same groups."""
    others = Person.objects.filter(merged_into__isnull=True, deleted_at__isnull=True).exclude(pk=person.pk)
    by_phone = others.filter(phone=person.phone) if person.phone else others.none()
    groups = Member.objects.filter(person=person).values("group_id")
    names = Member.objects.filter(person=person).values("display_name")
    by_name = others.filter(memberships__group_id__in=groups, memberships__display_name__in=names)
    return list((by_phone | by_name).distinct().order_by("pk")[:limit])


def current_person(person: Person) -> Person:
    """The person that this one was merged into, or the person itself."""
    return person.merged_into or person
