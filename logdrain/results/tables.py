"""Tables in a result's Postgres, for those who write and those who read: connections, names, errors.

What passes by itself is a retryable error, what does not has a hint. SQLSTATE classes: PostgreSQL,
appendix A. Only the primary message is repeated: the detail may hold rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from logdrain.errors import LogdrainError, ResultRefused, ResultUnavailable
from logdrain.log import mask
from logdrain.model.jobs import ResultTarget
from logdrain.ports.transactions import Transaction

# current_schema(), but never the ledger's: a role called logdrain has that on its search path ("$user").
LOCATED = """
CASE WHEN %(schema)s = ''
THEN (SELECT name FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, place)
      WHERE name <> 'logdrain' ORDER BY place LIMIT 1)
ELSE (SELECT nspname FROM pg_namespace WHERE nspname = %(schema)s)
END::text
"""
"""The schema of a target whose URL says this one, or NULL: what `located` takes."""

# Connections, insufficient resources, an operator or a timeout stepped in, a system error.
_PASSING_CLASSES = ("08", "53", "57", "58")
# Of all rollbacks only these two; a lock that was not free in time.
_PASSING_STATES = ("40001", "40P01", "55P03")

_HINTS = {
    "25006": "this is a read-only follower: give the URL of the primary",
    "0A000": "a view or rule may use the column: drop it, and create it again after the run",
    "21000": "rows that differ in the query are equal in the table's types: cast the columns of unique=",
    "55000": "the key's unique constraint is DEFERRABLE: drop it, and the next run makes a unique index",
    "2BP01": (
        "a view or the like uses a column that the query no longer has: drop it, or select the column again; "
        "mode=truncate keeps such columns"
    ),
}
_CLASS_HINTS = {
    "23": "logdrain keeps the constraints it finds: change the query, or drop the constraint",
    "22": "cast the value in the query to the column's type",
    "54": "select fewer columns",
}
_GRANT_STATE = "42501"
_CONNECTION_HINTS = {  # the first that fits
    "pg_hba.conf": "the server wants another way in: sslmode=require, or a line in its pg_hba.conf",
    "authentication failed": "check user and password in the result's URL: `logdrain result:create` again",
    "no password supplied": "the result's URL has no password: `logdrain result:create` again",
    'database "': "CREATE DATABASE, or correct the end of the result's URL",
    'role "': "CREATE ROLE, or correct the user in the result's URL",
    "does not support SSL": "this server has no SSL: leave sslmode and ssl out of the result",
}
_UNREACHABLE_HINT = "check the result's URL, and that the server runs"


class TableName(NamedTuple):
    """A table with its schema; prints as SQL reads it."""

    schema: str
    table: str

    @property
    def identifier(self) -> sql.Identifier:
        """Qualified and quoted."""
        return sql.Identifier(self.schema, self.table)

    def __str__(self) -> str:
        return self.identifier.as_string()


def connect(dsn: str, connect_timeout_s: int = 10) -> Transaction:
    """A connection to a result's Postgres.

    Raises:
        psycopg.Error: it cannot be reached.
    """
    return psycopg.connect(
        dsn,
        connect_timeout=connect_timeout_s,
        client_encoding="utf8",
        fallback_application_name="logdrain",
        keepalives_idle=60,
        prepare_threshold=None,  # nothing is left behind in a connection that a pooler shares
    )


def locate_table(connection: Transaction, target: ResultTarget) -> TableName:
    """The target's table with its schema; the table need not exist.

    Raises:
        ResultRefused: the schema does not exist.
        psycopg.Error: whatever Postgres says.
    """
    row = connection.execute("SELECT " + LOCATED, {"schema": target.schema}).fetchone()
    return located(row[0] if row else None, target)


def located(schema: object, target: ResultTarget) -> TableName:
    """The target's table in this schema, or in none.

    Raises:
        ResultRefused: the schema does not exist.
    """
    if not isinstance(schema, str):
        wanted = f'schema "{target.schema}"' if target.schema else "a schema on the search path"
        raise ResultRefused(
            f"the database has not {wanted} for table {target.table}",
            hint=f"CREATE SCHEMA {sql.Identifier(target.schema or 'public').as_string()}",
        )
    return TableName(schema, target.table)


@contextmanager
def result_errors(target: ResultTarget, *, reading: bool = False) -> Iterator[None]:
    """Turn psycopg's errors into ours; `reading` as in `result_error`."""
    try:
        yield
    except psycopg.Error as error:
        role = unquote(urlsplit(target.dsn).username or "")
        table = TableName(target.schema or "public", target.table)
        raise result_error(error, table, role, reading=reading) from error


def result_error(
    error: psycopg.Error, table: TableName, role: str, *, reading: bool = False
) -> LogdrainError:
    """The error that stands for one of Postgres', without its secrets.

    Args:
        error: From psycopg.
        table: Where the rows were going, or came from.
        role: Who connects, for the hint what to grant; may be empty.
        reading: Rows were read, not written.
    """
    says = error.diag.message_primary or "; ".join(str(error).split("\n"))
    says = mask(says).strip()
    state = error.sqlstate or ""
    if not state and isinstance(error, psycopg.OperationalError):
        return ResultUnavailable(
            f"the Postgres of table {table} cannot be reached: {says}", hint=_connection_hint(says)
        )
    is_transient = state[:2] in _PASSING_CLASSES or state in _PASSING_STATES
    if reading:
        of = ResultUnavailable if is_transient else ResultRefused
        hint = f"GRANT SELECT ON {table} to the result's role" if state == _GRANT_STATE else ""
        return of(f"table {table} cannot be read: {says}", hint=hint)
    if is_transient:
        return ResultUnavailable(f"Postgres did not take the rows for table {table}: {says}")
    return ResultRefused(
        f"Postgres refuses the rows for table {table}: {says}", hint=_hint(state, table, role)
    )


def _connection_hint(says: str) -> str:
    """What may be wrong; a connection that is refused has no SQLSTATE here, only words."""
    return next((hint for words, hint in _CONNECTION_HINTS.items() if words in says), _UNREACHABLE_HINT)


def _hint(state: str, table: TableName, role: str) -> str:
    if state == _GRANT_STATE:
        return _grants(table, role)
    return _HINTS.get(state) or _CLASS_HINTS.get(state[:2], "")


def _grants(table: TableName, role: str) -> str:
    quoted = sql.Identifier(role).as_string() if role else "the result's role"
    return (
        f"GRANT USAGE, CREATE ON SCHEMA {sql.Identifier(table.schema).as_string()} TO {quoted}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}; "
        f"to change columns it must own the table"
    )
