"""The town as it is shipped: one file with the schema, the town's rows and eight weeks of its history.

Made by `rebuild.py` from what the services wrote (docs/adr/0009), loaded in seconds. The town proper (people,
goods, the plan, the books' accounts) comes first, so that group buys can open at once; the history follows in a
transaction of its own behind the running site, under ids that were kept free for it. Every date moves by whole
days, so that the last night of the history is the last one.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from psycopg import sql

FILE = Path(__file__).parent / "data" / "town.zip"
PACKAGE = Path(__file__).resolve().parent.parent
LIBRARIES = ("django", "django-allauth", "procrastinate")
"""Their migrations are in the shipped schema."""

CORE_FIRST = (
    "people_", "catalogue_supplier", "catalogue_category", "catalogue_product", "catalogue_variant",
    "commission_", "ledger_account", "ledger_period", "settlement_taxrule",
    "django_content_type", "auth_permission",
)  # fmt: skip
"""Tables (and beginnings of names) that stand before the first order of a visitor; all others are history."""
MIGRATIONS = ("station.django_migrations", "public.django_migrations")
PERIODS = "station.ledger_period"
"""Only the open period comes with the core: what is closed was settled, and comes with its settlements."""
NOT_SHIPPED = (
    "django_session",
    "shared_cache",
    "notices_outboxmessage",
    "notices_delivery",
    "procrastinate_",
)
UNMOVED = ("settlement_taxrule", "django_migrations")
"""Tables whose dates are the law's or the software's, not the town's."""
ISO_DATE = re.compile(rb"\b(20\d\d)-(\d\d)-(\d\d)")
ORDER_NUMBER = re.compile(rb"\bPO(\d\d)(\d\d)(\d\d)-")
COPY_BLOCK = 2**20


class TownRefused(Exception):
    """The shipped town cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """One shipped table. name: with its schema."""

    name: str
    columns: tuple[str, ...]
    rows: int

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*self.name.split("."))

    @property
    def is_core(self) -> bool:
        return self.name in MIGRATIONS or self.name.split(".")[1].startswith(CORE_FIRST)


@dataclass(frozen=True, slots=True)
class Manifest:
    """grown_until: the instant at which the history stops. sequences: table -> last id given out.

    digest: what a small town comes to by the services that made this one; CI grows it again.
    """

    grown_until: datetime
    fingerprint: str
    digest: str
    orders: int
    tables: tuple[Table, ...]
    sequences: dict[str, int]

    def shift_days(self, *, now: datetime) -> int:
        """Whole days by which every date moves, so that the history ends in the 24 hours before `now`."""
        return (now - self.grown_until) // timedelta(days=1)


def schema_fingerprint() -> str:
    """A hash of all that makes the schema: our migrations and SQL functions, and the libraries' versions."""
    hashed = hashlib.sha256()
    files = [*PACKAGE.glob("*/migrations/*.py"), *PACKAGE.glob("*/sql/*.sql")]
    for path in sorted(files):
        hashed.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    for library in LIBRARIES:
        hashed.update(f"{library} {version(library)}".encode())
    hashed.update(" ".join(sorted(config.label for config in apps.get_app_configs())).encode())
    return hashed.hexdigest()


def read_manifest(path: Path = FILE) -> Manifest:
    """What is in the file. Raises TownRefused when there is none."""
    if not path.is_file():
        raise TownRefused("The demo town is not part of this installation: run kaituan demo --rebuild-town.")
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read("manifest.json"))
    return Manifest(
        grown_until=datetime.fromisoformat(document["grown_until"]),
        fingerprint=document["fingerprint"],
        digest=document["digest"],
        orders=document["orders"],
        tables=tuple(Table(row["name"], tuple(row["columns"]), row["rows"]) for row in document["tables"]),
        sequences=document["sequences"],
    )


