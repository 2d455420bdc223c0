"""The only place that picks implementations: settings in, ready parts out."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from logdrain.config import Settings
from logdrain.errors import NotRunning
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.mongo_scan import MongoScanSource
from logdrain.events.mongo_store import MongoEventStore, StoreLimits
from logdrain.model.keys import Key
from logdrain.pipeline.queries import Queries
from logdrain.pipeline.slices import SliceRunner
from logdrain.ports import Clock, EventStore, Ledger
from logdrain.query.duckdb_engine import DuckdbEngine
from logdrain.results.postgres_writer import PostgresResultWriter
from logdrain.schedule.postgres_ledger import PostgresLedger

# An operation of the driver ends by itself a while after the delivery that waited for it has been answered.
_DRIVER_PATIENCE = 2.0


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """The present, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DrainParts:
    """What the web application needs.

    Attributes:
        ledger: None where no DATABASE_URL is set: a drain alone needs no Postgres.
    """

    store: EventStore
    ledger: Ledger | None
    clock: Clock
    keys: tuple[Key, ...]
    body_size_max_bytes: int
    bodies_size_max_bytes: int
    store_timeout_s: float
    split_wait_s: float


class Drain:
    """Opens and closes what the web application needs; made inside its event loop."""

    def __init__(self, settings: Settings) -> None:
        uri = require(settings.mongodb_uri, "MONGODB_URI")
        self._client = open_async(
            uri, driver=settings.mongodb_driver, timeout_s=settings.store_timeout_s * _DRIVER_PATIENCE
        )
        limits = StoreLimits(
            timeout_s=settings.store_timeout_s,
            queue_size_max_bytes=settings.queue_size_max_bytes,
            tables_max=settings.tables_max,
            fields_max=settings.fields_max,
            quarantine_keep_days=settings.quarantine_keep_days,
        )
        clock = SystemClock()
        self._ledger = PostgresLedger(settings.database_url) if settings.database_url else None
        self.parts = DrainParts(
            store=MongoEventStore(self._client, database_name(uri), clock, limits),
            ledger=self._ledger,
            clock=clock,
            keys=settings.keys,
            body_size_max_bytes=settings.body_size_max_bytes,
            bodies_size_max_bytes=settings.bodies_size_max_bytes,
            store_timeout_s=settings.store_timeout_s,
            split_wait_s=settings.split_wait_s,
        )

    async def close(self) -> None:
        """Close connections."""
        await close_async(self._client)
        if self._ledger is not None:
            self._ledger.close()


@contextmanager
def open_source(settings: Settings) -> Iterator[MongoScanSource]:
    """Stored events, to read."""
    source = MongoScanSource(require(settings.mongodb_uri, "MONGODB_URI"))
    try:
        yield source
    finally:
        source.close()


@contextmanager
def open_ledger(settings: Settings) -> Iterator[PostgresLedger]:
    """Results, schedules, slices, runs."""
    ledger = PostgresLedger(require(settings.database_url, "DATABASE_URL"))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def open_queries(settings: Settings) -> Iterator[Queries]:
    """SQL over stored events, with a folder to spill to."""
    with open_source(settings) as source, tempfile.TemporaryDirectory(prefix="logdrain-query-") as spill:
        engine = DuckdbEngine(settings.query_memory_max_bytes, settings.query_threads, temp_folder=spill)
        yield Queries(source, engine)


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker needs."""

    ledger: PostgresLedger
    runner: SliceRunner
    clock: Clock


@contextmanager
def open_worker_parts(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> Iterator[WorkerParts]:
    """The ledger, and what runs a slice."""
    clock = SystemClock()
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        yield WorkerParts(
            ledger, SliceRunner(queries, ledger, PostgresResultWriter(), clock, environment), clock
        )


def require(value: str, name: str) -> str:
    """A setting that this command cannot do without.

    Raises:
        NotRunning: it is empty.
    """
    if not value:
        raise NotRunning(f"{name} is not set", hint=f"set {name}, or start everything with `logdrain up`")
    return value
