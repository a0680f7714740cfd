"""The owner migrates, the app works, and neither is a superuser."""

import psycopg
import pytest

from kaituan.embedded import ensure_database, open_server
from kaituan.embedded.tests.conftest import ask


@pytest.fixture
def server(data_dir):
    with open_server(data_dir, durable=False) as server:
        yield server


def test_making_the_database_again_changes_nothing(server):
    first = ensure_database(server, "kaituan")
    with psycopg.connect(first.owner_dsn) as owner:
        owner.execute("CREATE TABLE orders (id int)")
    assert ensure_database(server, "kaituan") == first
    with psycopg.connect(first.owner_dsn) as owner:
        assert owner.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_the_roles_can_do_no_more_than_their_work(server):
    database = ensure_database(server, "kaituan")
    powers = "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication) FROM pg_roles"
    assert ask(server, powers + " WHERE rolname LIKE 'kaituan_%'") is False
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, note text)")
    with psycopg.connect(database.app_dsn, autocommit=True) as app:
        app.execute("INSERT INTO orders (note) VALUES ('two boxes')")
        app.execute("UPDATE orders SET note = 'three boxes'")
        assert app.execute("SELECT note FROM orders").fetchone() == ("three boxes",)
        for forbidden in ("DROP TABLE orders", "CREATE TABLE mine (id int)", "TRUNCATE orders"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)


def test_the_app_works_in_a_stations_schema_too(server):
    database = ensure_database(server, "kaituan")
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("CREATE SCHEMA hangzhou")
        owner.execute("CREATE TABLE hangzhou.orders (id int)")
    with psycopg.connect(database.app_dsn) as app:
        app.execute("INSERT INTO hangzhou.orders VALUES (1)")


def test_a_right_that_a_migration_took_back_stays_taken(server):
    database = ensure_database(server, "kaituan")
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("CREATE TABLE entries (fen bigint)")
        owner.execute("REVOKE UPDATE, DELETE ON entries FROM kaituan_app")
    ensure_database(server, "kaituan")
    with psycopg.connect(database.app_dsn, autocommit=True) as app:
        app.execute("INSERT INTO entries VALUES (1)")
        for forbidden in ("UPDATE entries SET fen = 2", "DELETE FROM entries"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)


def test_another_databases_app_is_kept_out(server):
    ensure_database(server, "kaituan")
    other = ensure_database(server, "shop", owner="shop_owner", app="shop_app")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(other.app_dsn.replace("/shop?", "/kaituan?"))


def test_a_test_sessions_owner_can_make_databases(server):
    database = ensure_database(server, "kaituan", createdb=True)
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        owner.execute("CREATE DATABASE test_kaituan")


def test_odd_names_are_quoted_everywhere(server):
    database = ensure_database(server, "kai tuan/2?", owner='o"w', app="a'p")
    with psycopg.connect(database.app_dsn) as app:
        assert app.execute("SELECT current_database(), current_user").fetchone() == ("kai tuan/2?", "a'p")