def write_town(
    path: Path, *, dsn: str, schema_sql: str, grown_until: datetime, digest: str, schemas: Sequence[str]
) -> Manifest:
    """Write the file from a grown database. schema_sql: what pg_dump says of it, without owners and rights."""
    with (
        psycopg.connect(dsn) as connection,
        zipfile.ZipFile(path, "w", compression=zipfile.ZIP_LZMA) as archive,
    ):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET TIME ZONE 'UTC'")
        tables = list(_tables(connection, schemas))
        for table in tables:
            with archive.open(f"{table.name}.copy", "w", force_zip64=True) as file:
                for block in _copy_out(connection, table):
                    file.write(block)
        [orders] = connection.execute("SELECT count(*) FROM station.ordering_order").fetchone() or (0,)
        manifest = Manifest(
            grown_until, schema_fingerprint(), digest, orders, tuple(tables), _sequences(connection, tables)
        )
        archive.writestr("schema.sql", "\n".join(
            line for line in schema_sql.splitlines() if not line.startswith(("\\", "--"))
        ))  # fmt: skip
        archive.writestr("manifest.json", json.dumps(_document(manifest), ensure_ascii=False))
    return manifest


def _document(manifest: Manifest) -> dict[str, Any]:
    return {
        "grown_until": manifest.grown_until.isoformat(),
        "fingerprint": manifest.fingerprint,
        "digest": manifest.digest,
        "orders": manifest.orders,
        "tables": [
            {"name": table.name, "columns": table.columns, "rows": table.rows} for table in manifest.tables
        ],
        "sequences": manifest.sequences,
    }


def _tables(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> Iterator[Table]:
    """Tables with rows, by name; generated columns are not among their columns."""
    found = connection.execute(
        "SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position)"
        " FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = ANY(%s) AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        [list(schemas)],
    ).fetchall()
    for schema, name, columns in found:
        if name.startswith(NOT_SHIPPED):
            continue
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
        [rows] = connection.execute(count).fetchone() or (0,)
        if rows:
            yield Table(f"{schema}.{name}", tuple(columns), rows)


def _copy_out(connection: psycopg.Connection[Any], table: Table) -> Iterator[bytes]:
    # In the order of the ids: neighbours are alike, and the file is a third smaller for it.
    query = sql.SQL("COPY (SELECT {columns} FROM {table} ORDER BY 1) TO STDOUT").format(
        columns=_column_list(table), table=table.identifier
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            yield bytes(block)


def _column_list(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _sequences(connection: psycopg.Connection[Any], tables: Sequence[Table]) -> dict[str, int]:
    last = {}
    for table in tables:
        row = connection.execute(
            "SELECT pg_get_serial_sequence(%s, column_name) FROM information_schema.columns"
            " WHERE table_schema || '.' || table_name = %s AND column_name = 'id'",
            [table.name, table.name],
        ).fetchone()
        if row and row[0]:
            query = sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(table.identifier)
            [last[table.name]] = connection.execute(query).fetchone() or (0,)
    return last


def load_schema(*, dsn: str, path: Path = FILE) -> None:
    """Make the tables of the shipped schema in an empty database."""
    with zipfile.ZipFile(path) as archive:
        statements = archive.read("schema.sql").decode()
    with psycopg.connect(dsn) as connection:
        # pg_dump makes `public` where it has grants of its own; every database has it already.
        statements = statements.replace("CREATE SCHEMA public;", "")
        connection.execute(statements.encode())


def load_core(*, dsn: str, manifest: Manifest, shift_days: int, path: Path = FILE) -> None:
    """Load the town proper, and keep the ids of the history free."""
    # The schema tells which migrations are in it only if it was made from the file.
    with psycopg.connect(dsn) as connection:
        tables = [table for table in manifest.tables if table.is_core]
        if _has_rows(connection, MIGRATIONS[0]):
            tables = [table for table in tables if table.name not in MIGRATIONS]
            names = sql.SQL(", ").join(table.identifier for table in tables)
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        _load(connection, tables, path=path, shift_days=shift_days, report=lambda rows: None)
        for name, last in manifest.sequences.items():
            connection.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [name, last])


def _has_rows(connection: psycopg.Connection[Any], name: str) -> bool:
    if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,):
        return False
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(*name.split(".")))
    return connection.execute(query).fetchone() == (True,)


