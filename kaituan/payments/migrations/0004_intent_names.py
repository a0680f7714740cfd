"""One index for an intent's public id: `unique=True` brings a second one, for LIKE."""

from django.db import migrations, models

import kaituan.people.models


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_set_based")]
    operations = [
        migrations.AlterField(
            "paymentintent",
            "public_id",
            models.CharField(default=kaituan.people.models.new_public_id, editable=False, max_length=16),
        ),
        migrations.AddConstraint(
            "paymentintent", models.UniqueConstraint(fields=["public_id"], name="an_intent_is_named_once")
        ),
    ]
