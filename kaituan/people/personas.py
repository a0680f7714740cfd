"""Sign-in links for the personas of the demo town. Outside a demo they open nothing, however they are signed."""

from django.conf import settings
from django.core import signing

from kaituan.people.models import Account

SALT = "kaituan.people.personas"
"""The one purpose of these links: nothing signed for another can be used as one."""


class NoPersona(Exception):
    """The link is forged, its account is gone, or this is no demo."""


def persona_token(*, account: Account) -> str:
    """The token of a persona's link. Raises NoPersona outside a demo."""
    if not settings.DEMO:
        raise NoPersona
    return signing.dumps({"station": settings.STATION_SCHEMA, "account": account.pk}, salt=SALT)


def account_of_persona(token: str) -> Account:
    """The account that a link signs in. Raises NoPersona."""
    if not settings.DEMO:
        raise NoPersona
    try:
        claims = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise NoPersona from error
    if claims["station"] != settings.STATION_SCHEMA:
        raise NoPersona
    account = Account.objects.filter(pk=claims["account"], is_active=True).select_related("person").first()
    if account is None:
        raise NoPersona
    return account
