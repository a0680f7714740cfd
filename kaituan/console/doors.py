"""Which staff may open which pages."""

from django.http import HttpRequest

from kaituan.people.access import has_role, person_of
from kaituan.people.models import Person, StaffRole
from kaituan.web import clock
from kaituan.web.sign_in.staff import staff_required

operator = staff_required(StaffRole.Role.OPERATOR)
"""Campaigns, buying, receiving, claims, catalogue."""
cashier = staff_required(StaffRole.Role.CASHIER)
"""Money that comes in and goes out."""
office = staff_required(StaffRole.Role.OPERATOR, StaffRole.Role.CASHIER)
"""Both of them may look."""
admin = staff_required(StaffRole.Role.ADMIN)
"""Roles, switches, who looked at what."""
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def acting(request: HttpRequest) -> Person:
    """The person behind a request that came through one of the doors."""
    return person_of(request.user)


def may_operate(request: HttpRequest) -> bool:
    return has_role(request.user, [StaffRole.Role.OPERATOR], now=clock.now())


def may_cash(request: HttpRequest) -> bool:
    return has_role(request.user, [StaffRole.Role.CASHIER], now=clock.now())
