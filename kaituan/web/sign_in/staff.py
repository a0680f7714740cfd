"""The door of the console: a staff role, a password, and a second factor proven not long ago."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from kaituan.people.access import NotYours, has_role, staff_roles
from kaituan.people.models import Account
from kaituan.web import clock

SECOND_FACTOR_SECONDS = 12 * 60 * 60
PERSONA_SESSION_KEY = "kaituan_persona"

View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]


def staff_required(*roles: str) -> Callable[[View], View]:
    """Let a view answer only to staff who hold one of the roles (any role, if none is named; administrators
    always) and have signed in with password and second factor within twelve hours.

    Others see no such page; those who could come in are sent to what is missing, and back.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            missing = missing_step(request)
            if missing:
                return redirect(f"{reverse(missing)}?{urlencode({'next': request.get_full_path()})}")
            now = clock.now()
            if not (has_role(request.user, roles, now=now) if roles else staff_roles(request.user, now=now)):
                raise NotYours
            return view(request, *args, **kwargs)

        return guarded

    return guard


class StaffProofMiddleware:
    """Takes their staff roles from staff who have not signed in with password and second factor within twelve hours, on
    every page: what an operator may do on a leader's or a member's page is as much as in the console."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            account = request.user
            if isinstance(account, Account) and account.is_staff:
                account.staff_is_proven = missing_step(request) is None
        return self._get_response(request)


def missing_step(request: HttpRequest) -> str | None:
    """URL name of the page where a visitor gets on: sign-in, setting up or proving the second factor.

    None when nothing is missing. Raises NotYours for somebody who is signed in and is no staff.
    """
    account = request.user
    if not isinstance(account, Account):
        return "account_login"
    if not account.is_staff:
        raise NotYours
    if settings.DEMO and request.session.get(PERSONA_SESSION_KEY):
        # The town's personas have neither password nor phone: the link stands for both, in a demo only.
        return None
    records = get_authentication_records(request, account)
    if not any(record["method"] == "password" for record in records):
        return "account_reauthenticate"
    if not is_mfa_enabled(account, [Authenticator.Type.TOTP]):
        return "mfa_activate_totp"
    proven = max((record["at"] for record in records if record["method"] == "mfa"), default=0)
    if clock.now().timestamp() - proven > SECOND_FACTOR_SECONDS:
        return "mfa_reauthenticate"
    return None
