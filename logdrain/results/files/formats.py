"""Rows into an open file, in each format that results of files have."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from logdrain.errors import ResultColumnConflict
from logdrain.model.result_files import FileFormat
from logdrain.ports import ArrowStream
from logdrain.results.files.parquet_columns import Facts, parquet_batch, parquet_schema
from logdrain.results.values.csv_text import CSV, csv_header
from logdrain.results.values.text_pieces import text_pieces
from logdrain.types.postgres_types import Column

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
    """The rows in groups, and facts about them in the file's metadata."""
    schema = parquet_schema(columns, facts)
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
        waiting.append(parquet_batch(batch, columns, schema, count + 1))
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


FORMATS: Mapping[FileFormat, Callable[[BinaryIO, ArrowStream, Sequence[Column], Facts], WrittenFile]] = {
    FileFormat.CSV: write_csv,
    FileFormat.PARQUET: write_parquet,
}
