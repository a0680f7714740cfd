"""The short-lived pass: who is asking, told without a look into the database.

Sign-in sets it beside the session, pages renew it, the order intake checks it. It is signed, not secret: it
holds ids only. `sign_out_everywhere` raises the session version and notifies; whoever checks passes drops
those of earlier versions (`PassClaims.session_version`), and ten minutes later they are void anyway.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.core.signals import setting_changed

from kaituan.people.models import Account

LIFETIME = timedelta(minutes=10)
FORMAT = "1"
FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class PassClaims(NamedTuple):
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
    return f"{_encode(body)}.{_encode(_finish(_keyed(settings.SECRET_KEY), body))}"


def check_pass(token: str, *, now: datetime) -> PassClaims | None:
    """What a pass says, or None if it is forged, cut short, expired or another station's."""
    try:
        body_text, _dot, signature_text = token.partition(".")
        body, signature = _decode(body_text), _decode(signature_text)
    except (ValueError, UnicodeEncodeError):
        return None
    keyed, schema = _checking()
    is_ours = False
    for mac in keyed:
        # No short cut at the first match: the time taken says nothing about which key it was.
        is_ours |= hmac.compare_digest(signature, _finish(mac, body))
    if not is_ours:
        return None
    version, station, *numbers = body.decode().split(":")
    if version != FORMAT or station != schema:
        return None
    claims = PassClaims(station, *map(int, numbers))
    return claims if now.timestamp() < claims.expires_at else None


@lru_cache(maxsize=1)
def _checking() -> tuple[list[hmac.HMAC], str]:
    """What a pass is checked by: MACs with the keys in force, the schema of this station. Asked for with every
    order of a rush, so the settings are read once."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_keyed(secret) for secret in secrets], settings.STATION_SCHEMA


def _forget_settings(**_: object) -> None:
    _checking.cache_clear()


setting_changed.connect(_forget_settings)


@lru_cache(maxsize=8)
def _keyed(secret: str | bytes) -> hmac.HMAC:
    """A MAC with a key for passes alone, so that nothing else signed with the site's secret can stand in for one.

    Copied for each pass: taking in the key is most of the work.
    """
    raw = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(hmac.digest(raw, b"kaituan.people.passes", hashlib.sha256), digestmod=hashlib.sha256)


def _finish(keyed: hmac.HMAC, body: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(body)
    return mac.digest()


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return a2b_base64(text.encode("ascii").translate(FROM_URL_SAFE) + b"===")
