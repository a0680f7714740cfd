"""The short-lived pass: who is asking, told without a look into the database.

Sign-in sets it beside the session, pages renew it, the order intake checks it. It is signed, not secret: it
holds ids only. `sign_out_everywhere` raises the session version and notifies; whoever checks passes drops
those of earlier versions (`PassClaims.session_version`), and ten minutes later they are void anyway.
"""

import hmac
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from django.conf import settings
from django.core.signals import setting_changed

from kaituan.people.models import Account

LIFETIME = timedelta(minutes=10)
FORMAT = 2
BODY = Struct(">BQQIQ")
"""Format, account id, person id, session version, expiry."""
SIGNATURE_SIZE = 16
LETTERS = 60
"""Of the 45 bytes of body and signature: no padding and no spare bits, so a pass is written in one way only."""
FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class PassClaims(NamedTuple):
    """What a valid pass says. expires_at: seconds since 1970."""

    account_id: int
    person_id: int
    session_version: int
    expires_at: int


def issue_pass(*, account: Account, now: datetime) -> str:
    """A pass of ten minutes for an account that is signed in."""
    expires_at = int((now + LIFETIME).timestamp())
    body = BODY.pack(FORMAT, account.pk, account.person_id, account.session_version, expires_at)
    return urlsafe_b64encode(body + _sign(_key(settings.SECRET_KEY, settings.STATION_SCHEMA), body)).decode()


def check_pass(token: str | bytes, *, now: datetime) -> PassClaims | None:
    """What a pass says, or None if it is forged, cut short, expired or another station's."""
    if len(token) != LETTERS:
        return None
    try:
        written = token.encode("ascii") if isinstance(token, str) else token
        raw = a2b_base64(written.translate(FROM_URL_SAFE), strict_mode=True)
    except ValueError:
        return None
    body, signature = raw[: BODY.size], raw[BODY.size :]
    is_ours = False
    for key in _keys_in_force():
        # No short cut at the first match: the time taken says nothing about which key it was.
        is_ours |= hmac.compare_digest(signature, _sign(key, body))
    if not is_ours:
        return None
    form, account_id, person_id, session_version, expires_at = BODY.unpack(body)
    if form != FORMAT or now.timestamp() >= expires_at:
        return None
    return PassClaims(account_id, person_id, session_version, expires_at)


@lru_cache(maxsize=1)
def _keys_in_force() -> Sequence[bytes]:
    """What a pass is checked by. Asked for with every order of a rush, so the settings are read once."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_key(secret, settings.STATION_SCHEMA) for secret in secrets]


def _forget_settings(**_: object) -> None:
    _keys_in_force.cache_clear()


setting_changed.connect(_forget_settings)


def _key(secret: str | bytes, station: str) -> bytes:
    """A key for the passes of one station alone, so that nothing else signed with the site's secret, and no pass of
    another station, can stand in for one."""
    raw = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(raw, b"kaituan.people.passes:" + station.encode(), "sha256")


def _sign(key: bytes, body: bytes) -> bytes:
    # Keyed BLAKE2b is a MAC as it is, and one pass over the body where HMAC takes two.
    return blake2b(body, digest_size=SIGNATURE_SIZE, key=key).digest()
