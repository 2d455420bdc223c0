"""The catalog: which field paths and types each table has held. Written before the events that show them.

One document of `_catalog` is one (table, path, type); they are only ever inserted, so that any number
of drains can write at once. A reader may see a field a moment before its first event, never after.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice

from pymongo.errors import BulkWriteError

from logdrain.events.bson.table_catalog import FULL, MARKS, TIME_WITHOUT_ZONE, catalog_document
from logdrain.events.driver import AsyncDatabase, Document
from logdrain.events.mongo_client import CATALOG, DURABLE, SETTLED, is_there_already
from logdrain.events.write.shapes import new_fields
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.model.catalog import FieldType, SeenField
from logdrain.model.events import Record, TableDocuments

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
        self._times_without_zone: set[str] = set()

    async def prepare(self) -> None:
        """Make the index that a table's part of the catalog is read by: every plan reads it.

        Raises:
            PyMongoError: MongoDB did not answer.
        """
        await self._collection.create_index("table")

    async def note(self, tables: Mapping[str, TableDocuments], received_ms: int) -> None:
        """Make sure that all fields of these documents are in the catalog.

        Raises:
            PyMongoError: MongoDB did not take it; nothing is remembered, the next call tries again.
        """
        for table, documents in tables.items():
            shapes = documents.shapes
            new = await run_in_thread_if_large(len(shapes), partial(self._new_shapes, table, shapes))
            if not new:
                continue
            await self._note_table(table, list(new.values()), received_ms)
            if len(self._shapes) + len(new) > _SHAPES_MAX:
                self._shapes.clear()
            self._shapes.update((table, known) for known in islice(new, _SHAPES_MAX))

    async def note_times_without_zone(self, tables: Iterable[str], received_ms: int) -> None:
        """Make sure that the catalog says of these tables that a `time` had no zone.

        Raises:
            PyMongoError: MongoDB did not take it; the next call tries again.
        """
        for table in [table for table in tables if table not in self._times_without_zone]:
            await self._insert([catalog_document(table, (), TIME_WITHOUT_ZONE, received_ms)])
            self._times_without_zone.add(table)

    def _new_shapes(self, table: str, shapes: Mapping[int, Record]) -> dict[int, Record]:
        return {shape: record for shape, record in shapes.items() if (table, shape) not in self._shapes}

    async def _note_table(self, table: str, records: Sequence[Record], received_ms: int) -> None:
        seen = self._seen.get(table)
        if seen is None:
            seen = await self._load(table)
        # Records with keys without end take a while: other deliveries go on meanwhile.
        fresh, is_full = await asyncio.to_thread(new_fields, records, seen, self._fields_max)
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
        cursor = self._collection.find({"table": table, "type": {"$nin": MARKS}})
        documents = await cursor.to_list(None)
        return {SeenField(tuple(found["path"]), FieldType(found["type"])) for found in documents}

    async def _insert(self, documents: list[Document]) -> None:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_there_already(error):  # from another drain, which is as good
                raise
