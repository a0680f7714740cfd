"""The databases and roles inside a server.

psycopg is imported where it is used: every `kaituan` command comes by here, and most need no database.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaituan.embedded.server import Server

if TYPE_CHECKING:
    import psycopg

OWNER = "kaituan_owner"
APP = "kaituan_app"
# Any constant will do: it keeps two processes from making the same role at once.
ROLES_LOCK = 7_502_441


@dataclass(frozen=True)
class Database:
    """The addresses of one database: the owner's, who migrates, and the app's, who may do less."""

    name: str
    owner_dsn: str
    app_dsn: str


def ensure_database(
    server: Server, name: str, *, owner: str = OWNER, app: str = APP, createdb: bool = False
) -> Database:
    """Make the two roles and the database unless they exist; harmless when repeated.

    Neither role is a superuser. `owner` owns the database and so its tables; `app` may read and write
    the rows of tables made from now on, until a migration takes some of it back (the ledger's).
    `createdb` lets the owner make databases too: a test session needs it.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ROLES_LOCK])
        for role in (owner, app):
            if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if createdb:
            connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(owner)))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(owner)))
        for grant in (
            sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC"),
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}"),
        ):
            connection.execute(grant.format(name=sql.Identifier(name), app=sql.Identifier(app)))
        with psycopg.connect(server.dsn(name), autocommit=True) as inside:
            grant_to_app(inside, owner=owner, app=app)
    return Database(name, server.dsn(name, user=owner), server.dsn(name, user=app))


def grant_to_app(connection: "psycopg.Connection[Any]", *, owner: str = OWNER, app: str = APP) -> None:
    """Let `app` use what `owner` will make in this database from now on.

    Tables that exist already are left as they are: a migration may have taken rights back.
    """
    from psycopg import sql

    for words in (
        "GRANT USAGE ON SCHEMA public TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    ):
        connection.execute(sql.SQL(words).format(owner=sql.Identifier(owner), app=sql.Identifier(app)))


def _exists(connection: "psycopg.Connection[Any]", query: Any, name: str) -> bool:
    return connection.execute(query, [name]).fetchone() is not None
