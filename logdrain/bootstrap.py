"""The only place that picks implementations: settings in, ready parts out."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logdrain import log, metrics
from logdrain.answer.kept.scans import KeptScans
from logdrain.answer.queries import Queries
from logdrain.config import Settings
from logdrain.drain.compiled import clean_frames
from logdrain.errors import NotRunning
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.read.late_notes import MongoLateNotes
from logdrain.events.read.scan import MongoScanSource
from logdrain.events.write.store import MongoEventStore
from logdrain.ingest.accept import Intake
from logdrain.ingest.replay import Replay
from logdrain.jobs.due import CronCalendar
from logdrain.keys.postgres_keys import PostgresKeys
from logdrain.ledger.parts import Ledger, connect
from logdrain.memory_budget import MemoryBudget
from logdrain.ports import EventStore, Keys, LateNotes
from logdrain.query.duckdb.address_files import open_addresses
from logdrain.query.duckdb.engine import DuckdbEngine
from logdrain.query.duckdb.spill_folder import open_spill_folder
from logdrain.results.files.file_writer import FolderResultWriter
from logdrain.results.postgres.table_writer import PostgresResultWriter
from logdrain.results.read.result_reader import PostgresResultReader
from logdrain.results.writers import ResultWriters
from logdrain.spool.folder_spool import FolderSpool

# An operation of the driver ends by itself a while after the delivery that waited for it has been answered.
_DRIVER_PATIENCE = 2.0
# Heroku kills 30 s after SIGTERM: requests in flight and the replay have had their share before.
_CLOSE_WITHIN_S = 5.0
_DATABASES_KEPT_MAX = 4  # an idle one has threads, but next to no memory


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """The present, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DrainParts:
    """What the web application needs.

    Attributes:
        replay: None where there is no spool.
        ledger: None where no DATABASE_URL is set: a drain alone needs no Postgres.
        stored_keys: Of Postgres; None as `ledger`.
    """

    settings: Settings
    store: EventStore
    intake: Intake
    replay: Replay | None
    ledger: Ledger | None
    stored_keys: Keys | None


class Drain:
    """Opens and closes what the web application needs; made inside its event loop."""

    def __init__(self, settings: Settings) -> None:
        uri = require(settings.mongodb_uri, "MONGODB_URI")
        self._client = open_async(
            uri, driver=settings.mongodb_driver, timeout_s=settings.store_timeout_s * _DRIVER_PATIENCE
        )
        self._store = store = MongoEventStore(self._client, database_name(uri), SystemClock(), settings)
        self._spool = spool = _open_spool(settings)
        frames = clean_frames(settings.core)
        memory = MemoryBudget(
            settings.parsed_size_max_bytes,
            "too many bodies are being parsed",
            metrics.PARSED_MEMORY_BYTES.set,
        )
        self._ledger = connect(settings.database_url, CronCalendar()) if settings.database_url else None
        self._keys = PostgresKeys(settings.database_url) if settings.database_url else None
        self.parts = DrainParts(
            settings=settings,
            store=store,
            intake=Intake(store, spool if settings.is_spooling else None, settings, memory, frames),
            replay=Replay(spool, store, settings.keys_per_record_max, frames) if spool else None,
            ledger=self._ledger,
            stored_keys=self._keys,
        )

    async def close(self) -> None:
        """Close connections and files; what does not let itself be closed in time is left to the system."""
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                if self._spool is not None:
                    await self._spool.close()
                await self._store.finish()
                await close_async(self._client)
        except TimeoutError:
            log.warning(
                "close_given_up", hint="MongoDB or the spool's disk hangs; what was answered 204 is safe"
            )
        if self._ledger is not None:
            self._ledger.close()
        if self._keys is not None:
            self._keys.close()


def _open_spool(settings: Settings) -> FolderSpool | None:
    """The spool; where spooling is forbidden, what an earlier process has left in it is still replayed."""
    folder = Path(settings.spool_folder)
    if not settings.is_spooling and not folder.exists():
        return None
    spool = FolderSpool(folder, size_max_bytes=settings.spool_size_max_bytes)
    metrics.SPOOL_ENTRIES.set_function(lambda: spool.waiting_count)
    metrics.SPOOL_BYTES.set_function(lambda: spool.size_bytes)
    return spool


@contextmanager
def open_source(settings: Settings) -> Iterator[MongoScanSource]:
    """Stored events, to read."""
    uri = require(settings.mongodb_uri, "MONGODB_URI")
    # Groups are sorted into a copy.
    with closing(MongoScanSource(uri, groups_max_bytes=settings.query_memory_max_bytes // 2)) as source:
        yield source


@contextmanager
def open_late_notes(settings: Settings) -> Iterator[MongoLateNotes]:
    """What the drains have noted about late events."""
    with closing(MongoLateNotes(require(settings.mongodb_uri, "MONGODB_URI"))) as notes:
        yield notes


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """What has run and what is to run."""
    with closing(connect(require(settings.database_url, "DATABASE_URL"), CronCalendar())) as ledger:
        yield ledger


@contextmanager
def open_keys(settings: Settings) -> Iterator[PostgresKeys]:
    """The keys that Postgres keeps."""
    with closing(PostgresKeys(require(settings.database_url, "DATABASE_URL"))) as keys:
        yield keys


@contextmanager
def open_queries(settings: Settings, notes: LateNotes | None = None) -> Iterator[Queries]:
    """SQL over stored events, with a folder to spill to.

    Args:
        settings: Of the process.
        notes: What tells of late events; with them, events are kept for the next slice.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings))
        spill = stack.enter_context(open_spill_folder())
        engine = DuckdbEngine(
            settings.query_memory_max_bytes,
            settings.query_threads,
            temp_folder=str(spill),
            spill_max_bytes=settings.query_spill_max_bytes,
            more_functions=open_addresses(settings.geoip_file) if settings.geoip_file else {},
            databases_kept_max=_DATABASES_KEPT_MAX,
        )
        stack.callback(engine.close_idle)
        yield Queries(
            source,
            engine,
            timeout_s=settings.query_timeout_s,
            has_addresses=bool(settings.geoip_file),
            results=stack.enter_context(_open_results(settings)),
            kept=KeptScans(source, notes, settings.kept_events_max_bytes) if notes else None,
        )


@contextmanager
def _open_results(settings: Settings) -> Iterator[PostgresResultReader | None]:
    """Named results, to read; nothing is asked of the ledger before a query names one."""
    if not settings.database_url:
        yield None
        return
    with open_ledger(settings) as ledger:
        yield PostgresResultReader(ledger.results.url, os.environ.get)


def result_writers(settings: Settings) -> ResultWriters:
    """What puts rows into results, tables and files."""
    return ResultWriters(PostgresResultWriter(), FolderResultWriter(settings.result_folder))


def require(value: str, name: str) -> str:
    """A setting that this command cannot do without.

    Raises:
        NotRunning: it is empty.
    """
    if not value:
        raise NotRunning(f"{name} is not set", hint=f"set {name}, or start everything with `logdrain up`")
    return value
