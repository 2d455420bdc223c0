"""What a table must become to take a result, decided before anything is touched.

One rule: a column's type only grows, to one that holds the values it has and those that come.
smallint, integer, bigint < numeric(p,s) < numeric < double precision; every type < text, but only where the
query says text. Where the table's type is the wider one, it stays. A column without any value takes any type.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from logdrain.errors import ResultColumnConflict
from logdrain.types.postgres_types import Column, Kind, PostgresType

_DIGITS = {Kind.SMALLINT: 5, Kind.INTEGER: 10, Kind.BIGINT: 19}
_WHOLE = tuple(_DIGITS)
_NUMBERS = frozenset({*_WHOLE, Kind.NUMERIC, Kind.REAL, Kind.DOUBLE})
_PRECISION_MAX = 1000  # of numeric(p,s), Postgres 8.1.2


class TableColumn(NamedTuple):
    """A column that the result table has.

    Attributes:
        type: None for a type that results do not have.
        type_text: As Postgres prints it.
        is_untyped: We made it text because no value had been seen yet.
        comment: What it says of itself.
    """

    name: str
    type: PostgresType | None
    type_text: str
    is_untyped: bool = False
    comment: str = ""


class AddColumn(NamedTuple):
    """The query has a column that the table lacks."""

    column: Column


class SetType(NamedTuple):
    """A column of the table gets another type.

    Attributes:
        is_empty: It has no value, so there is nothing to convert.
    """

    name: str
    type: PostgresType
    is_empty: bool


class DropColumn(NamedTuple):
    """The table has a column that the query lacks."""

    name: str


Change = AddColumn | SetType | DropColumn


def table_changes(
    table: str, has: Sequence[TableColumn], gets: Sequence[Column], is_empty: Callable[[str], bool]
) -> list[Change]:
    """What to change so that the table takes a result; nothing in most cases.

    Columns that the query does not have stay, and are NULL in new rows.

    Args:
        table: Its name, for messages.
        has: The table's columns.
        gets: The result's columns.
        is_empty: Whether a column has no value in any row; asked only where that decides.

    Raises:
        ResultColumnConflict: a column's values fit neither its type nor a wider one.
    """
    existing = {column.name: column for column in has}
    changes: list[Change] = []
    for column in gets:
        found = existing.get(column.name)
        if found is None:
            changes.append(AddColumn(column))
        elif not column.is_untyped:
            changes.extend(_type_changes(table, found, column, is_empty))
    return changes


def surplus_columns(has: Sequence[TableColumn], gets: Sequence[Column]) -> list[DropColumn]:
    """The table's columns that the query does not have."""
    names = {column.name for column in gets}
    return [DropColumn(column.name) for column in has if column.name not in names]


def wider_type(has: PostgresType, gets: PostgresType) -> PostgresType | None:
    """The type that holds values of both, `has` where that does; None where there is none."""
    if has == gets or has.kind is Kind.TEXT:
        return has
    if gets.kind is Kind.TEXT:
        return gets
    if has.kind not in _NUMBERS or gets.kind not in _NUMBERS:
        return None
    if has.kind in _WHOLE and gets.kind in _WHOLE:
        return max(has, gets, key=lambda of: _DIGITS[of.kind])
    if {has.kind, gets.kind} & {Kind.REAL, Kind.DOUBLE}:
        return PostgresType(Kind.DOUBLE)
    return _wider_numeric(has, gets)


def _type_changes(
    table: str, has: TableColumn, gets: Column, is_empty: Callable[[str], bool]
) -> list[Change]:
    if has.is_untyped and is_empty(has.name):
        return [SetType(has.name, gets.type, is_empty=True)]
    wider = wider_type(has.type, gets.type) if has.type else None
    if wider is None:
        if not is_empty(has.name):
            raise _conflict(table, has, gets)
        return [SetType(has.name, gets.type, is_empty=True)]
    return [] if wider == has.type else [SetType(has.name, wider, is_empty=False)]


def _wider_numeric(has: PostgresType, gets: PostgresType) -> PostgresType:
    has_digits, gets_digits = _whole_digits(has), _whole_digits(gets)
    if has_digits is None or gets_digits is None:
        return PostgresType(Kind.NUMERIC)
    scale = max(has.scale, gets.scale)
    precision = max(has_digits, gets_digits) + scale
    return (
        PostgresType(Kind.NUMERIC, precision, scale)
        if precision <= _PRECISION_MAX
        else PostgresType(Kind.NUMERIC)
    )


def _whole_digits(of: PostgresType) -> int | None:
    """Digits before the point, None for any number of them."""
    if of.kind in _DIGITS:
        return _DIGITS[of.kind]
    return None if of.precision is None else of.precision - of.scale


def _conflict(table: str, has: TableColumn, gets: Column) -> ResultColumnConflict:
    hint = f'cast it in the query, or drop the column: ALTER TABLE {table} DROP COLUMN "{has.name}"'
    if gets.name == "time":
        hint += "; for unix seconds in a bigint: ?time=unix"
    return ResultColumnConflict(
        f'column "{has.name}" of table {table} is {has.type_text}, the query yields {gets.type}', hint=hint
    )
