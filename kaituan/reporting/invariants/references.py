"""References that the database does not check row by row (docs/adr/0010): does what they name exist, and fit?"""

from typing import Any

from django.apps import apps
from django.db import models

from kaituan.reporting.invariants.check import Check


def unchecked_references() -> "list[models.ForeignKey[Any, Any]]":
    """Every reference without a constraint of its own, in a stable order."""
    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and not field.db_constraint  # type: ignore[attr-defined]
    ]
    return sorted(fields, key=lambda field: (field.model._meta.db_table, field.column))


def _dangling() -> str:
    """SELECT of table, rows, column and the value that names nothing; all names are our own models'."""
    return " UNION ALL ".join(
        f"SELECT '{field.model._meta.db_table}', count(*), '{field.column}', named.{field.column}"  # noqa: S608
        f" FROM {field.model._meta.db_table} named LEFT JOIN {field.related_model._meta.db_table} target"
        f" ON target.{field.target_field.column} = named.{field.column}"
        f" WHERE target.{field.target_field.column} IS NULL AND named.{field.column} IS NOT NULL"
        f" GROUP BY named.{field.column}"
        for field in unchecked_references()
    )


MISMATCHED = """
    SELECT o.id FROM ordering_order o
    JOIN campaigns_listing listing ON listing.id = o.listing_id
    JOIN people_member member ON member.id = o.member_id
    WHERE listing.campaign_id <> o.campaign_id OR member.group_id <> listing.group_id
        OR member.person_id <> o.person_id
    ORDER BY o.id
"""

FOREIGN_OFFERS = """
    SELECT l.id, o.id FROM ordering_orderline l
    JOIN ordering_order o ON o.id = l.order_id JOIN campaigns_offer offer ON offer.id = l.offer_id
    WHERE offer.campaign_id <> o.campaign_id ORDER BY l.id
"""

CHECKS = (
    Check("{0}: {1} rows name {2} {3}, which does not exist.", _dangling()),
    Check("Order {0}: its campaign, listing, member and person do not belong together.", MISMATCHED),
    Check("Line {0}: its offer is not of the campaign of order {1}.", FOREIGN_OFFERS),
)
