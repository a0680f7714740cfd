"""The gateways of this station, by channel. Which ones members may pay by is the setting KAITUAN_GATEWAYS."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from kaituan.payments.gateways.protocol import Gateway
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import Channel

KNOWN: dict[str, Gateway] = {Channel.SANDBOX: SandboxGateway()}


def offered(names: list[str]) -> dict[str, Gateway]:
    """The gateways of these names, in this order. Raises ImproperlyConfigured for one that there is not."""
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ImproperlyConfigured(f"KAITUAN_GATEWAYS names {unknown[0]!r}; there are: {', '.join(KNOWN)}.")
    return {name: KNOWN[name] for name in names}


GATEWAYS = offered(settings.KAITUAN_GATEWAYS)
"""Where members may begin to pay; none, where all is paid to the leader or from the balance."""


def gateway_for(*, channel: str) -> Gateway:
    """Also one that is no longer offered: what it took goes back through it.

    Raises KeyError for a channel that no gateway serves (cash, balance).
    """
    return KNOWN[channel]
