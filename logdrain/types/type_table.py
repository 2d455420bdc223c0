"""The types of the catalog: what each BSON type is in Python, and each kind of column in BSON, SQL and Arrow.

A new type is a name in `model/catalog.py` and a row here; everything else is derived from the rows. In
Postgres, Parquet and CSV a column is what its Arrow type is there (`postgres_types` has a row for each).
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from logdrain.model.catalog import FieldType, TypeKind

_DECIMAL_LIMIT = 10**38
_BSON_DOUBLE, _BSON_BOOL = b"\x01", b"\x08"  # https://bsonspec.org

_TEXT_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    Int64: int.__repr__,
    float: float.__repr__,
}
"""What JSON's encoder does with these, without its detours."""


class BsonType(NamedTuple):
    """A BSON type.

    Attributes:
        python: What `bson` and JSON decode it to.
        aliases: Its names in `$type`.
        words: How a message calls such a field.
    """

    python: tuple[type, ...]
    aliases: tuple[str, ...]
    words: str


BSON_TYPES: dict[FieldType, BsonType] = {
    FieldType.INT: BsonType((int, Int64), ("int", "long"), "a whole number"),
    FieldType.DOUBLE: BsonType((float,), ("double",), "a double"),
    FieldType.DECIMAL: BsonType((Decimal128,), ("decimal",), "a decimal"),
    FieldType.STRING: BsonType((str,), ("string",), "a text"),
    FieldType.BOOL: BsonType((bool,), ("bool",), "a boolean"),
    FieldType.DATE: BsonType((datetime, DatetimeMS), ("date",), "a time"),
    FieldType.ARRAY: BsonType((list,), ("array",), "a list"),
    FieldType.OBJECT: BsonType((dict,), ("object",), "an object"),
    FieldType.NULL: BsonType((type(None),), ("null",), "null"),
}


class ColumnKind(NamedTuple):
    """A kind of column.

    Attributes:
        holds: A field that has had some of these types, and no others, is such a column.
        arrow: What holds its values exactly; of nested kinds, without what is in them.
        convert: A decoded value -> what Arrow takes; None where it takes the value itself. A ValueError says
            what a value is that the column cannot hold.
        sql: The name of its type in SQL, where that is not the kind's.
        exact: The store compares, orders and groups as SQL does where a field has had the types of one set.
        constants: Types of constants that the store compares such fields with.
        misread: BSON types that pymongoarrow takes for such values without a word; None where it reads none.
    """

    holds: frozenset[FieldType]
    arrow: pa.DataType
    convert: Callable[[Any], Any] | None = None
    sql: str = ""
    exact: tuple[frozenset[FieldType], ...] = ()
    constants: tuple[type, ...] = ()
    misread: tuple[bytes, ...] | None = None


def json_text(value: Any) -> str:
    """The text of one value: strings as they are, everything else as JSON.

    Integers are exact, doubles the shortest text that reads back the same, dates ISO 8601 in UTC,
    objects and arrays compact JSON with keys in the order printed.

    Args:
        value: As `bson` decodes it, dates naive UTC; not None.
    """
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    write = _TEXT_WRITERS.get(type(plain))
    return _ENCODER.encode(plain) if write is None else write(plain)


def _plain(value: Any) -> Any:
    """BSON's own scalars as JSON's; a type that no event has as its text."""
    if isinstance(value, str | int | float | dict | list):
        return value
    if isinstance(value, Decimal128):
        exact = value.to_decimal()
        return int(exact) if exact.is_finite() and exact == exact.to_integral_value() else str(exact)
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, DatetimeMS):  # beyond the years that Python's datetime has
        return int(value)
    return None if value is None else str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)


def _double(value: Any) -> float:
    """Whole numbers beyond 2^53 become the nearest double, as in any DOUBLE column."""
    return float(value.to_decimal() if isinstance(value, Decimal128) else value)


def _whole(value: Any) -> int:
    if not isinstance(value, Decimal128):
        return int(value)
    exact = value.to_decimal()
    if not exact.is_finite() or abs(exact) >= _DECIMAL_LIMIT or exact != exact.to_integral_value():
        raise ValueError(f"decimal {exact}")
    return int(exact)


def _instant(value: Any) -> Any:
    return int(value) if isinstance(value, DatetimeMS) else value


def _of(*types: FieldType) -> frozenset[FieldType]:
    return frozenset(types)


# The first row that holds all types that a field has had is its column's.
COLUMN_KINDS: dict[TypeKind, ColumnKind] = {
    # NULL: every value is NULL, so that any type would do; sums of BIGINT are whole.
    TypeKind.NULL: ColumnKind(_of(), pa.null(), sql="BIGINT"),
    TypeKind.BIGINT: ColumnKind(
        _of(FieldType.INT),
        pa.int64(),
        exact=(_of(FieldType.INT),),
        constants=(int,),
        misread=(_BSON_DOUBLE, _BSON_BOOL),
    ),
    TypeKind.DECIMAL: ColumnKind(_of(FieldType.INT, FieldType.DECIMAL), pa.decimal128(38, 0), _whole),
    TypeKind.DOUBLE: ColumnKind(
        _of(FieldType.INT, FieldType.DOUBLE, FieldType.DECIMAL),
        pa.float64(),
        _double,
        exact=(_of(FieldType.DOUBLE), _of(FieldType.INT, FieldType.DOUBLE)),
        constants=(int, float),
        misread=(_BSON_BOOL,),
    ),
    TypeKind.VARCHAR: ColumnKind(
        _of(FieldType.STRING),
        pa.string(),
        exact=(_of(FieldType.STRING),),
        constants=(str,),
        misread=(),
    ),
    TypeKind.BOOLEAN: ColumnKind(
        _of(FieldType.BOOL), pa.bool_(), exact=(_of(FieldType.BOOL),), constants=(bool,), misread=()
    ),
    # BSON dates are UTC milliseconds; nothing is lost.
    TypeKind.TIMESTAMPTZ: ColumnKind(_of(FieldType.DATE), pa.timestamp("ms", tz="UTC"), _instant, misread=()),
    TypeKind.LIST: ColumnKind(_of(FieldType.ARRAY), pa.list_(pa.null())),
    TypeKind.STRUCT: ColumnKind(_of(FieldType.OBJECT), pa.struct([])),
    TypeKind.TEXT: ColumnKind(frozenset(FieldType), pa.string(), json_text, sql="VARCHAR"),
}

FIELD_TYPES: dict[type, FieldType] = {of: field for field, row in BSON_TYPES.items() for of in row.python}
"""The BSON type of each type of value."""

PYTHON_TYPES: dict[TypeKind, frozenset[type]] = {
    kind: frozenset(of for field in row.holds for of in BSON_TYPES[field].python)
    for kind, row in COLUMN_KINDS.items()
}
"""The types of value that a column of each kind takes; TEXT takes others, too."""

BSON_ALIASES: dict[TypeKind, list[str]] = {
    kind: [alias for field in BSON_TYPES if field in row.holds for alias in BSON_TYPES[field].aliases]
    for kind, row in COLUMN_KINDS.items()
    if row.holds and not row.holds & {FieldType.ARRAY, FieldType.OBJECT}
}
"""Kinds of column that can be filtered, and the `$type` aliases of what they hold."""

EXACT_KINDS: dict[frozenset[FieldType], TypeKind] = {
    types: kind for kind, row in COLUMN_KINDS.items() for types in row.exact
}
"""The types that fields have had which the store compares, orders and groups as SQL does -> their column."""
