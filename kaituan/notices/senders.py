"""The ways out of the house: SMS, WeChat, or the console where nothing may leave.

A sender is a class with a `code`, `wants(kind)` and `send(...)`. Which ones are in use is a setting
(KAITUAN_SENDERS, dotted paths), read once at start-up. This is the one place where code is named by a
string: an operator adds a sender for the SMS house of the city without changing ours.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TextIO

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Address:
    """Where one person is reached, and in which language. phone: 11 digits; empty when there is none."""

    phone: str = ""
    language: str = ""


AddressBook = Callable[[Sequence[int]], Mapping[int, Address]]
"""Person ids -> addresses of those who can be reached. Given by the caller: people/ stands below."""


class SendFailed(Exception):
    """The other side did not take it; worth another attempt. The message says why, without personal data."""


class Sender(Protocol):
    code: str
    """Short and stable: it is stored with each delivery."""

    def wants(self, kind: str) -> bool:
        """Whether notices of this kind go out this way."""
        ...

    def send(self, *, to: Address, title: str, body: str, key: str) -> None:
        """Send, or raise SendFailed. key: the same for every attempt, for the other side to tell repeats."""
        ...


class ConsoleSender:
    """Prints instead of sending: for the demo and for development."""

    code = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def wants(self, kind: str) -> bool:
        return True

    def send(self, *, to: Address, title: str, body: str, key: str) -> None:
        # sys.stdout is looked up now, not at import, so that a redirected stream is honoured.
        print(f"[{key}] {to.phone or '-'}: {title} | {body}", file=self._stream or sys.stdout, flush=True)


def load_sender(path: str) -> Sender:
    """A sender by the dotted path of its class (or of a function without arguments that makes one)."""
    sender: Sender = import_string(path)()
    return sender


@cache
def outside_senders() -> tuple[Sender, ...]:
    """The senders of notices, by the setting; none means that the inbox is all there is."""
    return tuple(load_sender(path) for path in getattr(settings, "KAITUAN_SENDERS", ()))
