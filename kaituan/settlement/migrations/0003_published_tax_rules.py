"""The withholding rules that the tax office has published, as the data file has them."""

import json
from datetime import datetime
from pathlib import Path

from django.db import migrations

PUBLISHED = Path(__file__).resolve().parent.parent / "data" / "tax_rules.json"


def write_rules(apps, schema_editor):
    TaxRule = apps.get_model("settlement", "TaxRule")
    for rule in json.loads(PUBLISHED.read_text(encoding="utf-8")):
        rule["effective_from"] = datetime.fromisoformat(rule["effective_from"])
        TaxRule.objects.get_or_create(version=rule.pop("version"), defaults=rule)


class Migration(migrations.Migration):
    dependencies = [("settlement", "0002_settled_lines_tax_disputes")]
    operations = [migrations.RunPython(write_rules, migrations.RunPython.noop)]
