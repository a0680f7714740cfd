"""Telling the serving processes that something they keep in memory is no longer so.

A message is a hint and may be lost with its connection: whoever listens reads the rows anew, and trusts nothing
while it is not listening. SQL functions send the same messages (`ordering/sql/`).
"""

from django.db import connection

CHANNEL = "kaituan_live"
"""NOTIFY channel. A message is `STATION:KIND:...` with one of the kinds below."""

CAMPAIGN = "campaign"
"""`campaign:ID`: its terms, state or listings changed."""
SOLD_OUT = "out"
"""`out:CAMPAIGN:OFFER`: not one base step of the offer is left."""
BACK = "back"
"""`back:CAMPAIGN:OFFER`: there is some of it again."""
CHAIN = "chain"
"""`chain:LISTING`: orders were added; `chain:LISTING:NUMBER`: the order with this follow number changed."""


def changed(*subjects: str) -> None:
    """Send `KIND:...` messages to every serving process when the running transaction commits, else at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, current_schema() || ':' || subject) FROM unnest(%s::text[]) AS subject",
            [CHANNEL, sorted(set(subjects))],
        )
