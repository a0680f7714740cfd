"""An intent's order is read, and held, by the function that writes the intent: `docs/adr/0010`."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_intent_names")]
    operations = [
        migrations.AlterField(
            "paymentintent",
            "order",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="intents",
                to="ordering.order",
            ),
        ),
    ]
