"""The rush at opening time: full orders through the intake, beside the least that the same work could cost.

    python benchmarks/rush.py               all of it: about a quarter of an hour
    python benchmarks/rush.py --quick       every figure once and briefly, no charts: less than three minutes
    python benchmarks/rush.py --only pages --json FILE

Starts a database and a site of its own in a temporary folder, and the floors (`floors/`) on the same database and
the same server software with as many processes. Each order is committed durably before it is answered, has two
lines, and is placed by another signed-in member than the one before. Rates are per second of processor time of the
server and the database together. Needs wrk (Debian package `wrk`). Draws docs/figures/rush-*.svg.
"""

import argparse
import asyncio
import json
import re
import resource
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import rush_chart, rush_faults, rush_load, rush_streams  # noqa: E402
from benchmarks.rush_bench import TRIES, Bench, Middle  # noqa: E402
from benchmarks.rush_load import Load  # noqa: E402
from tests.serving import Buyer, Site  # noqa: E402

CHARTS = ROOT / "docs" / "figures"
OSCAR_PER_CPU_S = 9.1
"""django-oscar with its API, complete orders, the better end of what was measured for it."""
OSCAR_FLOOR = 4_413
"""What the group-commit floor gave on the machine and day of that measurement."""
WORDS = {
    "": ("Orders per second on one hot offer", "buyers at once", "Orders per second of 64 buyers",
         "offers they choose among", "orders/s", "Kaituan", "floor: bare group commit"),
    ".zh": ("抢同一件商品时每秒的订单数", "同时下单的人数", "64 人下单时每秒的订单数",
            "可选的商品数", "单/秒", "开团", "下限：裸的成组提交"),
}  # fmt: skip
"""What the charts say, by the end of their names."""
ALONE = 10
FILES = 16_384
QUICK_TRIES = 2


def orders(bench: Bench) -> None:
    """One hot offer and a thousand, beside group commit, one call and bare SQL."""
    hot: list[Load] = []
    spread: list[Load] = []
    floor_hot: list[Load] = []
    floor_spread: list[Load] = []
    with bench.floor_server("group_commit") as (url, server):
        for _ in range(bench.repeats):
            # In turn, so that a busy neighbour meets all.
            hot.append(bench.ours(rush_load.HOT))
            floor_hot.append(bench.floor(url, "1", server=server))
            spread.append(bench.ours(rush_load.SPREAD))
            floor_spread.append(bench.floor(url, "math.random(1, 1000)", server=server))
    with bench.floor_server("one_call") as (url, server):
        one_call = Middle.of([bench.floor(url, "1", server=server) for _ in range(bench.repeats)])
    bare = [bench.bare() for _ in range(bench.repeats)]
    bare_per_s, bare_p99_ms = (median(column) for column in zip(*bare, strict=True))
    ours, floor = Middle.of(hot), Middle.of(floor_hot)
    unit = "orders/CPU-s"
    bench.add("one hot offer, beside group commit", ours.per_cpu_s, unit, floor=floor.per_cpu_s, at_least=0.5)
    bench.add(
        "one hot offer, beside one call each", ours.per_cpu_s, unit, floor=one_call.per_cpu_s, at_least=2
    )
    bench.add(
        "one hot offer, beside six bare statements", ours.per_s, "orders/s", floor=bare_per_s, at_least=5
    )
    bench.add("1,000 offers, beside group commit", Middle.of(spread).per_cpu_s, unit,
              floor=Middle.of(floor_spread).per_cpu_s, at_least=0.5)  # fmt: skip
    bench.add("p99 of 64 buyers, beside group commit", ours.p99_ms, "ms", floor=floor.p99_ms, at_most=2)
    bench.add(
        "p99 of 64 buyers, beside six bare statements", ours.p99_ms, "ms", floor=bare_p99_ms, at_most=0.1
    )
    path = f"/g/{bench.town.buyers[0][0]}/"
    with pages_meanwhile(bench, per_s={path: 10, "/console/": 2}) as answered:
        busy = Middle.of([bench.ours(rush_load.HOT) for _ in range(bench.repeats)])
    if not answered[path] or not answered["/console/"]:
        raise SystemExit(f"The pages beside the rush were not answered: {answered}.")
    bench.add("p99 of 64 buyers with 10 campaign and 2 console pages/s beside", busy.p99_ms, "ms",
              floor=floor.p99_ms)  # fmt: skip
    scaled = OSCAR_PER_CPU_S * floor.per_cpu_s / OSCAR_FLOOR
    bench.add("one hot offer, beside django-oscar scaled to this run", ours.per_cpu_s, unit, floor=scaled,
              at_least=250)  # fmt: skip


