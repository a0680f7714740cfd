"""Room on each page for the next version of a row that every order changes: index entries stay as they are."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_help_sell_and_private_pools")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE campaigns_offer SET (fillfactor = 50)", "ALTER TABLE campaigns_offer RESET (fillfactor)"
        ),
        migrations.RunSQL(
            "ALTER TABLE campaigns_listing SET (fillfactor = 50)", "ALTER TABLE campaigns_listing RESET (fillfactor)"
        ),
    ]
