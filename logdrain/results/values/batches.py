"""Record batches that are in memory already, as a stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class BatchStream:
    """An `ArrowStream` over batches of one schema; of none, for an empty result."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch] = ()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self.batches)
