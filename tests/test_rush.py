"""The rush against a site that runs for real: two workers, an embedded database, and everything killed in turn."""

import asyncio
import itertools
import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterable

import pytest

from tests.serving import Buyer, Site, Told, Town

BUYERS, UNITS = 64, 10
pytestmark = pytest.mark.xdist_group("rush")


@pytest.fixture(scope="module")
def site():
    with Site(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def town(site):
    made = site.build_town(offers=30, groups=2, members=BUYERS, limit=3)
    site.tell(
        f"UPDATE campaigns_offer SET quota_quantity = {UNITS}, per_person_quantity = 1 WHERE position < 25"
    )
    site.tell("UPDATE campaigns_offer SET per_person_quantity = NULL WHERE position > 25")
    site.start()
    return made


def race(town: Town, port: int, code: str, name: str) -> list[Told]:
    """Everybody at once, on connections of their own, for one unit each of the same goods."""

    async def run() -> list[Told]:
        buyers = [Buyer(port) for _ in town.buyers]
        try:
            return await asyncio.gather(
                *(
                    buyer.order(town, who, key=f"{name}-{number:03d}", offers=[(code, 1)])
                    for number, (buyer, who) in enumerate(zip(buyers, town.buyers, strict=True))
                )
            )
        finally:
            for buyer in buyers:
                buyer.close()

    return asyncio.run(run())


def run_races(site: Site, town: Town, numbers: Iterable[int]) -> None:
    """Races for the same goods over and over: what a race sold is put back before the next."""
    for number in numbers:
        code = town.offers[number % 20]
        if number >= 20:
            site.tell(
                f"""
                UPDATE campaigns_offer SET quota_quantity = sold_quantity + {UNITS},
                    per_person_quantity = per_person_quantity + 1 WHERE code = '{code}'
                """
            )
            tell_changed(site)
        told = race(town, site.port, code, f"race-{number:05d}")
        outcomes = [one.outcome for one in told]
        assert (outcomes.count("placed"), outcomes.count("sold_out")) == (UNITS, BUYERS - UNITS), number


def tell_changed(site: Site) -> None:
    site.tell("SELECT pg_notify('kaituan_live', 'station:campaign:' || id) FROM campaigns_campaign")
    time.sleep(0.2)


def test_64_buyers_race_for_10_units_through_two_workers(site, town):
    run_races(site, town, range(5))
    assert len(site.worker_pids()) == 2
    assert site.metric("kaituan_intake_sold_out_without_sql_total") >= 0


@pytest.mark.long
def test_64_buyers_race_for_10_units_a_thousand_times(site, town):
    # The goods of the first races are sold out already, and so were the numbers of the short form used.
    for start in range(20, 1_020, 100):
        town = site.renew(town)
        run_races(site, town, range(start, start + 100))
    assert site.run("doctor").startswith("All is well")


def test_nobody_passes_the_limit_however_many_tabs_they_have(site, town):
    async def scenario() -> list[Told]:
        tabs = [Buyer(site.port) for _ in range(40)]
        try:
            return await asyncio.gather(
                *(
                    tab.order(town, town.buyers[number % 4], key=f"tabs-{number:03d}", offers=[("26", 1)])
                    for number, tab in enumerate(tabs)
                )
            )
        finally:
            for tab in tabs:
                tab.close()

    told = asyncio.run(scenario())
    outcomes = [one.outcome for one in told]
    # Four people, three each.
    assert (outcomes.count("placed"), outcomes.count("limit_reached")) == (12, 28)


def raw_order(site: Site, town: Town, key: str, *headers: str) -> tuple[bytes, bytes]:
    """Head and body of one order as they go over the wire; without a length where a header tells it otherwise."""
    listing, token = town.buyers[0]
    lines = [{"offer": "30", "quantity": 1}]
    asked = {"campaign": town.campaign, "listing": listing, "key": key, "pay": "sandbox", "lines": lines}
    body = json.dumps(asked).encode()
    own = [f"host: 127.0.0.1:{site.port}", f"origin: {site.url}", f"cookie: kaituan_pass={token}", *headers]
    if not any(one.startswith(("content-length", "transfer-encoding")) for one in own):
        own.append(f"content-length: {len(body)}")
    return "\r\n".join(["POST /intake/orders HTTP/1.1", *own, "", ""]).encode(), body


def say(site: Site, *pieces: bytes, until: bytes) -> bytes:
    """Send pieces one after the other on one connection, and read until something is said."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)
        heard = b""
        while until not in heard:
            more = connection.recv(65536)
            assert more, heard
            heard += more
        return heard


def test_an_order_in_pieces_in_chunks_or_after_a_question_is_placed_like_any_other(site, town):
    town = site.renew(town)
    head, body = raw_order(site, town, "wire-pieces")
    assert b" 201 Created" in say(site, head[:30], head[30:] + body[:10], body[10:], until=b'"intent"')
    head, body = raw_order(site, town, "wire-chunks", "transfer-encoding: chunked")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert b" 201 Created" in say(site, head, chunks, until=b'"intent"')
    head, body = raw_order(site, town, "wire-asking", "expect: 100-continue")
    heard = say(site, head, body, until=b'"intent"')
    assert heard.startswith(b"HTTP/1.1 100 Continue")
    assert b" 201 Created" in heard
    head, body = raw_order(site, town, "wire-closing", "connection: close")
    assert b"connection: close" in say(site, head + body, until=b'"intent"')
    assert site.ask("SELECT count(*) FROM ordering_order WHERE idempotency_key LIKE 'wire-%%'") == [(4,)]


def test_orders_sent_without_waiting_for_answers_are_answered_in_their_order(site, town):
    town = site.renew(town)
    several = b"".join(b"".join(raw_order(site, town, f"behind-{n:04d}")) for n in range(3))
    other = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    heard = say(site, several + other, until=b"alive")
    assert heard.count(b" 201 Created") == 3
    rows = site.ask(
        "SELECT public_id FROM ordering_order WHERE idempotency_key LIKE 'behind-%%' ORDER BY idempotency_key"
    )
    places = [heard.index(public_id.encode()) for [public_id] in rows]
    assert len(places) == 3
    assert places == sorted(places)
    # The fast way refuses nothing by itself: what is wrong is worded by the ordinary route.
    head, _body = raw_order(site, town, "too-long-0001", "content-length: 200000")
    assert b" 413 " in say(site, head, b"x" * 200_000, until=b"too_large")
    head, _body = raw_order(site, town, "malformed-001", "content-length: 2")
    assert b'"fields"' in say(site, head, b"{}", until=b'"fields"')


def test_an_order_whose_sender_left_is_placed_and_found_by_its_key(site, town):
    town = site.renew(town)
    head, body = raw_order(site, town, "left-000001")
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(head + body)
    until = time.monotonic() + 20
    while not site.ask("SELECT 1 FROM ordering_order WHERE idempotency_key = 'left-000001'"):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert b" 200 OK" in say(site, head + body, until=b'"already_placed"')


class Rush:
    """Buyers who go on ordering until told to stop, and everything that they were answered."""

    def __init__(self, site: Site, town: Town, name: str, *, buyers: int = 16) -> None:
        self.answered: dict[str, Told] = {}
        self._site, self._town, self._name, self._count = site, town, name, buyers
        self._stopping = threading.Event()
        self._numbers = itertools.count()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Rush":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            asyncio.run(self._rush())
        except BaseException as error:
            self.error = error

    async def _rush(self) -> None:
        await asyncio.gather(*(self._one(number) for number in range(self._count)))

    async def _one(self, number: int) -> None:
        dice = random.Random(number)
        connection = Buyer(self._site.port)
        who = self._town.buyers[number % len(self._town.buyers)]
        while not self._stopping.is_set():
            key = f"{self._name}-{next(self._numbers):06d}"
            goods = [(code, dice.randint(1, 3)) for code in dice.sample(["28", "29", "30"], 2)]
            self.answered[key] = await connection.order(self._town, who, key=key, offers=goods)
        connection.close()

    def wait_for(self, more: int, *, seconds: float = 60) -> None:
        """Until so many more orders are answered."""
        wanted = len(self.answered) + more
        until = time.monotonic() + seconds
        while len(self.answered) < wanted:
            assert time.monotonic() < until, f"{len(self.answered)} of {wanted} answered: {self.error}"
            assert self.error is None
            time.sleep(0.02)


def check(site: Site, rush: Rush, name: str) -> None:
    """Each answered order exists once, with the number that was told; each that exists was answered."""
    rows = site.ask(
        "SELECT idempotency_key, public_id, follow_number FROM ordering_order WHERE idempotency_key LIKE %s",
        f"{name}-%",
    )
    stored = {key: (public_id, number) for key, public_id, number in rows}
    assert len(stored) == len(rows)
    told = {key: (one.order, one.follow_number) for key, one in rush.answered.items()}
    assert {one.outcome for one in rush.answered.values()} <= {"placed", "already_placed"}
    assert stored == told


def kill_in_a_rush(site: Site, town: Town, what: str, rounds: int) -> None:
    for number in range(rounds):
        town = site.renew(town)
        name = f"kill-{what}-{number:02d}-{time.time_ns()}"
        with Rush(site, town, name) as rush:
            rush.wait_for(100)
            site.kill(what)
            rush.wait_for(100)
            site.wait_until_ready()
        check(site, rush, name)
    assert len(site.worker_pids()) == 2
    assert site.run("doctor").startswith("All is well")


@pytest.mark.parametrize("what", ["worker", "parent", "postgres"])
def test_what_is_killed_in_a_rush_comes_back_and_no_answer_was_wrong(site, town, what):
    kill_in_a_rush(site, town, what, 1)


@pytest.mark.long
@pytest.mark.parametrize("what", ["worker", "parent", "postgres"])
def test_what_is_killed_twenty_times_comes_back_every_time(site, town, what):
    kill_in_a_rush(site, town, what, 20)


def test_a_stop_answers_all_that_was_taken(site, town):
    town = site.renew(town)
    name = f"stop-{time.time_ns()}"
    restarts = site.restarts
    with Rush(site, town, name) as rush:
        rush.wait_for(50)
        # As a deployment does: stopped in the middle of it, and started again.
        os.kill(site.pid, signal.SIGTERM)
        until = time.monotonic() + 60
        while site.restarts == restarts:
            assert time.monotonic() < until, site.log.read_text()[-2000:]
            time.sleep(0.05)
        rush.wait_for(50)
    check(site, rush, name)
    # Who had to ask again had found the door closed: no order was placed whose answer did not come.
    assert {one.outcome for one in rush.answered.values()} == {"placed"}
    assert any(one.tries > 1 for one in rush.answered.values())
