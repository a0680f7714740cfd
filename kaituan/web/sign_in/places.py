"""Where somebody belongs after signing in, and where they may be sent on to."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from kaituan.catalogue.access import suppliers_of
from kaituan.people.access import Visitor, held_roles, person_of
from kaituan.people.models import Leader

CONSOLE, WORKBENCH, PORTAL, STOREFRONT = "/console/", "/work/", "/portal/", "/"


def home_of(account: Visitor, *, now: datetime) -> str:
    """The face that a visitor works in: console, workbench, portal, or the storefront for everybody else."""
    if held_roles(account, now=now):
        return CONSOLE
    person = person_of(account)
    if Leader.objects.filter(person=person).exists():
        return WORKBENCH
    if suppliers_of(account, now=now).exists():
        return PORTAL
    return STOREFRONT


def wanted_next(request: HttpRequest) -> str:
    """The page that sign-in interrupted, on this site only; empty if there was none."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    return wanted if url_has_allowed_host_and_scheme(wanted, hosts, request.is_secure()) else ""
