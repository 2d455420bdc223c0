"""The result table as Postgres has it: where it is, what columns it has, and bringing it up to date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from logdrain.errors import ResultRefused
from logdrain.model.jobs import Mode
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres import ddl
from logdrain.results.postgres.modes import SliceKey, delete_all
from logdrain.results.postgres.widening import (
    AddColumn,
    Change,
    DropColumn,
    TableColumn,
    surplus_columns,
    table_changes,
)
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column, parse_type

_COLUMNS = """
SELECT relation.relkind::text, attribute.attname::text,
       format_type(attribute.atttypid, attribute.atttypmod),
       coalesce(col_description(attribute.attrelid, attribute.attnum), '')
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
LEFT JOIN pg_attribute AS attribute
  ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE namespace.nspname = %(schema)s AND relation.relname = %(table)s
ORDER BY attribute.attnum
"""
_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0)),
       CASE WHEN %(timeout_ms)s::text IS NOT NULL
       THEN set_config('statement_timeout', %(timeout_ms)s::text, true) END
"""
_ORDINARY, _PARTITIONED = "r", "p"
# pg_class and not to_regclass(): that one answers from a cache, which in the middle of a transaction may not
# know what another has committed.
_EXISTS = """
SELECT EXISTS (
    SELECT FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = %s AND relation.relname = %s
)
"""
# Indexes and constraints over columns that go and columns that stay: DROP COLUMN takes them along silently.
_TAKEN_ALONG = """
SELECT pg_describe_object(dependency.classid, dependency.objid, 0)
FROM pg_depend AS dependency
JOIN pg_attribute AS attribute
  ON attribute.attrelid = dependency.refobjid AND attribute.attnum = dependency.refobjsubid
JOIN pg_class AS relation ON relation.oid = attribute.attrelid
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = %(schema)s AND relation.relname = %(table)s
  AND dependency.refclassid = 'pg_class'::regclass
  AND dependency.classid IN ('pg_class'::regclass, 'pg_constraint'::regclass)
  AND dependency.objid <> dependency.refobjid AND dependency.deptype = 'a'
GROUP BY dependency.classid, dependency.objid
HAVING NOT bool_and(attribute.attname = ANY (%(names)s::text[]))
   AND bool_or(attribute.attname = ANY (%(names)s::text[]))
ORDER BY 1
"""


def lock_table(connection: Transaction, table: TableName, *, statement_timeout_ms: int | None = None) -> None:
    """Wait until no other run changes this table; held until the transaction ends.

    An advisory lock, since the table may not exist yet; those who read the table are not held up by it.

    Args:
        connection: Where.
        table: Which.
        statement_timeout_ms: How long each statement may take from here on; None leaves it as it is.
    """
    timeout_ms = None if statement_timeout_ms is None else str(statement_timeout_ms)
    connection.execute(_LOCK, {"name": f"logdrain:{table}", "timeout_ms": timeout_ms})


def table_exists(connection: Transaction, table: TableName) -> bool:
    """Whether there is such a table, or anything else of its name."""
    row = connection.execute(_EXISTS, table).fetchone()
    return row is not None and bool(row[0])


def make_own_table(connection: Transaction, table: TableName, statements: Sequence[LiteralString]) -> None:
    """Make a table of ours, unless it is there.

    Args:
        connection: Where.
        table: Which.
        statements: Make and describe it; they call it `{table}`.
    """
    if table_exists(connection, table):
        return
    lock_table(connection, table)
    if not table_exists(connection, table):
        for statement in statements:
            connection.execute(sql.SQL(statement).format(table=table.identifier))


