"""Keeps the short-lived pass beside the session: set at sign-in, renewed by pages, taken away at sign-out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from kaituan.people.models import Account
from kaituan.people.passes import LIFETIME, check_pass, issue_pass
from kaituan.web import clock

PASS_COOKIE = "kaituan_pass"  # noqa: S105
RENEW_BEFORE = timedelta(minutes=5)


def pass_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give every answer to somebody signed in a pass that is good for five minutes more at least."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(request)
            if _may_be_somebody(request):
                keep_pass(request, response, account=await request.auser())
            return response

        markcoroutinefunction(answer_async)
        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        if _may_be_somebody(request):
            keep_pass(request, response, account=request.user)
        return response

    return answer


pass_middleware.sync_capable = True  # type: ignore[attr-defined]
pass_middleware.async_capable = True  # type: ignore[attr-defined]


def keep_pass(request: HttpRequest, response: HttpResponseBase, *, account: object) -> None:
    """Set, renew or delete the pass of this answer."""
    held = request.COOKIES.get(PASS_COOKIE, "")
    if not isinstance(account, Account):
        if held:
            response.delete_cookie(PASS_COOKIE, samesite="Lax")
        return
    # What somebody signed in sees is theirs: no shared cache may keep it, and their own asks again.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    now = clock.now()
    claims = check_pass(held, now=now)
    if (
        claims is None
        or claims.account_id != account.pk
        or claims.person_id != account.person_id
        or claims.session_version != account.session_version
        or claims.expires_at - now.timestamp() < RENEW_BEFORE.total_seconds()
    ):
        response.set_cookie(
            PASS_COOKIE,
            issue_pass(account=account, now=now),
            max_age=int(LIFETIME.total_seconds()),
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )


def _may_be_somebody(request: HttpRequest) -> bool:
    """Whether the session is worth a look: a visitor without any cookie of ours is nobody we know.

    `signed_in_account` marks a request that signs somebody in: its session cookie is only on its way out.
    """
    cookies = request.COOKIES
    return (
        settings.SESSION_COOKIE_NAME in cookies
        or PASS_COOKIE in cookies
        or hasattr(request, "signed_in_account")
    )
