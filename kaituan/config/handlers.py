"""Which handlers an event has: topic -> functions of the owning folders' `notices.py`, called in this order.

A handler takes the OutboxMessage, runs after the event's commit and may run twice. Imports are static, so
that one can jump from here to what happens.
"""

from kaituan.notices.relay import Handlers

HANDLERS: Handlers = {}
