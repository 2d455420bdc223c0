"""The key of mode update on the server: the rows that it must tell apart, and its unique index."""

from collections.abc import Sequence

from psycopg import errors, sql

from logdrain.ports import Transaction
from logdrain.results.postgres.ddl import TableName, create_index
from logdrain.results.postgres.unique_key import check_keys, not_unique, rows_with_equal_key, rows_without_key
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


def _count(connection: Transaction, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(str(row[0])) if row else 0
