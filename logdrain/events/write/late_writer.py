"""Notes which hours got events after they had ended: the worker runs the slices that read them again.

One document of `_late` is one (table, hour); MongoDB's own clock dates it.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from logdrain.events.driver import AsyncDatabase
from logdrain.events.mongo_client import DURABLE, LATE, is_there_already
from logdrain.model.late import LATE_SETTLES_S
from logdrain.types.event_documents import HOUR_MS

_ASKED_EVERY_S = 10.0
_KEPT_S = 40 * 86_400
# Before the insert: a note so young need not be repeated.
_REPEATED_AFTER = timedelta(seconds=5)
# After it: the events were stored within LATE_SETTLES_S of a note of this age, however long that took.
_SETTLED_WITHIN = timedelta(seconds=LATE_SETTLES_S - 10)
_REMEMBERED_MAX = 50_000
# A backfill of 18 months has 13,000 hours; in between, other deliveries go on.
_AT_ONCE = 2_000

TableHour = tuple[str, int]
"""A table's name and an hour of event time, in hours since 1970."""


class MongoLateWriter:
    """Writes late notes, and remembers for a moment which it wrote.

    Args:
        database: Where the notes are.
        now: What the time is, by MongoDB's clock.
    """

    def __init__(self, database: AsyncDatabase, now: Callable[[], Awaitable[datetime]]) -> None:
        self._collection = database.get_collection(LATE, write_concern=DURABLE)
        self._now = now
        self._noted: dict[TableHour, datetime] = {}

    async def prepare(self) -> None:
        """Make the index; notes are forgotten when no job looks back so far."""
        await self._collection.create_index("noted_at", expireAfterSeconds=_KEPT_S)

    async def note_before(self, hours: Iterable[TableHour]) -> None:
        """Note those of these hours that have ended, before events of theirs are inserted."""
        await self._note(hours, _REPEATED_AFTER)

    async def note_after(self, hours: Iterable[TableHour]) -> None:
        """Note once more what the insert outlasted: the end of an hour, or the note before it.

        Nothing to do, usually. Comes before the answer: without it, the sender repeats, and that notes again.
        """
        await self._note(hours, _SETTLED_WITHIN)

    async def note_table(self, table: str) -> None:
        """Note a table that is about to be made, though its events may be in time: slices may wait for it."""
        now = await self._now()
        await self._write([(table, int(now.timestamp() * 1000) // HOUR_MS)])

    async def _note(self, hours: Iterable[TableHour], fresh_for: timedelta) -> None:
        now = await self._now()
        this_hour = int(now.timestamp() * 1000) // HOUR_MS
        late = [item for item in hours if item[1] < this_hour and not self._is_noted(item, now, fresh_for)]
        if not late:
            return
        for start in range(0, len(late), _AT_ONCE):
            await self._write(late[start : start + _AT_ONCE])
        if len(self._noted) + len(late) > _REMEMBERED_MAX:
            self._noted.clear()
        self._noted |= dict.fromkeys(late, now)

    async def _write(self, late: list[TableHour]) -> None:
        try:
            await self._collection.bulk_write(list(map(_upsert, late)), ordered=False)
        except BulkWriteError as error:
            # Two upserts of one note at once: the other one was inserted just now, which is as good.
            if not is_there_already(error):
                raise OperationFailure("late notes were not written", details=error.details) from error

    def _is_noted(self, item: TableHour, now: datetime, fresh_for: timedelta) -> bool:
        noted = self._noted.get(item)
        return noted is not None and timedelta(0) <= now - noted < fresh_for


class MongoClock:
    """MongoDB's clock: whether an hour has ended must not depend on the drain's own.

    Asks now and then, and adds what has passed since: steps of this machine's clock do nothing.

    Args:
        database: Any one of the server's.
        elapsed_s: Seconds that never go back.
    """

    def __init__(self, database: AsyncDatabase, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._elapsed_s = elapsed_s
        self._asked_s = 0.0
        self._answer: datetime | None = None

    async def now(self) -> datetime:
        """The present by MongoDB's clock, UTC.

        Raises:
            PyMongoError: It did not answer.
        """
        passed_s = self._elapsed_s() - self._asked_s
        if self._answer is not None and passed_s < _ASKED_EVERY_S:
            return self._answer + timedelta(seconds=passed_s)
        reply = await self._database.command("hello")
        self._answer, self._asked_s = reply["localTime"].replace(tzinfo=UTC), self._elapsed_s()
        return self._answer


def _upsert(item: TableHour) -> UpdateOne:
    table, hour = item
    at = datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC)
    return UpdateOne({"_id": {"table": table, "hour": at}}, {"$currentDate": {"noted_at": True}}, upsert=True)
