"""What commands begin with: data folder, embedded server, secret, rights; one clear line when it cannot be."""

import os
import shutil
import stat
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections

from kaituan.cli.environment import EnvironmentRefused, is_demo, mark_as_demo
from kaituan.cli.rights import append_only_tables, grant_rights, never_deleted_tables
from kaituan.embedded import APP, ensure_database, open_server
from kaituan.embedded.testing import throwaway_folder
from kaituan.reporting.invariants.references import unchecked_references
from tests import factories as make


def kaituan(*arguments, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KAITUAN")}
    clean.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-m", "kaituan.cli", *arguments],
        env={**clean, **environment},
        cwd=settings.PACKAGE_DIR.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_data_folder_is_made_migrated_and_migrated_again():
    parent = throwaway_folder("kaituan-cli-")
    try:
        check_data_folder(parent / "data")
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def check_data_folder(folder):
    for _ in range(2):
        answer = kaituan(
            "migrate", "--data", str(folder), "--station-name", "北京站", "--books-from", "2026-09-01"
        )
        assert (answer.returncode, answer.stdout) == (0, "The database is up to date.\n"), answer.stderr
    check_staff(folder)
    assert stat.S_IMODE((folder / "secret-key").stat().st_mode) == 0o600
    with open_server(folder) as server:
        app_dsn = ensure_database(server, "kaituan").app_dsn
        with psycopg.connect(app_dsn, options="-c search_path=station") as app:
            assert app.execute("SELECT name FROM people_station").fetchall() == [("北京站",)]
            assert app.execute("SELECT starts_at::date::text FROM ledger_period").fetchall() == [
                ("2026-09-01",)
            ]
            assert app.execute("SELECT count(*) FROM public.procrastinate_jobs").fetchall() == [(0,)]
            app.execute("UPDATE people_station SET name = '上海站'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("DELETE FROM ledger_entry")


def check_staff(folder):
    """The first administrator is opened from the keyboard, once; a weak password opens nothing."""
    open_account = ("staff", "chen", "--name", "陈店长", "--role", "admin", "--data", str(folder))
    weak = kaituan(*open_account, KAITUAN_STAFF_PASSWORD="1234")
    assert (weak.returncode, weak.stderr.count("\n")) == (2, 1)
    answer = kaituan(*open_account, KAITUAN_STAFF_PASSWORD="correct horse battery")
    assert answer.stdout == "chen can sign in at /staff/sign-in/ as admin.\n", answer.stderr
    again = kaituan(*open_account, KAITUAN_STAFF_PASSWORD="correct horse battery")
    assert again.returncode == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/kaituan", "cannot be read"),
        ("postgresql://localhost", "names no database"),
    ],
)
def test_a_wrong_address_is_said_in_one_line(tmp_path, url, words):
    answer = kaituan("worker", "--data", str(tmp_path), DATABASE_URL=url)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    answer = kaituan("migrate", "--data", str(tmp_path / "file" / "data"))
    assert answer.returncode == 2
    assert "cannot be used" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_in_real_use_never_becomes_a_demo(tmp_path):
    assert not is_demo(tmp_path)
    assert is_demo(mark_as_demo(tmp_path))
    mark_as_demo(tmp_path)
    real = tmp_path / "real"
    (real / "postgres").mkdir(parents=True)
    with pytest.raises(EnvironmentRefused):
        mark_as_demo(real)
    assert not is_demo(real)


@pytest.fixture(scope="module")
def queue_connection(django_db_setup):
    """Closed before the test database goes: Django closes the other alias only."""
    yield
    connections["jobs"].close()


@pytest.mark.django_db(transaction=True, databases=["default", "jobs"])
def test_the_serving_role_adds_to_the_books_and_changes_nothing_in_them(queue_connection):
    make.station()
    make.open_books()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP])
        if cursor.fetchone() is None:
            pytest.skip("this server has no role for the app")
    for _ in range(2):
        grant_rights(app_role=APP)
    tables = append_only_tables()
    assert {"ledger_entry", "ledger_transfer", "fulfilment_snapshotline", "people_personmerge"} <= set(tables)
    with psycopg.connect(
        dbname=connection.settings_dict["NAME"],
        host=connection.settings_dict["HOST"],
        port=connection.settings_dict["PORT"] or None,
        user=APP,
        options="-c search_path=station",
        autocommit=True,
    ) as app:
        for table in tables:
            column = app.execute(f"SELECT * FROM {table} LIMIT 0").description[0].name
            for words in (
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"UPDATE {table} SET {column} = {column}",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(words)
        app.execute(
            "INSERT INTO ledger_entry (key, kind, reference, occurred_at, memo) VALUES ('a', 'b', 'c', now(), '')"
        )
        app.execute("UPDATE people_station SET name = '上海站'")
        for table in never_deleted_tables():
            for words in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(words)


def test_what_is_named_without_a_constraint_can_only_go_with_a_draft():
    """`campaigns.drafts` replaces a draft's offers, holding the campaign, which has no orders then."""
    named = {field.related_model._meta.db_table for field in unchecked_references()}
    assert named - set(never_deleted_tables()) == {"campaigns_offer"}


def test_nothing_is_served_with_a_secret_that_others_know(tmp_path):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KAITUAN")}
    for secret in ({}, {"KAITUAN_SECRET_KEY": "short"}):
        served = subprocess.run(
            [sys.executable, "-c", "import kaituan.config.asgi"],
            env={**clean, **secret}, cwd=settings.PACKAGE_DIR.parent, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert "ImproperlyConfigured: Set KAITUAN_SECRET_KEY" in served.stderr
    refused = kaituan(
        "doctor",
        "--data",
        str(tmp_path),
        DATABASE_URL="postgresql://x@127.0.0.1:1/x",
        KAITUAN_SECRET_KEY="short",
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "shorter than 32 characters" in refused.stderr
