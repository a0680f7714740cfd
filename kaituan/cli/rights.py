"""What the role that serves pages and works may do: read and write, but never change what is append-only."""

from django.apps import apps
from django.conf import settings
from django.db import connections
from psycopg import sql


def grant_rights(*, app_role: str) -> None:
    """Give `app_role` its rights on every table of the station and of the job queue; harmless when repeated.

    Models with `append_only = True` (ledger, snapshots, events ...) can be read and added to, no more. Models with
    `never_deleted = True` are named by rows that the database does not check against them: theirs stay.
    """
    role = sql.Identifier(app_role)
    for alias, schema in (("default", settings.STATION_SCHEMA), ("jobs", "public")):
        place = sql.Identifier(schema)
        with connections[alias].cursor() as cursor:
            for words in (
                "GRANT USAGE ON SCHEMA {schema} TO {role}",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
                "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
                "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
            ):
                cursor.execute(sql.SQL(words).format(schema=place, role=role))
    with connections["default"].cursor() as cursor:
        for tables, words in (
            (append_only_tables(), "REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}"),
            (never_deleted_tables(), "REVOKE DELETE, TRUNCATE ON {table} FROM {role}"),
        ):
            for table in tables:
                place = sql.Identifier(settings.STATION_SCHEMA, table)
                cursor.execute(sql.SQL(words).format(table=place, role=role))


def append_only_tables() -> list[str]:
    """Tables whose rows stand for ever once written."""
    return _marked("append_only")


def never_deleted_tables() -> list[str]:
    """Tables whose rows may change, but stay."""
    return _marked("never_deleted")


def _marked(attribute: str) -> list[str]:
    return sorted(model._meta.db_table for model in apps.get_models() if getattr(model, attribute, False))
