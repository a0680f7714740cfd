"""Announcing events, telling people, marking as read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from kaituan.notices.models import Delivery, Notice, OutboxMessage
from kaituan.notices.senders import outside_senders
from kaituan.notices.wording import WORDINGS

CODE = re.compile(r"[A-Za-z0-9_:.+/\-]{0,80}")
"""What a string in a payload may be: a code, an id or a date. Names and addresses are none of these."""
PHONE = re.compile(r"(\+?86)?1\d{10}")


class NoticesError(Exception):
    """A mistake of the calling code, which would lose a message or let personal data out."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing to tell one person. data: what the wording of `kind` asks for; ids, numbers, dates, codes.
    dedupe_key: the same for the same event and person, so that a handler that runs twice tells once."""

    person_id: int
    kind: str
    dedupe_key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    link: str = ""


def announce(
    *, topic: str, subject: str, payload: Mapping[str, Any] | None = None, now: datetime
) -> OutboxMessage:
    """Write down an event, to be handled after the running transaction has committed.

    subject: `type:id` of the row it is about. payload: ids, numbers, codes and dates only.
    Raises NoticesError outside a transaction (the message could be lost or speak of nothing), or for a
    payload that holds text.
    """
    [message] = announce_many(topic=topic, messages=[(subject, payload or {})], now=now)
    return message


def announce_many(
    *, topic: str, messages: Iterable[tuple[str, Mapping[str, Any]]], now: datetime
) -> list[OutboxMessage]:
    """As `announce`, for many rows at once: (subject, payload) each, in one statement."""
    if not connection.in_atomic_block:
        raise NoticesError(f"{topic} must be announced inside the transaction of its event.")
    return OutboxMessage.objects.bulk_create(
        OutboxMessage(topic=topic, subject=subject, payload=without_text(payload), created_at=now)
        for subject, payload in messages
    )


def tell(
    *,
    person_id: int,
    kind: str,
    data: Mapping[str, Any] | None = None,
    link: str = "",
    dedupe_key: str,
    now: datetime,
) -> bool:
    """Put a notice into a person's inbox and queue it for every sender; False if it was told before."""
    telling = Telling(person_id=person_id, kind=kind, dedupe_key=dedupe_key, data=data or {}, link=link)
    return tell_many(tellings=[telling], now=now) == 1


@transaction.atomic
def tell_many(*, tellings: Sequence[Telling], now: datetime) -> int:
    """As `tell`, for many at once in one statement; says how many were new.

    Raises NoticesError for a kind without a wording, or data that its wording cannot be filled from.
    """
    # One order for all writers of dedupe keys: two handlers telling the same people do not deadlock.
    tellings = sorted(tellings, key=lambda telling: telling.dedupe_key)
    datas = [_checked(telling) for telling in tellings]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notices_notice (person_id, kind, data, link, dedupe_key, created_at)"
            " SELECT person_id, kind, data, link, dedupe_key, %s"
            " FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::text[], %s::text[])"
            " WITH ORDINALITY AS t(person_id, kind, data, link, dedupe_key, n) ORDER BY n"
            " ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, kind",
            [
                now,
                [telling.person_id for telling in tellings],
                [telling.kind for telling in tellings],
                [Jsonb(data) for data in datas],
                [telling.link for telling in tellings],
                [telling.dedupe_key for telling in tellings],
            ],
        )
        written = cursor.fetchall()
    Delivery.objects.bulk_create(
        Delivery(notice_id=notice_id, sender=sender.code)
        for notice_id, kind in written
        for sender in outside_senders()
        if sender.wants(kind)
    )
    return len(written)


@transaction.atomic
def mark_read(*, person_id: int, now: datetime, notice_ids: Iterable[int] | None = None) -> int:
    """Mark a person's unread notices as read, all or the given ones; says how many there were."""
    unread = Notice.objects.filter(person_id=person_id, read_at__isnull=True)
    if notice_ids is not None:
        unread = unread.filter(pk__in=list(notice_ids))
    return unread.update(read_at=now)


def move_notices(*, from_person_id: int, to_person_id: int) -> int:
    """Give one person's inbox to another: two persons were found to be one. Says how many rows moved."""
    return Notice.objects.filter(person_id=from_person_id).update(person_id=to_person_id)


def forget_handled(*, before: datetime) -> int:
    """Delete handled events of before that time: they were a means, the rows they speak of are the record."""
    count, _tables = OutboxMessage.objects.filter(handled_at__lt=before).delete()
    return count


def without_text(value: Any) -> Any:
    """`value` as JSON that can hold no name, phone or address; dates become ISO strings.

    Raises NoticesError for free text: outbox and notices outlive the person's right to be forgotten.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        if PHONE.fullmatch(value) or not CODE.fullmatch(value):
            raise NoticesError("Events and notices hold ids, numbers, dates and codes, no text and no phone.")
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): without_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_text(item) for item in value]
    raise NoticesError(f"A {type(value).__name__} has no place in an event or notice.")


def _checked(telling: Telling) -> dict[str, Any]:
    wording = WORDINGS.get(telling.kind)
    if wording is None:
        raise NoticesError(f"No wording for {telling.kind}: add it to kaituan/notices/wording.py.")
    missing = wording.missing_in(telling.data)
    if missing:
        raise NoticesError(f"The wording of {telling.kind} needs {', '.join(sorted(missing))}.")
    data: dict[str, Any] = without_text(telling.data)
    return data
