"""Language, elder mode and theme: chosen by the visitor, kept in cookies, carried along by the account.

The cookies decide, so that a page needs no database to know how it should look. An account keeps the language
and the elder mode too, and hands them to the next device when somebody signs in there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import get_language

from kaituan.people.models import Account

THEMES = ("light", "dark")
"""Anything else: as the device says."""
THEME_COOKIE = "kaituan_theme"
ELDER_COOKIE = "kaituan_elder"
COOKIE_AGE = 60 * 60 * 24 * 365


@dataclass(frozen=True, slots=True)
class Preferences:
    theme: Literal["light", "dark", ""]
    elder: bool

    @property
    def language(self) -> str:
        return get_language() or settings.LANGUAGE_CODE


def preferences_of(request: HttpRequest) -> Preferences:
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return Preferences(
        theme=theme if theme in THEMES else "",  # type: ignore[arg-type]
        elder=request.COOKIES.get(ELDER_COOKIE) == "1",
    )


def known_language(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def set_language(response: HttpResponseBase, code: str) -> None:
    _set(response, settings.LANGUAGE_COOKIE_NAME, code)


def set_elder(response: HttpResponseBase, elder: bool) -> None:
    _set(response, ELDER_COOKIE, "1" if elder else "")


def set_theme(response: HttpResponseBase, theme: str) -> None:
    _set(response, THEME_COOKIE, theme)


def _set(response: HttpResponseBase, name: str, value: str) -> None:
    if not value:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(name, value, max_age=COOKIE_AGE, samesite="Lax", secure=settings.HTTPS, httponly=True)


def remember_on_account(account: Account, *, language: str | None = None, elder: bool | None = None) -> None:
    """Keep a choice on the account for its next device."""
    changed = []
    if language is not None and account.language != language:
        account.language = language
        changed.append("language")
    if elder is not None and account.elder_mode != elder:
        account.elder_mode = elder
        changed.append("elder_mode")
    if changed:
        account.save(update_fields=changed)


def note_sign_in(sender: type, request: HttpRequest | None, user: Account, **_: Any) -> None:
    """Receiver of user_logged_in: the answer to this request will bring the account's choices along."""
    if request is not None:
        request.signed_in_account = user  # type: ignore[attr-defined]


user_logged_in.connect(note_sign_in, dispatch_uid="web.preferences")


def hand_over_preferences(request: HttpRequest, response: HttpResponseBase) -> None:
    """Write the choices of the account that has just signed in into this device's cookies."""
    account = getattr(request, "signed_in_account", None)
    if account is None:
        return
    if known_language(account.language):
        set_language(response, account.language)
    if account.elder_mode:
        set_elder(response, True)


def preferences_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Carries an account's choices to a new device. Both ways, so that it adds no thread to an async request."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(request)
            hand_over_preferences(request, response)
            return response

        markcoroutinefunction(answer_async)
        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        hand_over_preferences(request, response)
        return response

    return answer


preferences_middleware.sync_capable = True  # type: ignore[attr-defined]
preferences_middleware.async_capable = True  # type: ignore[attr-defined]
