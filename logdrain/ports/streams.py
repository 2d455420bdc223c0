"""Rows on their way, as Arrow: what scans yield, what queries yield, what results take."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


class ArrowStream:
    """Columns in batches; bounded memory. Reading may raise what the producer raises.

    Args:
        schema: Names and types, known before the first batch.
        batches: Read from the start by each pass; an iterator has one pass.

    Attributes:
        rows_read: Rows that have been read of it so far, over all passes.
    """

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch] = ()) -> None:
        self.schema = schema
        self.rows_read = 0
        self._given = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once through."""
        for batch in self._batches():
            self.rows_read += batch.num_rows
            yield batch

    def _batches(self) -> Iterable[pa.RecordBatch]:
        return self._given


class ScanStream(ArrowStream):
    """What a scan yields: events, or rows of a result table; each pass reads the store anew.

    Attributes:
        bytes_read: What the store has sent so far: BSON, or rows as text; compression on the way does not
            count.
    """

    bytes_read = 0
