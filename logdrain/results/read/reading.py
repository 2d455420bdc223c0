"""Postgres columns -> columns of a query: which SQL type each has, and how its values are asked for.

Instants and dates travel as whole numbers: exact, also in years that a text would have to spell out.
"""

import re
from collections.abc import Sequence

import pyarrow as pa
from psycopg import sql

from logdrain.model.plans import Comparator, Predicate, ResultColumn, ResultScan, Scalar, TimeRange
from logdrain.results.postgres.ddl import TableName

BIGINT, VARCHAR = "BIGINT", "VARCHAR"

_TIME = "time"
_PRECISION_MAX = 38  # of an engine's DECIMAL
_SECONDS_MAX = 2**37  # beyond the years that a timestamptz can have
_DECIMAL = re.compile(r"(?:DECIMAL|numeric)\((\d+),(\d+)\)")
_INSTANT = "timestamp with time zone"
_TYPES = {
    "smallint": BIGINT,
    "integer": BIGINT,
    "bigint": BIGINT,
    "real": "DOUBLE",
    "double precision": "DOUBLE",
    "numeric": "DECIMAL(38,9)",
    "boolean": "BOOLEAN",
    _INSTANT: "TIMESTAMPTZ",
    "timestamp without time zone": "TIMESTAMP",
    "date": "DATE",
}
_ARROW: dict[str, pa.DataType] = {
    BIGINT: pa.int64(),
    "DOUBLE": pa.float64(),
    VARCHAR: pa.string(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
}
TYPE_NAMES = tuple(_ARROW)
"""SQL types that need no digits."""

_TRAVELS_AS: dict[str, pa.DataType] = {"TIMESTAMPTZ": pa.int64(), "TIMESTAMP": pa.int64(), "DATE": pa.int32()}
_EXPRESSIONS = {
    BIGINT: "{}::bigint",
    "DOUBLE": "{}::double precision",
    "BOOLEAN": "{}",
    "TIMESTAMPTZ": "(extract(epoch FROM {}) * 1000000)::bigint",
    "TIMESTAMP": "(extract(epoch FROM {}) * 1000000)::bigint",
    "DATE": "({} - DATE '1970-01-01')",
}
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


def engine_type(column: str, postgres_type: str) -> str:
    """The SQL type of a column; what has no match of its own (jsonb, uuid, arrays, enums) is its text.

    `numeric` without digits is DECIMAL(38,9): a value that does not fit is an error when it is read.
    """
    if column == _TIME and postgres_type == _INSTANT:
        return BIGINT
    digits = _DECIMAL.fullmatch(postgres_type)
    if digits and int(digits[2]) <= int(digits[1]) <= _PRECISION_MAX:
        return f"DECIMAL({digits[1]},{digits[2]})"
    return _TYPES.get(postgres_type, VARCHAR)


def arrow_type(of: str) -> pa.DataType:
    """The Arrow type of an engine's type."""
    digits = _DECIMAL.fullmatch(of)
    return pa.decimal128(int(digits[1]), int(digits[2])) if digits else _ARROW[of]


def scan_schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """What a scan of these columns yields."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])


def travel_schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """The same as it travels; each column can be viewed as its own type."""
    return pa.schema(
        [pa.field(column.name, _TRAVELS_AS.get(column.type) or arrow_type(column.type)) for column in columns]
    )


def copy_statement(scan: ResultScan, table: TableName) -> sql.Composed:
    """COPY TO of a scan as CSV, filtered."""
    columns = sql.SQL(", ").join(map(_expression, scan.columns))
    types = {column.column: column.postgres_type for column in scan.columns}
    conditions = _in_time(scan.time_range, types.get(_TIME, ""))
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
    if column.type == BIGINT and column.postgres_type == _INSTANT:
        return sql.SQL("floor(extract(epoch FROM {}))::bigint").format(name)
    if _DECIMAL.fullmatch(column.type):
        return sql.SQL("{}").format(name)
    return sql.SQL(_EXPRESSIONS.get(column.type, "{}::text")).format(name)


def _in_time(time_range: TimeRange, postgres_type: str) -> list[sql.Composed]:
    """Conditions on a column `time`; none where a number is no time that Postgres has."""
    bounds = ((">=", time_range.start), ("<", time_range.end))
    form = "{} " + ("{} to_timestamp({})" if postgres_type == _INSTANT else "{} {}")
    return [
        sql.SQL(form).format(sql.Identifier(_TIME), sql.SQL(sign), sql.Literal(seconds))
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
