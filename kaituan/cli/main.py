"""The root of the `kaituan` command. A command's module imports at its top only what its options need;
what does the work is imported inside the command, so that `kaituan --help` stays instant."""

import typer

from kaituan.cli import jielong
from kaituan.cli.backup import EXAMPLE as BACKUP_EXAMPLE
from kaituan.cli.backup import backup
from kaituan.cli.children import stop_with_parent
from kaituan.cli.demo import EXAMPLE as DEMO_EXAMPLE
from kaituan.cli.demo import HISTORY_COMMAND, demo, load_history
from kaituan.cli.doctor import EXAMPLE as DOCTOR_EXAMPLE
from kaituan.cli.doctor import doctor
from kaituan.cli.migrate import migrate
from kaituan.cli.restore import EXAMPLE as RESTORE_EXAMPLE
from kaituan.cli.restore import restore
from kaituan.cli.serve import EXAMPLE as SERVE_EXAMPLE
from kaituan.cli.serve import serve
from kaituan.cli.settle import EXAMPLE as SETTLE_EXAMPLE
from kaituan.cli.settle import settle
from kaituan.cli.staff import EXAMPLE as STAFF_EXAMPLE
from kaituan.cli.staff import staff
from kaituan.cli.worker import worker

app = typer.Typer(
    name="kaituan",
    help="Community group buying, from one line in a chat to everybody paid to the fen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command(epilog=DEMO_EXAMPLE)(demo)
app.command(HISTORY_COMMAND, hidden=True)(load_history)
app.command()(migrate)
app.command(epilog=DOCTOR_EXAMPLE)(doctor)
app.command(epilog=SERVE_EXAMPLE)(serve)
app.command()(worker)
app.command(epilog=STAFF_EXAMPLE)(staff)
app.command(epilog=SETTLE_EXAMPLE)(settle)
app.command(epilog=BACKUP_EXAMPLE)(backup)
app.command(epilog=RESTORE_EXAMPLE)(restore)
app.add_typer(jielong.app, name="jielong")


@app.callback()
def root() -> None:
    """Community group buying, from one line in a chat to everybody paid to the fen."""
    stop_with_parent()


def main() -> None:
    """Entry point of the console script."""
    app()
