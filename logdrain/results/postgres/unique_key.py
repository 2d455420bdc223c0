"""The key of mode update: which columns tell rows apart, what is wrong with keys, and their unique index.

A key comes once in a result and has no NULL. Two rows of one key would leave it to chance which one stays;
NULL equals nothing, so that a unique index lets it in again with every run.
"""

from collections.abc import Sequence

from psycopg import errors, sql

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.model.names import nearest_hint
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres.ddl import STAGING, column_list, create_index
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column

# What ON CONFLICT takes: no partial index, none on expressions. It also finds a constraint that may wait for
# the commit, and refuses it: another index would not help.
_HAS_UNIQUE_INDEX = """
SELECT EXISTS (
    SELECT
    FROM pg_index AS unique_index
    JOIN pg_class AS relation ON relation.oid = unique_index.indrelid
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = %(schema)s AND relation.relname = %(table)s
      AND unique_index.indisunique AND unique_index.indisvalid
      AND unique_index.indpred IS NULL AND unique_index.indexprs IS NULL
      AND (SELECT array_agg(attribute.attname::text ORDER BY attribute.attnum)
           FROM pg_attribute AS attribute
           WHERE attribute.attrelid = relation.oid
             AND attribute.attnum = ANY ((unique_index.indkey::int2[])[0:unique_index.indnkeyatts - 1]))
        = (SELECT array_agg(attribute.attname::text ORDER BY attribute.attnum)
           FROM pg_attribute AS attribute
           WHERE attribute.attrelid = relation.oid AND attribute.attname = ANY (%(names)s::text[]))
)
"""


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


def check_staged_keys(connection: Transaction, table: TableName, keys: Sequence[Column]) -> None:
    """See that each staged row has a key of its own.

    Raises:
        ResultRefused: a key is NULL or comes twice.
        psycopg.Error: whatever Postgres says.
    """
    without = _count(connection, rows_without_key(keys))
    check_keys(table, keys, without=without, repeated=_count(connection, rows_with_equal_key(keys)))


def make_unique(connection: Transaction, table: TableName, keys: Sequence[Column]) -> None:
    """Give the table a unique index on the key, unless it has one.

    Raises:
        ResultRefused: rows that are there share a key.
        psycopg.Error: whatever Postgres says.
    """
    named = {"schema": table.schema, "table": table.table, "names": [key.name for key in keys]}
    found = connection.execute(_HAS_UNIQUE_INDEX, named).fetchone()
    if found and found[0]:
        return
    try:
        connection.execute(create_index(table, keys, is_unique=True))
    except errors.UniqueViolation as error:
        raise not_unique(table, keys) from error


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


def _count(connection: Transaction, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(str(row[0])) if row else 0
