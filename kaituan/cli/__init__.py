"""The kaituan command: one module per command, each imported only when it is called."""

from kaituan.cli.main import main

__all__ = ["main"]
