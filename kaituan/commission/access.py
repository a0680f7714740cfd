"""Who may see commission plans, publish them, and switch pay on other people's sales on or off."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from kaituan.people.models import Person, StaffRole

READERS = (StaffRole.Role.ADMIN, StaffRole.Role.OPERATOR, StaffRole.Role.CASHIER)


def may_see_plans(*, person: Person, now: datetime) -> bool:
    """Operators and cashiers read plans; leaders see the rule behind each of their own amounts instead."""
    return _holds(person=person, roles=READERS, now=now)


def may_publish_plans(*, person: Person, now: datetime) -> bool:
    """Plans and switches are the admin's: they bind the station for months."""
    return _holds(person=person, roles=(StaffRole.Role.ADMIN,), now=now)


def require_reader(*, person: Person, now: datetime) -> None:
    """Raises PermissionDenied unless `person` may see plans."""
    if not may_see_plans(person=person, now=now):
        raise PermissionDenied


def require_publisher(*, person: Person, now: datetime) -> None:
    """Raises PermissionDenied unless `person` may publish plans and turn switches."""
    if not may_publish_plans(person=person, now=now):
        raise PermissionDenied


def _holds(*, person: Person, roles: tuple[StaffRole.Role, ...], now: datetime) -> bool:
    standing = Q(effective_until__isnull=True) | Q(effective_until__gt=now)
    return StaffRole.objects.filter(standing, person=person, role__in=roles, effective_from__lte=now).exists()
