"""Decoded values -> Arrow arrays of exactly their column's type, or an error: nothing is cast in silence.

Values are what `bson` decodes (dates naive UTC), None where a document has no such field.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.min_key import MinKey

from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ColumnType, FieldType, TypeKind
from logdrain.types.arrow_types import TIMESTAMP, arrow_type
from logdrain.types.json_text import json_text

Array: TypeAlias = "pa.Array[Any]"  # quoted: pyarrow's classes take no parameters at run time

BELOW_ARRAY = MinKey()
"""What a path yields that met an array on its way; no record can hold it."""

_DECIMAL_LIMIT = 10**38
_INTEGERS = frozenset({int, Int64})

_HELD: dict[TypeKind, frozenset[type]] = {
    TypeKind.BIGINT: _INTEGERS,
    TypeKind.DOUBLE: _INTEGERS | {float, Decimal128},
    TypeKind.DECIMAL: _INTEGERS | {Decimal128},
    TypeKind.VARCHAR: frozenset({str}),
    TypeKind.BOOLEAN: frozenset({bool}),
    TypeKind.TIMESTAMPTZ: frozenset({datetime, DatetimeMS}),
    TypeKind.LIST: frozenset({list}),
    TypeKind.STRUCT: frozenset({dict}),
    TypeKind.NULL: frozenset(),
}
"""The types of value that a column of each kind takes; TEXT takes all."""

_NAMES: dict[type, str] = {
    int: FieldType.INT,
    Int64: FieldType.INT,
    float: FieldType.DOUBLE,
    Decimal128: FieldType.DECIMAL,
    str: FieldType.STRING,
    bool: FieldType.BOOL,
    datetime: FieldType.DATE,
    DatetimeMS: FieldType.DATE,
    list: FieldType.ARRAY,
    dict: FieldType.OBJECT,
    type(BELOW_ARRAY): "array above it",
}


def build_array(values: list[Any], of: ColumnType, where: str) -> Array:
    """One array of as many elements as there are values.

    Args:
        values: What the documents hold.
        of: What they have to be. Keys that a STRUCT does not list are not asked for.
        where: Names the column in the error.

    Raises:
        ScanTypeChanged: a value is of another type.
    """
    types = set(map(type, values)) - {type(None)}
    wrong = types - _HELD.get(of.kind, types - {type(BELOW_ARRAY)})
    if wrong:
        raise _changed(where, of, sorted(_NAMES.get(kind, kind.__name__) for kind in wrong))
    build = _BUILDERS.get(of.kind)
    return pa.array(values, arrow_type(of)) if build is None else build(values, of, where)


def _changed(where: str, of: ColumnType, held: list[str]) -> ScanTypeChanged:
    return ScanTypeChanged(
        f"{where} is read as {of}, but an event has: {', '.join(held)}",
        hint="the field has a new type; run the query again",
    )


def _doubles(values: list[Any], of: ColumnType, _where: str) -> Array:
    """Whole numbers beyond 2^53 become the nearest double, as in any DOUBLE column."""
    return pa.array([value if value is None else _double(value) for value in values], arrow_type(of))


def _double(value: Any) -> float:
    return float(value.to_decimal() if isinstance(value, Decimal128) else value)


def _decimals(values: list[Any], of: ColumnType, where: str) -> Array:
    whole = [value if value is None else _whole(value, of, where) for value in values]
    return pa.array(whole, arrow_type(of))


def _whole(value: Any, of: ColumnType, where: str) -> int:
    if not isinstance(value, Decimal128):
        return int(value)
    exact = value.to_decimal()
    if not exact.is_finite() or abs(exact) >= _DECIMAL_LIMIT or exact != exact.to_integral_value():
        raise _changed(where, of, [f"decimal {exact}"])
    return int(exact)


def _timestamps(values: list[Any], _of: ColumnType, _where: str) -> Array:
    if not any(isinstance(value, DatetimeMS) for value in values):
        return pa.array(values, TIMESTAMP)
    milliseconds = [value if value is None else _unix_ms(value) for value in values]
    return pa.array(milliseconds, pa.int64()).cast(TIMESTAMP)


def _unix_ms(value: Any) -> int:
    return int(value if isinstance(value, DatetimeMS) else DatetimeMS(value))


def _texts(values: list[Any], of: ColumnType, _where: str) -> Array:
    return pa.array([value if value is None else json_text(value) for value in values], arrow_type(of))


def _lists(values: list[Any], of: ColumnType, where: str) -> Array:
    elements: list[Any] = []
    offsets = [0]
    for value in values:
        elements.extend(value or ())
        offsets.append(len(elements))
    element = ColumnType(TypeKind.NULL) if of.element is None else of.element
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        build_array(elements, element, f"an element of {where}"),
        mask=_nulls(values),
    )


def _structs(values: list[Any], of: ColumnType, where: str) -> Array:
    objects = [{} if value is None else value for value in values]
    return pa.StructArray.from_arrays(
        [
            build_array([item.get(name) for item in objects], below, f'{where}."{name}"')
            for name, below in of.fields
        ],
        fields=[pa.field(name, arrow_type(below)) for name, below in of.fields],
        mask=_nulls(values),
    )


def _nulls(values: list[Any]) -> Array:
    return pa.array([value is None for value in values], pa.bool_())


_BUILDERS: dict[TypeKind, Callable[[list[Any], ColumnType, str], Array]] = {
    TypeKind.DOUBLE: _doubles,
    TypeKind.DECIMAL: _decimals,
    TypeKind.TIMESTAMPTZ: _timestamps,
    TypeKind.TEXT: _texts,
    TypeKind.LIST: _lists,
    TypeKind.STRUCT: _structs,
}
