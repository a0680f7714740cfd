"""A web process loads every page and none of the heavy libraries: all of them in one process are 293 MiB."""

import subprocess
import sys

HEAVY = ("duckdb", "pyarrow", "ibis", "numpy", "openpyxl", "adbc_driver_postgresql", "pyvrp", "pyspark")


def loaded_after(code: str) -> str:
    code = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_pages_together_load_none_of_the_heavy_libraries():
    code = (
        "import kaituan.config.asgi; from django.urls import get_resolver; assert get_resolver().url_patterns"
    )
    assert loaded_after(code) == "[]"


def test_what_settles_and_exports_loads_them_only_when_it_is_asked_to():
    code = (
        "import django; django.setup();"
        "import kaituan.settlement.runs, kaituan.settlement.period_data, kaituan.settlement.exports,"
        " kaituan.settlement.suppliers, kaituan.settlement.withdrawals, kaituan.reporting.doctor"
    )
    assert loaded_after(code) == "[]"
