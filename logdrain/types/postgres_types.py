"""Types of results: Arrow <-> Postgres, Parquet, and the SQL names that queries and jobs know them by.

A result is written with the Postgres type that holds every value of its Arrow type, and read with the SQL
type that holds every value of its Postgres type. A column named `time` with integers is unix seconds and
becomes timestamptz, because BI tools want timestamps.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

import pyarrow as pa

from logdrain.errors import ResultColumnConflict

NAME_BYTES_MAX = 63
"""Postgres cuts longer identifiers (NAMEDATALEN - 1), and then two may be one."""

TIME = "time"
UTC_TIMES = pa.timestamp("us", tz="UTC")
_CAST_HINT = "cast it in the query: CAST({} AS VARCHAR)"
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_DIGEST_CHARACTERS = 8
_DECIMAL = re.compile(r"(?:DECIMAL|numeric)\((\d+),(\d+)\)")
_SQL_PRECISION_MAX = 38  # of an engine's DECIMAL


class Kind(StrEnum):
    """Types of result columns; the values are what Postgres' format_type() prints."""

    SMALLINT = "smallint"  # in tables made by hand only, like integer and real
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    REAL = "real"
    DOUBLE = "double precision"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIMESTAMPTZ = "timestamp with time zone"
    TIMESTAMP = "timestamp without time zone"
    DATE = "date"
    TIME = "time without time zone"
    INTERVAL = "interval"
    JSONB = "jsonb"
    BYTEA = "bytea"
    UUID = "uuid"


class PostgresType(NamedTuple):
    """A type as DDL says it.

    Attributes:
        precision: Digits of a numeric in all, None for any number of them.
        scale: Digits of a numeric behind the point.
    """

    kind: Kind
    precision: int | None = None
    scale: int = 0

    def __str__(self) -> str:
        if self.precision is None:
            return self.kind.value
        return f"{self.kind.value}({self.precision},{self.scale})"


class Column(NamedTuple):
    """One column of a result.

    Attributes:
        name: Its name in Postgres, at most 63 bytes.
        label: Its name in the query.
        type: Its type in Postgres, where this query alone decides.
        arrow: The Arrow type of its values, without dictionary and extension.
        is_untyped: The query yields NULL of no type; text stands in for it.
        is_unix_time: Integers that become timestamptz.
    """

    name: str
    label: str
    type: PostgresType
    arrow: pa.DataType
    is_untyped: bool = False
    is_unix_time: bool = False


class SqlType(NamedTuple):
    """A type that queries know result tables by, and jobs in Python their columns.

    Attributes:
        arrow: What holds its values.
        python: Kinds of Python values that a job may put there.
        asked: How Postgres is asked for it.
        travels: What it comes as, where that is not `arrow`: instants and dates come as whole numbers.
    """

    arrow: pa.DataType
    python: frozenset[str]
    asked: str
    travels: pa.DataType | None = None


def result_columns(schema: pa.Schema, *, unix_time: bool) -> tuple[Column, ...]:
    """The Postgres columns of a result, in the query's order.

    Args:
        schema: What the query yields.
        unix_time: Leave an integer column named `time` a bigint.

    Raises:
        ResultColumnConflict: no column, two of one name, a name Postgres cannot have, a type without a match.
    """
    return _checked(
        tuple(
            _column(_postgres_name(field.name), field.name, field.type, unix_time=unix_time)
            for field in schema
        )
    )


def file_columns(schema: pa.Schema, *, unix_time: bool) -> tuple[Column, ...]:
    """The columns of a result of files: their types as in Postgres, their names as in the query.

    Raises:
        ResultColumnConflict: no column, two of one name, a type that no result holds.
    """
    return _checked(
        tuple(_column(field.name, field.name, field.type, unix_time=unix_time) for field in schema)
    )


def check_names(labels: Iterable[str]) -> None:
    """Check what a query calls its columns before it runs.

    Raises:
        ResultColumnConflict: Postgres cannot have a column of that name, such as `xmin`.
    """
    for label in labels:
        _postgres_name(label)


