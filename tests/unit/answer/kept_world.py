"""Events that arrive while scans run, and the notes that drains write about them: all in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa

from logdrain.answer.kept.scans import KeptScans
from logdrain.model.catalog import ColumnType, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.model.late import LateNote
from logdrain.model.plans import Aggregation, Scan, ScanColumn, TimeRange
from logdrain.model.stops import Stop
from logdrain.ports.queries import EVENTS, Groups
from logdrain.ports.streams import ScanStream

HOUR_S = 3600
PAY = Table("production", "pay")
NUMBER = ScanColumn("number", ("number",), ColumnType(TypeKind.BIGINT))
TIME = ScanColumn("time", ("time",), ColumnType(TypeKind.BIGINT))
TYPES: dict[TypeKind, pa.DataType] = {TypeKind.BIGINT: pa.int64(), TypeKind.VARCHAR: pa.string()}


class Seen(NamedTuple):
    """An event; `number` is its own."""

    time_s: int
    number: int


@dataclass(eq=False)
class Delivery:
    """On its way: noted, then stored, then noted again where that took long."""

    event: Seen
    is_stored: bool = False


@dataclass
class World:
    """A store with its clock, and a drain that stores and notes as `MongoLateWriter` does.

    Attributes:
        fetched: What scans have read of the store.
        drain_lags_s: How far the drain is behind with what it knows of the store's clock.
    """

    now_s: int
    events: list[Seen] = field(default_factory=list)
    noted: list[LateNote] = field(default_factory=list)
    under_way: list[Delivery] = field(default_factory=list)
    fetched: list[Seen] = field(default_factory=list)
    batch_rows: int = 3
    is_in_order: bool = True
    drain_lags_s: int = 0
    count: int = 0

    def kept(self, size_max_bytes: int = 2**20) -> KeptScans:
        """What is tested, around this store."""
        return KeptScans(self, self, size_max_bytes, lambda: float(self.now_s))

    def begin(self, time_s: int) -> Delivery:
        """A drain has an event."""
        self.count += 1
        delivery = Delivery(Seen(time_s, self.count))
        self.under_way.append(delivery)
        self._note(time_s, 5)
        return delivery

    def store(self, delivery: Delivery) -> None:
        """It is in the store."""
        if not delivery.is_stored:
            self.events.append(delivery.event)
            delivery.is_stored = True

    def end(self, delivery: Delivery) -> None:
        """And its sender has an answer."""
        self.store(delivery)
        self._note(delivery.event.time_s, 20)
        self.under_way.remove(delivery)

    def arrive(self, *times_s: int) -> None:
        """Events come, in no time."""
        for time_s in times_s:
            self.end(self.begin(time_s))

    def _note(self, time_s: int, fresh_for_s: int) -> None:
        hour_s = time_s // HOUR_S * HOUR_S
        noted_s = [note.noted_at.timestamp() for note in self.noted if note.hour_s == hour_s]
        if hour_s + HOUR_S <= self.now_s - self.drain_lags_s and not any(
            self.now_s - at < fresh_for_s for at in noted_s
        ):
            self.noted.append(LateNote(PAY, hour_s, self.store_time()))

    def store_time(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def notes(self, since: datetime) -> list[LateNote]:
        return [note for note in self.noted if note.noted_at >= since]

    def tables(self) -> list[Table]:
        return [PAY]

    def catalog(self, table: Table) -> TableCatalog:
        return TableCatalog(table)

    def estimate(self, scan: Scan) -> int:
        return len(self.within(scan.time_range))

    def within(self, time_range: TimeRange) -> list[Seen]:
        """The events of a range, as they are now."""
        start_s, end_s = time_range
        return sorted(
            event
            for event in self.events
            if (start_s is None or start_s <= event.time_s) and (end_s is None or event.time_s < end_s)
        )

    def scan(self, scan: Scan) -> "Stream":
        return Stream(self, scan)

    def aggregate(self, aggregation: Aggregation, _stop: Stop) -> Groups:
        """One group that counts its events, but says nothing else."""
        count = len(self.within(aggregation.scan.time_range))
        return Groups(pa.table({EVENTS: [count]}), count, 0, TableCatalog(PAY))


class Stream(ScanStream):
    """Of a scan that reads the world."""

    def __init__(self, world: World, scan: Scan) -> None:
        super().__init__(pa.schema([(column.name, TYPES[column.type.kind]) for column in scan.columns]))
        self.world = world
        self.time_range = scan.time_range
        self.columns = scan.columns
        self.before_batch: Callable[[], None] = lambda: None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        events = self.world.within(self.time_range)
        if not self.world.is_in_order:
            events.sort(key=lambda event: event.number * 7919 % 31)
        for start in range(0, len(events), self.world.batch_rows):
            chunk = events[start : start + self.world.batch_rows]
            self.bytes_read += len(chunk) * 100
            self.world.fetched += chunk
            rows = [{column.name: value(event, column) for column in self.columns} for event in chunk]
            with_one = self.schema.append(pa.field("_row", pa.null()))  # else there would be no rows
            yield pa.RecordBatch.from_pylist(rows, schema=with_one).select(self.schema.names)


def value(event: Seen, column: ScanColumn) -> int | str:
    """What an event has in a column."""
    found = event.time_s if column.path == TIME.path else event.number
    return str(found) if column.type.kind is TypeKind.VARCHAR else found


def scan_of(start_s: int | None, end_s: int | None, *columns: ScanColumn) -> Scan:
    """A scan of this range."""
    return Scan("pay", PAY, columns or (NUMBER,), TimeRange(start_s, end_s))


def numbers(kept: KeptScans, scan: Scan) -> list[int]:
    """The events that a scan yields, in its order."""
    return [number for batch in kept.scan(scan) for number in of_batch(batch)]


def of_batch(batch: pa.RecordBatch) -> list[int]:
    """The events in a batch."""
    return [row["number"] for row in batch.to_pylist()]
