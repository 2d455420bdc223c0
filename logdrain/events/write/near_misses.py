"""The latest lines that are nearly tagged lines: kept for people, in a collection of fixed size.

They are not promised to anybody: what has come within the last second is lost with the process.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure

from logdrain import log
from logdrain.events.bson.documents import near_miss_document
from logdrain.events.driver import AsyncDatabase
from logdrain.events.mongo_client import DRIVER_ERRORS, NEAR_MISSES
from logdrain.model.events import NEAR_MISSES_KEPT, NearMiss
from logdrain.ports.clock import Clock

_WRITE_EVERY_S = 1.0
_SIZE_MAX_BYTES = 16 * 1024 * 1024
_NAMESPACE_EXISTS = 48


class NearMissWriter:
    """Writes what has come, once a second at most; there is no task while nothing comes."""

    def __init__(self, database: AsyncDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[NearMiss] = deque(maxlen=NEAR_MISSES_KEPT)
        self._task: asyncio.Task[None] | None = None
        self._is_prepared = False

    def note(self, near_misses: Sequence[NearMiss]) -> None:
        """Have these written soon; of many, the latest."""
        self._waiting.extend(near_misses)
        if self._waiting and self._task is None:
            self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Write what waits, at the end."""
        if self._task is not None:
            self._task.cancel()
        await self._write()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._write()
                await asyncio.sleep(_WRITE_EVERY_S)
        finally:
            self._task = None

    async def _write(self) -> None:
        taken = list(self._waiting)
        self._waiting.clear()
        if not taken:
            return
        try:
            await self._insert(taken)
        except DRIVER_ERRORS as error:
            log.warning("near_misses_not_kept", message=str(error), lines=len(taken))

    async def _insert(self, near_misses: Sequence[NearMiss]) -> None:
        if not self._is_prepared:
            await self._prepare()
        received_ms = int(self._clock.now().timestamp() * 1000)
        documents = [near_miss_document(item, received_ms) for item in near_misses]
        with suppress(BulkWriteError):  # a delivery that came again: they are there
            await self._database[NEAR_MISSES].insert_many(documents, ordered=False)

    async def _prepare(self) -> None:
        try:
            await self._database.create_collection(
                NEAR_MISSES, capped=True, size=_SIZE_MAX_BYTES, max=NEAR_MISSES_KEPT
            )
        except CollectionInvalid:
            pass  # it is there
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
        self._is_prepared = True
