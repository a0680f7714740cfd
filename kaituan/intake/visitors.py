"""Who is asking: the signed pass that pages renew, else the session; never a form from another site."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from kaituan.intake.http import Scope, cookie, cookie_of
from kaituan.intake.reading import Reader
from kaituan.people.models import Account
from kaituan.people.passes import PassClaims, check_pass
from kaituan.web.sign_in.middleware import PASS_COOKIE

PASS_COOKIE_NAME = PASS_COOKIE.encode()
PASS_HEADER = b"kaituan-pass"


@dataclass(slots=True)
class Visitor:
    account_id: int
    person_id: int


class NotSignedIn(Exception):
    """No valid pass and no session."""


class ForeignOrigin(Exception):
    """The request comes from another site's page, or does not say where it comes from."""


class Visitors:
    """Checks passes against the revocations that this process has read and goes on hearing of."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._versions: dict[int, int] = {}
        """Account id -> the session version from which on passes count, where it is not the first."""
        self._hears = False

    async def begin_to_hear(self) -> None:
        """Call it once revocations are listened for: those of before are read, then passes count."""
        for account_id, session_version in await self._reader.read(raised_versions):
            self.revoke(account_id, session_version)
        self._hears = True

    def stop_hearing(self) -> None:
        """A revocation may go unheard now: until the next beginning the session decides."""
        self._hears = False

    def revoke(self, account_id: int, session_version: int) -> None:
        self._versions[account_id] = max(session_version, self._versions.get(account_id, 0))

    def by_pass(self, scope: Scope, *, now: datetime) -> Visitor | None:
        """Who sent this request, if that can be told from memory. Raises ForeignOrigin."""
        claims = _claims(scope, now=now)
        if claims is None or not self._counts(claims):
            return None
        return Visitor(claims.account_id, claims.person_id)

    async def by_asking(self, scope: Scope, *, now: datetime) -> Visitor:
        """Who sent this request, by a look into the database: a pass that may have been revoked unheard, or
        Django's session. Raises ForeignOrigin, NotSignedIn."""
        claims = _claims(scope, now=now)
        if claims is not None and not self._hears and await self._reader.read(lambda: is_current(claims)):
            return Visitor(claims.account_id, claims.person_id)
        key = cookie(scope, settings.SESSION_COOKIE_NAME.encode()).decode("latin-1")
        visitor = await self._reader.read(lambda: visitor_of_session(key)) if key else None
        if visitor is None:
            raise NotSignedIn
        return visitor

    @property
    def hears(self) -> bool:
        return self._hears

    def _counts(self, claims: PassClaims) -> bool:
        return self._hears and claims.session_version >= self._versions.get(claims.account_id, 0)


def raised_versions() -> list[tuple[int, int]]:
    """(account id, session version) of every account whose earlier passes were ever revoked."""
    return list(Account.objects.filter(session_version__gt=1).values_list("pk", "session_version"))


def is_current(claims: PassClaims) -> bool:
    """Whether the account's passes of this session version are still good."""
    accounts = Account.objects.filter(pk=claims.account_id, is_active=True, person__deleted_at__isnull=True)
    return accounts.filter(session_version=claims.session_version).exists()


def visitor_of_session(key: str) -> Visitor | None:
    """Who is signed in by Django's session, by all of Django's own rules."""
    request = HttpRequest()
    request.session = SessionStore(key)
    account = get_user(request)
    if not isinstance(account, Account) or not account.is_active or account.person.deleted_at:
        return None
    return Visitor(account.pk, account.person_id)


def _claims(scope: Scope, *, now: datetime) -> PassClaims | None:
    """What the request's pass says. Raises ForeignOrigin."""
    headers = dict(scope["headers"])
    in_header = headers.get(PASS_HEADER)
    _require_own_origin(scope, headers, has_cookie=not in_header)
    token = in_header or cookie_of(headers.get(b"cookie", b""), PASS_COOKIE_NAME)
    return check_pass(token, now=now) if token else None


def _require_own_origin(scope: Scope, headers: dict[bytes, bytes], *, has_cookie: bool) -> None:
    origin = headers.get(b"origin", b"")
    if not origin:
        # Browsers send Origin with every POST. Without one, only what no other site can set will do.
        if has_cookie:
            raise ForeignOrigin
        return
    if not _is_own(origin, headers.get(b"host", b""), scope.get("scheme", "http")):
        raise ForeignOrigin


@lru_cache(maxsize=256)
def _is_own(raw_origin: bytes, raw_host: bytes, scheme: str) -> bool:
    origin, host = raw_origin.decode("latin-1"), raw_host.decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    site = urlsplit(settings.SITE_URL)
    if origin == f"{site.scheme}://{site.netloc}":
        return True
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS) and origin == f"{scheme}://{host}"
