"""Opens what the web application needs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logdrain import metrics
from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.write.store import MongoEventStore, StoreLimits
from logdrain.ingest.accept import Intake, Timeouts
from logdrain.ingest.replay import Replay
from logdrain.jobs.due import CronCalendar
from logdrain.keys.postgres_keys import PostgresKeys
from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.memory_budget import MemoryBudget
from logdrain.model.keys import Key
from logdrain.ports.events import EventStore
from logdrain.ports.keys import Keys
from logdrain.ports.ledger import Ledger
from logdrain.spool.folder_spool import FolderSpool

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
        replay: None where there is no spool.
        ledger: None where no DATABASE_URL is set: a drain alone needs no Postgres.
        keys: Of LOGDRAIN_KEYS.
        stored_keys: Of Postgres; None as `ledger`.
    """

    store: EventStore
    intake: Intake
    replay: Replay | None
    ledger: Ledger | None
    keys: tuple[Key, ...]
    stored_keys: Keys | None
    keys_refresh_s: float
    proxy_count: int
    body_size_max_bytes: int
    bodies_size_max_bytes: int
    is_metrics_open: bool
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
            keys_per_record_max=settings.keys_per_record_max,
            quarantine_keep_days=settings.quarantine_keep_days,
        )
        store = MongoEventStore(self._client, database_name(uri), SystemClock(), limits)
        self._spool = _open_spool(settings)
        memory = MemoryBudget(
            settings.parsed_size_max_bytes,
            "too many bodies are being parsed",
            metrics.PARSED_MEMORY_BYTES.set,
        )
        timeouts = Timeouts(store_s=settings.spool_after_s, answer_s=settings.store_timeout_s)
        self._ledger = (
            PostgresLedger(settings.database_url, CronCalendar()) if settings.database_url else None
        )
        self._keys = PostgresKeys(settings.database_url) if settings.database_url else None
        self.parts = DrainParts(
            store=store,
            intake=Intake(store, self._spool if settings.is_spooling else None, timeouts, memory),
            replay=Replay(self._spool, store) if self._spool else None,
            ledger=self._ledger,
            keys=settings.keys,
            stored_keys=self._keys,
            keys_refresh_s=settings.keys_refresh_s,
            proxy_count=settings.proxy_count,
            body_size_max_bytes=settings.body_size_max_bytes,
            bodies_size_max_bytes=settings.bodies_size_max_bytes,
            is_metrics_open=settings.is_metrics_open,
            split_wait_s=settings.split_wait_s,
        )

    async def close(self) -> None:
        """Close connections and files."""
        if self._spool is not None:
            await self._spool.close()
        await close_async(self._client)
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
