"""Opens what the web application needs."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logdrain import log, metrics
from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.drain.compiled import clean_frames
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.write.store import MongoEventStore
from logdrain.ingest.accept import Intake
from logdrain.ingest.replay import Replay
from logdrain.jobs.due import CronCalendar
from logdrain.keys.postgres_keys import PostgresKeys
from logdrain.ledger.parts import Ledger, connect
from logdrain.memory_budget import MemoryBudget
from logdrain.ports.events import EventStore
from logdrain.ports.keys import Keys
from logdrain.spool.folder_spool import FolderSpool

# An operation of the driver ends by itself a while after the delivery that waited for it has been answered.
_DRIVER_PATIENCE = 2.0
# Heroku kills 30 s after SIGTERM: requests in flight and the replay have had their share before.
_CLOSE_WITHIN_S = 5.0


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
