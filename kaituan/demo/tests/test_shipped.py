"""The shipped file: moved in time, and loaded behind visitors who have ordered already."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from kaituan.demo import shipped
from kaituan.demo.growing import GROWN_UNTIL


def test_dates_move_by_whole_days_wherever_they_stand():
    row = b'7\t2026-10-31 20:00:00+00\t{"pickup_on": "2026-12-31"}\tPO261231-12-3\t2026-1\t13820260101\n'
    assert shipped.moved(row, days=1) == (
        b'7\t2026-11-01 20:00:00+00\t{"pickup_on": "2027-01-01"}\tPO270101-12-3\t2026-1\t13820260101\n'
    )
    assert shipped.moved(shipped.moved(row, days=40), days=-40) == row
    assert shipped.moved(row, days=0) is row


@pytest.mark.parametrize(("hours", "days"), [(0, 0), (23, 0), (24, 1), (24 * 30 + 5, 30), (-1, -1)])
def test_the_history_ends_in_the_last_24_hours(hours, days):
    manifest = shipped.read_manifest()
    now = manifest.grown_until + timedelta(hours=hours)
    assert manifest.grown_until == GROWN_UNTIL
    assert manifest.shift_days(now=now) == days
    assert timedelta(0) <= now - (manifest.grown_until + timedelta(days=days)) < timedelta(days=1)


def test_the_file_is_of_todays_schema():
    assert shipped.read_manifest().fingerprint == shipped.schema_fingerprint(), (
        "run: kaituan demo --rebuild-town kaituan/demo/data/town.zip"
    )


def test_the_file_is_small_enough_to_be_kept_with_the_code():
    assert shipped.FILE.stat().st_size < 10_000_000


def test_a_missing_file_is_one_clear_sentence(tmp_path):
    with pytest.raises(shipped.TownRefused, match="rebuild-town"):
        shipped.read_manifest(tmp_path / "town.zip")


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker):
    """A database beside the tests' own, with nothing in it: its address."""
    with django_db_blocker.unblock():
        info = connection.get_connection_params()
    address = {"host": info.get("host"), "user": info.get("user"), "password": info.get("password")}
    admin = psycopg.conninfo.make_conninfo(dbname="postgres", **{k: v for k, v in address.items() if v})
    name = sql.Identifier("shipped_town_test")
    with psycopg.connect(admin, autocommit=True) as at:
        at.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        at.execute(sql.SQL("CREATE DATABASE {}").format(name))
    yield psycopg.conninfo.make_conninfo(
        dbname="shipped_town_test", **{k: v for k, v in address.items() if v}
    )
    with psycopg.connect(admin, autocommit=True) as at:
        at.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_core_and_history_fill_an_empty_database(empty_database):
    manifest = shipped.read_manifest()
    shipped.load_schema(dsn=empty_database)
    shipped.load_core(dsn=empty_database, manifest=manifest, shift_days=3)
    assert not shipped.history_is_loaded(dsn=empty_database, manifest=manifest)
    with psycopg.connect(empty_database) as at:
        assert at.execute("SELECT status FROM station.ledger_period").fetchall() == [("open",)]
    with psycopg.connect(empty_database) as at:
        # A visitor's leader took cash before the history came: an account that the history knows as well.
        [account] = at.execute(
            "SELECT id FROM station.ledger_account WHERE kind = 'leader_held' ORDER BY id LIMIT 1"
        ).fetchone()
        at.execute(
            "INSERT INTO station.ledger_cachedbalance (account_id, balance_fen) VALUES (%s, 500)", [account]
        )
    seen = []
    shipped.load_history(dsn=empty_database, manifest=manifest, shift_days=3, report=seen.append)
    assert seen == sorted(seen)
    assert shipped.history_is_loaded(dsn=empty_database, manifest=manifest)
    with psycopg.connect(empty_database) as at:
        for table in manifest.tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(table.identifier)
            assert at.execute(query).fetchone() == (table.rows,), table.name
        [held, books] = at.execute(
            "SELECT b.balance_fen, sum(CASE WHEN t.debit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END)"
            " FROM station.ledger_account a JOIN station.ledger_cachedbalance b ON b.account_id = a.id"
            " JOIN station.ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)"
            " WHERE a.id = %s GROUP BY 1",
            [account],
        ).fetchone()
        assert held == books + 500
        [latest] = at.execute("SELECT max(placed_at) FROM station.ordering_order").fetchone()
        assert GROWN_UNTIL + timedelta(days=2) < latest < GROWN_UNTIL + timedelta(days=3)
        [new] = at.execute(
            "SELECT nextval(pg_get_serial_sequence('station.ordering_order', 'id'))"
        ).fetchone()
        assert new > manifest.sequences["station.ordering_order"]
