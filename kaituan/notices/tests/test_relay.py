"""Handlers run after commit, at least once; one failure holds up nobody; two workers share the work."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction

from kaituan.notices import queries
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.notices.relay import Relayed, relay_all, relay_once, retry_delay
from kaituan.notices.services import announce, announce_many, tell
from tests.factories import NOON


def announce_orders(count: int) -> None:
    with transaction.atomic():
        announce_many(topic="order_placed", messages=[(f"order:{i}", {}) for i in range(count)], now=NOON)


def tell_member(message: OutboxMessage) -> None:
    tell(
        person_id=7,
        kind="campaign_cancelled",
        data={"campaign_id": 3},
        dedupe_key=message.subject,
        now=message.created_at,
    )


def fail(message: OutboxMessage) -> None:
    raise LookupError("no such order")


@pytest.mark.django_db
class TestOneWorker:
    def test_handlers_run_in_order_and_once(self):
        announce_orders(2)
        seen = []
        handlers = {"order_placed": (lambda m: seen.append(("a", m.subject)), lambda m: seen.append(("b",)))}
        assert relay_once(handlers=handlers, now=NOON) == Relayed(handled=2, failed=0)
        assert relay_once(handlers=handlers, now=NOON) == Relayed(handled=0, failed=0)
        assert seen == [("a", "order:0"), ("b",), ("a", "order:1"), ("b",)]
        assert {m.handled_at for m in OutboxMessage.objects.all()} == {NOON}

    def test_a_topic_without_handlers_is_done(self):
        announce_orders(1)
        assert relay_once(handlers={}, now=NOON).handled == 1

    def test_a_failure_leaves_nothing_behind_and_holds_up_nobody(self):
        announce_orders(1)
        announce(topic="campaign_closed", subject="campaign:1", now=NOON)
        handlers = {"order_placed": (tell_member, fail), "campaign_closed": (tell_member,)}
        assert relay_once(handlers=handlers, now=NOON) == Relayed(handled=1, failed=1)
        assert [n.dedupe_key for n in Notice.objects.all()] == ["campaign:1"]
        [failing] = queries.failing_messages()
        assert failing.last_error == "LookupError: no such order"
        assert (failing.attempts, failing.next_attempt_at) == (1, NOON + timedelta(seconds=5))

    def test_a_failed_message_is_tried_again_later(self):
        announce_orders(1)
        relay_once(handlers={"order_placed": (fail,)}, now=NOON)
        healed = {"order_placed": (tell_member,)}
        assert relay_once(handlers=healed, now=NOON + timedelta(seconds=4)) == Relayed(0, 0)
        assert relay_once(handlers=healed, now=NOON + timedelta(seconds=5)) == Relayed(1, 0)
        message = OutboxMessage.objects.get()
        assert (message.attempts, message.last_error) == (2, "")

    def test_an_sql_error_spoils_its_own_message_only(self):
        def bad_sql(message: OutboxMessage) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

        announce_orders(1)
        announce(topic="campaign_closed", subject="campaign:1", now=NOON)
        handlers = {"order_placed": (bad_sql,), "campaign_closed": (tell_member,)}
        assert relay_once(handlers=handlers, now=NOON) == Relayed(handled=1, failed=1)

    def test_what_handlers_announce_is_handled_too(self):
        announce_orders(1)
        handlers = {
            "order_placed": (lambda m: announce(topic="next", subject=m.subject, now=m.created_at),),
            "next": (tell_member,),
        }
        assert relay_all(handlers=handlers, now=NOON) == Relayed(handled=2, failed=0)
        assert Notice.objects.count() == 1

    def test_the_oldest_come_first_and_no_more_than_asked_for(self):
        announce_orders(5)
        assert relay_once(handlers={}, now=NOON, limit=3).handled == 3
        assert queries.waiting_messages(older_than=NOON + timedelta(seconds=1)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_messages_and_handle_each_once():
    announce_orders(40)
    handled: Counter[str] = Counter()
    both_busy = threading.Barrier(2, timeout=20)

    def work() -> None:
        waited = []

        def handle(message: OutboxMessage) -> None:
            if not waited:
                waited.append(True)
                both_busy.wait()  # Each holds messages of its own at this point.
            handled[message.subject] += 1

        relay_once(handlers={"order_placed": (handle,)}, now=NOON, limit=20)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert handled == Counter({f"order:{i}": 1 for i in range(40)})
    assert queries.waiting_messages(older_than=NOON + timedelta(seconds=1)) == 0


def test_the_wait_doubles_up_to_an_hour():
    assert [retry_delay(n).total_seconds() for n in (1, 2, 3, 10, 11, 500)] == [5, 10, 20, 2560, 3600, 3600]
