"""An index that tells the largest draw on a pool at once: what is above it cannot be sold out (`take_stock`)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_hot_rows")]
    operations = [
        migrations.AddIndex("offerpool", models.Index(fields=["steps_per_step"], name="largest_draws")),
    ]
