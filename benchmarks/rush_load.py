"""Driving a server with wrk (Debian package `wrk`), and counting whose processor time it took."""

import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

DONE = """
done = function(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status, errors))
end
"""
FLOOR_ORDERS = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  local sku = %s
  return wrk.format(nil, nil, nil, '{"buyer":' .. n .. ',"campaign":1,"phone":"13800000000","lines":[{"sku":' .. sku
    .. ',"quantity":1},{"sku":' .. sku .. ',"quantity":1}]}')
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One run. Rates are per second, latencies in ms; cpu_s: of the server and the database together."""

    answered: int
    refused: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_s: float
    server_cpu_s: float
    database_cpu_s: float
    others_cores: float
    """Cores that were busy with something else than this run: how noisy the machine was."""

    @property
    def per_s(self) -> float:
        return (self.answered - self.refused) / self.seconds

    @property
    def per_cpu_s(self) -> float:
        return (self.answered - self.refused) / max(self.cpu_s, 1e-9)


def wrk(
    url: str, script: str, *, connections: int, seconds: float, server: int | None, database: int | None
) -> Load:
    """Drive `url` for some seconds. server, database: process ids whose trees' processor time is counted."""
    if shutil.which("wrk") is None:
        raise SystemExit("This benchmark needs wrk: apt-get install wrk.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "load.lua")
        path.write_text(script + DONE)
        # wrk takes whole seconds only.
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s"]
        before = _Clocks.read(server, database)
        done = subprocess.run([*command, "-s", path, url], capture_output=True, text=True, check=True)
        after = _Clocks.read(server, database)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise SystemExit(f"wrk said nothing that can be read: {done.stdout} {done.stderr}")
    answered, duration_us, p50_us, p99_us, refused, errors = map(int, found.groups())
    server_cpu_s, database_cpu_s = after.server - before.server, after.database - before.database
    ours = server_cpu_s + database_cpu_s + after.children - before.children
    return Load(
        answered=answered,
        refused=refused,
        errors=errors,
        seconds=duration_us / 1e6,
        p50_ms=p50_us / 1e3,
        p99_ms=p99_us / 1e3,
        cpu_s=server_cpu_s + database_cpu_s,
        server_cpu_s=server_cpu_s,
        database_cpu_s=database_cpu_s,
        others_cores=max(0.0, after.busy - before.busy - ours) / max(after.at - before.at, 1e-9),
    )


def tree_cpu_s(pid: int) -> float:
    """Processor time of a process, of its children that have ended and of all that live below it."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@dataclass(frozen=True, slots=True)
class _Clocks:
    at: float
    server: float
    database: float
    children: float
    busy: float

    @classmethod
    def read(cls, server: int | None, database: int | None) -> "_Clocks":
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = psutil.cpu_times()
        return cls(
            at=time.monotonic(),
            server=tree_cpu_s(server) if server else 0.0,
            database=tree_cpu_s(database) if database else 0.0,
            children=children.ru_utime + children.ru_stime,
            busy=sum(times) - times.idle - times.iowait - times.guest - times.guest_nice,
        )


def order_script(
    *, buyers: Sequence[tuple[str, str]], campaign: str, version: int, lines: str, run: str, origin: str
) -> str:
    """Lua that sends one order after the other, each by another member. buyers: (listing, pass).

    lines: Lua that yields two offer codes. run: makes the keys of this run its own.
    """
    table = ",".join(f'{{"{listing}","{token}"}}' for listing, token in buyers)
    return f"""
math.randomseed(os.time())
local buyers = {{{table}}}
local n = 0
local headers = {{["content-type"] = "application/json", ["origin"] = "{origin}"}}
local function offers() {lines} end
request = function()
  n = n + 1
  local buyer = buyers[(n * 7919) % #buyers + 1]
  local a, b = offers()
  headers["cookie"] = "kaituan_pass=" .. buyer[2]
  return wrk.format("POST", "/intake/orders", headers, '{{"campaign":"{campaign}","listing":"' .. buyer[1]
    .. '","key":"{run}-' .. n .. '","pay":"sandbox","version":{version},"lines":[{{"offer":"' .. a
    .. '","quantity":1}},{{"offer":"' .. b .. '","quantity":1}}],"note":""}}')
end
"""


HOT = 'return "1", "2"'
SPREAD = "local a = math.random(1, 1000) local b = a % 1000 + 1 return a, b"
