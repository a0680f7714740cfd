"""`kaituan jielong read`: chains in, orders and questions out, one JSON per line. Needs no database."""

import typer

app = typer.Typer(help="Read group-buying chains (接龙).", no_args_is_help=True)


@app.callback()
def jielong() -> None:
    """Read group-buying chains (接龙)."""


@app.command()
def read(
    file: typer.FileText = typer.Argument("-", help="JSON lines; standard input when left out."),
    evidence: bool = typer.Option(False, "--evidence", help="Also print where every quantity was read."),
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

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    stream = sys.stdin.buffer if file is sys.stdin else file
    for raw in stream:
        line = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        if line.strip():
            sys.stdout.write(json.dumps(answer_line(line, evidence=evidence), ensure_ascii=False) + "\n")
            sys.stdout.flush()
