import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0001_initial"),
        ("settlement", "0003_published_tax_rules"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="supplierpayable", name="goods_are_owed_for_once"),
        # No release has written a payable yet, so the column needs no value for old rows.
        migrations.AddField(
            model_name="supplierpayable",
            name="entry",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="supplier_payable",
                to="ledger.entry",
            ),
        ),
    ]
