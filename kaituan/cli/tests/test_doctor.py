"""`kaituan doctor` on a data folder: well, then broken, then a folder that was never migrated; and the whole
story, its settlements by both engines included, with no more rights than pages and workers have."""

import shutil
import subprocess
import sys
import textwrap

from django.conf import settings

from kaituan.cli.tests.test_environment import kaituan
from kaituan.embedded.testing import throwaway_folder


def python(code: str, folder) -> None:
    """Run code in the environment that pages and workers have: the role that may not change the ledger."""
    script = f"""
        from pathlib import Path
        from kaituan.cli.environment import environment

        with environment(Path({str(folder)!r})) as place:
            assert place.app_role, "the story must not run as the owner of the tables"
        {textwrap.indent(textwrap.dedent(code), " " * 12).strip(" ")}
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=settings.PACKAGE_DIR.parent,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_doctor_finds_what_is_broken_and_says_it_in_one_line_each():
    parent = throwaway_folder("kaituan-doctor-")
    try:
        check_folder(parent / "data")
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def check_folder(folder):
    answer = kaituan("doctor", "--data", str(folder))
    assert (answer.returncode, answer.stdout.count("\n")) == (2, 1), answer.stderr
    assert "kaituan migrate" in answer.stdout

    answer = kaituan("migrate", "--data", str(folder), "--books-from", "2026-09-01")
    assert answer.returncode == 0, answer.stderr
    python(
        """
        from datetime import timedelta
        from kaituan.reporting.tests.town import plain_story
        from kaituan.settlement.runs import close_and_settle

        town = plain_story()
        town.goodwill(0, 100)
        end = town.later(days=1)
        run = close_and_settle(ends_at=end, now=end, acting_person=None, engine="duckdb")
        assert run.row_count > 0
        """,
        folder,
    )
    answer = kaituan("doctor", "--data", str(folder))
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout
    assert answer.stdout.startswith("All is well: ")

    python(
        """
        from kaituan.catalogue.models import StockPool
        from django.db.models import F

        StockPool.objects.filter(label="北京仓").update(supplied_quantity=F("supplied_quantity") + 1)
        """,
        folder,
    )
    answer = kaituan("doctor", "--data", str(folder))
    assert answer.returncode == 1
    *problems, last = answer.stdout.splitlines()
    assert len(problems) == 2
    assert all(problem.startswith("Stock pool ") for problem in problems)
    assert last == "Not well: 2 things are broken."
