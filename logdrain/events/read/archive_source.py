"""Events of whole hours, as they are stored, for the archive."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.read_preferences import ReadPreference

from logdrain.errors import StoreUnavailable
from logdrain.events.mongo_client import SETTLED, database_name, tables_among, translated
from logdrain.events.read.filters import time_filter
from logdrain.model.archive import ArchiveHours
from logdrain.model.events import Table
from logdrain.model.plans import TimeRange
from logdrain.types.event_documents import HOUR_MS

_TIMEOUT_MS = 10_000
_BATCH_ROWS_MAX = 2_000
_HOUR_S = HOUR_MS // 1000


class MongoArchiveSource:
    """Port ArchiveSource on MongoDB; safe to use from several threads."""

    def __init__(self, uri: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            uri,
            appname="logdrain",
            connect=False,
            serverSelectionTimeoutMS=_TIMEOUT_MS,
            connectTimeoutMS=_TIMEOUT_MS,
        )
        # A secondary may lack events that late notes speak of, and has a clock of its own.
        self._database = self._client.get_database(
            database_name(uri), read_preference=ReadPreference.PRIMARY, read_concern=SETTLED
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def tables(self) -> list[Table]:
        """All tables. See the port."""
        with translated():
            return tables_among(self._database.list_collection_names())

    def store_time(self) -> datetime:
        """MongoDB's clock. See the port."""
        with translated():
            local_time = self._client.admin.command("hello").get("localTime")
        if not isinstance(local_time, datetime):
            raise StoreUnavailable("MongoDB did not tell its time")
        return local_time.replace(tzinfo=UTC)

    def hours(self, table: Table, gap: ArchiveHours, events_max: int) -> Iterator[tuple[int, int]]:
        """The hours that have events, newest first: each found from the one after it. See the port."""
        collection = self._collection(table)
        end_s = gap.ends_s
        while end_s > gap.begins_s:
            with translated():
                found = collection.find_one(
                    _within(ArchiveHours(gap.begins_s, end_s)), {"_id": 1}, sort=[("_id", -1)]
                )
                if found is None:
                    return
                begins_s = int.from_bytes(bytes(found["_id"])[:6], "big") // HOUR_MS * _HOUR_S
                within = _within(ArchiveHours(begins_s, min(begins_s + _HOUR_S, end_s)))
                count = collection.count_documents(within, limit=events_max)
            yield begins_s, count
            end_s = begins_s

    def documents(self, table: Table, hours: ArchiveHours) -> Iterator[bytes]:
        """Events as BSON, in order of `_id`. See the port."""
        with (
            translated(),
            self._collection(table).find_raw_batches(
                _within(hours), sort=[("_id", 1)], batch_size=_BATCH_ROWS_MAX
            ) as replies,
        ):
            for reply in cast("Iterable[bytes]", replies):  # PyMongo says that they are documents
                at = 0
                while at < len(reply):
                    size = int.from_bytes(reply[at : at + 4], "little")
                    yield reply[at : at + size]
                    at += size

    def count(self, table: Table, hours: ArchiveHours) -> int:
        """How many events there are. See the port."""
        with translated():
            return int(self._collection(table).count_documents(_within(hours)))

    def _collection(self, table: Table) -> Collection[dict[str, Any]]:
        return self._database[table.name]


def _within(hours: ArchiveHours) -> dict[str, Any]:
    return time_filter(TimeRange(*hours))
