"""The ledger's SQL function, as it is in `ledger/sql/`."""

from pathlib import Path

from django.db import migrations

SQL_DIR = Path(__file__).resolve().parent.parent / "sql"


def create_functions(apps, schema_editor):
    schema_editor.execute((SQL_DIR / "spend_balances.sql").read_text(encoding="utf-8"), params=None)


def drop_functions(apps, schema_editor):
    schema_editor.execute("DROP FUNCTION spend_balances", params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(create_functions, drop_functions)]
