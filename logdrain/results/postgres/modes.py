"""What each mode does with a run's rows, once they are staged.

append: a slice's rows are there once. With a slice column the old rows of the slice go first; without one
there is nothing to tell them by, so whether rows may be added is decided beforehand (`notes`).
replace, truncate: all rows go first. replace has them gone before it changes the table (`result_table`).
update: each row takes the place of the one with its key; a row of a newer slice keeps its place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import sql

from logdrain.errors import ResultColumnConflict
from logdrain.model.jobs import Mode
from logdrain.results.postgres.ddl import STAGING, column_list, type_name
from logdrain.results.postgres.widening import TableColumn
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column, Kind

_PRESENT = "present"  # the table's own row, where an inserted one meets it
_SLICE_HINT = "select TD_SCHEDULED_TIME() AS time"
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
    if column is None:
        raise ResultColumnConflict(
            f'the query yields no column "{slice_column}" for the slice', hint=_SLICE_HINT
        )
    return SliceKey(column, _slice_time(column, scheduled_at))


def start_value(key: SliceKey, starts_at: datetime) -> sql.Composed:
    """Where a slice begins, in the type of its column."""
    return _slice_time(key.column, starts_at)


def _slice_time(column: Column, instant: datetime) -> sql.Composed:
    kind = column.type.kind
    literal: int | datetime
    if kind in _WHOLE_SECONDS:
        literal = int(instant.timestamp())
    elif kind is Kind.TIMESTAMPTZ:
        literal = instant.astimezone(UTC)
    elif kind is Kind.TIMESTAMP:
        literal = instant.astimezone(UTC).replace(tzinfo=None)
    else:
        raise ResultColumnConflict(
            f'column "{column.label}" is {kind}, which holds no slice time', hint=_SLICE_HINT
        )
    return sql.SQL("CAST({} AS {})").format(sql.Literal(literal), type_name(column.type))


def strangers(key: SliceKey) -> sql.Composed:
    """Counts staged rows that do not carry the slice's time: running again could not replace them."""
    return sql.SQL("SELECT count(*) FROM {} WHERE {} IS DISTINCT FROM {}").format(
        STAGING.identifier, sql.Identifier(key.column.name), key.value
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """Staged rows and the table that they go to, which is ready to take them.

    Attributes:
        has: The table's columns.
        columns: The result's columns.
        slice_key: How the slice's rows are told from others, or None.
        unique: The columns of mode update's key; has a unique index.
        starts_at: What rows carry instead of the slice's time: where it begins; or None.
    """

    table: TableName
    has: Sequence[TableColumn]
    columns: Sequence[Column]
    slice_key: SliceKey | None = None
    unique: Sequence[Column] = ()
    starts_at: sql.Composed | None = None


def mode_statements(mode: Mode, placement: Placement) -> list[sql.Composed]:
    """What puts the staged rows in place; the last statement's row count is what was written."""
    return _MODES[mode](placement)


def delete_all(table: TableName) -> sql.Composed:
    """Empties a table, for those who look after the commit.

    DELETE, although TRUNCATE is faster: TRUNCATE locks readers out until the commit, and shows an empty table
    to a transaction that began earlier (PostgreSQL 13.6, "Caveats"). It also asks for a privilege of its own.
    The price is that the old rows take room until the next vacuum.
    """
    return sql.SQL("DELETE FROM {}").format(table.identifier)


def _append(placement: Placement) -> list[sql.Composed]:
    key = placement.slice_key
    if key is None:
        return [_insert(placement)]
    # Converted as the inserted values are: first to the query's type, then to the table's.
    delete = sql.SQL("DELETE FROM {} WHERE {} = {}::{}").format(
        placement.table.identifier,
        sql.Identifier(key.column.name),
        placement.starts_at or key.value,
        type_name(
            next(column.type for column in placement.has if column.name == key.column.name and column.type)
        ),
    )
    return [delete, _insert(placement)]


def _replace(placement: Placement) -> list[sql.Composed]:
    return [_insert(placement)]


def _truncate(placement: Placement) -> list[sql.Composed]:
    return [delete_all(placement.table), _insert(placement)]


def _update(placement: Placement) -> list[sql.Composed]:
    keys = {column.name for column in placement.unique}
    names = [sql.Identifier(column.name) for column in placement.columns if column.name not in keys]
    parts: list[sql.Composable] = [
        _insert(placement),
        sql.SQL("ON CONFLICT ({})").format(column_list(placement.unique)),
    ]
    if names:
        assignments = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names)
        parts.append(sql.SQL("DO UPDATE SET {}").format(assignments))
    else:
        parts.append(sql.SQL("DO NOTHING"))
    key = placement.slice_key
    if key is not None and key.column.name not in keys:
        # What an older slice knows of a row does not count any more; NULL is of no slice.
        newer = sql.SQL("WHERE ({0}.{1} > excluded.{1}) IS NOT TRUE")
        parts.append(newer.format(sql.Identifier(_PRESENT), sql.Identifier(key.column.name)))
    return [sql.SQL(" ").join(parts)]


def _insert(placement: Placement) -> sql.Composed:
    # A column of NULLs is text in the staging table, whatever it is in the result table.
    values = sql.SQL(", ").join(_staged(column, placement) for column in placement.columns)
    return sql.SQL("INSERT INTO {} AS {} ({}) SELECT {} FROM {}").format(
        placement.table.identifier,
        sql.Identifier(_PRESENT),
        column_list(placement.columns),
        values,
        STAGING.identifier,
    )


def _staged(column: Column, placement: Placement) -> sql.Composable:
    """A column's staged value, as it goes into the table."""
    name, key = sql.Identifier(column.name), placement.slice_key
    if column.is_untyped:
        return sql.SQL("NULL")
    if placement.starts_at is None or key is None or column != key.column:
        return name
    return sql.SQL("CASE WHEN {0} = {1} THEN {2} ELSE {0} END").format(name, key.value, placement.starts_at)


_MODES: Mapping[Mode, Callable[[Placement], list[sql.Composed]]] = {
    Mode.APPEND: _append,
    Mode.REPLACE: _replace,
    Mode.TRUNCATE: _truncate,
    Mode.UPDATE: _update,
}
