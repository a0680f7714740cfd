"""The SQL functions for many orders at once, as they are in `payments/sql/`."""

from pathlib import Path

from django.db import migrations

SQL_DIR = Path(__file__).resolve().parent.parent / "sql"
FUNCTIONS = ["open_intents", "open_intent_of", "pay_placed_orders"]


def create_functions(apps, schema_editor):
    for name in FUNCTIONS:
        schema_editor.execute((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"), params=None)


def drop_functions(apps, schema_editor):
    for name in reversed(FUNCTIONS):
        schema_editor.execute(f"DROP FUNCTION {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_returns_and_sandbox"),
        ("ordering", "0002_order_core"),
        ("ledger", "0002_spend_balances"),
    ]
    operations = [migrations.RunPython(create_functions, drop_functions)]
