"""The short-lived pass: who is asking, told without a look into the database.

Sign-in sets it beside the session, pages renew it, the order intake checks it. It is signed, not secret: it
holds ids only. `sign_out_everywhere` raises the session version and notifies; whoever checks passes drops
those of earlier versions (`PassClaims.session_version`), and ten minutes later they are void anyway.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings

from kaituan.people.models import Account

LIFETIME = timedelta(minutes=10)
FORMAT = "1"


@dataclass(frozen=True, slots=True)
class PassClaims:
    """What a valid pass says. expires_at: seconds since 1970."""

    station: str
    account_id: int
    person_id: int
    session_version: int
    expires_at: int


def issue_pass(*, account: Account, now: datetime) -> str:
    """A pass of ten minutes for an account that is signed in."""
    expires_at = int((now + LIFETIME).timestamp())
    fields = (settings.STATION_SCHEMA, account.pk, account.person_id, account.session_version, expires_at)
    body = ":".join([FORMAT, *map(str, fields)]).encode()
    return f"{_encode(body)}.{_encode(_signature(body, settings.SECRET_KEY))}"


def check_pass(token: str, *, now: datetime) -> PassClaims | None:
    """What a pass says, or None if it is forged, cut short, expired or another station's."""
    try:
        body_text, _dot, signature_text = token.partition(".")
        body, signature = _decode(body_text), _decode(signature_text)
    except (ValueError, UnicodeEncodeError):
        return None
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # No short cut at the first match: the time taken says nothing about which key it was.
    if not any([hmac.compare_digest(signature, _signature(body, secret)) for secret in secrets]):  # noqa: C419
        return None
    version, station, *numbers = body.decode().split(":")
    if version != FORMAT or station != settings.STATION_SCHEMA:
        return None
    claims = PassClaims(station, *map(int, numbers))
    return claims if now.timestamp() < claims.expires_at else None


@lru_cache(maxsize=8)
def _keyed(secret: str | bytes) -> hmac.HMAC:
    """A MAC with a key for passes alone, so that nothing else signed with the site's secret can stand in for one.

    Copied for each pass: taking in the key is most of the work.
    """
    raw = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(hmac.digest(raw, b"kaituan.people.passes", hashlib.sha256), digestmod=hashlib.sha256)


def _signature(body: bytes, secret: str | bytes) -> bytes:
    mac = _keyed(secret).copy()
    mac.update(body)
    return mac.digest()


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