def table_columns(connection: Transaction, table: TableName) -> list[TableColumn] | None:
    """The columns that a table has, in its order; None where there is no such table.

    Raises:
        ResultRefused: it is a view, an index or something else that takes no rows.
        psycopg.Error: whatever Postgres says.
    """
    rows = connection.execute(_COLUMNS, {"schema": table.schema, "table": table.table}).fetchall()
    if not rows:
        return None
    if rows[0][0] not in (_ORDINARY, _PARTITIONED):
        raise ResultRefused(f"{table} is no table", hint="it may be a view: choose another table name")
    return [
        TableColumn(name, parse_type(of), of, comment == ddl.UNTYPED_COMMENT, comment)
        for name, of, comment in (map(str, row[1:]) for row in rows if row[1] is not None)
    ]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table must be for a result.

    Attributes:
        columns: The result's.
        slice_key: Tells the slice's rows from others, or None.
        mode: Whether columns that the query no longer has go.
        schedule: Name of the schedule that writes it.
        time_is_start: The slice column has the start of the slice.
    """

    table: TableName
    columns: Sequence[Column]
    slice_key: SliceKey | None
    mode: Mode
    schedule: str
    time_is_start: bool = False


def shape_table(
    connection: Transaction, shape: Shape, make_way: Callable[[], None] = lambda: None
) -> list[TableColumn]:
    """Create the table, or change it where the result needs it; returns the columns it has now.

    Where columns go it is emptied first, so that no value stands in the way of another type.

    Args:
        connection: Where.
        shape: What the table must be.
        make_way: Takes away what of ours uses columns that go or get another type.

    Raises:
        ResultColumnConflict: a column's values fit neither its type nor a wider one.
        ResultRefused: there is a view or the like of this name, or an index would go with a column.
        psycopg.Error: whatever Postgres says.
    """
    has = table_columns(connection, shape.table)
    if has is None:
        statements = _created(shape)
    else:
        _check_which_end(connection, shape, has)
        changes = _changes(connection, shape, has)
        if any(not isinstance(change, AddColumn) for change in changes):
            make_way()
        statements = ddl.alter_table(shape.table, changes)
    for statement in statements:
        connection.execute(statement)
    return table_columns(connection, shape.table) or [] if statements else has or []


def _created(shape: Shape) -> list[sql.Composed]:
    key = shape.slice_key
    slice_column = key.column.name if key else None
    statements = ddl.create_table(
        shape.table, shape.columns, slice_column, shape.schedule, is_start=shape.time_is_start
    )
    if key and shape.mode.facts.goes_by_slice:
        statements.append(ddl.create_index(shape.table, [key.column], is_unique=False))
    return statements


def _check_which_end(connection: Transaction, shape: Shape, has: Sequence[TableColumn]) -> None:
    """Refuse to mix ends of slices with starts; where no row stays, the column says the other from now on.

    Raises:
        ResultRefused: the table's rows carry the other end.
    """
    if shape.slice_key is None:
        return
    name, is_start = shape.slice_key.column.name, shape.time_is_start
    comment = next((column.comment for column in has if column.name == name), "")
    if not ddl.says_other_end(comment, is_start=is_start):
        return
    if not shape.mode.facts.holds_one_slice:
        there, wanted = ("END", "START") if is_start else ("START", "END")
        raise ResultRefused(
            f'column "{name}" of table {shape.table} has the {there} of each slice, '
            f"and the result the {wanted}",
            hint="choose another table, and run the slices again: `logdrain sched:run NAME TIME -n N`",
        )
    connection.execute(ddl.slice_comment(shape.table, name, is_start=is_start))


def _changes(connection: Transaction, shape: Shape, has: Sequence[TableColumn]) -> list[Change]:
    def is_empty(column: str) -> bool:
        query = sql.SQL("SELECT 1 FROM {} WHERE {} IS NOT NULL LIMIT 1").format(
            shape.table.identifier, sql.Identifier(column)
        )
        return connection.execute(query).fetchone() is None

    surplus: list[DropColumn] = []
    if shape.mode.facts.drops_columns:
        surplus = surplus_columns(has, shape.columns)
        _refuse_to_take_along(connection, shape.table, surplus)
        connection.execute(delete_all(shape.table))
    return [*surplus, *table_changes(str(shape.table), has, shape.columns, is_empty)]


def _refuse_to_take_along(connection: Transaction, table: TableName, surplus: Sequence[DropColumn]) -> None:
    names = [column.name for column in surplus]
    if not names:
        return
    found = connection.execute(
        _TAKEN_ALONG, {"schema": table.schema, "table": table.table, "names": names}
    ).fetchall()
    if found:
        raise ResultRefused(
            f"the query no longer has column {', '.join(names)} of table {table}, "
            f"and dropping it takes along {', '.join(str(row[0]) for row in found)}",
            hint="drop that yourself, or select the column again; mode=truncate keeps such columns",
        )
