"""After a crash, a reboot, an upgrade or a mistake: recover, or refuse with a sentence."""

import subprocess
import sys
import time

import psycopg
import pytest

from kaituan.embedded import EmbeddedError, open_server
from kaituan.embedded.accounts import account_for, give
from kaituan.embedded.tests.conftest import ask, kill, tell


@pytest.fixture
def stranger():
    """A living process that has nothing to do with the database."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as it:
        yield it
        it.stdin.close()


def leave_a_pid_file(data_dir, pid):
    """What a power cut leaves behind, once the number belongs to another process."""
    cluster = data_dir / "postgres/data"
    run = data_dir / "postgres/run"
    lines = [str(part) for part in (pid, cluster, int(time.time()) - 9999, 5432, run)]
    pid_lines = [*lines, "", "  5432001         7", "ready   "]
    for path, content in ((cluster / "postmaster.pid", pid_lines), (run / ".s.PGSQL.5432.lock", lines)):
        path.write_text("\n".join(content) + "\n")
        give(path, account_for(cluster))


def test_a_killed_server_is_started_again_with_all_that_was_committed(data_dir):
    server = open_server(data_dir)
    tell(server, "CREATE TABLE captures (fen bigint)")
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("INSERT INTO captures SELECT generate_series(1, 10000)")
    kill(server)
    with open_server(data_dir) as again:
        assert again.started
        assert again.pid != server.pid
        assert ask(again, "SELECT sum(fen) FROM captures") == 50_005_000
    server.stop()


def test_a_server_killed_under_a_busy_client_is_started_again(data_dir):
    server = open_server(data_dir)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("SELECT 1")
        kill(server)
        with open_server(data_dir) as again:
            assert ask(again, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.stop()


def test_stopping_after_a_crash_is_harmless(data_dir):
    server = open_server(data_dir)
    kill(server)
    server.stop()
    with open_server(data_dir) as again:
        assert ask(again, "SELECT 1") == 1


def test_a_stale_pid_file_costs_a_stranger_nothing(data_dir, stranger):
    leave_a_pid_file(data_dir, stranger.pid)
    with open_server(data_dir) as server:
        assert server.started
        assert server.pid != stranger.pid
        assert ask(server, "SELECT 1") == 1
    assert stranger.poll() is None


def test_a_stranger_is_not_stopped_in_the_servers_place(data_dir, stranger):
    server = open_server(data_dir)
    kill(server)
    leave_a_pid_file(data_dir, stranger.pid)
    server.stop()
    assert stranger.poll() is None


def test_a_stale_pid_file_that_names_another_database_leaves_it_alone(data_dir):
    elsewhere = data_dir / "elsewhere"
    with open_server(elsewhere) as other:
        leave_a_pid_file(data_dir, other.pid)
        with open_server(data_dir) as server:
            assert server.pid != other.pid
        assert ask(other, "SHOW data_directory") == str(elsewhere / "postgres/data")


@pytest.mark.parametrize("content", ["", "rubbish\n"])
def test_a_pid_file_cut_off_by_a_full_disk_does_not_stop_the_start(data_dir, content):
    path = data_dir / "postgres/data/postmaster.pid"
    path.write_text(content)
    give(path, account_for(path.parent))
    with open_server(data_dir) as server:
        assert ask(server, "SELECT 1") == 1


def test_data_of_another_major_version_is_refused_and_left_as_it_is(data_dir):
    version = data_dir / "postgres/data/PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 16, and .* brings PostgreSQL 18"):
        open_server(data_dir)
    assert version.read_text() == "16\n"
    version.write_text("18\n")
    with open_server(data_dir) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_first_start_that_was_cut_short_begins_anew(new_dir):
    half = new_dir / "postgres/data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with open_server(new_dir) as server:
        assert ask(server, "SELECT 1") == 1
    assert not half.exists()


def test_a_mistake_in_the_settings_is_reported_in_the_servers_words(data_dir):
    with (data_dir / "postgres/data/postgresql.conf").open("a") as conf:
        conf.write("max_connections = plenty\n")
    with pytest.raises(EmbeddedError, match='invalid value for parameter "max_connections"'):
        open_server(data_dir)