def _checked(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    if not columns:
        raise ResultColumnConflict("the query yields no column", hint="select at least one")
    for name, count in Counter(column.name for column in columns).items():
        if count > 1:
            raise ResultColumnConflict(
                f'the query yields {count} columns named "{name}"', hint="give each its own name with AS"
            )
    return columns


def is_unix_time(column: Column) -> bool:
    """Whether the query yields unix seconds in it, by its name."""
    return column.label == TIME and pa.types.is_integer(column.arrow)


def parse_type(text: str) -> PostgresType | None:
    """The type that format_type() prints; None for one that results do not have.

    Every string type counts as text, whatever its length.
    """
    bare = re.sub(r"\(.*?\)", "", text)
    if bare in ("character varying", "character", "citext"):
        return PostgresType(Kind.TEXT)
    if bare not in list(Kind):
        return None
    digits = re.fullmatch(r"numeric\((\d+),(-?\d+)\)", text)
    if digits:
        return PostgresType(Kind.NUMERIC, int(digits[1]), int(digits[2]))
    return PostgresType(Kind(bare))


def sql_type_named(of: str) -> SqlType:
    """A SQL type by its name.

    Raises:
        KeyError, ValueError: there is no such type.
    """
    digits = _DECIMAL.fullmatch(of)
    if not digits:
        return SQL_TYPES[of]
    decimal = pa.decimal128(int(digits[1]), int(digits[2]))
    return SqlType(decimal, frozenset({"int", "Decimal"}), "{}")


def read_as(column: str, postgres_type: str) -> str:
    """The name of the SQL type that a column of a result table is read as.

    `numeric` without digits is DECIMAL(38,9): a value that does not fit is an error when it is read. What has
    no match of its own (jsonb, uuid, arrays, enums) is its text.
    """
    if column == TIME and postgres_type == Kind.TIMESTAMPTZ:
        return "BIGINT"
    digits = _DECIMAL.fullmatch(postgres_type)
    if digits and int(digits[2]) <= int(digits[1]) <= _SQL_PRECISION_MAX:
        return f"DECIMAL({digits[1]},{digits[2]})"
    return _ROWS[Kind(postgres_type)].sql if postgres_type in list(Kind) else "VARCHAR"


def parquet_type(column: Column) -> pa.DataType:
    """What a column is in Parquet; DECIMAL, unsigned and nested types are the query's own."""
    return UTC_TIMES if column.is_unix_time else _ROWS[column.type.kind].parquet or column.arrow


def bare_type(arrow: pa.DataType) -> pa.DataType:
    """An Arrow type without its dictionary and extension."""
    if isinstance(arrow, pa.DictionaryType):
        return bare_type(arrow.value_type)
    if isinstance(arrow, pa.BaseExtensionType):
        return bare_type(arrow.storage_type)
    return arrow


def cut_name(name: str) -> str:
    """A name as it is, or, where it is too long for Postgres, cut and with a digest."""
    encoded = name.encode()
    if len(encoded) <= NAME_BYTES_MAX:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_CHARACTERS]
    kept = encoded[: NAME_BYTES_MAX - len(digest) - 1].decode(errors="ignore")
    return f"{kept}_{digest}"


def _column(name: str, label: str, declared: pa.DataType, *, unix_time: bool) -> Column:
    arrow = bare_type(declared)
    if label == TIME and pa.types.is_integer(arrow) and not unix_time:
        return Column(name, label, PostgresType(Kind.TIMESTAMPTZ), arrow, is_unix_time=True)
    if isinstance(declared, pa.UuidType):
        return Column(name, label, PostgresType(Kind.UUID), arrow)
    return Column(name, label, _postgres_type(label, arrow), arrow, is_untyped=pa.types.is_null(arrow))


def _postgres_name(label: str) -> str:
    """The query's name; one that is too long is cut and keeps a digest, so that it stays its own."""
    if not label or "\0" in label or label in _SYSTEM_COLUMNS:
        raise ResultColumnConflict(
            f"a result column cannot be named {label!r} in Postgres", hint="give it another name with AS"
        )
    return cut_name(label)


