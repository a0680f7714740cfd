"""The rush's correctness: races, limits, and everything killed in turn. What is wrong ends the benchmark."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.rush_bench import BUYERS, CLEAR, MEMBERS, OFFERS, Bench
from tests.serving import Buyer, Told, Town
from tests.test_rush import Rush, check

UNITS = 10
LIMIT = 3
PEOPLE = 8
PLENTY = 10**12
IN_FLIGHT = 16
"""Buyers of a Rush: so many answers may have been on their way when something was killed."""
KILLED = {"postgres": "the database", "worker": "a worker", "parent": "the workers' parent"}


async def at_once(
    connections: Sequence[Buyer], town: Town, who: Sequence[tuple[str, str]], *, key: str, code: str
) -> list[Told]:
    """Everybody sends one order for one unit of the same offer, each on a connection of their own."""
    return await asyncio.gather(
        *(
            connection.order(town, one, key=f"{key}-{n:03d}", offers=[(code, 1)])
            for n, (connection, one) in enumerate(zip(connections, who, strict=True))
        )
    )


def races(bench: Bench, count: int) -> None:
    """64 buyers for 10 units, over and over, through all workers."""
    _prepare(bench, f"UPDATE campaigns_offer SET quota_quantity = {UNITS}")

    async def run() -> int:
        connections = [Buyer(bench.site.port) for _ in range(BUYERS)]
        right = 0
        for number in range(count):
            who = [bench.town.buyers[(number * BUYERS + n) % MEMBERS] for n in range(BUYERS)]
            code = bench.town.offers[number % OFFERS]
            told = await at_once(connections, bench.town, who, key=f"race-{number}", code=code)
            outcomes = [one.outcome for one in told]
            right += (outcomes.count("placed"), outcomes.count("sold_out")) == (UNITS, BUYERS - UNITS)
        for connection in connections:
            connection.close()
        return right

    try:
        bench.add("races of 64 buyers for 10 units that sold exactly 10", asyncio.run(run()), f"/ {count:,}",
                  at_least=count)  # fmt: skip
        bench.site.run("doctor")
    finally:
        bench.site.tell(f"UPDATE campaigns_offer SET quota_quantity = {PLENTY}")


def limits(bench: Bench, count: int) -> None:
    """Eight people with eight tabs each, all at once, for goods of which each may have three."""
    _prepare(bench, f"UPDATE campaigns_offer SET per_person_quantity = {LIMIT}")

    async def run() -> None:
        connections = [Buyer(bench.site.port) for _ in range(BUYERS)]
        for number in range(count):
            who = [bench.town.buyers[(number * PEOPLE + n % PEOPLE) % MEMBERS] for n in range(BUYERS)]
            code = bench.town.offers[number % OFFERS]
            await at_once(connections, bench.town, who, key=f"limit-{number}", code=code)
        for connection in connections:
            connection.close()

    try:
        asyncio.run(run())
        taken = bench.site.ask(
            "SELECT sum(line.quantity) FROM ordering_orderline line JOIN ordering_order o ON o.id = line.order_id"
            " GROUP BY line.offer_id, o.person_id"
        )
        passed = sum(quantity > LIMIT for [quantity] in taken)
        if sum(quantity for [quantity] in taken) != count * PEOPLE * LIMIT:
            raise SystemExit("Somebody was refused what they might have had.")
        bench.add("persons over their limit after ordering from 8 tabs at once", passed,
                  f"/ {count * PEOPLE:,}", at_most=0)  # fmt: skip
        bench.site.run("doctor")
    finally:
        bench.site.tell(f"UPDATE campaigns_offer SET per_person_quantity = {PLENTY}")


def kills(bench: Bench, count: int) -> None:
    """kill -9 of everything in turn, under load; every answered order must be there once."""
    _prepare(bench, "UPDATE campaigns_offer SET per_person_quantity = NULL WHERE code IN ('28', '29', '30')")
    for what, called in KILLED.items():
        well = 0
        back_s = []
        for number in range(count):
            bench.renew()
            name = f"kill-{what}-{number}-{time.time_ns()}"
            with Rush(bench.site, bench.town, name) as rush:
                rush.wait_for(100)
                bench.site.kill(what)
                killed_at = time.monotonic()
                rush.wait_for(IN_FLIGHT + 1)
                back_s.append(time.monotonic() - killed_at)
                rush.wait_for(100)
                bench.site.wait_until_ready()
            check(bench.site, rush, name)
            well += 1
        bench.site.run("doctor")
        bench.add(f"kill -9 of {called}: each answered order exists once", well, f"/ {count}", at_least=count)
        bench.add(f"longest wait for orders to go on after kill -9 of {called}", max(back_s), "s")


def _prepare(bench: Bench, statement: str) -> None:
    bench.renew()
    bench.site.tell(CLEAR)
    bench.site.tell(statement)
    # The processes keep the campaign's terms in memory until they hear that they changed.
    bench.site.tell("SELECT pg_notify('kaituan_live', 'station:campaign:' || id) FROM campaigns_campaign")
    time.sleep(0.5)
