"""What operators look at: tables, the newest events, the quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.int64 import Int64
from pymongo.errors import PyMongoError

from logdrain.errors import StoreUnavailable
from logdrain.events.bson.documents import binary_id, own_objects
from logdrain.events.mongo_client import NEAR_MISSES, QUARANTINE, database_name, tables_among, unavailable
from logdrain.model.catalog import FieldPath
from logdrain.model.events import DropReason, NearMiss, NearMissReason, Origin, Quarantined, Table
from logdrain.types.event_documents import read_origin

_TIMEOUT_MS = 10_000
_COUNT_WITHIN_S = 1.0


class TableFacts(NamedTuple):
    """A table in figures; times are those of its oldest and newest event."""

    table: Table
    events: int
    size_bytes: int
    first_time: datetime | None
    last_time: datetime | None


class StoredEvent(NamedTuple):
    """An event as it is stored."""

    id: bytes
    table: Table
    time_ms: int
    origin: Origin
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A quarantine entry, or a line that is nearly a tagged line, and when it came in."""

    item: Quarantined | NearMiss
    received_at: datetime


class MongoLook:
    """Read-only looks at the store; every method may raise StoreUnavailable."""

    def __init__(self, uri: str) -> None:
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            uri, appname="logdrain", serverSelectionTimeoutMS=_TIMEOUT_MS, timeoutMS=_TIMEOUT_MS
        )
        codec: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
        self._database = self._client.get_database(database_name(uri), codec_options=codec)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def tables(self) -> list[Table]:
        """All tables, in order of name."""
        try:
            return tables_among(self._database.list_collection_names())
        except PyMongoError as error:
            raise unavailable(error) from error

    def facts(self, table: Table) -> TableFacts:
        """A table in figures.

        The count is exact where that is quick; above, MongoDB's own, which an unclean stop puts off.
        """
        collection = self._database[table.name]
        try:
            stats = self._database.command("collStats", table.name)
            first, last = (collection.find_one(sort=[("_id", order)]) for order in (1, -1))
            events = self._count(table, int(stats["count"]))
        except PyMongoError as error:
            raise unavailable(error) from error
        return TableFacts(table, events, int(stats["storageSize"]), _time_of(first), _time_of(last))

    def _count(self, table: Table, estimate: int) -> int:
        try:
            with pymongo.timeout(_COUNT_WITHIN_S):
                return int(self._database[table.name].count_documents({}))
        except PyMongoError as error:
            if not error.timeout:
                raise
            return estimate

    def newest(self, tables: Sequence[Table], count: int, after: bytes | None = None) -> list[StoredEvent]:
        """The newest events of these tables by event time, oldest first.

        Args:
            tables: Where to look.
            count: At most so many.
            after: Only events whose id is higher.
        """
        found: list[StoredEvent] = []
        for table in tables:
            query = {} if after is None else {"_id": {"$gt": binary_id(after)}}
            try:
                documents = list(self._database[table.name].find(query).sort("_id", -1).limit(count))
            except (PyMongoError, BSONError) as error:
                raise _unreadable(error) from error
            found += [_event(table, document) for document in documents]
        return sorted(found)[-count:] if count else []

    def event(self, table: Table, event_id: bytes) -> StoredEvent | None:
        """The event of an id; None where it is not there any more."""
        try:
            document = self._database[table.name].find_one({"_id": binary_id(event_id)})
        except (PyMongoError, BSONError) as error:
            raise _unreadable(error) from error
        return _event(table, document) if document else None

    def type_shares(
        self, table: Table, fields: Sequence[tuple[FieldPath, Sequence[str]]], events_max: int
    ) -> list[float]:
        """Which part of the newest events has each of these fields with its type.

        Args:
            table: Where to look.
            fields: Each a path that MongoDB takes for what it is, and the names of its type in `$type`.
            events_max: So many events are looked at.
        """
        counts = {
            f"n{number}": {"$sum": {"$cond": [{"$in": [{"$type": f"${'.'.join(path)}"}, aliases]}, 1, 0]}}
            for number, (path, aliases) in enumerate(fields)
        }
        group = {"$group": {"_id": None, "events": {"$sum": 1}, **counts}}
        stages: list[dict[str, Any]] = [{"$sort": {"_id": -1}}, {"$limit": events_max}, group]
        try:
            found = next(iter(self._database[table.name].aggregate(stages)), {"events": 0})
        except PyMongoError as error:
            raise unavailable(error) from error
        return [
            found[f"n{number}"] / found["events"] if found["events"] else 0.0 for number in range(len(fields))
        ]

    def quarantine(self, count: int, reason: DropReason | None = None) -> list[QuarantineEntry]:
        """The newest entries, oldest first; the octets of an entry in parts are those of its first part."""
        query: dict[str, Any] = {"part": 0}
        if reason is not None:
            query["reason"] = reason.value
        try:
            documents = list(self._database[QUARANTINE].find(query).sort("received_at", -1).limit(count))
        except (PyMongoError, BSONError) as error:
            raise _unreadable(error) from error
        return [
            _entry(Quarantined(reason=DropReason(document["reason"]), **_fields(document)), document)
            for document in reversed(documents)
        ]

    def near_misses(self, count: int) -> list[QuarantineEntry]:
        """The newest lines that are nearly tagged lines, oldest first."""
        try:
            documents = list(self._database[NEAR_MISSES].find().sort("$natural", -1).limit(count))
        except (PyMongoError, BSONError) as error:
            raise _unreadable(error) from error
        return [
            _entry(NearMiss(reason=NearMissReason(document["reason"]), **_fields(document)), document)
            for document in reversed(documents)
        ]

    def quarantine_counts(self) -> dict[DropReason, int]:
        """Entries by reason."""
        stages: list[dict[str, Any]] = [
            {"$match": {"part": 0}},
            {"$group": {"_id": "$reason", "count": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
        try:
            return {
                DropReason(found["_id"]): int(found["count"])
                for found in self._database[QUARANTINE].aggregate(stages)
            }
        except PyMongoError as error:
            raise unavailable(error) from error


def _event(table: Table, document: dict[str, Any]) -> StoredEvent:
    event_id = bytes(document.pop("_id"))
    origin = document.pop("_origin")
    time_ms = int(document.pop("time"))
    return StoredEvent(event_id, table, time_ms, read_origin(origin), _plain(own_objects(document)))


def _plain(value: Any) -> Any:
    """A value without BSON's own number types."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Int64):
        return int(value)
    return value.to_decimal() if isinstance(value, Decimal128) else value


def _entry(item: Quarantined | NearMiss, document: dict[str, Any]) -> QuarantineEntry:
    return QuarantineEntry(item, _date(int(document["received_at"])))


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    """What quarantine entries and near misses have both."""
    time = document["time"]
    return {
        "id": bytes(document["_id"]),
        "detail": document["detail"],
        "time_ms": None if time is None else int(time),
        "origin": read_origin(document["_origin"]),
        "raw": bytes(document["raw"]),
    }


def _time_of(document: dict[str, Any] | None) -> datetime | None:
    return None if document is None else _date(int(document["time"]))


def _date(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _unreadable(error: Exception) -> StoreUnavailable:
    if isinstance(error, PyMongoError):
        return unavailable(error)
    return StoreUnavailable(f"a document cannot be read: {error}")
