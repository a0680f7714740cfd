"""The order core's SQL functions, as they are in `ordering/sql/`."""

from pathlib import Path

from django.db import migrations

SQL_DIR = Path(__file__).resolve().parent.parent / "sql"
FUNCTIONS = ["stock_needed", "share_stock", "take_stock", "write_orders", "place_orders", "move_stock"]


def create_functions(apps, schema_editor):
    for name in FUNCTIONS:
        schema_editor.execute((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"), params=None)


def drop_functions(apps, schema_editor):
    for name in reversed(FUNCTIONS):
        schema_editor.execute(f"DROP FUNCTION {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [("ordering", "0001_initial"), ("notices", "0001_initial")]
    operations = [migrations.RunPython(create_functions, drop_functions)]
