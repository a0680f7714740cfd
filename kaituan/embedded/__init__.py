"""The PostgreSQL that comes along: start it, stop it, never touch another.

with open_server(Path("data")) as server:
    database = ensure_database(server, "kaituan")
    psycopg.connect(database.owner_dsn)
"""

from kaituan.embedded.binaries import binary
from kaituan.embedded.databases import APP, OWNER, Database, ensure_database, grant_to_app
from kaituan.embedded.errors import EmbeddedError
from kaituan.embedded.server import Server, end_unused, open_server

__all__ = [
    "APP",
    "OWNER",
    "Database",
    "EmbeddedError",
    "Server",
    "binary",
    "end_unused",
    "ensure_database",
    "grant_to_app",
    "open_server",
]
