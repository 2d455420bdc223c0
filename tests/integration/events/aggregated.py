"""Records stored as the drain stores them, asked with SQL: of the store alone, and of the engine."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

import pyarrow as pa

from logdrain.answer.queries import Answer, Queries
from logdrain.bootstrap.drain import SystemClock
from logdrain.drain.ids import make_id
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.read.scan import MongoScanSource
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import Batch, Event, Origin, Record, Table
from logdrain.model.plans import Dialect
from logdrain.model.queries import Plan, QueryRequest
from logdrain.model.stops import Stop
from logdrain.query.duckdb.engine import DuckdbEngine
from tests.changed_settings import settings_with

SCHEDULED_TIME_S = 1_330_560_000  # 2012-03-01 00:00:00 UTC
ENGINE = DuckdbEngine(256 * 1024 * 1024, threads=1, temp_folder=None)

Row = tuple[Any, ...]


class Rows(NamedTuple):
    """What a query came to."""

    schema: pa.Schema
    rows: list[Row]
    answer: Answer


class EngineOnly(Queries):
    """Queries whose plans leave the aggregation to the engine."""

    def _plan(self, request: QueryRequest) -> Plan:
        return replace(super()._plan(request), aggregation=None)


class AggregatedTables:
    """Tables in a database of its own."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.source = MongoScanSource(uri)
        self.in_store = Queries(self.source, ENGINE)
        self.in_engine = EngineOnly(self.source, ENGINE)
        self.names = (f"pay_{number}" for number in count())
        self._deliveries = 0

    def store(self, records: Sequence[tuple[int, Record]], table: str = "pay") -> Table:
        """Store (unix ms, record) pairs; returns their table."""
        self._deliveries += 1
        to = Table("production", table)
        origin = Origin("shop", "app", "web.1", "")
        events = [
            Event(make_id(ms, "shop", f"d{self._deliveries}", at), to, ms, record, origin, b"")
            for at, (ms, record) in enumerate(records)
        ]

        async def write() -> None:
            client = open_async(self.uri, driver="pymongo", timeout_s=30)
            store = MongoEventStore(
                client,
                database_name(self.uri),
                SystemClock(),
                settings_with(store_timeout_s=30, tables_max=10_000),
            )
            await store.write(Batch(events=events))
            await close_async(client)

        asyncio.run(write())
        return to

    def ask(
        self,
        sql: str,
        queries: Queries,
        *,
        at_s: int = SCHEDULED_TIME_S,
        stop: Stop | None = None,
        dialect: Dialect = Dialect.TRINO,
    ) -> Rows:
        """Run a query at a scheduled time."""
        request = QueryRequest(sql, "production", dialect, at_s, SCHEDULED_TIME_S)
        with queries.stream(request, stop=stop) as answer:
            batches = [[column.to_pylist() for column in batch.columns] for batch in answer.rows]
        rows = [row for columns in batches for row in zip(*columns, strict=True)]
        return Rows(answer.rows.schema, rows, answer)

    def close(self) -> None:
        """Give the connections back."""
        self.source.close()


@contextmanager
def aggregated_tables(uri: str) -> Iterator[AggregatedTables]:
    """Tables, closed at the end."""
    tables = AggregatedTables(uri)
    try:
        yield tables
    finally:
        tables.close()
