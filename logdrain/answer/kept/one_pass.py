"""One pass over a scan: what is kept is taken apart, and put together again with what is fetched."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

import pyarrow as pa

from logdrain.answer.kept.shelf import Kept, Shelf
from logdrain.answer.kept.timed_batches import Span, TimedBatch, TimedBatches, cut, timed
from logdrain.model.plans import TimeRange

HOUR_S = 3600


class Pass:
    """Goes through a time range from its start, span by span.

    Args:
        shelf: Says how much there is room for.
        kept: What is kept; the pass has it alone, and leaves in it what the next one finds.
        time_range: What is read.
        time: Which column has the event time, in seconds.
        holes: Of which nothing may be taken from memory.
        ended_s: Where the hours begin that are not to be kept, as they had not ended.
    """

    def __init__(
        self,
        shelf: Shelf,
        kept: Kept,
        time_range: TimeRange,
        time: str,
        *,
        holes: Sequence[Span],
        ended_s: int,
    ) -> None:
        self._shelf = shelf
        self._kept = kept
        self._time = time
        asked = Span.of(time_range)
        self._covers = Span(asked.start, min(asked.end, ended_s))
        known = list(asked.within(kept.covered).without(holes))
        self._known = {span: deque(cut(kept.batches, span, time)) for span in known}
        kept.batches = TimedBatches()
        self._known_bytes = sum(batch.size_bytes for batches in self._known.values() for batch in batches)
        self._batches = TimedBatches()
        self.spans = sorted([*known, *asked.without(known)])

    def known(self, span: Span) -> Iterator[pa.RecordBatch] | None:
        """What was kept of one of `spans`, and is kept again as it goes by; None: it has to be fetched."""
        return self._again(self._known.pop(span)) if span in self._known else None

    def keep(self, batch: pa.RecordBatch, span: Span) -> None:
        """Keep what was fetched of one of `spans`."""
        if not batch.num_rows:
            return
        found = timed(batch, self._time)
        if found is None or not found.is_in(span):
            self._drop_before(self._covers.end)  # made by hand: the time of its id is not its own
            return
        for part in cut([found], self._covers, self._time):
            self._append(part)

    def end(self, store_time: datetime) -> None:
        """All is read, which was begun at this time of the store's clock."""
        if self._covers.is_empty:
            self._kept.clear()
            return
        self._kept.batches = TimedBatches(cut(self._batches, self._covers, self._time))
        self._kept.covered, self._kept.known_at = self._covers, store_time
        self._shelf.has_room(self._kept, self._kept.batches.size_bytes)

    def _again(self, batches: deque[TimedBatch]) -> Iterator[pa.RecordBatch]:
        while batches:
            batch = batches.popleft()
            self._known_bytes -= batch.size_bytes
            self._append(batch)
            yield batch.batch

    def _append(self, batch: TimedBatch) -> None:
        """Keep a batch; where that is too much, the earliest ones go: windows move on."""
        self._batches.append(batch)
        while not self._has_room() and len(self._batches):
            self._kept.is_cut = True
            self._drop_before(self._batches.drop_first())

    def _has_room(self) -> bool:
        return self._shelf.has_room(self._kept, self._batches.size_bytes + self._known_bytes)

    def _drop_before(self, start_s: int) -> None:
        self._covers = Span(max(self._covers.start, start_s), self._covers.end)
