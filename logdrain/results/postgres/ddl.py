"""DDL of result tables, as composed statements: names and texts go in as identifiers and literals only."""

from collections.abc import Sequence

from psycopg import sql

from logdrain.results.postgres.widening import AddColumn, Change, DropColumn, SetType
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column, PostgresType, is_unix_time

UNTYPED_COMMENT = "No value yet: logdrain gives this column its type with the first one."
"""Marks a text column that stands for "not known yet"; `result_table` looks for it."""

_SLICE_COMMENT = (
    "The END of the window: TD_SCHEDULED_TIME(). "
    "In a row of an hourly schedule, 01:00 stands for what happened from 00:00 to 01:00."
)
_START_COMMENT = (
    "The START of the window: the scheduled time before TD_SCHEDULED_TIME(). "
    "In a row of an hourly schedule, 00:00 stands for what happened from 00:00 to 01:00."
)
_UNIX_COMMENT = "Unix seconds."
_INSTANT_COMMENT = "Unix seconds in the query, an instant here."


STAGING = TableName("pg_temp", "logdrain_staging")
"""Where a run's rows wait until all of them are there; only its own session sees it."""


def create_staging(columns: Sequence[Column]) -> sql.Composed:
    """A table of the result's own types that goes with the transaction."""
    return sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(
        sql.Identifier(STAGING.table), _definitions(columns)
    )


def copy_staging(columns: Sequence[Column]) -> sql.Composed:
    """COPY into the staging table, in text format."""
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT text, ENCODING 'UTF8')").format(
        STAGING.identifier, column_list(columns)
    )


def create_table(
    table: TableName,
    columns: Sequence[Column],
    slice_column: str | None,
    schedule: str,
    *,
    is_start: bool = False,
) -> list[sql.Composed]:
    """A result table that explains itself.

    Args:
        table: The name it gets.
        columns: In the query's order.
        slice_column: Name in Postgres of the column with the scheduled time, or None.
        schedule: Name of the schedule that writes it.
        is_start: That column has the start of the slice instead.
    """
    comment = sql.Literal(f"Written by logdrain, schedule {schedule}.".replace("\0", ""))
    statements = [
        sql.SQL("CREATE TABLE {} ({})").format(table.identifier, _definitions(columns)),
        sql.SQL("COMMENT ON TABLE {} IS {}").format(table.identifier, comment),
    ]
    for column in columns:
        said = [_slice_comment(is_start=is_start)] if column.name == slice_column else []
        if is_unix_time(column):
            said.append(_INSTANT_COMMENT if column.is_unix_time else _UNIX_COMMENT)
        if said:
            statements.append(_comment(table, column.name, " ".join(said)))
    return statements + _untyped_comments(table, columns)


def slice_comment(table: TableName, column: str, *, is_start: bool) -> sql.Composed:
    """Says of a slice column which end of the slice it has."""
    return _comment(table, column, _slice_comment(is_start=is_start))


def says_other_end(comment: str, *, is_start: bool) -> bool:
    """Whether a slice column's comment says that it has the other end of the slice."""
    return comment.startswith(_slice_comment(is_start=not is_start))


def _slice_comment(*, is_start: bool) -> str:
    return _START_COMMENT if is_start else _SLICE_COMMENT


def create_index(table: TableName, columns: Sequence[Column], *, is_unique: bool) -> sql.Composed:
    """An index on these columns; Postgres names it."""
    start = sql.SQL("CREATE UNIQUE INDEX" if is_unique else "CREATE INDEX")
    return sql.SQL("{} ON {} ({})").format(start, table.identifier, column_list(columns))


def alter_table(table: TableName, changes: Sequence[Change]) -> list[sql.Composed]:
    """All changes in one ALTER TABLE, so that the table is rewritten once at most; nothing for none."""
    if not changes:
        return []
    actions = sql.SQL(", ").join(map(_action, changes))
    statements = [sql.SQL("ALTER TABLE {} {}").format(table.identifier, actions)]
    statements += [
        _comment(table, change.name, None)
        for change in changes
        if isinstance(change, SetType) and change.is_empty
    ]
    return statements + _untyped_comments(
        table, [change.column for change in changes if isinstance(change, AddColumn)]
    )


def column_list(columns: Sequence[Column]) -> sql.Composed:
    """The columns' names, quoted, with commas."""
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)


def type_name(of: PostgresType) -> sql.SQL:
    """A type's name; it comes from the closed list of `Kind` and two whole numbers."""
    return sql.SQL(str(of))


def _definitions(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), type_name(column.type)) for column in columns
    )


def _action(change: Change) -> sql.Composed:
    if isinstance(change, AddColumn):
        return sql.SQL("ADD COLUMN {} {}").format(
            sql.Identifier(change.column.name), type_name(change.column.type)
        )
    if isinstance(change, DropColumn):
        # Without CASCADE: what others built on the column is theirs.
        return sql.SQL("DROP COLUMN {}").format(sql.Identifier(change.name))
    name, of = sql.Identifier(change.name), type_name(change.type)
    if change.is_empty:
        return sql.SQL("ALTER COLUMN {} TYPE {} USING NULL::{}").format(name, of, of)
    return sql.SQL("ALTER COLUMN {} TYPE {} USING {}::{}").format(name, of, name, of)


def _untyped_comments(table: TableName, columns: Sequence[Column]) -> list[sql.Composed]:
    return [_comment(table, column.name, UNTYPED_COMMENT) for column in columns if column.is_untyped]


def _comment(table: TableName, column: str, text: str | None) -> sql.Composed:
    return sql.SQL("COMMENT ON COLUMN {} IS {}").format(
        sql.Identifier(table.schema, table.table, column), sql.Literal(text)
    )
