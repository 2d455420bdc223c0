"""Scans of numbers, and texts of DuckDB over them."""

from collections.abc import Iterator

import pyarrow as pa

from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import Scan, ScanColumn, TimeRange
from logdrain.model.queries import EngineQuery
from logdrain.model.stops import Stop
from logdrain.ports import ArrowStream, Engine
from tests.unit.query.event_tables import raw_query

SCAN = Scan(
    "scan_0",
    Table("production", "pay"),
    (ScanColumn("n", ("n",), ColumnType(TypeKind.BIGINT)),),
    TimeRange(None, None),
)
SCHEMA = pa.schema([("n", pa.int64())])


class Numbers:
    """A scan of whole numbers, made while they are read; may fail at a batch."""

    schema = SCHEMA

    def __init__(self, batches: int, *, fail_at: int | None = None, error: Exception | None = None) -> None:
        self._batches = batches
        self._fail_at = fail_at
        self._error = error
        self.rows_read = self.bytes_read = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for number in range(self._batches):
            if number == self._fail_at and self._error is not None:
                raise self._error
            self.rows_read += 1000
            yield pa.record_batch([pa.array(range(number * 1000, number * 1000 + 1000))], schema=SCHEMA)


def raw(sql: str) -> EngineQuery:
    """What runs this text as it is, over numbers."""
    return raw_query(sql, SCAN)


def count(result: ArrowStream) -> int:
    """Read to the end."""
    return sum(batch.num_rows for batch in result)


def run(engine: Engine, sql: str, numbers: Numbers | None = None, stop: Stop | None = None) -> int:
    """Run a text over numbers; returns how many rows it has."""
    return engine.run(raw(sql), [numbers or Numbers(3)], count, stop)


def values(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """The rows of a text over numbers."""
    found: list[tuple[object, ...]] = []

    def use(result: ArrowStream) -> int:
        for batch in result:
            found.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        return len(found)

    engine.run(raw(sql), [Numbers(3)], use)
    return found
