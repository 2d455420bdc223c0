"""What is wrong with a result table is found before a run writes to it: nothing is changed here."""

from collections.abc import Sequence

from logdrain.errors import ResultRefused, ResultUnavailable
from logdrain.model.jobs import ResultTarget
from logdrain.results.postgres.result_table import table_columns
from logdrain.results.tables import connect, locate_table, result_errors
from logdrain.types.postgres_types import check_names

_CONNECT_TIMEOUT_S = 5
_MAY_CREATE = "SELECT has_schema_privilege(%s, 'USAGE') AND has_schema_privilege(%s, 'CREATE')"


def check_target(target: ResultTarget, columns: Sequence[str]) -> tuple[str, ...]:
    """Look whether a table can take rows with these columns; returns warnings.

    A Postgres that does not answer is a warning: it may be one that only workers reach.

    Raises:
        ResultRefused: the schema is missing, or takes no table; the name is a view's or the like.
        ResultColumnConflict: Postgres cannot have a column of that name.
    """
    check_names(columns)
    try:
        with result_errors(target, reading=True), connect(target.dsn, _CONNECT_TIMEOUT_S) as connection:
            table = locate_table(connection, target)
            if table_columns(connection, table) is not None:
                return ()
            row = connection.execute(_MAY_CREATE, (table.schema, table.schema)).fetchone()
            if row != (True,):
                raise ResultRefused(
                    f"the result's role may not make table {table}",
                    hint=f"GRANT USAGE, CREATE ON SCHEMA {table.schema} TO the result's role",
                )
    except ResultUnavailable as error:
        return (f"the result cannot be checked: {error.message}",)
    return ()


def connection_warning(dsn: str) -> str:
    """Why a result's Postgres cannot be reached from here, with a hint; "" where it can."""
    target = ResultTarget(dsn, "")
    try:
        with result_errors(target), connect(dsn, _CONNECT_TIMEOUT_S) as connection:
            connection.execute("SELECT")
    except (ResultUnavailable, ResultRefused) as error:
        return f"{error.message.partition(': ')[2] or error.message}; {error.hint}"
    return ""
