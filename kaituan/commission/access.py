"""Who may see commission plans, publish them, and switch pay on other people's sales on or off.

Each function returns the person who acts, or refuses with a 404 as `people.access` does.
"""

from datetime import datetime

from kaituan.people.access import Visitor, require_staff
from kaituan.people.models import Person, StaffRole

READERS = (StaffRole.Role.OPERATOR, StaffRole.Role.CASHIER)


def plan_reader(account: Visitor, *, now: datetime) -> Person:
    """Operators and cashiers read plans; leaders see the rule behind each of their own amounts instead."""
    return require_staff(account, READERS, now=now)


def plan_publisher(account: Visitor, *, now: datetime) -> Person:
    """Plans and switches are the administrator's: they bind the station for months."""
    return require_staff(account, (), now=now)