def _postgres_type(label: str, arrow: pa.DataType) -> PostgresType:
    if isinstance(arrow, pa.Decimal128Type | pa.Decimal256Type | pa.Decimal32Type | pa.Decimal64Type):
        if arrow.scale > 0:
            return PostgresType(Kind.NUMERIC, max(arrow.precision, arrow.scale), arrow.scale)
        return PostgresType(Kind.NUMERIC)
    for kind, row in _ROWS.items():
        if row.takes(arrow):
            return PostgresType(kind)
    raise ResultColumnConflict(
        f'column "{label}" yields {arrow}, which no result can hold', hint=_CAST_HINT.format(label)
    )


def _is_text(arrow: pa.DataType) -> bool:
    is_string = pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow)
    return is_string or pa.types.is_null(arrow)


def _is_binary(arrow: pa.DataType) -> bool:
    return (
        pa.types.is_binary(arrow)
        or pa.types.is_large_binary(arrow)
        or pa.types.is_binary_view(arrow)
        or pa.types.is_fixed_size_binary(arrow)
    )


def _is_nested(arrow: pa.DataType) -> bool:
    return pa.types.is_nested(arrow) and not pa.types.is_union(arrow)


def _is_interval(arrow: pa.DataType) -> bool:
    return pa.types.is_duration(arrow) or arrow == pa.month_day_nano_interval()


def _has_zone(arrow: pa.DataType) -> bool:
    return isinstance(arrow, pa.TimestampType) and arrow.tz is not None


class _Row(NamedTuple):
    """What a Postgres type is elsewhere.

    Attributes:
        sql: The SQL type that it is read as; what has none of its own is read as its text.
        takes: Arrow types that are written as it.
        parquet: What it is in Parquet; None for the query's own Arrow type.
    """

    sql: str = "VARCHAR"
    takes: Callable[[pa.DataType], bool] = lambda _: False
    parquet: pa.DataType | None = None


# The first that takes a type counts: uint64 before other integers, timestamps with a zone before the others.
_ROWS: dict[Kind, _Row] = {
    Kind.NUMERIC: _Row("DECIMAL(38,9)", pa.types.is_uint64),
    Kind.SMALLINT: _Row("BIGINT"),
    Kind.INTEGER: _Row("BIGINT"),
    Kind.BIGINT: _Row("BIGINT", pa.types.is_integer, pa.int64()),
    Kind.REAL: _Row("DOUBLE"),
    Kind.DOUBLE: _Row("DOUBLE", pa.types.is_floating, pa.float64()),
    Kind.BOOLEAN: _Row("BOOLEAN", pa.types.is_boolean),
    Kind.TEXT: _Row("VARCHAR", _is_text, pa.large_string()),
    Kind.TIMESTAMPTZ: _Row("TIMESTAMPTZ", _has_zone, UTC_TIMES),
    Kind.TIMESTAMP: _Row("TIMESTAMP", pa.types.is_timestamp, pa.timestamp("us")),
    Kind.DATE: _Row("DATE", pa.types.is_date, pa.date32()),
    Kind.TIME: _Row(takes=pa.types.is_time, parquet=pa.time64("us")),
    Kind.INTERVAL: _Row(takes=_is_interval, parquet=pa.large_string()),  # Parquet has no type for it
    Kind.JSONB: _Row(takes=_is_nested),
    Kind.BYTEA: _Row(takes=_is_binary, parquet=pa.large_binary()),
    Kind.UUID: _Row(parquet=pa.uuid()),
}


ZONED = "datetime with a time zone"
_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"

SQL_TYPES: dict[str, SqlType] = {
    "BIGINT": SqlType(pa.int64(), frozenset({"int"}), "{}::bigint"),
    "DOUBLE": SqlType(pa.float64(), frozenset({"int", "float"}), "{}::double precision"),
    "VARCHAR": SqlType(pa.string(), frozenset({"str"}), "{}::text"),
    "BOOLEAN": SqlType(pa.bool_(), frozenset({"bool"}), "{}"),
    "TIMESTAMPTZ": SqlType(UTC_TIMES, frozenset({ZONED}), _MICROSECONDS, pa.int64()),
    "TIMESTAMP": SqlType(pa.timestamp("us"), frozenset({"datetime"}), _MICROSECONDS, pa.int64()),
    "DATE": SqlType(pa.date32(), frozenset({"date"}), "({} - DATE '1970-01-01')", pa.int32()),
}
"""Those that need no digits."""
