"""Events in MongoDB, a ledger, a place, and what builds from the one into the other."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
from bson.binary import UUID_SUBTYPE, Binary
from bson.datetime_ms import DatetimeMS
from pymongo.uri_parser import parse_uri

from logdrain.archive.builder import ArchiveBuilder
from logdrain.archive.folder_place import FolderPlace
from logdrain.events.read.archive_source import MongoArchiveSource
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from logdrain.model.archive import ArchiveFile, ArchiveHours
from logdrain.model.events import Table
from logdrain.types.event_documents import document_id
from tests.integration.archive.stored_octets import OctetFormat

PAY = Table("production", "pay")
HOUR_S = 3600
# A whole month ago and more: all its hours have ended, whatever the clock says.
MONTH = datetime(2026, 3, 1, tzinfo=UTC)
MONTH_S = int(MONTH.timestamp())


class ArchiveWorld:
    """What a test does to it."""

    def __init__(self, mongodb_uri: str, ledger: Ledger, folder: Path) -> None:
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_uri)
        self.events = self.client[parse_uri(mongodb_uri)["database"]]
        self.source = MongoArchiveSource(mongodb_uri)
        self.ledger = ledger
        self.manifest = ledger.manifest
        self.place = FolderPlace(folder, ledger.slices.identity())
        self.place_id = self.place.open().id
        self.manifest.see_place(self.place_id, "machine", str(folder))
        self.format = OctetFormat()
        self._count = 0

    def builder(self, **changed: Any) -> ArchiveBuilder:
        parts: dict[str, Any] = {
            "source": self.source,
            "place": self.place,
            "manifest": self.manifest,
            "file_format": self.format,
        }
        return ArchiveBuilder(place_id=self.place_id, **parts | changed)

    def add(self, time: datetime, count: int = 1, table: Table = PAY) -> None:
        time_ms = int(time.timestamp() * 1000)
        documents = []
        for _ in range(count):
            self._count += 1
            event_id = Binary(time_ms.to_bytes(6, "big") + self._count.to_bytes(10, "big"), UUID_SUBTYPE)
            documents.append({"_id": event_id, "time": DatetimeMS(time_ms), "price": self._count})
        if table.name not in self.events.list_collection_names():
            self.events.create_collection(table.name, clusteredIndex={"key": {"_id": 1}, "unique": True})
        self.events[table.name].insert_many(documents)

    def files(self, table: Table = PAY) -> list[ArchiveFile]:
        return self.manifest.files(self.place_id, table)

    def archived(self, table: Table = PAY) -> list[bytes]:
        """The ids in all files."""
        return [
            document_id(document)
            for file in self.files(table)
            for document in self.format.read(self.place.path(file.name))
        ]

    def stored(self, table: Table = PAY) -> list[bytes]:
        return [bytes(found["_id"]) for found in self.events[table.name].find({}, {"_id": 1}).sort("_id", 1)]


def hour(number: int) -> ArchiveHours:
    return ArchiveHours(MONTH_S + number * HOUR_S, MONTH_S + (number + 1) * HOUR_S)


def at(hours: float) -> datetime:
    return MONTH + timedelta(hours=hours)


@contextmanager
def opened_archive(mongodb_uri: str, ledger_url: str, folder: Path) -> Iterator[ArchiveWorld]:
    with closing(connect(ledger_url, CronCalendar())) as ledger:
        world = ArchiveWorld(mongodb_uri, ledger, folder)
        with closing(world.source), world.client:
            yield world