def statements(bench: Bench) -> None:
    """How many statements an order takes, in a rush and alone."""

    def counted() -> tuple[float, float]:
        # Figures are passed on every second.
        time.sleep(2)
        return (
            bench.site.metric("kaituan_intake_statements_total"),
            bench.site.metric("kaituan_intake_batch_size_sum"),
        )

    async def one_by_one() -> None:
        buyer = Buyer(bench.site.port)
        for number in range(ALONE):
            key = f"alone-{time.time_ns()}"
            await buyer.order(bench.town, bench.town.buyers[number], key=key, offers=[("1", 1), ("2", 1)])
            await asyncio.sleep(0.5)
        buyer.close()

    for name, run, most in (
        ("statements per order in a rush", lambda: bench.ours(rush_load.HOT), 0.1),
        ("statements per order alone", lambda: asyncio.run(one_by_one()), 3),
    ):
        before = counted()
        run()
        after = counted()
        bench.add(name, (after[0] - before[0]) / (after[1] - before[1]), "statements", at_most=most)


def pages(bench: Bench) -> None:
    """The campaign page from memory, beside a hello-world."""
    path = f"{bench.site.url}/g/{bench.town.usual}/"
    with urllib.request.urlopen(path, timeout=30) as answer:
        print(f"  the page has {len(answer.read()) / 1024:,.0f} KiB", flush=True)
    ours: list[Load] = []
    hello: list[Load] = []
    with bench.floor_server("hello") as (url, server):
        for _ in range(bench.repeats):
            for runs, address, pid in ((ours, path, bench.site.pid), (hello, url, server)):
                runs.append(
                    rush_load.wrk(
                        address, "", connections=32, seconds=bench.seconds, server=pid, database=None
                    )
                )
    bench.add("campaign page of 30 offers, beside hello-world", Middle.of(ours).per_cpu_s, "pages/CPU-s",
              floor=Middle.of(hello).per_cpu_s, at_least=0.5)  # fmt: skip


def streams(bench: Bench, clients: int) -> None:
    """One process with thousands of live chains."""
    workers = bench.site.workers
    restart(bench, workers=1)
    bench.renew()
    [worker] = bench.site.worker_pids()
    who = bench.town.buyers[0]

    async def order() -> None:
        buyer = Buyer(bench.site.port)
        await buyer.order(bench.town, who, key=f"seen-{time.time_ns()}", offers=[("1", 1)])
        buyer.close()

    async def run() -> rush_streams.Streams:
        await order()
        return await rush_streams.watch(
            port=bench.site.port, worker=worker, listing=who[0], clients=clients, order=order
        )

    found = asyncio.run(run())
    if found.opened != clients:
        raise SystemExit(f"Only {found.opened} of {clients} streams were let in.")
    bench.add("5,000 live chains on one process: memory more", found.memory_mib * 5_000 / clients, "MiB",
              at_most=150)  # fmt: skip
    bench.add("5,000 live chains: until all have seen an order", found.seen_by_all_s, "s")
    restart(bench, workers=workers)


def restart(bench: Bench, *, workers: int) -> None:
    bench.site.stop()
    bench.site.workers = workers
    bench.site.start()


def memory(bench: Bench) -> None:
    largest = max(psutil.Process(pid).memory_info().rss for pid in bench.site.worker_pids()) / 2**20
    bench.add("memory of a worker after the rush", largest, "MiB", at_most=150)


def growth(bench: Bench) -> None:
    """How it grows with buyers and with offers; drawn into docs/figures/."""
    buyers = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    offers = (1, 10, 100, 1_000)
    seconds = 2
    ours, floor = [], []
    with bench.floor_server("group_commit") as (url, server):
        for count in buyers:
            load = bench.ours(rush_load.HOT, buyers=count, seconds=seconds)
            beside = bench.floor(url, "1", server=server, buyers=count, seconds=seconds)
            ours.append((count, load.per_s))
            floor.append((count, beside.per_s))
            print(f"  {count:>5} buyers {load.per_s:>9,.0f}/s, p99 {load.p99_ms:,.1f} ms; "
                  f"floor {beside.per_s:,.0f}/s, p99 {beside.p99_ms:,.1f} ms", flush=True)  # fmt: skip
        by_offers, floor_by_offers = [], []
        for count in offers:
            lines = f"local a = math.random(1, {count}) local b = a % 1000 + 1 return a, b"
            load = bench.ours(lines, seconds=seconds)
            beside = bench.floor(url, f"math.random(1, {count})", server=server, seconds=seconds)
            by_offers.append((count, load.per_s))
            floor_by_offers.append((count, beside.per_s))
            print(f"  {count:>5} offers {load.per_s:>9,.0f}/s, p99 {load.p99_ms:,.1f} ms; "
                  f"floor {beside.per_s:,.0f}/s", flush=True)  # fmt: skip
    draw(ours, floor, by_offers, floor_by_offers)


