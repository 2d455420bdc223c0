"""Connections to the ledger's Postgres: one for each thread, opened when first used, again when broken.

Its clock is there, too: a `ports.Clock` that all workers share.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from logdrain.errors import LedgerUnavailable, LogdrainError, MigrationError, ScheduleError
from logdrain.log import mask
from logdrain.model.ledger_url import ledger_conninfo
from logdrain.ports.transactions import Transaction


class Connections:
    """Transactions on the ledger for any number of threads.

    Args:
        dsn: `postgres://` or `postgresql://` URL.

    Raises:
        LedgerUnavailable: The URL cannot be read.
    """

    def __init__(self, dsn: str) -> None:
        self._conninfo = ledger_conninfo(dsn)
        self._lock = threading.Lock()
        self._by_thread: dict[threading.Thread, Transaction] = {}

    def now(self) -> datetime:
        """The clock of Postgres, UTC."""
        now: datetime
        ((now,),) = self.ask("SELECT clock_timestamp()")
        return now

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction of this thread: commits at the end of the block, rolls back on an error.

        Raises:
            LedgerUnavailable: Postgres cannot be reached, or cut the connection.
            MigrationError: The tables are not there, or those of another version.
            ScheduleError: Postgres refused a value.
        """
        with named_errors(), ExitStack() as stack:
            connection = self._own()
            try:
                stack.enter_context(connection.transaction())
            except psycopg.OperationalError:  # cut while it was idle; nothing has been done on it yet
                connection.close()
                connection = self._own()
                stack.enter_context(connection.transaction())
            yield connection

    def ask(self, question: LiteralString, values: Mapping[str, object] | None = None) -> list[TupleRow]:
        """The rows of a statement that only reads: one round trip, without a transaction around it.

        Raises:
            LedgerUnavailable, MigrationError, ScheduleError: As `transaction`.
        """
        with named_errors():
            connection = self._kept()
            if connection is not None:
                try:
                    return connection.execute(question, values).fetchall()
                except psycopg.OperationalError:  # cut while it was idle, or now: it may be asked again
                    connection.close()
            return self._own().execute(question, values).fetchall()

    def close(self) -> None:
        """Close the connections of all threads; a later transaction opens a new one."""
        with self._lock:
            connections = list(self._by_thread.values())
            self._by_thread.clear()
        for connection in connections:
            connection.close()

    def _kept(self) -> Transaction | None:
        with self._lock:
            connection = self._by_thread.get(threading.current_thread())
        return None if connection is None or connection.closed else connection

    def _own(self) -> Transaction:
        kept = self._kept()
        if kept is not None:
            return kept
        connection: Transaction = psycopg.connect(self._conninfo, autocommit=True)
        # Operators that strangers put into a schema of the search path would run as the ledger's role.
        connection.execute("SET TIME ZONE 'UTC'; SET search_path = pg_catalog, pg_temp")
        with self._lock:
            ended = [other for other in self._by_thread if not other.is_alive()]
            left_over = [self._by_thread.pop(other) for other in ended]
            self._by_thread[threading.current_thread()] = connection
        for other in left_over:
            with suppress(psycopg.Error):
                other.close()
        return connection


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn what psycopg raises into errors of this program."""
    try:
        yield
    except psycopg.Error as error:
        raise _named(error) from error
    except UnicodeEncodeError as error:
        raise ScheduleError(
            "a text for the ledger is not valid Unicode", hint="check its encoding"
        ) from error


def storable(text: str) -> str:
    """The text without secrets and without what Postgres cannot hold: a failure must not fail to be noted."""
    return mask(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _named(error: psycopg.Error) -> LogdrainError:
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return MigrationError("the ledger's tables are not in this Postgres", hint="run `logdrain migrate`")
    reason = mask((error.diag.message_primary or str(error).strip() or type(error).__name__).splitlines()[0])
    if isinstance(error, psycopg.errors.UndefinedColumn | psycopg.errors.UndefinedFunction):
        return MigrationError(
            f"the ledger's tables are those of another version of logdrain: {reason}",
            hint="run `logdrain migrate`; or install the newer logdrain",
        )
    if isinstance(error, psycopg.errors.InvalidSqlStatementName | psycopg.errors.DuplicatePreparedStatement):
        return LedgerUnavailable(
            f"the ledger's Postgres has lost what was prepared: {reason}",
            hint="a pooler that shares connections must keep prepared statements: PgBouncer from 1.21 with"
            " max_prepared_statements above 0; or connect to Postgres itself",
        )
    if isinstance(
        error,
        psycopg.OperationalError
        | psycopg.InterfaceError
        | psycopg.errors.ReadOnlySqlTransaction
        | psycopg.errors.InsufficientPrivilege,
    ):
        return LedgerUnavailable(
            f"the ledger's Postgres cannot be used: {reason}",
            hint="check that the server runs and that DATABASE_URL names it",
        )
    return ScheduleError(f"the ledger's Postgres refused a value: {reason}", hint="check names and numbers")
