"""`kaituan worker`: relay events, look at the clock, run queued jobs."""

import typer

from kaituan.cli.environment import DataOption, environment, one_line_errors


def worker(data: DataOption = None) -> None:
    """Do what happens by itself: open and cut off campaigns, release unpaid stock, tell people, send refunds.

    Any number of workers may run. SIGINT and SIGTERM let it finish what it has in hand.

    Example: kaituan worker --data /var/lib/kaituan
    """
    with one_line_errors(), environment(data):
        from kaituan.worker.process import run_worker

        run_worker(on_ready=lambda: typer.echo("The worker is running.", err=True))
        typer.echo("The worker has stopped.", err=True)
