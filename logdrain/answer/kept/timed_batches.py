"""Batches of events in memory, by the time of their events: cut to a span, joined, weighed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.model.plans import TimeRange

_FIRST, _LAST = -(2**62), 2**62
# Each batch costs an engine something, however few its rows are.
_JOINED_ROWS_MAX = 10_000


class Span(NamedTuple):
    """A half-open range of event time in unix seconds, with numbers for open ends."""

    start: int
    end: int

    @classmethod
    def of(cls, time_range: TimeRange) -> "Span":
        """The same range; no event is farther away than the ends here."""
        start, end = time_range
        return cls(_FIRST if start is None else max(start, _FIRST), _LAST if end is None else min(end, _LAST))

    @property
    def time_range(self) -> TimeRange:
        """The same range, as a scan has it."""
        return TimeRange(
            None if self.start == _FIRST else self.start, None if self.end == _LAST else self.end
        )

    @property
    def is_empty(self) -> bool:
        """Whether no second is in it."""
        return self.start >= self.end

    def within(self, other: "Span") -> "Span":
        """What both have."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def without(self, holes: Iterable["Span"]) -> Iterator["Span"]:
        """What is left of it, in order."""
        start = self.start
        for hole in sorted(holes):
            left = Span(start, min(hole.start, self.end))
            if not left.is_empty:
                yield left
            start = max(start, hole.end)
        if start < self.end:
            yield Span(start, self.end)

    def share_in(self, other: "Span") -> float:
        """How much of it is in the other, from 0 to 1."""
        both = self.within(other)
        return 0.0 if both.is_empty else (both.end - both.start) / (self.end - self.start)


class TimedBatch(NamedTuple):
    """A batch with a column of whole unix seconds, and the first and the last of them."""

    batch: pa.RecordBatch
    first_s: int
    last_s: int

    @property
    def size_bytes(self) -> int:
        """Octets of memory that it holds."""
        return self.batch.get_total_buffer_size()

    def is_in(self, span: Span) -> bool:
        """Whether all of its rows are."""
        return span.start <= self.first_s and self.last_s < span.end


def timed(batch: pa.RecordBatch, time: str) -> TimedBatch | None:
    """A batch with its times, which are in this column; None where a row has none, or there is no row."""
    times = batch.column(time)
    if not len(times) or times.null_count:
        return None
    bounds = pc.min_max(times)
    return TimedBatch(batch, bounds["min"].as_py(), bounds["max"].as_py())


def cut(batches: Iterable[TimedBatch], span: Span, time: str) -> Iterator[TimedBatch]:
    """The rows that are in a span. What is left of a batch is a copy, so that the rest need not stay."""
    for whole in batches:
        if whole.is_in(span):
            yield whole
        elif whole.first_s < span.end and span.start <= whole.last_s:
            times = whole.batch.column(time)
            is_in = pc.and_(
                pc.greater_equal(times, pa.scalar(span.start)), pc.less(times, pa.scalar(span.end))
            )
            part = timed(whole.batch.filter(is_in), time)
            if part is not None:
                yield part


class TimedBatches:
    """Batches one behind the other, in any order of their times; small neighbours become one."""

    def __init__(self, batches: Iterable[TimedBatch] = ()) -> None:
        self._batches: list[TimedBatch] = []
        self.size_bytes = 0
        for batch in batches:
            self.append(batch)

    def __iter__(self) -> Iterator[TimedBatch]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def append(self, batch: TimedBatch) -> None:
        """Put a batch behind the others."""
        last = self._batches[-1] if self._batches else None
        if last is not None and last.batch.num_rows + batch.batch.num_rows <= _JOINED_ROWS_MAX:
            self._batches.pop()
            self.size_bytes -= last.size_bytes
            joined = pa.concat_batches([last.batch, batch.batch])  # type: ignore[attr-defined]  # not in the stubs
            batch = TimedBatch(joined, min(last.first_s, batch.first_s), max(last.last_s, batch.last_s))
        self._batches.append(batch)
        self.size_bytes += batch.size_bytes

    def drop_first(self) -> int:
        """Drop the first batch; returns the second behind its last row."""
        first = self._batches.pop(0)
        self.size_bytes -= first.size_bytes
        return first.last_s + 1
