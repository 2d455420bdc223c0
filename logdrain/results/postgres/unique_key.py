"""The key of mode update: which columns tell rows apart, and what is wrong with a result's keys.

A key comes once in a result and has no NULL. Two rows of one key would leave it to chance which one stays;
NULL equals nothing, so that a unique index lets it in again with every run.
"""

from collections.abc import Sequence

from psycopg import sql

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.model.names import nearest_hint
from logdrain.results.postgres.ddl import STAGING, TableName, column_list
from logdrain.types.postgres_types import Column


def key_columns(columns: Sequence[Column], unique: Sequence[str]) -> tuple[Column, ...]:
    """The columns that `unique=` names, in its order.

    Args:
        columns: The result's columns.
        unique: Names as the query says them.

    Raises:
        ResultColumnConflict: the query yields no column of a name.
    """
    labelled = {column.label: column for column in columns}
    check_unique(list(labelled), unique)
    return tuple(labelled[name] for name in unique)


def check_unique(names: Sequence[str], unique: Sequence[str]) -> None:
    """Check that a query yields what `unique=` names.

    Args:
        names: Of the columns that the query yields.
        unique: As the result says it.

    Raises:
        ResultColumnConflict: the query yields no column of a name.
    """
    for name in unique:
        if name not in names:
            raise ResultColumnConflict(
                f'the query yields no column "{name}", which unique= names',
                hint=nearest_hint(name, names, f"it yields {', '.join(names)}"),
            )


def rows_without_key(keys: Sequence[Column]) -> sql.Composed:
    """Counts staged rows that have NULL in a key column."""
    is_null = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(key.name)) for key in keys)
    return sql.SQL("SELECT count(*) FROM {} WHERE {}").format(STAGING.identifier, is_null)


def rows_with_equal_key(keys: Sequence[Column]) -> sql.Composed:
    """Counts staged rows whose key comes more than once, all but one of each."""
    return sql.SQL(
        "SELECT coalesce(sum(copies - 1), 0)::bigint"
        " FROM (SELECT count(*) AS copies FROM {} GROUP BY {} HAVING count(*) > 1) AS repeated"
    ).format(STAGING.identifier, column_list(keys))


def check_keys(table: TableName, keys: Sequence[Column], *, without: int, repeated: int) -> None:
    """Refuse a result whose rows the key does not tell apart.

    Args:
        table: Where the rows go, for messages.
        keys: The key columns.
        without: How many rows have NULL in one of them.
        repeated: How many rows have the key of another.

    Raises:
        ResultRefused: there are some of either.
    """
    if without:
        raise ResultRefused(
            f"{without} rows for table {table} have NULL in a column of the key ({_names(keys)})",
            hint=f"NULL equals no row: select COALESCE({keys[0].label}, …), or leave such rows out",
        )
    if repeated:
        raise ResultRefused(
            f"{repeated} rows for table {table} repeat the key ({_names(keys)}) of another row of the result",
            hint="GROUP BY the columns of unique=, or name more columns in unique=",
        )


def not_unique(table: TableName, keys: Sequence[Column]) -> ResultRefused:
    """The error where rows in the table share a key, so that it cannot get its unique index."""
    columns = column_list(keys).as_string()
    return ResultRefused(
        f"rows in table {table} repeat the key ({_names(keys)}) already, so it cannot be made unique",
        hint=f"find them: SELECT {columns}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1",  # noqa: S608  # a hint
    )


def _names(keys: Sequence[Column]) -> str:
    return ", ".join(key.label for key in keys)
