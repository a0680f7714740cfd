"""The demo as a visitor starts and stops it, and what becomes of its data: real processes, from outside."""

import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from kaituan.embedded.testing import throwaway_folder

READY_WITHIN_S = 120
# One demo is started and stopped for all of them.
pytestmark = pytest.mark.xdist_group("demo")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kaituan.cli", *arguments]


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """As in a visitor's shell: without the test session's own database."""
    return {
        name: value for name, value in os.environ.items() if name != "DATABASE_URL" and "KAITUAN" not in name
    }


@pytest.fixture(scope="module")
def place():
    import shutil

    folder = throwaway_folder("kaituan-demo-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(environ, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=environ, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.fixture(scope="module")
def visited(environ, place):
    """A demo that was started, looked at and stopped by SIGTERM: what it said, and what was left."""
    port = free_port()
    out = place / "out.txt"
    with out.open("wb") as stream:
        demo = subprocess.Popen(
            command("demo", "--data", str(place / "data"), "--port", str(port)),
            env=environ, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while "Ctrl-C" not in out.read_text() and demo.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        said = out.read_text()
        pages = {}
        for link in re.findall(r"http://\S+", said):
            visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with visitor.open(link, timeout=60) as answer:
                pages[link] = (answer.status, answer.read().decode())
        style = re.findall(r"/static/\S+?\.css", next(iter(pages.values()))[1])[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{style}", timeout=60) as answer:
            caching = answer.headers["Cache-Control"]
        started = _family(demo.pid)
        other = run(environ, "demo", "--data", str(place / "other"), "--port", str(port))
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(60)
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
    return {"said": said, "pages": pages, "code": code, "started": started, "port": port, "other": other,
            "style": (style, caching)}  # fmt: skip


@pytest.fixture(scope="module")
def backup(visited, environ, place) -> Path:
    """The archive of what the demo left, with a photo among its uploads."""
    (place / "data" / "uploads").mkdir()
    (place / "data" / "uploads" / "photo.jpg").write_bytes(b"a photo")
    file = place / "town.tar"
    written = run(environ, "backup", str(file), "--data", str(place / "data"))
    assert (written.returncode, written.stderr) == (0, "")
    return file


def _family(pid: int) -> list[psutil.Process]:
    """A process's children and theirs, and the database server of its data folder."""
    return psutil.Process(pid).children(recursive=True)


def test_it_prints_a_link_for_each_persona_and_for_campaigns_and_they_open(visited):
    links = list(visited["pages"])
    assert sum("/demo/persona/" in link for link in links) == 5
    assert sum("/g/" in link for link in links) == 6
    assert all(status == 200 for status, _page in visited["pages"].values())
    campaign = next(page for link, (_status, page) in visited["pages"].items() if "/g/" in link)
    assert "¥" in campaign or "￥" in campaign


def test_static_files_carry_their_hash_and_are_kept_for_good(visited):
    page = next(iter(visited["pages"].values()))[1]
    assert re.search(r"/static/kaituan/base\.[0-9a-f]{12}\.css", page)
    name, caching = visited["style"]
    assert "immutable" in caching, name


def test_sigterm_stops_everything_it_started(visited, place):
    assert visited["code"] == 0
    assert len(visited["started"]) >= 2
    assert [child for child in visited["started"] if child.is_running()] == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", visited["port"]))
    assert not (place / "data" / "postgres" / "data" / "postmaster.pid").exists()
    assert [pid for pid in psutil.pids() if str(place / "data") in _words(pid)] == []


def _words(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def test_a_port_in_use_is_one_sentence(visited, place):
    assert visited["other"].returncode == 2
    assert re.fullmatch(r"Port \d+ cannot be used .*: choose another with --port.\n", visited["other"].stderr)
    assert not (place / "other" / "postgres").exists()


def test_it_touches_no_database_of_ones_own(environ, place):
    answer = run({**environ, "DATABASE_URL": "postgresql:///real"}, "demo", "--data", str(place / "other"))
    assert answer.returncode == 2
    assert "unset DATABASE_URL" in answer.stderr


def test_it_leaves_a_folder_in_real_use_alone(environ, place):
    real = place / "real"
    (real / "uploads").mkdir(parents=True)
    answer = run(environ, "demo", "--data", str(real), "--fresh", "--port", str(free_port()))
    assert answer.returncode == 2
    assert "no demo made" in answer.stderr
    assert (real / "uploads").is_dir()


def test_a_backup_is_restored_elsewhere_and_is_well(backup, environ, place):
    assert backup.stat().st_mode & 0o077 == 0
    restored = run(environ, "restore", str(backup), "--data", str(place / "elsewhere"))
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "the doctor finds all well" in restored.stdout
    assert (place / "elsewhere" / "uploads" / "photo.jpg").read_bytes() == b"a photo"
    assert not (place / "elsewhere" / "demo").exists(), "personas open a demo's doors only"
    again = run(environ, "restore", str(backup), "--data", str(place / "elsewhere"))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is not empty" in again.stderr
    twice = run(environ, "backup", str(backup), "--data", str(place / "data"))
    assert (twice.returncode, "exists already" in twice.stderr) == (2, True)


def test_a_damaged_backup_leaves_nothing(backup, environ, place):
    no_backup = place / "text.tar"
    no_backup.write_text("no archive")
    answer = run(environ, "restore", str(no_backup), "--data", str(place / "nothing"))
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert not (place / "nothing").exists()
    damaged = place / "damaged.tar"
    _damage(backup, damaged)
    answer = run(environ, "restore", str(damaged), "--data", str(place / "nothing"))
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1), answer.stderr
    assert list((place / "nothing").iterdir()) == []


def test_killed_outright_it_leaves_nothing_running_and_the_next_start_finds_all_well(visited, environ, place):
    data = place / "data"
    port = free_port()
    out = place / "killed.txt"
    with out.open("wb") as stream:
        demo = subprocess.Popen(
            command("demo", "--data", str(data), "--port", str(port)),
            env=environ, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + READY_WITHIN_S
    while "Ctrl-C" not in out.read_text() and demo.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    database = psutil.Process(int((data / "postgres" / "data" / "postmaster.pid").read_text().split()[0]))
    started = [*_family(demo.pid), database]
    demo.kill()
    demo.wait()
    _gone, alive = psutil.wait_procs(started, timeout=READY_WITHIN_S)
    assert len(started) >= 3
    assert alive == []
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()
    answer = run(environ, "doctor", "--data", str(data))
    assert answer.returncode == 0, answer.stdout


def _damage(whole: Path, damaged: Path) -> None:
    """The same archive, with the middle of the database dump overwritten."""
    damaged.write_bytes(whole.read_bytes())
    with tarfile.open(damaged) as archive:
        member = archive.getmember("database.dump")
        start = member.offset_data + member.size // 2
    with damaged.open("r+b") as file:
        file.seek(start)
        file.write(b"\0" * min(50_000, member.size // 3))
