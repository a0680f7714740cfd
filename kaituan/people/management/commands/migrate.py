"""Django's migrate, made to know of stations: the schema first, the job queue's tables after."""

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from psycopg import sql


class Command(DjangoMigrate):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] != "default":
            super().handle(*args, **options)
            return
        with connections["default"].cursor() as cursor:
            schema = sql.Identifier(settings.STATION_SCHEMA)
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
        super().handle(*args, **options)
        if not options.get("app_label"):
            # The queue lives in the same database; in tests that database has another name than configured.
            connections["jobs"].settings_dict["NAME"] = connections["default"].settings_dict["NAME"]
            super().handle(*args, **{**options, "database": "jobs"})
            connections["jobs"].close()
