"""Record batches -> what Parquet files hold.

One type for each kind of column, so that the files of slices fit together; lists, structs and maps stay what
they are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from logdrain.errors import ResultRefused
from logdrain.results.values.cells import Values, bare_values, column_cells, unix_times
from logdrain.types.postgres_types import Column, Kind

Facts = Mapping[bytes | str, bytes | str]

_UTC_TIMES = pa.timestamp("us", "UTC")
_TYPES: dict[Kind, pa.DataType] = {
    Kind.BIGINT: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.TEXT: pa.large_string(),
    Kind.TIMESTAMPTZ: _UTC_TIMES,
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.time64("us"),
    Kind.INTERVAL: pa.large_string(),  # Parquet has no type that Arrow writes it as
    Kind.BYTEA: pa.large_binary(),
    Kind.UUID: pa.uuid(),
}


def parquet_schema(columns: Sequence[Column], facts: Facts) -> pa.Schema:
    """The schema of the file.

    Args:
        columns: The result's.
        facts: What the file says of itself, in its metadata.
    """
    return pa.schema([(column.label, _type(column)) for column in columns], metadata={**facts})


def parquet_batch(
    batch: pa.RecordBatch, columns: Sequence[Column], schema: pa.Schema, first_row: int
) -> pa.RecordBatch:
    """A batch as the file takes it.

    Args:
        batch: What the query yields.
        columns: One for each of the batch's columns, in the same order.
        schema: Of the file.
        first_row: Place of the batch's first row in the whole result, from 1.

    Raises:
        ResultRefused: a value has no place in its column's type.
    """
    arrays = [
        _array(values, column, first_row) for values, column in zip(batch.columns, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _type(column: Column) -> pa.DataType:
    """DECIMAL, unsigned and nested types are the query's own."""
    return _UTC_TIMES if column.is_unix_time else _TYPES.get(column.type.kind, column.arrow)


def _array(values: Values, column: Column, first_row: int) -> Values:
    try:
        convert = _CONVERTED.get(column.type.kind, _as_it_is)
        return unix_times(values, column, first_row) if column.is_unix_time else convert(values, column)
    except pa.ArrowException as error:
        raise ResultRefused(
            f'column "{column.label}" has a value that cannot be written as {_type(column)}, '
            f"in rows {first_row} to {first_row + len(values) - 1}",
            hint="cast the column to text in the query",
        ) from error


def _as_it_is(values: Values, column: Column) -> Values:
    # What a query says of an instant below its microseconds is cut off, as in Postgres.
    return bare_values(values).cast(_type(column), safe=column.type.kind not in _CUT)


def _text_of(values: Values, column: Column) -> Values:
    return column_cells(values, column, 1).texts


def _uuid(values: Values, _column: Column) -> Values:
    return pa.ExtensionArray.from_storage(pa.uuid(), bare_values(values))


_CUT = (Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.TIME, Kind.DATE)
_CONVERTED: dict[Kind, Callable[[Values, Column], Any]] = {Kind.INTERVAL: _text_of, Kind.UUID: _uuid}