def history_is_loaded(*, dsn: str, manifest: Manifest) -> bool:
    with psycopg.connect(dsn) as connection:
        last = manifest.sequences["station.ordering_order"]
        query = "SELECT EXISTS (SELECT FROM station.ordering_order WHERE id <= %s)"
        return connection.execute(query, [last]).fetchone() == (True,)


def load_history(
    *, dsn: str, manifest: Manifest, shift_days: int, report: Callable[[int], None], path: Path = FILE
) -> None:
    """Load the history behind a running site, all of it or nothing. report: told how many rows are in.

    Visitors may have ordered meanwhile: their rows have later ids, and what both have, the cached balances of
    the books, is added up.
    """
    tables = [table for table in manifest.tables if not table.is_core]
    periods = [table for table in manifest.tables if table.name == PERIODS]
    balances = [table for table in tables if table.name.endswith("ledger_cachedbalance")]
    with psycopg.connect(dsn) as connection:
        # Whoever closes the period waits, and settles what the history has brought into it.
        connection.execute("SELECT FROM station.ledger_period WHERE status = 'open' FOR SHARE")
        _load(
            connection, periods, path=path, shift_days=shift_days, report=lambda rows: None, open_period=False
        )
        _load(
            connection, [table for table in tables if table not in balances], path=path, shift_days=shift_days,
            report=report,
        )  # fmt: skip
        for table in balances:
            connection.execute(
                sql.SQL("CREATE TEMPORARY TABLE shipped (LIKE {}) ON COMMIT DROP").format(table.identifier)
            )
            _load(
                connection, [Table("pg_temp.shipped", table.columns, table.rows)], path=path, shift_days=0,
                report=lambda rows: None, member=f"{table.name}.copy",
            )  # fmt: skip
            connection.execute(
                sql.SQL(
                    "INSERT INTO {table} AS b (account_id, balance_fen) SELECT account_id, balance_fen FROM shipped"
                    " ORDER BY account_id ON CONFLICT (account_id)"
                    " DO UPDATE SET balance_fen = b.balance_fen + excluded.balance_fen"
                ).format(table=table.identifier)
            )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _load(
    connection: psycopg.Connection[Any], tables: Sequence[Table], *, path: Path, shift_days: int,
    report: Callable[[int], None], member: str = "", open_period: bool = True,
) -> None:  # fmt: skip
    """COPY the tables in. member: what to read instead of the table's own. open_period: which part of PERIODS."""
    connection.execute("SET LOCAL TIME ZONE 'UTC'")
    done = 0
    with zipfile.ZipFile(path) as archive, connection.cursor() as cursor:
        for table in tables:
            days = 0 if table.name.split(".")[1].startswith(UNMOVED) else shift_days
            query = sql.SQL("COPY {} ({}) FROM STDIN").format(table.identifier, _column_list(table))
            with archive.open(member or f"{table.name}.copy") as file, cursor.copy(query) as copy:
                for block in _blocks(file, table, open_period=open_period):
                    copy.write(moved(block, days=days))
            done += table.rows
            report(done)


def _blocks(file: Any, table: Table, *, open_period: bool) -> Iterator[bytes]:
    if table.name == PERIODS:
        return (line for line in file if (b"\topen" in line) == open_period)
    return _whole_lines(file)


def _whole_lines(file: Any) -> Iterator[bytes]:
    """Blocks of the file that end where a line ends, so that no date is cut in two."""
    while block := file.read(COPY_BLOCK):
        yield block + file.readline()


def moved(text: bytes, *, days: int) -> bytes:
    """The text with every ISO date, and every date in a purchase order's number, later by whole days."""
    if not days:
        return text
    known: dict[bytes, bytes] = {}

    def later(match: re.Match[bytes]) -> bytes:
        found = known.get(match[0])
        if found is None:
            year, month, day = map(int, match.groups())
            moved_on = date(year if year > 99 else 2000 + year, month, day) + timedelta(days=days)
            form = "%Y-%m-%d" if year > 99 else "PO%y%m%d-"
            found = known[match[0]] = moved_on.strftime(form).encode()
        return found

    return ORDER_NUMBER.sub(later, ISO_DATE.sub(later, text))
