"""The catalog: which field paths and types each table has held. Written before the events that show them.

One document of `_catalog` is one (table, path, type); they are only ever inserted, so that any number
of drains can write at once. A reader may see a field a moment before its first event, never after.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from pymongo.errors import BulkWriteError

from logdrain.events.documents import binary_id
from logdrain.events.mongo_client import DURABLE, AsyncClient
from logdrain.events.shapes import ObjectShape, fields_of, shape_of
from logdrain.model.catalog import FieldPath, FieldType, SeenField
from logdrain.model.events import Event

CATALOG = "_catalog"
FULL = "full"
_DUPLICATE_KEY = 11000
# Shapes differ without end where keys are data ({"user_17": …}); forgetting them costs a look, no more.
_SHAPES_MAX = 50_000
# A key longer than this is data, not a name.
_KEY_LENGTH_MAX = 1000


class MongoCatalog:
    """Notes what is new about tables; cheap for what is known."""

    def __init__(self, client: AsyncClient, database: str, *, fields_max: int) -> None:
        self._collection: Any = client[database].get_collection(CATALOG, write_concern=DURABLE)
        self._fields_max = fields_max
        self._shapes: set[tuple[str, int]] = set()  # hashes: shapes of data keys are large
        self._seen: dict[str, set[SeenField]] = {}

    async def note(self, events: Sequence[Event], received_ms: int) -> None:
        """Make sure that all fields of these events are in the catalog.

        Raises:
            PyMongoError: MongoDB did not take it; nothing is remembered, the next call tries again.
        """
        new: dict[str, dict[int, ObjectShape]] = defaultdict(dict)
        for event in events:
            shape = shape_of(event.record)
            known = hash(shape)
            if (event.table.name, known) not in self._shapes:
                new[event.table.name][known] = shape
        for table, shapes in new.items():
            await self._note_table(table, shapes.values(), received_ms)
            if len(self._shapes) + len(shapes) > _SHAPES_MAX:
                self._shapes.clear()
            self._shapes |= {(table, known) for known in shapes}

    async def _note_table(self, table: str, shapes: Iterable[ObjectShape], received_ms: int) -> None:
        seen = self._seen.get(table)
        if seen is None:
            seen = await self._load(table)
        paths = {field.path for field in seen}
        fresh: list[SeenField] = []
        is_full = False
        for field in sorted({field for shape in shapes for field in fields_of(shape)} - seen):
            if field.path not in paths:
                if len(paths) >= self._fields_max or _is_data(field.path):
                    is_full = True
                    continue
                paths.add(field.path)
            fresh.append(field)
        documents = [_document(table, field.path, field.type.value, received_ms) for field in fresh]
        if is_full:
            documents.append(_document(table, (), FULL, received_ms))
        if documents:
            await self._insert(documents)
        self._seen[table] = seen | set(fresh)

    async def _load(self, table: str) -> set[SeenField]:
        cursor = self._collection.find({"table": table, "type": {"$ne": FULL}})
        documents = await cursor.to_list(None)
        return {SeenField(tuple(found["path"]), FieldType(found["type"])) for found in documents}

    async def _insert(self, documents: list[dict[str, Any]]) -> None:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(found["code"] != _DUPLICATE_KEY for found in error.details["writeErrors"]):
                raise


def _is_data(path: FieldPath) -> bool:
    return any(len(key) > _KEY_LENGTH_MAX for key in path)


def _document(table: str, path: FieldPath, kind: str, received_ms: int) -> dict[str, Any]:
    return {
        "_id": _catalog_id(table, path, kind),
        "table": table,
        "path": list(path),
        "type": kind,
        "since": DatetimeMS(received_ms),
    }


def _catalog_id(table: str, path: FieldPath, kind: str) -> Binary:
    name = msgspec.json.encode([table, path, kind])
    return binary_id(hashlib.blake2b(name, digest_size=16).digest())
