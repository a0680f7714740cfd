"""Room on each page for the next version of a row that every order changes: index entries stay as they are."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0002_shared_pools_and_supplies")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE catalogue_stockpool SET (fillfactor = 50)", "ALTER TABLE catalogue_stockpool RESET (fillfactor)"
        ),
    ]
