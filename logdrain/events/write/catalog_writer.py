"""The catalog: which field paths and types each table has held. Written before the events that show them.

One document of `_catalog` is one (table, path, type); they are only ever inserted, so that any number
of drains can write at once. A reader may see a field a moment before its first event, never after.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice

from pymongo.errors import BulkWriteError

from logdrain.events.bson.table_catalog import FULL, catalog_document
from logdrain.events.driver import AsyncDatabase, Document
from logdrain.events.mongo_client import CATALOG, DURABLE, SETTLED, is_there_already
from logdrain.events.write.shapes import ObjectShape, new_fields
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.model.catalog import FieldType, SeenField

# Shapes differ without end where keys are data ({"user_17": …}); forgetting them costs a look, no more.
_SHAPES_MAX = 50_000
# So are the fields of many tables: they are read again.
_SEEN_MAX = 50_000
_INSERT_FIELDS_MAX = 500


class MongoCatalog:
    """Notes what is new about tables; cheap for what is known."""

    def __init__(self, database: AsyncDatabase, *, fields_max: int) -> None:
        self._collection = database.get_collection(CATALOG, read_concern=SETTLED, write_concern=DURABLE)
        self._fields_max = fields_max
        self._shapes: set[tuple[str, int]] = set()  # hashes: shapes of data keys are large
        self._seen: dict[str, set[SeenField]] = {}

    async def prepare(self) -> None:
        """Make the index that a table's part of the catalog is read by: every plan reads it.

        Raises:
            PyMongoError: MongoDB did not answer.
        """
        await self._collection.create_index("table")

    async def note(self, shapes: Mapping[str, Mapping[int, ObjectShape]], received_ms: int) -> None:
        """Make sure that all fields of records of these shapes (by table and hash) are in the catalog.

        Raises:
            PyMongoError: MongoDB did not take it; nothing is remembered, the next call tries again.
        """
        for table, by_hash in shapes.items():
            new = await run_in_thread_if_large(len(by_hash), partial(self._new_shapes, table, by_hash))
            if not new:
                continue
            await self._note_table(table, list(new.values()), received_ms)
            if len(self._shapes) + len(new) > _SHAPES_MAX:
                self._shapes.clear()
            self._shapes.update((table, known) for known in islice(new, _SHAPES_MAX))

    def _new_shapes(self, table: str, by_hash: Mapping[int, ObjectShape]) -> dict[int, ObjectShape]:
        return {known: shape for known, shape in by_hash.items() if (table, known) not in self._shapes}

    async def _note_table(self, table: str, shapes: Sequence[ObjectShape], received_ms: int) -> None:
        seen = self._seen.get(table)
        if seen is None:
            seen = await self._load(table)
        # Records with keys without end take a while: other deliveries go on meanwhile.
        fresh, is_full = await asyncio.to_thread(new_fields, shapes, seen, self._fields_max)
        if is_full:
            await self._insert([catalog_document(table, (), FULL, received_ms)])
        for start in range(0, len(fresh), _INSERT_FIELDS_MAX):
            part = fresh[start : start + _INSERT_FIELDS_MAX]
            await self._insert(
                [catalog_document(table, field.path, field.type.value, received_ms) for field in part]
            )
        if sum(map(len, self._seen.values())) > _SEEN_MAX:
            self._seen.clear()
        self._seen[table] = seen.union(fresh)

    async def _load(self, table: str) -> set[SeenField]:
        cursor = self._collection.find({"table": table, "type": {"$ne": FULL}})
        documents = await cursor.to_list(None)
        return {SeenField(tuple(found["path"]), FieldType(found["type"])) for found in documents}

    async def _insert(self, documents: list[Document]) -> None:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_there_already(error):  # from another drain, which is as good
                raise
