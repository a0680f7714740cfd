"""The name of the request that is being answered, for its log lines."""

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

name: ContextVar[bytes] = ContextVar("request", default=b"")


def add_request(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every line of a request bears its name."""
    current = name.get()
    if current:
        event["request"] = current.decode("ascii")
    return event
