"""A scan of a result table -> COPY TO: how the values of each column are asked for, and which rows.

Instants and dates travel as whole numbers: exact, also in years that a text would have to spell out.
"""

import re
from collections.abc import Sequence

import pyarrow as pa
from psycopg import sql

from logdrain.model.plans import Comparator, Predicate, ResultColumn, ResultScan, Scalar, TimeRange
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import TIME, Kind, sql_type_named

_SECONDS_MAX = 2**37  # beyond the years that a timestamptz can have
_SIGNS = {
    Comparator.EQ: "{} = {}",
    Comparator.NE: "{} <> {}",
    Comparator.LT: "{} < {}",
    Comparator.LTE: "{} <= {}",
    Comparator.GT: "{} > {}",
    Comparator.GTE: "{} >= {}",
}
# Which comparisons mean the same there: texts are ordered by a collation, citext and char compare otherwise.
_ALL = frozenset(_SIGNS) | {Comparator.IN}
_EQUALITY = frozenset({Comparator.EQ, Comparator.NE, Comparator.IN})
_COMPARABLE: dict[str, tuple[frozenset[Comparator], tuple[type, ...]]] = {
    "smallint": (_ALL, (int,)),
    "integer": (_ALL, (int,)),
    "bigint": (_ALL, (int,)),
    "text": (_EQUALITY, (str,)),
    "character varying": (_EQUALITY, (str,)),
    "boolean": (_EQUALITY, (bool,)),
}


def scan_schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """What a scan of these columns yields."""
    return pa.schema([pa.field(column.name, sql_type_named(column.type).arrow) for column in columns])


def travel_schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """The same as it travels; each column can be viewed as its own type."""
    types = ((column.name, sql_type_named(column.type)) for column in columns)
    return pa.schema([pa.field(name, of.travels or of.arrow) for name, of in types])


def copy_statement(scan: ResultScan, table: TableName) -> sql.Composed:
    """COPY TO of a scan as CSV, filtered."""
    columns = sql.SQL(", ").join(map(_expression, scan.columns))
    types = {column.column: column.postgres_type for column in scan.columns}
    conditions = _in_time(scan.time_range, types.get(TIME, ""))
    conditions += [made for each in scan.predicates if (made := _condition(each, types))]
    where = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
    return sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')").format(
        columns, table.identifier, where
    )


def is_comparable(postgres_type: str, comparator: Comparator, values: Sequence[Scalar | None]) -> bool:
    """Whether Postgres may check this: at least the rows that SQL wants come through."""
    if comparator in (Comparator.IS_NULL, Comparator.NOT_NULL):
        return True
    base = re.sub(r"\(.*?\)", "", postgres_type)
    comparators, kinds = _COMPARABLE.get(base, (frozenset(), ()))
    return comparator in comparators and all(
        type(value) in kinds and not (isinstance(value, str) and "\0" in value) for value in values
    )


def _expression(column: ResultColumn) -> sql.Composed:
    name = sql.Identifier(column.column)
    if column.type == "BIGINT" and column.postgres_type == Kind.TIMESTAMPTZ:
        return sql.SQL("floor(extract(epoch FROM {}))::bigint").format(name)
    return sql.SQL(sql_type_named(column.type).asked).format(name)


def _in_time(time_range: TimeRange, postgres_type: str) -> list[sql.Composed]:
    """Conditions on a column `time`; none where a number is no time that Postgres has."""
    bounds = ((">=", time_range.start), ("<", time_range.end))
    form = "{} " + ("{} to_timestamp({})" if postgres_type == Kind.TIMESTAMPTZ else "{} {}")
    return [
        sql.SQL(form).format(sql.Identifier(TIME), sql.SQL(sign), sql.Literal(seconds))
        for sign, seconds in bounds
        if seconds is not None and abs(seconds) < _SECONDS_MAX
    ]


def _condition(predicate: Predicate, types: dict[str, str]) -> sql.Composed | None:
    (column,) = predicate.path
    if not is_comparable(types.get(column, ""), predicate.comparator, predicate.values):
        return None
    name = sql.Identifier(column)
    if predicate.comparator is Comparator.IS_NULL:
        return sql.SQL("{} IS NULL").format(name)
    if predicate.comparator is Comparator.NOT_NULL:
        return sql.SQL("{} IS NOT NULL").format(name)
    if predicate.comparator is Comparator.IN:
        values = sql.SQL(", ").join(map(sql.Literal, predicate.values))
        return sql.SQL("{} IN ({})").format(name, values) if predicate.values else None
    return sql.SQL(_SIGNS[predicate.comparator]).format(name, sql.Literal(predicate.values[0]))