def draw(*lines: Sequence[tuple[int, float]]) -> None:
    """The charts, in the languages of the READMEs. lines: ours and the floor's by buyers, then by offers."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    for suffix, words in WORDS.items():
        for name, title, x_name, (ours, floor) in (
            ("rush-buyers", words[0], words[1], lines[:2]),
            ("rush-offers", words[2], words[3], lines[2:]),
        ):
            drawn = rush_chart.chart(
                title=title, x_name=x_name, y_name=words[4], series={words[5]: ours, words[6]: floor}
            )
            (CHARTS / f"{name}{suffix}.svg").write_text(drawn, encoding="utf-8")


@contextmanager
def pages_meanwhile(bench: Bench, *, per_s: dict[str, int]) -> Iterator[dict[str, int]]:
    """Ask for pages at a steady rate while something else is measured; how many were answered, by path."""
    stopping = threading.Event()
    answered = dict.fromkeys(per_s, 0)

    def ask(path: str, rate: int) -> None:
        request = urllib.request.Request(f"{bench.site.url}{path}")
        if path.startswith("/console/"):
            request.add_header("cookie", f"sessionid={bench.town.staff}")
        while not stopping.wait(1 / rate):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
                    answered[path] += answer.url == request.full_url
            except OSError:
                continue

    threads = [threading.Thread(target=ask, args=pair) for pair in per_s.items()]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def read_words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--seconds", type=int, default=3, help="length of each run")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each; the median counts")
    parser.add_argument("--workers", type=int, default=2, help="processes of the site and of the floors")
    parser.add_argument("--races", type=int, default=1_000, help="of 64 buyers for 10 units")
    parser.add_argument("--kills", type=int, default=20, help="of each: database, worker, parent")
    parser.add_argument("--streams", type=int, default=5_000, help="live chains on one process")
    parser.add_argument("--quick", action="store_true", help="short runs, few races, no charts")
    parser.add_argument("--only", default="", metavar="PART", help="a regular expression: the parts to run "
                        "(orders, statements, pages, growth, races, limits, memory, streams, kills)")  # fmt: skip
    asked = parser.parse_args()
    if asked.quick:
        asked.seconds, asked.repeats, asked.races, asked.kills, asked.streams = 2, 1, 20, 1, 1_000
    return asked


def main() -> int:
    asked = read_words()
    if shutil.which("wrk") is None:
        raise SystemExit("This benchmark needs wrk, which drives the load: apt-get install wrk.")
    # Streams need a file each, here and in the serving process, which inherits the limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
    parts: dict[str, Callable[[Bench], None]] = {
        "orders": orders,
        "statements": statements,
        "pages": pages,
        "growth": lambda bench: None if asked.quick else growth(bench),
        "races": lambda bench: rush_faults.races(bench, asked.races),
        "limits": lambda bench: rush_faults.limits(bench, max(1, asked.races // 10)),
        "memory": memory,
        "streams": lambda bench: streams(bench, asked.streams),
        "kills": lambda bench: rush_faults.kills(bench, asked.kills),
    }
    # All the browsers of the benchmark come from one address.
    with Site(workers=asked.workers, settings={"KAITUAN_STREAMS_PER_ADDRESS": "10000"}) as site:
        tries = QUICK_TRIES if asked.quick else TRIES
        bench = Bench(site, seconds=asked.seconds, repeats=asked.repeats, tries=tries)
        site.start()
        for name, part in parts.items():
            if re.search(asked.only, name):
                print(f"{name}:", flush=True)
                part(bench)
                if asked.json:
                    # After each part: whoever has no patience for the last keeps the others.
                    rows = [asdict(figure) for figure in bench.figures]
                    asked.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    missed = [figure.figure for figure in bench.figures if figure.met is False]
    print(
        f"{len(bench.figures)} figures, {len(missed)} targets missed{': ' if missed else '.'}{'; '.join(missed)}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
