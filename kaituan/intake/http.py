"""The little of HTTP that the raw routes need: reading a request, sending an answer."""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import translation

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
NEVER_STORED = (b"cache-control", b"no-store")


class Gone(Exception):
    """The client left before its request was complete."""


class TooLarge(Exception):
    """The body is longer than it may be."""


async def read_body(receive: Receive, *, limit: int) -> bytes:
    """The whole body of a request. Raises TooLarge past `limit` bytes, Gone when the client leaves."""
    message = await receive()
    body = message.get("body", b"")
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        if len(body) > limit:
            raise TooLarge
        if not message.get("more_body"):
            return body
        message = await receive()
        body += message.get("body", b"")


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of that (lower-case) name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return b""


def cookie(scope: Scope, name: bytes) -> bytes:
    """The value of a cookie, or nothing."""
    return cookie_of(header(scope, b"cookie"), name)


def cookie_of(cookies: bytes, name: bytes) -> bytes:
    """One value of a Cookie header, or nothing. Kaituan's own cookies are never quoted."""
    for part in cookies.split(b";"):
        key, _, value = part.strip().partition(b"=")
        if key == name:
            return value
    return b""


async def send_answer(
    send: Send, status: int, body: bytes, *, content_type: bytes = JSON, headers: Headers = (NEVER_STORED,)
) -> None:
    length = str(len(body)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", length), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: object, *, headers: Headers = (NEVER_STORED,)) -> None:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    await send_answer(send, status, body, headers=headers)


def language_of(scope: Scope) -> str:
    """The visitor's language: their choice, else what the browser asks for, else the site's."""
    name, cookies = settings.LANGUAGE_COOKIE_NAME.encode(), header(scope, b"cookie")
    chosen = cookie_of(cookies, name) if name in cookies else b""
    return _language(chosen, header(scope, b"accept-language"))


@lru_cache(maxsize=512)
def _language(chosen: bytes, accepted: bytes) -> str:
    asked = accepted[:200].decode("latin-1").split(",")
    for code in (chosen.decode("latin-1"), *(part.split(";")[0].strip() for part in asked)):
        try:
            return translation.get_supported_language_variant(code.lower())
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
