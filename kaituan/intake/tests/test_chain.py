"""The live chain: who came is seen by all who look, masked, once, and again after a broken connection."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from kaituan.intake import chain
from kaituan.intake.tests.visiting import Stream, pass_of, until, visit
from kaituan.ordering.models import Order
from kaituan.payments.services import amend_order, cancel_order
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


class Town:
    def __init__(self) -> None:
        now = timezone.now()
        make.open_books(now - timedelta(days=30))
        self.campaign = make.campaign(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=2))
        self.listing = make.listing(self.campaign)
        self.oranges = make.offer(self.campaign, make.pool(quantity=10_000))
        self.zhang = make.member(self.listing.group, "张敏 3-502", room="3-502")
        self.token = pass_of(make.account(self.zhang.person))

    def body(self, key):
        lines = [{"offer": "A", "quantity": 2}]
        return {"listing": self.listing.public_id, "key": key, "pay": "leader", "lines": lines}

    def place(self):
        """An order by another door than the intake."""
        return make.place(self.listing, self.zhang, (self.oranges, 1), now=timezone.now())


@pytest.fixture
def town():
    return Town()


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(chain, "FASTEST_S", 0.02)


def numbers(stream):
    return [entry["number"] for entry in stream.entries]


def test_everybody_who_looks_sees_who_joins_and_nobody_a_name_or_room(town):
    async def scenario(site):
        streams = [Stream(site, town.listing.public_id) for _ in range(5)]
        await until(lambda: all(stream.text for stream in streams))
        answer = await site.order(town.token, town.body("from-the-intake"))
        assert answer.status == 201
        await sync_to_async(town.place)()
        for stream in streams:
            await stream.until(lambda s: numbers(s) == [1, 2])
            first = stream.entries[0]
            assert (first["name"], first["items"], first["state"]) == ("张*", "赣南脐橙 ×2", "")
            assert "502" not in stream.text
            assert "敏" not in stream.text
        assert site.process.chains.client_count == 5
        for stream in streams:
            await stream.leave()
        assert site.process.chains.client_count == 0

    visit(scenario)


def test_a_page_asks_for_what_came_after_it_was_made(town):
    for _ in range(3):
        town.place()

    async def scenario(site):
        stream = Stream(site, town.listing.public_id, query="after=1")
        await stream.until(lambda s: numbers(s) == [2, 3])
        fresh = Stream(site, town.listing.public_id)
        await until(lambda: fresh.text)
        assert numbers(fresh) == []
        await stream.leave()
        await fresh.leave()

    visit(scenario)


def test_what_was_missed_comes_after_a_broken_connection(town):
    async def scenario(site):
        stream = Stream(site, town.listing.public_id)
        other = Stream(site, town.listing.public_id)
        await until(lambda: stream.text and other.text)
        await sync_to_async(town.place)()
        await stream.until(lambda s: numbers(s) == [1])
        await stream.leave()
        await sync_to_async(town.place)()
        await other.until(lambda s: numbers(s) == [1, 2])
        back = Stream(site, town.listing.public_id, last_event_id=stream.last_id)
        await back.until(lambda s: numbers(s) == [2])
        await back.leave()
        await other.leave()

    visit(scenario)


def test_another_process_sends_the_latest_entries_anew_with_those_that_are_gone(town):
    orders = [town.place() for _ in range(3)]
    cancel_order(order=orders[1], acting_person=town.zhang.person, now=timezone.now())

    async def scenario(site):
        stream = Stream(site, town.listing.public_id, last_event_id="0badcafe-17")
        await stream.until(
            lambda s: [(e["number"], e["state"]) for e in s.entries] == [(1, ""), (2, "lost"), (3, "")]
        )
        await stream.leave()

    visit(scenario)


def test_an_order_that_changes_or_goes_changes_where_it_stands(town):
    order = town.place()

    async def scenario(site):
        stream = Stream(site, town.listing.public_id)
        await until(lambda: stream.text)
        await sync_to_async(amend)()
        await stream.until(lambda s: s.entries and s.entries[-1]["items"] == "赣南脐橙 ×4")
        await sync_to_async(cancel)()
        await stream.until(lambda s: s.entries[-1]["state"] == "lost")
        assert set(numbers(stream)) == {1}
        await stream.leave()

    def amend():
        amend_order(
            order=order, quantities={town.oranges.pk: 4}, acting_person=town.zhang.person, now=timezone.now()
        )

    def cancel():
        cancel_order(
            order=Order.objects.get(pk=order.pk), acting_person=town.zhang.person, now=timezone.now()
        )

    visit(scenario)


def test_in_a_rush_nobody_is_skipped(town, monkeypatch):
    monkeypatch.setattr(chain, "ENTRIES_AT_ONCE", 7)

    async def scenario(site):
        stream = Stream(site, town.listing.public_id)
        await until(lambda: stream.text)
        await asyncio.gather(*(site.order(town.token, town.body(f"order-{n:04d}")) for n in range(40)))
        await stream.until(lambda s: numbers(s) == list(range(1, 41)))
        await stream.leave()

    visit(scenario)


def test_a_client_that_does_not_read_holds_up_nobody(town):
    async def scenario(site):
        slow = Stream(site, town.listing.public_id)
        await until(lambda: slow.text)
        stuck = asyncio.Event()
        [client] = next(iter(site.process.chains._chains.values())).clients
        send = client.send

        async def wait_then_send(message):
            await stuck.wait()
            await send(message)

        client.send = wait_then_send
        quick = Stream(site, town.listing.public_id)
        await until(lambda: quick.text)
        for count in range(1, 4):
            await sync_to_async(town.place)()
            await quick.until(lambda s, count=count: len(s.entries) == count)
        assert slow.entries == []
        stuck.set()
        await slow.until(lambda s: set(numbers(s)) == {1, 2, 3})
        await slow.leave()
        await quick.leave()

    visit(scenario)


def test_streams_end_when_the_server_stops_and_there_is_none_for_a_draft(town):
    make.listing(make.campaign(status="draft"), town.listing.group, public_id="draftlisting")

    async def scenario(site):
        for unknown in ("draftlisting", "nowhere"):
            stream = Stream(site, unknown)
            await stream.ended()
            assert stream.status == 404
        stream = Stream(site, town.listing.public_id)
        await until(lambda: stream.text)
        site.app.end_streams()
        await stream.ended()
        late = Stream(site, town.listing.public_id)
        await late.ended()
        assert late.status == 503

    visit(scenario)


@pytest.mark.parametrize("sequence", ["²", "9" * 5000, "", "-1"])
def test_a_number_that_no_chain_gave_out_is_no_number(sequence):
    lives = chain.LiveChains(reader=None)
    kept = chain._Chain(listing_id=1, public_id="x", last_number=1, entries=OrderedDict({1: '{"number":1}'}))
    scope = {
        "headers": [(b"last-event-id", f"{lives._epoch}-{sequence}".encode("latin-1"))],
        "query_string": b"",
    }
    assert b'{"number":1}' in lives._missed(kept, scope)
    scope = {"headers": [], "query_string": f"after={quote(sequence)}".encode()}
    assert b"data: []" in lives._missed(kept, scope)
