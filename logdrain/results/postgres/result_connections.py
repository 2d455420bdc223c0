"""Connections to result databases, kept for the next run: a backfill opens one, not thousands."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from logdrain.ports import Transaction

_IDLE_MAX = 4


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
        connection: Transaction = psycopg.connect(
            dsn,
            connect_timeout=self._connect_timeout_s,
            client_encoding="utf8",
            fallback_application_name="logdrain",
            keepalives_idle=60,
            prepare_threshold=None,  # nothing is left behind in a connection that a pooler shares
        )
        # Statements after the lock must see what was committed before it, whatever the database's default is.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return connection
