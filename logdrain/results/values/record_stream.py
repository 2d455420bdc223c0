"""An iterable of dicts as an ArrowStream, in bounded memory.

The writer has to know the columns before it takes the first row. Where the job has not declared them, all of
the rows wait in a temporary file until the last one has been seen.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedRandom

import pyarrow as pa

from logdrain.errors import JobResultInvalid
from logdrain.ports.queries import ArrowStream
from logdrain.results.values.records import DeclaredColumns, common_schema, in_pieces, inferred_batch, widened


@contextmanager
def records_stream(records: Iterable[object], columns: Mapping[str, object] | None) -> Iterator[ArrowStream]:
    """The rows of an iterable of dicts, readable while the block lasts.

    Args:
        records: Read once: at once where `columns` is None, else batch by batch.
        columns: Name -> SQL type or `pyarrow.DataType`; None for the types of the values.

    Raises:
        JobResultInvalid: rows that do not fit together; or no row, and no columns.
    """
    if columns is not None:
        yield _DeclaredRecords(records, DeclaredColumns(columns))
        return
    with tempfile.TemporaryFile() as file:
        schemas, first_row = [], 1
        for piece in in_pieces(records):
            batch = inferred_batch(piece, first_row)
            with pa.ipc.new_stream(file, batch.schema) as writer:
                writer.write_batch(batch)
            schemas.append(batch.schema)
            first_row += len(piece)
        if not schemas:
            raise JobResultInvalid(
                "the function returned no row, so there are no columns",
                hint="say which there are: columns={'category': 'VARCHAR', 'sum': 'BIGINT'}",
            )
        yield _WaitingRecords(file, common_schema(schemas), len(schemas))


class _DeclaredRecords:
    def __init__(self, records: Iterable[object], declared: DeclaredColumns) -> None:
        self._records = records
        self._declared = declared

    @property
    def schema(self) -> pa.Schema:
        """What was declared."""
        return self._declared.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches; once, as an iterable can be read."""
        first_row = 1
        for piece in in_pieces(self._records):
            yield self._declared.batch(piece, first_row)
            first_row += len(piece)


class _WaitingRecords:
    def __init__(self, file: BufferedRandom, schema: pa.Schema, count: int) -> None:
        self._file = file
        self._schema = schema
        self._count = count

    @property
    def schema(self) -> pa.Schema:
        """What holds the values of all batches."""
        return self._schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, one Arrow stream each."""
        self._file.seek(0)
        for _ in range(self._count):
            with pa.ipc.open_stream(self._file) as reader:
                for batch in reader:
                    yield widened(batch, self._schema)
