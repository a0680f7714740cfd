"""Who may see and change what belongs to people. Each function returns the row or refuses.

A refusal is a 404 for everybody alike: it does not tell whether the row exists.
"""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404

from kaituan.people.groups import holds_at
from kaituan.people.models import Account, Group, Leader, Member, Person, PickupPoint, StaffRole

Visitor = Account | AnonymousUser | None
"""`request.user`, or None where nobody signs in."""


class NotYours(Http404):
    """The row does not exist, or is not this visitor's to see: the answer is the same."""


def person_of(account: Visitor) -> Person:
    """The person who is signed in."""
    if not isinstance(account, Account) or not account.is_active or account.person.deleted_at:
        raise NotYours
    return account.person


def leader_of(account: Visitor) -> Leader:
    """The signed-in leader."""
    leader = Leader.objects.filter(person=person_of(account)).select_related("person").first()
    if leader is None:
        raise NotYours
    return leader


def groups_of(account: Visitor, *, now: datetime) -> QuerySet[Group]:
    """Live groups in which the visitor acts as a leader: those owned, and those helped in."""
    return _acts_in(account, now=now).filter(archived_at__isnull=True).order_by("name", "pk")


def group_for_leader(account: Visitor, public_id: str, *, now: datetime) -> Group:
    """A group that the visitor owns or helps in; archived ones too, to look back."""
    return _one(_acts_in(account, now=now).filter(public_id=public_id))


def owned_group(account: Visitor, public_id: str) -> Group:
    """A group that the visitor owns: for what a helper may not do (helpers, archiving, money)."""
    return _one(Group.objects.filter(owner=leader_of(account), public_id=public_id))


def acts_for_group(account: Visitor, *, group_id: int, now: datetime) -> bool:
    """Whether the visitor owns the group or helps in it."""
    try:
        return _acts_in(account, now=now).filter(pk=group_id).exists()
    except NotYours:
        return False


def member_for_leader(account: Visitor, public_id: str, *, now: datetime) -> Member:
    """A member of a group that the visitor owns or helps in."""
    members = Member.objects.filter(public_id=public_id, group__in=_acts_in(account, now=now))
    return _one(members.select_related("person", "group"))


def own_membership(account: Visitor, *, group_id: int) -> Member:
    """The visitor's own place in a group."""
    members = Member.objects.filter(person=person_of(account), group_id=group_id, left_at__isnull=True)
    return _one(members.select_related("person", "group"))


def keeper_points(account: Visitor, *, now: datetime) -> QuerySet[PickupPoint]:
    """Pickup points where the visitor hands over."""
    kept = leader_of(account).kept_points.filter(holds_at(now)).values("pickup_point_id")
    return PickupPoint.objects.filter(pk__in=kept).order_by("name", "pk")


def point_for_keeper(account: Visitor, public_id: str, *, now: datetime) -> PickupPoint:
    """One of the visitor's pickup points."""
    return _one(keeper_points(account, now=now).filter(public_id=public_id))


def staff_roles(account: Visitor, *, now: datetime) -> frozenset[str]:
    """The staff roles that the visitor holds now and may use: empty for everybody else, and for staff who have not
    proven their second factor lately, whichever page they ask for."""
    return held_roles(account, now=now) if getattr(account, "staff_is_proven", False) else frozenset()


def held_roles(account: Visitor, *, now: datetime) -> frozenset[str]:
    """The staff roles of a visitor, proven or not: to say where they work, never what they may do."""
    if not isinstance(account, Account) or not account.is_active or not account.is_staff:
        return frozenset()
    held = StaffRole.objects.filter(holds_at(now), person_id=account.person_id)
    return frozenset(held.values_list("role", flat=True))


def has_role(account: Visitor, roles: Collection[str], *, now: datetime) -> bool:
    """Whether the visitor holds one of the roles; an administrator holds them all."""
    return bool(staff_roles(account, now=now) & {*roles, StaffRole.Role.ADMIN.value})


def require_staff(account: Visitor, roles: Collection[str], *, now: datetime) -> Person:
    """The person of a visitor who holds one of the roles; an administrator holds them all."""
    if not has_role(account, roles, now=now):
        raise NotYours
    return person_of(account)


def person_for_staff(account: Visitor, public_id: str, *, now: datetime) -> Person:
    """Any person, for those who run the business."""
    require_staff(account, [StaffRole.Role.OPERATOR, StaffRole.Role.CASHIER], now=now)
    return _one(Person.objects.filter(public_id=public_id))


def _acts_in(account: Visitor, *, now: datetime) -> QuerySet[Group]:
    person = person_of(account)
    helped = person.helped_groups.filter(holds_at(now)).values("group_id")
    return Group.objects.filter(Q(owner__person=person) | Q(pk__in=helped)).select_related(
        "owner__person", "pickup_point"
    )


def _one[Row: (Group, Member, Person, PickupPoint)](rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise NotYours
    return row
