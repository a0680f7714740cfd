"""The pytest plugin: one throwaway server for a whole session, gone when the session is."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from kaituan.embedded.testing import PREFIX
from kaituan.embedded.tests.conftest import is_alive

INNER = """
import os, time
import psycopg
import pytest

def ask(query):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return connection.execute(query).fetchone()[0]

@pytest.mark.parametrize("i", range(4))
def test_the_session_has_a_server(i):
    assert ask("SELECT rolcreatedb AND NOT rolsuper FROM pg_roles WHERE rolname = current_user")
    with open("seen", "a") as seen:
        print(os.environ["DATABASE_URL"], ask("SELECT pg_postmaster_start_time()"), file=seen)

def test_wait():
    if "WAIT" in os.environ:
        print("WAITING", os.environ["DATABASE_URL"], flush=True)
        time.sleep(60)
"""
# A shell may have told its background jobs to ignore Ctrl-C; the inner session listens to it again.
RUN = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
options = ["-c", "inner.ini", "-p", "kaituan.embedded.testing", "-p", "no:django", "-p", "no:cacheprovider"]
sys.exit(pytest.main([*options, *sys.argv[1:]]))
"""


class InnerSession:
    def __init__(self, folder):
        self.folder = folder
        (folder / "temporary").mkdir()
        (folder / "temporary").chmod(0o711)
        (folder / "test_inner.py").write_text(INNER)
        (folder / "inner.ini").write_text("[pytest]\n")

    def start(self, *options, **variables):
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"TMPDIR": str(self.folder / "temporary")} | variables
        return subprocess.Popen(
            [sys.executable, "-c", RUN, *options],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *options, **variables):
        with self.start(*options, **variables) as process:
            output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def servers(self):
        """The throwaway folders that are left."""
        return list((self.folder / "temporary").glob(PREFIX + "*"))


@pytest.fixture
def session(new_dir):
    return InnerSession(new_dir)


@contextmanager
def at_work(session):
    """A session in the middle of a test, and its server's process."""
    with session.start("-s", WAIT="yes") as process:
        try:
            while "WAITING" not in (line := process.stdout.readline()):
                assert line, "the inner session ended early"
            (folder,) = session.servers()
            assert str(folder) in line
            pid_file = folder / "postgres/data/postmaster.pid"
            yield process, int(pid_file.read_text().split()[0])
        finally:
            process.kill()


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_all_tests_share_one_server_that_ends_with_the_session(session, options):
    code, output = session.run(*options)
    assert code == 0, output
    seen = (session.folder / "seen").read_text().splitlines()
    assert len(seen) == 4
    assert len(set(seen)) == 1
    assert session.servers() == []


def test_a_given_database_url_is_used_as_it_is(session):
    code, output = session.run(DATABASE_URL="postgresql://nobody@/nothing?host=/nowhere")
    assert code == 1
    assert re.search(r"/nowhere/\.s\.PGSQL", output)
    assert session.servers() == []


def test_ctrl_c_ends_the_server_too(session):
    with at_work(session) as (process, pid):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert not is_alive(pid)
    assert session.servers() == []


def test_what_a_killed_session_leaves_is_swept_up_by_the_next(session):
    with at_work(session) as (process, pid):
        process.kill()
        process.communicate(timeout=60)
    assert is_alive(pid)
    code, output = session.run()
    assert code == 0, output
    assert not is_alive(pid)
    assert session.servers() == []


def test_a_session_does_not_sweep_up_one_that_is_still_at_work(session):
    with at_work(session) as (process, pid):
        code, output = session.run()
        assert code == 0, output
        assert is_alive(pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert not is_alive(pid)
