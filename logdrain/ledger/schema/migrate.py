"""Brings the ledger's tables up to date, and tells whether they are.

Migrations are the numbered .sql files beside this one. A file that has been released is never edited:
a change is a new file with the next number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import NamedTuple

import psycopg

from logdrain.errors import LedgerUnavailable, MigrationError
from logdrain.log import mask
from logdrain.model.ledger_url import ledger_conninfo
from logdrain.ports.transactions import Transaction

_LOCK_KEY = 0x6C6F_6764_7261_696E  # "logdrain": one migration at a time in a database


class Migration(NamedTuple):
    """One numbered file; `0002_keys.sql` is number 2."""

    number: int
    file: str
    ddl: bytes


def migrations() -> list[Migration]:
    """All migrations of this program, in order of number."""
    return sorted(
        Migration(int(entry.name.partition("_")[0]), entry.name, entry.read_bytes())
        for entry in files("logdrain.ledger.schema").iterdir()
        if entry.name.endswith(".sql")
    )


def migrate(dsn: str) -> int:
    """Apply the migrations that the database lacks; returns how many.

    Safe to call again and from several processes at once. Each migration commits on its own, so one
    that fails leaves those before it in place.

    Args:
        dsn: `postgres://` or `postgresql://` URL.

    Raises:
        LedgerUnavailable: Postgres cannot be reached, or cut the connection.
        MigrationError: The tables are newer than this program, or Postgres refused a statement.
    """
    with _connect(dsn) as connection:
        with _migration("the migration table", connection):
            connection.execute("CREATE SCHEMA IF NOT EXISTS logdrain")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS logdrain.migrations ("
                " number integer PRIMARY KEY,"
                " file text NOT NULL,"
                " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
        return sum(_apply(connection, migration) for migration in migrations())


def check(dsn: str) -> None:
    """Make sure that the tables are those that this program expects.

    Args:
        dsn: `postgres://` or `postgresql://` URL.

    Raises:
        LedgerUnavailable: Postgres cannot be reached, or cut the connection.
        MigrationError: Tables are missing, or newer than this program.
    """
    with _connect(dsn) as connection:
        exists = connection.execute("SELECT to_regclass('logdrain.migrations') IS NOT NULL").fetchone()
        applied = _applied(connection) if exists == (True,) else set()
    _refuse_newer(applied)
    missing = [migration.file for migration in migrations() if migration.number not in applied]
    if missing:
        raise MigrationError(
            f"the ledger's tables in Postgres are not up to date: {', '.join(missing)} not applied",
            hint="run `logdrain migrate`",
        )


def _apply(connection: Transaction, migration: Migration) -> bool:
    with _migration(migration.file, connection):
        applied = _applied(connection)
        _refuse_newer(applied)
        if migration.number in applied:
            return False
        connection.execute(migration.ddl)
        connection.execute(
            "INSERT INTO logdrain.migrations (number, file) VALUES (%s, %s)",
            (migration.number, migration.file),
        )
        return True


def _applied(connection: Transaction) -> set[object]:
    return {number for (number,) in connection.execute("SELECT number FROM logdrain.migrations")}


def _refuse_newer(applied: set[object]) -> None:
    newer = applied - {migration.number for migration in migrations()}
    if newer:
        raise MigrationError(
            "the ledger's tables in Postgres are newer than this program: it does not know migration "
            + ", ".join(sorted(str(number) for number in newer)),
            hint="install the newer logdrain that made them",
        )


@contextmanager
def _migration(what: str, connection: Transaction) -> Iterator[None]:
    """One transaction under the lock; the lock ends with it, which also holds behind a connection pooler."""
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
            yield
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise MigrationError(
            f"Postgres refused {what}: {error.diag.message_primary or type(error).__name__}",
            hint="the role needs the right to create schema logdrain and tables in it",
        ) from error


@contextmanager
def _connect(dsn: str) -> Iterator[Transaction]:
    conninfo = ledger_conninfo(dsn)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            yield connection
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise LedgerUnavailable(
            f"the ledger's Postgres cannot be used: {mask(reason)}",
            hint="check that the server runs and that DATABASE_URL names it",
        ) from error
