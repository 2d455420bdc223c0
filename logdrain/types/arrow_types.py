"""Column types of a scan -> Arrow types."""

from collections.abc import Iterable

import pyarrow as pa

from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.plans import ScanColumn

TIMESTAMP = pa.timestamp("ms", tz="UTC")
"""BSON dates are UTC milliseconds; nothing is lost."""

_SCALARS: dict[TypeKind, pa.DataType] = {
    TypeKind.BIGINT: pa.int64(),
    TypeKind.DOUBLE: pa.float64(),
    TypeKind.DECIMAL: pa.decimal128(38, 0),
    TypeKind.VARCHAR: pa.string(),
    TypeKind.BOOLEAN: pa.bool_(),
    TypeKind.TIMESTAMPTZ: TIMESTAMP,
    TypeKind.TEXT: pa.string(),
    TypeKind.NULL: pa.null(),
}


def arrow_type(of: ColumnType) -> pa.DataType:
    """The Arrow type that holds a column type exactly."""
    if of.kind is TypeKind.LIST:
        return pa.list_(pa.null() if of.element is None else arrow_type(of.element))
    if of.kind is TypeKind.STRUCT:
        return pa.struct([pa.field(name, arrow_type(below)) for name, below in of.fields])
    return _SCALARS[of.kind]


def arrow_schema(columns: Iterable[ScanColumn]) -> pa.Schema:
    """What a scan of these columns yields."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])
