"""What an order and its lines refer to is proved by `place_orders`, set by set: `docs/adr/0010`."""

import django.db.models.deletion
from django.db import migrations, models


def reference(to, related_name, **options):
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=to,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("ordering", "0003_rush_tables")]
    operations = [
        migrations.AlterField("order", "listing", reference("campaigns.listing", "orders", db_index=False)),
        migrations.AlterField("order", "member", reference("people.member", "orders", db_index=False)),
        migrations.AlterField("orderline", "order", reference("ordering.order", "lines", db_index=False)),
        migrations.AlterField("orderline", "offer", reference("campaigns.offer", "lines")),
    ]
