import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0001_initial'),
        ('people', '0001_initial'),
        ('settlement', '0004_payables_stand_on_entries'),
    ]

    operations = [
        migrations.AlterField(
            model_name='commissionrow',
            name='leader',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='commission_rows', to='people.leader'),
        ),
        migrations.AlterField(
            model_name='commissionrow',
            name='period',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='ledger.period'),
        ),
        migrations.AlterField(
            model_name='settledline',
            name='period',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='settled_lines', to='ledger.period'),
        ),
    ]
