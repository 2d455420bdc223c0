"""Rows into an open file, in each format that results of files have."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.model.result_files import FileFormat
from logdrain.ports.streams import ArrowStream
from logdrain.results.values.cells import Values, bare_values, column_cells, unix_times
from logdrain.results.values.text_formats import CSV, csv_header, text_pieces
from logdrain.types.postgres_types import Column, Kind, parquet_type

Facts = Mapping[bytes | str, bytes | str]
"""What a file says of itself, in its metadata."""

# Of a row group: small enough to hold in memory, large enough to read quickly.
_GROUP_ROWS = 131_072
_GROUP_BYTES = 64 * 1024 * 1024


class WrittenFile(NamedTuple):
    """What has gone into a file.

    Attributes:
        removed_nul: How many U+0000 were taken out of texts.
    """

    rows: int
    removed_nul: int = 0


def write_csv(file: BinaryIO, rows: ArrowStream, columns: Sequence[Column], _facts: Facts) -> WrittenFile:
    """A header and the rows; CSV has no place for facts."""
    file.write(csv_header(columns))
    count = removed_nul = 0
    for batch in rows:
        for piece in text_pieces(batch, columns, count + 1, CSV):
            file.write(piece.data)
            removed_nul += piece.removed_nul
        count += batch.num_rows
    return WrittenFile(count, removed_nul)


def write_parquet(file: BinaryIO, rows: ArrowStream, columns: Sequence[Column], facts: Facts) -> WrittenFile:
    """The rows in groups, and facts about them in the file's metadata.

    One type for each kind of column, so that the files of slices fit together; lists, structs and maps stay
    what they are.
    """
    schema = pa.schema([(column.label, parquet_type(column)) for column in columns], metadata={**facts})
    _check(schema)
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows, columns, schema):
            writer.write_table(group, row_group_size=group.num_rows)
            count += group.num_rows
    return WrittenFile(count)


def _groups(rows: ArrowStream, columns: Sequence[Column], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = waiting_rows = waiting_bytes = 0
    for batch in rows:
        arrays = [
            _array(values, column, count + 1) for values, column in zip(batch.columns, columns, strict=True)
        ]
        waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        count += batch.num_rows
        waiting_rows += batch.num_rows
        waiting_bytes += waiting[-1].nbytes
        if waiting_rows >= _GROUP_ROWS or waiting_bytes >= _GROUP_BYTES:
            yield pa.Table.from_batches(waiting, schema)
            waiting, waiting_rows, waiting_bytes = [], 0, 0
    if waiting_rows:
        yield pa.Table.from_batches(waiting, schema)


def _check(schema: pa.Schema) -> None:
    """Name the column whose type Parquet does not hold.

    Raises:
        ResultColumnConflict: there is one.
    """
    for field in schema:
        try:
            pq.ParquetWriter(io.BytesIO(), pa.schema([field])).close()
        except pa.ArrowException as error:
            raise ResultColumnConflict(
                f'column "{field.name}" yields {field.type}, which Parquet does not hold',
                hint=f"cast it in the query: CAST({field.name} AS JSON), or ?format=csv",
            ) from error


def _array(values: Values, column: Column, first_row: int) -> Values:
    try:
        convert = _CONVERTED.get(column.type.kind, _as_it_is)
        return unix_times(values, column, first_row) if column.is_unix_time else convert(values, column)
    except pa.ArrowException as error:
        raise ResultRefused(
            f'column "{column.label}" has a value that cannot be written as {parquet_type(column)}, '
            f"in rows {first_row} to {first_row + len(values) - 1}",
            hint="cast the column to text in the query",
        ) from error


def _as_it_is(values: Values, column: Column) -> Values:
    # What a query says of an instant below its microseconds is cut off, as in Postgres.
    return bare_values(values).cast(parquet_type(column), safe=column.type.kind not in _CUT)


def _text_of(values: Values, column: Column) -> Values:
    return column_cells(values, column, 1).texts


def _uuid(values: Values, _column: Column) -> Values:
    return pa.ExtensionArray.from_storage(pa.uuid(), bare_values(values))


_CUT = (Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.TIME, Kind.DATE)
_CONVERTED: dict[Kind, Callable[[Values, Column], Any]] = {Kind.INTERVAL: _text_of, Kind.UUID: _uuid}
FORMATS: Mapping[FileFormat, Callable[[BinaryIO, ArrowStream, Sequence[Column], Facts], WrittenFile]] = {
    FileFormat.CSV: write_csv,
    FileFormat.PARQUET: write_parquet,
}
