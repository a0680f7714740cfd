"""How many live chains one address has open: nobody takes all places, a neighbourhood behind one address has enough."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from kaituan.intake.http import Scope

NETWORK_BITS = 64
"""Of an IPv6 address: a home is given so many, and may choose the rest anew for every request."""


@dataclass(slots=True)
class AddressBook:
    """Counts by client address. Behind a proxy that is trusted the server has put the visitor's into the scope."""

    most: int
    open: Counter[str] = field(default_factory=Counter)

    def enter(self, scope: Scope) -> str | None:
        """One more for the client's address: what to leave with, or None if it has as many as it may have.

        A client without an address (a socket file) is not counted: it is the proxy that must not let in too many.
        """
        client = scope.get("client")
        if not client or not client[0]:
            return ""
        name = network_of(client[0])
        if self.open.get(name, 0) >= self.most:
            return None
        self.open[name] += 1
        return name

    def leave(self, name: str) -> None:
        if not name:
            return
        self.open[name] -= 1
        if not self.open[name]:
            del self.open[name]


def network_of(host: str) -> str:
    """Whom an address stands for: an IPv4 address itself, an IPv6 address its network, anything else itself."""
    if ":" not in host:
        return host
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (128 - NETWORK_BITS):x}"
