"""Queries that the event store answers by itself: no engine is started."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from logdrain.errors import LogdrainError
from logdrain.model.stops import Stop
from logdrain.ports.queries import AggregateStream, ArrowStream


def use_aggregate(
    stream: AggregateStream,
    use: Callable[[ArrowStream], int],
    stop: Stop,
    prove: Callable[[], None] = lambda: None,
) -> int:
    """Hand the rows of an aggregation to `use`; returns what it returns.

    Args:
        stream: The rows.
        use: Reads them to the end.
        stop: Ends it from another thread.
        prove: Called when all are read, before the last are handed on; raises where they are not right.

    Raises:
        LogdrainError: whatever the stream, `use` or `prove` raised, or what `stop` was asked with.
    """
    with stop.telling(stream.interrupt):
        try:
            return use(_Proven(stream, stop, prove))
        except LogdrainError:
            stop.check()  # a stream that is interrupted fails of that
            raise


class _Proven:
    def __init__(self, stream: ArrowStream, stop: Stop, prove: Callable[[], None]) -> None:
        self._stream = stream
        self._stop = stop
        self._prove = prove

    @property
    def schema(self) -> pa.Schema:
        """See the stream."""
        return self._stream.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._stop.check()
        held_back: pa.RecordBatch | None = None
        for batch in self._stream:
            self._stop.check()
            if held_back is not None:
                yield held_back
            held_back = batch
        self._prove()
        if held_back is not None:
            yield held_back
