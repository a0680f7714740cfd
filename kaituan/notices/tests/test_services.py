"""Announcing in the event's transaction, telling each person once, never with personal data."""

from datetime import date, timedelta

import pytest

from kaituan.notices import queries
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.notices.services import (
    NoticesError,
    Telling,
    announce,
    announce_many,
    mark_read,
    move_notices,
    tell,
    tell_many,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def tell_of_order(person_id: int = 7, order_id: int = 12) -> bool:
    return tell(
        person_id=person_id,
        kind="order_placed",
        data={"campaign_id": 3, "order_id": order_id, "follow_number": 5, "due_fen": 3990},
        link="/orders/abc/",
        dedupe_key=f"order_placed:{order_id}:{person_id}",
        now=NOON,
    )


def test_an_event_is_written_with_ids_and_dates():
    message = announce(
        topic="pickup_moved",
        subject="campaign:3",
        payload={"old_on": date(2026, 10, 2), "ids": [1]},
        now=NOON,
    )
    stored = OutboxMessage.objects.get(pk=message.pk)
    assert stored.payload == {"old_on": "2026-10-02", "ids": [1]}
    assert stored.created_at == NOON
    assert stored.handled_at is None


@pytest.mark.django_db(transaction=True)
def test_an_event_is_refused_outside_its_transaction():
    with pytest.raises(NoticesError, match="inside the transaction"):
        announce(topic="order_placed", subject="order:1", now=NOON)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("text", ["张敏", "13812345678", "+8613812345678", "3号楼 2单元", "some words", 1.5])
def test_text_phones_and_floats_have_no_place_in_an_event(text):
    with pytest.raises(NoticesError):
        announce(topic="order_placed", subject="order:1", payload={"note": [text]}, now=NOON)
    assert not OutboxMessage.objects.exists()


def test_many_events_are_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        announce_many(topic="order_released", messages=[(f"order:{i}", {}) for i in range(50)], now=NOON)
    assert OutboxMessage.objects.count() == 50


def test_a_person_is_told_once_however_often_the_handler_runs():
    assert tell_of_order() is True
    assert tell_of_order() is False
    assert queries.unread_count(person_id=7) == 1


def test_many_are_told_at_once_and_each_once():
    tellings = [
        Telling(person_id=i, kind="campaign_cancelled", dedupe_key=f"c:3:{i}", data={"campaign_id": 3})
        for i in range(30)
    ]
    assert tell_many(tellings=tellings[:20], now=NOON) == 20
    assert tell_many(tellings=tellings, now=NOON) == 10
    assert Notice.objects.count() == 30


def test_a_kind_without_wording_and_data_that_does_not_fill_it_are_refused():
    with pytest.raises(NoticesError, match="No wording for nonsense"):
        tell(person_id=7, kind="nonsense", dedupe_key="a", now=NOON)
    with pytest.raises(NoticesError, match="needs campaign, due, follow_number"):
        tell(person_id=7, kind="order_placed", dedupe_key="a", now=NOON)


def test_the_inbox_shows_the_newest_first_in_pages():
    for order_id in (1, 2, 3):
        tell_of_order(order_id=order_id)
    first = queries.inbox(person_id=7, limit=2)
    assert [notice.data["order_id"] for notice in first] == [3, 2]
    rest = queries.inbox(person_id=7, limit=2, before_id=first[-1].pk)
    assert [notice.data["order_id"] for notice in rest] == [1]
    assert queries.inbox(person_id=8) == []


def test_reading_marks_ones_own_notices_only():
    tell_of_order(person_id=7)
    tell_of_order(person_id=8)
    strangers = [notice.pk for notice in queries.inbox(person_id=8)]
    assert mark_read(person_id=7, now=NOON, notice_ids=strangers) == 0
    assert mark_read(person_id=7, now=NOON + timedelta(minutes=1)) == 1
    assert mark_read(person_id=7, now=NOON + timedelta(minutes=2)) == 0
    assert queries.unread_count(person_id=7) == 0
    assert queries.unread_count(person_id=8) == 1


def test_the_inbox_moves_when_two_persons_are_one():
    tell_of_order(person_id=7)
    assert move_notices(from_person_id=7, to_person_id=8) == 1
    assert queries.unread_count(person_id=8) == 1
