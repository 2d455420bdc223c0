"""What each mode does with a run's rows, once they are staged.

append: a slice's rows are there once. With a slice column the old rows of the slice go first; without one
there is nothing to tell them by, so whether rows may be added is decided beforehand (`marks`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import sql

from logdrain.errors import ResultColumnConflict
from logdrain.model.jobs import Mode
from logdrain.results.columns import Column, Kind
from logdrain.results.ddl import STAGING, TableName, column_list, type_name
from logdrain.results.widening import TableColumn

_WHOLE_SECONDS = (Kind.BIGINT, Kind.NUMERIC, Kind.DOUBLE)


class SliceKey(NamedTuple):
    """How a slice's rows are told from others.

    Attributes:
        column: The column that carries the scheduled time.
        value: The scheduled time in the column's type.
    """

    column: Column
    value: sql.Composed


def slice_key(columns: Sequence[Column], slice_column: str | None, scheduled_at: datetime) -> SliceKey | None:
    """The key of a slice; None where the query has no column for it.

    Args:
        columns: The result's columns.
        slice_column: Its name in the query, or None.
        scheduled_at: The slice's time, aware.

    Raises:
        ResultColumnConflict: the column cannot carry a time.
    """
    if slice_column is None:
        return None
    column = next((column for column in columns if column.label == slice_column), None)
    hint = "select TD_SCHEDULED_TIME() AS time"
    if column is None:
        raise ResultColumnConflict(f'the query yields no column "{slice_column}" for the slice', hint=hint)
    kind = column.type.kind
    literal: int | datetime
    if kind in _WHOLE_SECONDS:
        literal = int(scheduled_at.timestamp())
    elif kind is Kind.TIMESTAMPTZ:
        literal = scheduled_at.astimezone(UTC)
    elif kind is Kind.TIMESTAMP:
        literal = scheduled_at.astimezone(UTC).replace(tzinfo=None)
    else:
        raise ResultColumnConflict(f'column "{slice_column}" is {kind}, which holds no slice time', hint=hint)
    value = sql.SQL("CAST({} AS {})").format(sql.Literal(literal), type_name(column.type))
    return SliceKey(column, value)


def strangers(key: SliceKey) -> sql.Composed:
    """Counts staged rows that do not carry the slice's time: running again could not replace them."""
    return sql.SQL("SELECT count(*) FROM {} WHERE {} IS DISTINCT FROM {}").format(
        STAGING.identifier, sql.Identifier(key.column.name), key.value
    )


def mode_statements(
    mode: Mode,
    table: TableName,
    has: Sequence[TableColumn],
    columns: Sequence[Column],
    key: SliceKey | None,
) -> list[sql.Composed]:
    """What puts the staged rows in place; the last statement's row count is what was written."""
    return _MODES[mode](table, has, columns, key)


def _append(
    table: TableName, has: Sequence[TableColumn], columns: Sequence[Column], key: SliceKey | None
) -> list[sql.Composed]:
    # A column of NULLs is text in the staging table, whatever it is in the result table.
    values = sql.SQL(", ").join(
        sql.SQL("NULL") if column.is_untyped else sql.Identifier(column.name) for column in columns
    )
    insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        table.identifier, column_list(columns), values, STAGING.identifier
    )
    if key is None:
        return [insert]
    # Converted as the inserted values are: first to the query's type, then to the table's.
    delete = sql.SQL("DELETE FROM {} WHERE {} = {}::{}").format(
        table.identifier,
        sql.Identifier(key.column.name),
        key.value,
        type_name(next(column.type for column in has if column.name == key.column.name and column.type)),
    )
    return [delete, insert]


_Strategy = Callable[
    [TableName, Sequence[TableColumn], Sequence[Column], SliceKey | None], list[sql.Composed]
]
_MODES: Mapping[Mode, _Strategy] = {Mode.APPEND: _append}
