"""Columns of a scan -> Arrow: types, and arrays of exactly these types, or an error: no silent casts.

Values are what `bson` decodes (dates naive UTC), None where a document has no such field.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import pyarrow as pa
from bson.min_key import MinKey

from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.plans import ScanColumn
from logdrain.types.type_table import COLUMN_KINDS, FIELD_TYPES, PYTHON_TYPES

Array: TypeAlias = "pa.Array[Any]"  # quoted: pyarrow's classes take no parameters at run time

BELOW_ARRAY = MinKey()
"""What a path yields that met an array on its way; no record can hold it."""


def arrow_type(of: ColumnType) -> pa.DataType:
    """The Arrow type that holds a column type exactly."""
    if of.kind is TypeKind.LIST and of.element is not None:
        return pa.list_(arrow_type(of.element))
    if of.kind is TypeKind.STRUCT:
        return pa.struct([pa.field(name, arrow_type(below)) for name, below in of.fields])
    return COLUMN_KINDS[of.kind].arrow


def arrow_schema(columns: Iterable[ScanColumn]) -> pa.Schema:
    """What a scan of these columns yields."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])


def build_array(values: list[Any], of: ColumnType, where: str) -> Array:
    """One array of as many elements as there are values.

    Args:
        values: What the documents hold.
        of: What they have to be. Keys that a STRUCT does not list are not asked for.
        where: Names the column in the error.

    Raises:
        ScanTypeChanged: a value is of another type.
    """
    if of.wraps:
        values = [value if value is None or isinstance(value, list) else [value] for value in values]
    row = COLUMN_KINDS[of.kind]
    types = set(map(type, values)) - {type(None)}
    above = {type(BELOW_ARRAY)}
    wrong = types & above if of.kind is TypeKind.TEXT else types - PYTHON_TYPES[of.kind]
    if wrong:
        held = (FIELD_TYPES.get(kind, "array above it" if kind in above else kind.__name__) for kind in wrong)
        raise _changed(where, of, sorted(held))
    if of.kind is TypeKind.LIST:
        return _lists(values, of, where)
    if of.kind is TypeKind.STRUCT:
        return _structs(values, of, where)
    if row.convert is not None:
        try:
            values = [value if value is None else row.convert(value) for value in values]
        except ValueError as error:
            raise _changed(where, of, [str(error)]) from error
    return pa.array(values, row.arrow)


def _changed(where: str, of: ColumnType, held: list[str]) -> ScanTypeChanged:
    return ScanTypeChanged(
        f"{where} is read as {of}, but an event has: {', '.join(held)}",
        hint="the field has a new type; run the query again",
    )


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
