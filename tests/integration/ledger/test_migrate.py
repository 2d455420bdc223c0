from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest

from logdrain.errors import LedgerUnavailable, MigrationError
from logdrain.ledger.schema.migrate import check, migrate, migrations


def test_each_migration_has_a_number_of_its_own() -> None:
    numbers = [migration.number for migration in migrations()]
    assert numbers == sorted(set(numbers))


def test_an_empty_database_is_migrated_once(postgres_url: str) -> None:
    with pytest.raises(MigrationError, match="run `logdrain migrate`"):
        check(postgres_url)
    assert migrate(postgres_url) == len(migrations())
    check(postgres_url)
    assert migrate(postgres_url) == 0


def test_both_spellings_of_the_scheme_are_read(postgres_url: str) -> None:
    migrate(urlsplit(postgres_url)._replace(scheme="postgres").geturl())
    check(urlsplit(postgres_url)._replace(scheme="postgresql").geturl())


def test_several_processes_may_migrate_at_once(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [postgres_url] * 4))
    assert sum(applied) == len(migrations())


def test_all_tables_are_in_the_schema_logdrain(ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as connection:
        schemas = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
    assert schemas == [("logdrain",)]


def test_tables_of_a_newer_program_are_left_alone(ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as connection:
        connection.execute("INSERT INTO logdrain.migrations (number, file) VALUES (9999, '9999_x.sql')")
    for step in (check, migrate):
        with pytest.raises(MigrationError, match=r"newer than this program.*9999"):
            step(ledger_url)


def test_what_postgres_refuses_leaves_nothing_behind(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA logdrain")
        connection.execute("CREATE TABLE logdrain.slices ()")  # in the way of ours
    with pytest.raises(MigrationError, match=r"0001_ledger\.sql.*already exists"):
        migrate(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT to_regclass('logdrain.results')").fetchone() == (None,)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@127.0.0.1:1/db",
        "postgresql://u:sec@ret@127.0.0.1:1/db",
        "postgresql://u:sec/ret@127.0.0.1:1/db",
        "postgresql://u:sec?ret@127.0.0.1:1/db",
        "postgresql://u:sec%zzret@127.0.0.1:1/db",
        "mysql://u:secret@127.0.0.1:1/db",
        "secret",
        "",
    ],
)
def test_a_server_that_is_not_there_is_named_without_the_password(url: str) -> None:
    for step in (check, migrate):
        with pytest.raises(LedgerUnavailable) as caught:
            step(url)
        assert "sec" not in str(caught.value)
        assert "ret" not in str(caught.value)
        assert caught.value.hint
