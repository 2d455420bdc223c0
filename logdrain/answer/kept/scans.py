"""Events that neighbouring slices both read are read once, and kept in memory for a moment.

The windows of a backfill overlap: 30 days of events, each day. What a scan has read is kept by event time,
and the next one fetches what it lacks. It yields what it would have read itself: events of hours that had not
ended are not kept, and hours for which the drains have noted late events since are read again.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa

from logdrain.answer.kept.one_pass import HOUR_S, Pass
from logdrain.answer.kept.shelf import Kept, Shelf
from logdrain.answer.kept.timed_batches import Span
from logdrain.model.catalog import ColumnType, FieldType, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.model.late import LATE_SETTLES_S
from logdrain.model.plans import AggregateFunction, Aggregation, PseudoColumn, Scan, ScanColumn
from logdrain.model.stops import Stop
from logdrain.ports.events import LateNotes
from logdrain.ports.queries import Groups, ScanSource
from logdrain.ports.streams import ScanStream

_SETTLES = timedelta(seconds=LATE_SETTLES_S)
_TIME = (PseudoColumn.TIME.value,)
_ADDS = {AggregateFunction.SUM, AggregateFunction.AVG}


class KeptScans:
    """Port ScanSource around another one; safe to use from several threads.

    Args:
        source: Where events are read.
        notes: What the drains have noted about late events.
        size_max_bytes: What may be kept of all scans together, but for the batch in hand; 0: nothing.
        elapsed_s: Seconds that never go back.
    """

    def __init__(
        self,
        source: ScanSource,
        notes: LateNotes,
        size_max_bytes: int,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._notes = notes
        self._is_on = size_max_bytes > 0
        self._shelf = Shelf(size_max_bytes, elapsed_s)

    @property
    def size_bytes(self) -> int:
        """What is kept."""
        return self._shelf.size_bytes

    def tables(self) -> list[Table]:
        """See the port."""
        return self._source.tables()

    def catalog(self, table: Table) -> TableCatalog:
        """See the port."""
        return self._source.catalog(table)

    def estimate(self, scan: Scan) -> int:
        """See the port."""
        return self._source.estimate(scan)

    def scan(self, scan: Scan) -> ScanStream:
        """Read lazily, what is kept from memory. See the port."""
        stream = self._source.scan(scan)
        if not self._keeps(scan):
            return stream
        return _KeptStream(self._shelf, self._source, self._notes, scan, stream)

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        """See the port; nothing is kept of it."""
        groups = self._source.aggregate(aggregation, stop)
        self._shelf.note(aggregation.scan, groups.rows_read)
        return groups

    def is_at_hand(self, aggregation: Aggregation) -> bool:
        """Whether the engine should rather do an aggregation, as most of its events are, or will be, kept.

        Not where its rows could be others in their last digits: they must not depend on what is kept.
        """
        return self._keeps(aggregation.scan) and _is_exact(aggregation) and self._shelf.pays(aggregation.scan)

    def close_idle(self) -> None:
        """Let go of what has not been used for a while."""
        self._shelf.forget()

    def _keeps(self, scan: Scan) -> bool:
        return self._is_on and scan.time_range.end is not None and not Span.of(scan.time_range).is_empty


class _KeptStream(ScanStream):
    """Each pass yields what is kept and what the store has, one behind the other."""

    def __init__(
        self, shelf: Shelf, source: ScanSource, notes: LateNotes, scan: Scan, plain: ScanStream
    ) -> None:
        super().__init__(plain.schema)
        self._shelf = shelf
        self._source = source
        self._notes = notes
        self._scan = scan
        self._plain = plain
        self._fetches: list[ScanStream] = []

    def _batches(self) -> Iterator[pa.RecordBatch]:
        kept = self._shelf.take(self._scan, self)
        for batch in self._plain if kept is None else self._read(kept):
            self.bytes_read = sum(stream.bytes_read for stream in (self._plain, *self._fetches))
            yield batch

    def _read(self, kept: Kept) -> Iterator[pa.RecordBatch]:
        """What is kept, and the rest, to keep it as well; nothing stays of what is not read to its end."""
        names = self.schema.names
        scan, time_name = _with_time(self._scan)
        try:
            store_time = self._notes.store_time()  # before anything is read
            holes = self._late_hours(kept, store_time)
            ended_s = int((store_time - _SETTLES).timestamp()) // HOUR_S * HOUR_S
            reading = Pass(self._shelf, kept, scan.time_range, time_name, holes=holes, ended_s=ended_s)
            for span in reading.spans:
                for batch in reading.known(span) or self._fetched(scan, span, reading):
                    yield batch.select(names)
            reading.end(store_time)
        except BaseException:
            kept.clear()
            raise
        finally:
            self._shelf.give_back(kept)

    def _fetched(self, scan: Scan, span: Span, reading: Pass) -> Iterator[pa.RecordBatch]:
        stream = self._source.scan(replace(scan, time_range=span.time_range))
        self._fetches.append(stream)
        for batch in stream:
            reading.keep(batch, span)
            yield batch

    def _late_hours(self, kept: Kept, store_time: datetime) -> list[Span]:
        """Hours that may have got events since they were read; whoever wrote a note may still be at it."""
        if kept.known_at is None:
            return []
        if store_time < kept.known_at:  # another server, whose clock is behind: so may its notes be
            kept.clear()
            return []
        notes = self._notes.notes(kept.known_at - _SETTLES)
        return [Span(note.hour_s, note.hour_s + HOUR_S) for note in notes if note.table == self._scan.table]


def _with_time(scan: Scan) -> tuple[Scan, str]:
    """A scan that has the event time in seconds, and the name of that column."""
    names = {column.name for column in scan.columns}
    for column in scan.columns:
        if column.path == _TIME:
            return scan, column.name
    name = PseudoColumn.TIME.value
    while name in names:
        name += "_"
    return replace(scan, columns=(*scan.columns, ScanColumn(name, _TIME, ColumnType(TypeKind.BIGINT)))), name


def _is_exact(aggregation: Aggregation) -> bool:
    """Whether the engine and the store come to the same rows, to the bit: doubles are added in some order."""
    whole = {path for path, types in aggregation.types if types == {FieldType.INT}} | {_TIME}
    return all(measure.path in whole for measure in aggregation.measures if measure.function in _ADDS)
