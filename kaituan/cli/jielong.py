"""`kaituan jielong read`: chains in, orders and questions out, one JSON per line. Needs no database."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Read group-buying chains (接龙).", no_args_is_help=True)


@app.callback()
def jielong() -> None:
    """Read group-buying chains (接龙)."""


@app.command()
def read(
    file: Annotated[Path | None, typer.Argument(help="JSON lines; standard input when left out.")] = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Also print where every quantity was read.")
    ] = False,
) -> None:
    """Read chains to orders.

    Every input line is {"products": [...], "text": "..."}; every output line is
    {"orders": [...], "needs_review": [...]}, or {"error": "..."} for a line that cannot be read.

    Example: echo '{"products":[{"code":"A","name":"橙子","unit":"箱","price_fen":3990}],
    "text":"1. 王姐 橙子2"}' | kaituan jielong read
    """
    import json
    import sys

    from kaituan.ordering.chain.service import answer_line

    if file is not None and not file.is_file():
        typer.echo(f"There is no file {file}.", err=True)
        raise typer.Exit(2)
    out = sys.stdout.buffer
    with sys.stdin.buffer if file is None else file.open("rb") as stream:
        for raw in stream:
            line = raw.decode("utf-8", "replace")
            if line.strip():
                out.write(
                    json.dumps(answer_line(line, evidence=evidence), ensure_ascii=False).encode() + b"\n"
                )
                out.flush()
