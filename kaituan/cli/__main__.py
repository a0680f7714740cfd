"""`python -m kaituan.cli`: the same as the `kaituan` command."""

from kaituan.cli import main

main()
