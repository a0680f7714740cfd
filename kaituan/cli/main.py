"""The root of the `kaituan` command. A command's module imports at its top only what its options need;
what does the work is imported inside the command, so that `kaituan --help` stays instant."""

import typer

app = typer.Typer(
    name="kaituan",
    help="Community group buying, from one line in a chat to everybody paid to the fen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Community group buying, from one line in a chat to everybody paid to the fen."""


def main() -> None:
    """Entry point of the console script."""
    app()
