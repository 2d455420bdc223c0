"""Reads what the drains have noted about late events."""

from datetime import datetime
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference

from logdrain.errors import StoreUnavailable
from logdrain.events.mongo_client import LATE, database_name, unavailable
from logdrain.model.events import Table
from logdrain.model.late import LateNote

_TIMEOUT_MS = 10_000


class MongoLateNotes:
    """Port LateNotes on MongoDB."""

    def __init__(self, uri: str) -> None:
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            uri, appname="logdrain", serverSelectionTimeoutMS=_TIMEOUT_MS, timeoutMS=_TIMEOUT_MS
        )
        codec: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
        # A secondary may not have the newest notes, and has a clock of its own.
        self._database = self._client.get_database(
            database_name(uri), codec_options=codec, read_preference=ReadPreference.PRIMARY
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def notes(self, since: datetime) -> list[LateNote]:
        """Notes from this time on. See the port."""
        try:
            found = list(self._database[LATE].find({"noted_at": {"$gte": since}}).sort("noted_at", 1))
        except PyMongoError as error:
            raise unavailable(error) from error
        return [
            LateNote(
                Table(*document["_id"]["table"].split(".")),
                int(document["_id"]["hour"].timestamp()),
                document["noted_at"],
            )
            for document in found
        ]

    def store_time(self) -> datetime:
        """MongoDB's clock. See the port."""
        try:
            reply: dict[str, Any] = self._database.command(
                "hello", codec_options=self._database.codec_options
            )
        except PyMongoError as error:
            raise unavailable(error) from error
        local_time = reply.get("localTime")
        if not isinstance(local_time, datetime):
            raise StoreUnavailable("MongoDB did not tell its time")
        return local_time
