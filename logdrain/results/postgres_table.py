"""The result table as Postgres has it: where it is, what columns it has, and bringing it up to date."""

from collections.abc import Sequence

from psycopg import sql

from logdrain.errors import ResultRefused
from logdrain.model.jobs import ResultTarget
from logdrain.ports import Transaction
from logdrain.results import ddl
from logdrain.results.columns import Column, parse_type
from logdrain.results.ddl import TableName
from logdrain.results.modes import SliceKey
from logdrain.results.widening import TableColumn, table_changes

_COLUMNS = """
SELECT relation.relkind::text, attribute.attname::text,
       format_type(attribute.atttypid, attribute.atttypmod),
       coalesce(col_description(attribute.attrelid, attribute.attnum) = %(untyped)s, false)
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
LEFT JOIN pg_attribute AS attribute
  ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE namespace.nspname = %(schema)s AND relation.relname = %(table)s
ORDER BY attribute.attnum
"""
_ORDINARY, _PARTITIONED = "r", "p"


def locate_table(connection: Transaction, target: ResultTarget) -> TableName:
    """The target's table with its schema; the table need not exist.

    Raises:
        ResultRefused: the schema does not exist.
        psycopg.Error: whatever Postgres says.
    """
    row = connection.execute(
        "SELECT CASE WHEN %(schema)s = '' THEN current_schema()"
        " ELSE (SELECT nspname FROM pg_namespace WHERE nspname = %(schema)s) END::text",
        {"schema": target.schema},
    ).fetchone()
    schema = row[0] if row else None
    if not isinstance(schema, str):
        wanted = f'schema "{target.schema}"' if target.schema else "a schema on the search path"
        raise ResultRefused(
            f"the database has not {wanted} for table {target.table}",
            hint=f'CREATE SCHEMA "{target.schema or "public"}"',
        )
    return TableName(schema, target.table)


def lock_table(connection: Transaction, table: TableName) -> None:
    """Wait until no other run changes this table; held until the transaction ends.

    An advisory lock, since the table may not exist yet; those who read the table are not held up by it.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"logdrain:{table}",))


def table_columns(connection: Transaction, table: TableName) -> list[TableColumn] | None:
    """The columns that a table has, in its order; None where there is no such table.

    Raises:
        ResultRefused: it is a view, an index or something else that takes no rows.
        psycopg.Error: whatever Postgres says.
    """
    rows = connection.execute(
        _COLUMNS, {"untyped": ddl.UNTYPED_COMMENT, "schema": table.schema, "table": table.table}
    ).fetchall()
    if not rows:
        return None
    if rows[0][0] not in (_ORDINARY, _PARTITIONED):
        raise ResultRefused(f"{table} is no table", hint="it may be a view: choose another table name")
    return [
        TableColumn(str(name), parse_type(str(type_text)), str(type_text), bool(is_untyped))
        for _, name, type_text, is_untyped in rows
        if name is not None
    ]


def shape_table(
    connection: Transaction, table: TableName, columns: Sequence[Column], key: SliceKey | None, schedule: str
) -> list[TableColumn]:
    """Create the table, or change it where the result needs it; returns the columns it has now.

    Raises:
        ResultColumnConflict: a column's values fit neither its type nor a wider one.
        ResultRefused: there is a view or the like of this name.
        psycopg.Error: whatever Postgres says.
    """

    def is_empty(column: str) -> bool:
        query = sql.SQL("SELECT 1 FROM {} WHERE {} IS NOT NULL LIMIT 1").format(
            table.identifier, sql.Identifier(column)
        )
        return connection.execute(query).fetchone() is None

    has = table_columns(connection, table)
    if has is None:
        name = key.column.name if key else None
        statements = ddl.create_table(table, columns, name, schedule)
    else:
        statements = ddl.alter_table(table, table_changes(str(table), has, columns, is_empty))
    for statement in statements:
        connection.execute(statement)
    return table_columns(connection, table) or [] if statements else has or []
