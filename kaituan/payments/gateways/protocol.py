"""What every gateway can do. A gateway never writes orders or the books: it moves money and says what happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kaituan.payments.models import PaymentIntent


class GatewayRefused(Exception):
    """The gateway said no for good; the message is its reason."""


class GatewayUnreachable(Exception):
    """No answer, or one that says nothing: the same call may be made again."""


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """A refund as asked of a gateway. reference: ours, the same for every try; amounts in fen."""

    reference: str
    payment_reference: str
    amount_fen: int


class Gateway(Protocol):
    @property
    def channel(self) -> str:
        """Which `Channel` it serves."""
        ...

    def checkout_path(self, *, intent: PaymentIntent) -> str:
        """Where the member's browser goes to pay."""
        ...

    def refund(self, *, refund: GatewayRefund, now: datetime) -> None:
        """Send money back; the same reference again does nothing more.

        Raises GatewayRefused or GatewayUnreachable.
        """
        ...
