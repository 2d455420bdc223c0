"""What is there at the end of a round, read past the program under test."""

from datetime import UTC, datetime
from typing import Any

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion

from tests.chaos.checks import StoredEntry, StoredEvent
from tests.chaos.jobs import Payment
from tests.chaos.world import World

_OWN = {"_id", "_origin", "time"}
_RAW: "CodecOptions[dict[str, Any]]" = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


def read_store(world: World) -> tuple[list[StoredEvent], list[StoredEntry]]:
    """All events and all quarantine entries."""
    with pymongo.MongoClient[dict[str, Any]](world.mongods.uri) as client:
        database = client["logdrain"]
        names = [name for name in database.list_collection_names() if not name.startswith(("_", "system."))]
        events = [
            StoredEvent(
                name,
                int(document["time"]),
                {key: value for key, value in document.items() if key not in _OWN},
            )
            for name in names
            for document in database.get_collection(name, codec_options=_RAW).find()
        ]
        entries = [
            StoredEntry(entry["reason"], bytes(entry["raw"])) for entry in database["_quarantine"].find()
        ]
    return events, entries


def payments_of(events: list[StoredEvent]) -> list[Payment]:
    """The rows of shop.pay, for the recomputation."""
    return [
        Payment(
            datetime.fromtimestamp(event.time_ms // 1000, UTC),
            str(event.fields["item"]),
            int(event.fields["price"]),
            int(event.fields["serial"]),
        )
        for event in events
        if event.table == "shop.pay"
    ]
