"""Connections to result databases, kept for the next run: a backfill opens one, not thousands.

A run's transaction begins with its settings, and the question where it is, in one round trip.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from logdrain.model.jobs import ResultTarget
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres.notes import MAY_READ_IDENTITY, has_identity
from logdrain.results.tables import LOCATED, TableName, connect, located

_IDLE_MAX = 4
_MS_PER_S = 1000
# Rows are copied for as long as the query yields them.
_OPEN = (
    "SELECT "
    + LOCATED
    + ","
    + MAY_READ_IDENTITY
    + """,
set_config('TimeZone', 'UTC', true),
set_config('DateStyle', 'ISO', true),
set_config('IntervalStyle', 'postgres', true),
set_config('lock_timeout', %(lock_timeout_ms)s, true),
set_config('statement_timeout', '0', true),
set_config('idle_in_transaction_session_timeout', '0', true)
"""
)


class ResultConnections:
    """Lends connections; a run has one for itself.

    Args:
        connect_timeout_s: How long to wait for a new one.
    """

    def __init__(self, connect_timeout_s: int) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._lock = threading.Lock()
        self._idle: list[tuple[str, Transaction]] = []

    @contextmanager
    def transaction(self, dsn: str, begin: Callable[[Transaction], None]) -> Iterator[Transaction]:
        """A transaction of this database: commits at the end of the block, rolls back on an error.

        Args:
            dsn: Which database.
            begin: Prepares the transaction; the first that is asked of a connection, so that one which was
                cut while it lay idle is found out before anything is done on it. Called again then.

        Raises:
            psycopg.Error: whatever Postgres says.
        """
        connection = self._begun(dsn, begin)
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.close()  # whatever state it is in; the server rolls back
            raise
        self._keep(dsn, connection)

    def close(self) -> None:
        """Close those that lie idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _begun(self, dsn: str, begin: Callable[[Transaction], None]) -> Transaction:
        if (connection := self._take(dsn)) is not None:
            try:
                begin(connection)
            except psycopg.OperationalError:
                connection.close()
            else:
                return connection
        connection = self._open(dsn)
        try:
            begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _take(self, dsn: str) -> Transaction | None:
        with self._lock:
            for at, (of, connection) in enumerate(self._idle):
                if of == dsn:
                    del self._idle[at]
                    return connection
        return None

    def _keep(self, dsn: str, connection: Transaction) -> None:
        with self._lock:
            self._idle.append((dsn, connection))
            surplus = self._idle[:-_IDLE_MAX]
            del self._idle[:-_IDLE_MAX]
        for _, left_over in surplus:
            left_over.close()

    def _open(self, dsn: str) -> Transaction:
        connection = connect(dsn, self._connect_timeout_s)
        # Statements after the lock must see what was committed before it, whatever the database's default is.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return connection


class TransactionStart:
    """Begins transactions for one target.

    Args:
        target: Where to.
        lock_timeout_s: How long to wait for another run or reader to let go of the table.
    """

    def __init__(self, target: ResultTarget, lock_timeout_s: float) -> None:
        self._target = target
        self._values = {"schema": target.schema, "lock_timeout_ms": str(int(lock_timeout_s * _MS_PER_S))}
        self._schema: object = None
        self._may_be_ledger = False

    def begin(self, connection: Transaction) -> None:
        """The first that is asked of a connection.

        Raises:
            psycopg.Error: whatever Postgres says.
        """
        row = connection.execute(_OPEN, self._values).fetchone()
        self._schema, self._may_be_ledger = (row[0], row[1] is True) if row else (None, False)

    @property
    def table(self) -> TableName:
        """The target's table with its schema; the table need not exist.

        Raises:
            ResultRefused: the schema does not exist.
        """
        return located(self._schema, self._target)

    def is_ledger(self, connection: Transaction, ledger_identity: str) -> bool:
        """As `notes.is_ledger`."""
        return self._may_be_ledger and has_identity(connection, ledger_identity)
