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
from logdrain.ports.streams import ArrowStream
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
        declared = DeclaredColumns(columns)
        yield ArrowStream(declared.schema, _declared(records, declared))
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
        schema = common_schema(schemas)
        yield ArrowStream(schema, _waiting(file, schema, len(schemas)))


def _declared(records: Iterable[object], declared: DeclaredColumns) -> Iterator[pa.RecordBatch]:
    first_row = 1
    for piece in in_pieces(records):
        yield declared.batch(piece, first_row)
        first_row += len(piece)


def _waiting(file: BufferedRandom, schema: pa.Schema, count: int) -> Iterator[pa.RecordBatch]:
    """The batches of a file that has one Arrow stream for each."""
    file.seek(0)
    for _ in range(count):
        with pa.ipc.open_stream(file) as reader:
            for batch in reader:
                yield widened(batch, schema)
