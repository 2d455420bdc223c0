"""How a run's transaction begins: its settings, and where it is, in one round trip."""

from logdrain.model.jobs import ResultTarget
from logdrain.ports import Transaction
from logdrain.results.postgres.ddl import TableName
from logdrain.results.postgres.notes import MAY_READ_IDENTITY, has_identity
from logdrain.results.postgres.result_table import LOCATED, located

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
        """As `postgres_notes.is_ledger`."""
        return self._may_be_ledger and has_identity(connection, ledger_identity)
