"""`kaituan doctor`: prove that the books, the orders and the stock agree; say what does not."""

import typer

from kaituan.cli.environment import DataOption, environment, one_line_errors

EXAMPLE = "Example: kaituan doctor --data /var/lib/kaituan"


def doctor(data: DataOption = None) -> None:
    """Check every invariant in one snapshot, changing nothing: balances against sums, orders against money,
    stock against orders, commission against lines. Exit 1 and one sentence each for what is broken."""
    with one_line_errors(), environment(data):
        from django.db import ProgrammingError

        from kaituan.reporting.doctor import CHECKS, examine

        try:
            problems = examine()
        except ProgrammingError as error:
            typer.echo(
                f"The tables are not those of this version: run `kaituan migrate` first ({_first(error)})."
            )
            raise typer.Exit(2) from None
        for problem in problems:
            typer.echo(problem)
        if problems:
            typer.echo(f"Not well: {len(problems)} things are broken.")
            raise typer.Exit(1)
        typer.echo(f"All is well: the books balance and {len(CHECKS)} checks found nothing.")


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]
