"""Fewer indexes and references on the tables that are written in a rush; each reason stands in the models."""

import django.db.models.deletion
from django.db import migrations, models

import kaituan.people.models


def reference(to, related_name, **options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=to, **options
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ordering", "0002_order_core"),
        ("campaigns", "0001_initial"),
        ("people", "0001_initial"),
    ]
    operations = [
        migrations.AlterField(
            "order", "campaign", reference("campaigns.campaign", "orders", db_constraint=False)
        ),
        migrations.AlterField("order", "listing", reference("campaigns.listing", "orders", db_index=False)),
        migrations.AlterField("order", "member", reference("people.member", "orders", db_index=False)),
        migrations.AlterField(
            "order",
            "person",
            reference("people.person", "orders", db_index=False, db_constraint=False),
        ),
        migrations.AlterField(
            "order",
            "public_id",
            models.CharField(default=kaituan.people.models.new_public_id, editable=False, max_length=16),
        ),
        migrations.AddConstraint(
            "order", models.UniqueConstraint(fields=["public_id"], name="an_order_is_named_once")
        ),
        migrations.AlterField("orderline", "order", reference("ordering.order", "lines", db_index=False)),
        # A primary key of two columns cannot be made of one: the counters are counted anew.
        migrations.DeleteModel("PersonOfferQuantity"),
        migrations.CreateModel(
            "PersonOfferQuantity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "offer", "person", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("quantity", models.BigIntegerField(default=0)),
                ("offer", reference("campaigns.offer", "+", db_index=False, db_constraint=False)),
                ("person", reference("people.person", "+", db_index=False, db_constraint=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 0)), name="a_counter_is_not_negative"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            """
            INSERT INTO ordering_personofferquantity (offer_id, person_id, quantity)
            SELECT line.offer_id, placed.person_id, sum(line.quantity)
            FROM ordering_orderline line JOIN ordering_order placed ON placed.id = line.order_id
            JOIN campaigns_offer offer ON offer.id = line.offer_id AND offer.per_person_quantity IS NOT NULL
            WHERE placed.status IN ('pending', 'confirmed') GROUP BY 1, 2;
            -- Room on the page for the next version of a row keeps its index entries as they are.
            ALTER TABLE ordering_personofferquantity SET (fillfactor = 80);
            """,
            migrations.RunSQL.noop,
        ),
    ]
