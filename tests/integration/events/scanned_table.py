"""A table of stored events, written as the drain stores them, to be read by scans."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import pymongo
from bson.binary import UUID_SUBTYPE, Binary
from bson.datetime_ms import DatetimeMS
from pymongo.uri_parser import parse_uri

from logdrain.events.read.scan import MongoScanSource
from logdrain.model.catalog import ColumnType, FieldPath
from logdrain.model.events import Table
from logdrain.model.plans import Predicate, Scan, ScanColumn, TimeRange
from logdrain.ports.streams import ScanStream

TABLE = Table("production", "pay")
ALWAYS = TimeRange(None, None)


def column(of: ColumnType, *path: str, name: str = "") -> ScanColumn:
    return ScanColumn(name or "/".join(path), path, of)


def scan_of(
    *columns: ScanColumn, time_range: TimeRange = ALWAYS, predicates: Iterable[Predicate] = ()
) -> Scan:
    return Scan("pay", TABLE, columns, time_range, tuple(predicates))


def rows(stream: ScanStream) -> list[dict[str, Any]]:
    return [row for batch in stream for row in batch.to_pylist()]


def nested(path: FieldPath, value: Any) -> dict[str, Any]:
    """A record with a value at a path."""
    for key in reversed(path):
        value = {key: value}
    return dict(value)


class ScannedTable:
    """`production.pay` in a database of its own, and the source that reads it."""

    def __init__(self, uri: str) -> None:
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(uri)
        self.database = self.client[parse_uri(uri)["database"]]
        self.source = MongoScanSource(uri)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.close()
        self.client.close()

    def clear(self) -> None:
        self.database.drop_collection(TABLE.name)
        self.database.create_collection(TABLE.name, clusteredIndex={"key": {"_id": 1}, "unique": True})

    def add(self, *records: Mapping[str, Any], time_ms: int = 1_700_000_000_000) -> None:
        """Store records at one time; ids grow, so that scans yield them in this order."""
        self.database[TABLE.name].insert_many([self._document(record, time_ms) for record in records])

    def read(self, *columns: ScanColumn, **narrowed: Any) -> list[dict[str, Any]]:
        return rows(self.source.scan(scan_of(*columns, **narrowed)))

    def open_cursors(self) -> int:
        """Cursors on the table that wait for their next request."""
        idle: list[dict[str, Any]] = [
            {"$currentOp": {"idleCursors": True}},
            {"$match": {"type": "idleCursor", "ns": f"{self.database.name}.{TABLE.name}"}},
        ]
        return len(list(self.client.admin.aggregate(idle)))

    def _document(self, record: Mapping[str, Any], time_ms: int) -> dict[str, Any]:
        self._count += 1
        event_id = time_ms.to_bytes(6, "big") + self._count.to_bytes(10, "big")
        return {"_id": Binary(event_id, UUID_SUBTYPE), "time": DatetimeMS(time_ms), **record}
