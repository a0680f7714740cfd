"""A demo starts as fast where Python may write nothing beside its sources."""

import os
import sys

from kaituan.cli.demo import _keep_bytecode


def test_what_python_may_not_write_beside_its_sources_is_kept_with_the_demo(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")
    _keep_bytecode(tmp_path)
    assert not sys.dont_write_bytecode
    assert os.environ["PYTHONPYCACHEPREFIX"] == str(tmp_path / "bytecode") == sys.pycache_prefix
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_elsewhere_nothing_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    _keep_bytecode(tmp_path)
    assert sys.pycache_prefix is None
    assert "PYTHONPYCACHEPREFIX" not in os.environ
