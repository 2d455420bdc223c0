"""Scans of numbers, and texts of DuckDB over them."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import Scan, ScanColumn, TimeRange
from logdrain.model.queries import EngineQuery
from logdrain.model.stops import Stop
from logdrain.ports.queries import Engine
from logdrain.ports.streams import ScanStream
from tests.unit.query.event_tables import raw_query

SCAN = Scan(
    "scan_0",
    Table("production", "pay"),
    (ScanColumn("n", ("n",), ColumnType(TypeKind.BIGINT)),),
    TimeRange(None, None),
)
SCHEMA = pa.schema([("n", pa.int64())])


class Numbers(ScanStream):
    """A scan of whole numbers, made while they are read; may fail at a batch."""

    def __init__(self, batches: int, *, fail_at: int | None = None, error: Exception | None = None) -> None:
        super().__init__(SCHEMA)
        self._count = batches
        self._fail_at = fail_at
        self._error = error

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for number in range(self._count):
            if number == self._fail_at and self._error is not None:
                raise self._error
            yield pa.record_batch([pa.array(range(number * 1000, number * 1000 + 1000))], schema=SCHEMA)


def raw(sql: str) -> EngineQuery:
    """What runs this text as it is, over numbers."""
    return raw_query(sql, SCAN)


def run(engine: Engine, sql: str, numbers: Numbers | None = None, stop: Stop | None = None) -> int:
    """Run a text over numbers; returns how many rows it has."""
    return count(engine, raw(sql), [numbers or Numbers(3)], stop)


def count(engine: Engine, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop | None = None) -> int:
    """Read the rows of a query to the end; returns how many there are."""
    with engine.run(query, scans, stop) as result:
        return sum(batch.num_rows for batch in result)


def values(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """The rows of a text over numbers."""
    with engine.run(raw(sql), [Numbers(3)]) as result:
        return [
            row
            for batch in result
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
