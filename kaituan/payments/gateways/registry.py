"""The gateways of this station, by channel."""

from kaituan.payments.gateways.protocol import Gateway
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.models import Channel

GATEWAYS: dict[str, Gateway] = {Channel.SANDBOX: SandboxGateway()}


def gateway_for(*, channel: str) -> Gateway:
    """Raises KeyError for a channel that no gateway serves (cash, balance)."""
    return GATEWAYS[channel]
