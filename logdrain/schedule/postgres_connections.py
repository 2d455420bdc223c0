"""Connections to the ledger's Postgres: one for each thread, opened when first used, again when broken."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg

from logdrain.errors import LedgerUnavailable, LogdrainError, MigrationError, ScheduleError
from logdrain.log import mask
from logdrain.model.ledger_url import ledger_conninfo
from logdrain.ports import Transaction

_SETTINGS = {
    "connect_timeout": "10",
    # A server that vanished without a word is noticed within a minute, not after two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


class Connections:
    """Transactions on the ledger for any number of threads.

    Args:
        dsn: `postgres://` or `postgresql://` URL.

    Raises:
        LedgerUnavailable: The URL cannot be read.
    """

    def __init__(self, dsn: str) -> None:
        self._conninfo = ledger_conninfo(dsn, **_SETTINGS)
        self._lock = threading.Lock()
        self._by_thread: dict[threading.Thread, Transaction] = {}

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

    def close(self) -> None:
        """Close the connections of all threads; a later transaction opens a new one."""
        with self._lock:
            connections = list(self._by_thread.values())
            self._by_thread.clear()
        for connection in connections:
            connection.close()

    def _own(self) -> Transaction:
        thread = threading.current_thread()
        with self._lock:
            connection = self._by_thread.get(thread)
        if connection is not None and not connection.closed:
            return connection
        connection = psycopg.connect(self._conninfo, autocommit=True)
        connection.execute("SET TIME ZONE 'UTC'")
        with self._lock:
            ended = [other for other in self._by_thread if not other.is_alive()]
            left_over = [self._by_thread.pop(other) for other in ended]
            self._by_thread[thread] = connection
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


def _named(error: psycopg.Error) -> LogdrainError:
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return MigrationError("the ledger's tables are not in this Postgres", hint="run `logdrain migrate`")
    reason = mask((error.diag.message_primary or str(error).strip() or type(error).__name__).splitlines()[0])
    if isinstance(error, psycopg.errors.UndefinedColumn | psycopg.errors.UndefinedFunction):
        return MigrationError(
            f"the ledger's tables are those of another version of logdrain: {reason}",
            hint="run `logdrain migrate`; or install the newer logdrain",
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
