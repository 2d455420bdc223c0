"""Queries that the event store answers by itself: no engine is started."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from logdrain.errors import LogdrainError
from logdrain.model.stops import Stop
from logdrain.ports import AggregateStream, ArrowStream


def use_aggregate(stream: AggregateStream, use: Callable[[ArrowStream], int], stop: Stop) -> int:
    """Hand the rows of an aggregation to `use`; returns what it returns.

    Raises:
        LogdrainError: whatever the stream or `use` raised, or what `stop` was asked with.
    """
    with stop.telling(stream.interrupt):
        try:
            return use(_Stoppable(stream, stop))
        except LogdrainError:
            stop.check()  # a stream that is interrupted fails of that
            raise


class _Stoppable:
    def __init__(self, stream: ArrowStream, stop: Stop) -> None:
        self._stream = stream
        self._stop = stop

    @property
    def schema(self) -> pa.Schema:
        """See the stream."""
        return self._stream.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._stop.check()
        for batch in self._stream:
            self._stop.check()
            yield batch
