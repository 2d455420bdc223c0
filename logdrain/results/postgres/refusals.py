"""What Postgres says -> errors of ours: what passes by itself is retryable, what does not has a hint.

SQLSTATE classes: PostgreSQL, appendix A. Only the primary message is repeated: the detail may hold rows.
"""

import psycopg

from logdrain.errors import LogdrainError, ResultRefused, ResultUnavailable
from logdrain.log import mask
from logdrain.results.postgres.ddl import TableName

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
    quoted = '"{}"'.format(role.replace('"', '""')) if role else "the result's role"
    schema = '"{}"'.format(table.schema.replace('"', '""'))
    return (
        f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {quoted}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}; "
        f"to change columns it must own the table"
    )
