"""The catalog: which types each field of each table has held, and when.

It is written before the events that show it: a reader may see a field a moment before its first event, never
after. One document of `_catalog` is one (table, path, type) with its first and last hour of event time. They
are only ever inserted and widened, so that any number of drains can write at once.

An hour that begins widens what comes in it with one write a table: the fields at hand, and those that this
process has seen in both hours before, which are likely to come, too.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bson.binary import Binary
from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from logdrain.events.bson.documents import binary_id
from logdrain.events.bson.table_catalog import (
    FULL,
    MARKS,
    TIME_WITHOUT_ZONE,
    catalog_document,
    catalog_id,
    read_hours,
)
from logdrain.events.driver import AsyncDatabase, Document
from logdrain.events.mongo_client import CATALOG, DURABLE, SETTLED, is_there_already
from logdrain.events.write.shapes import seen_fields
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.model.catalog import FieldType, SeenField, TypeHours
from logdrain.model.events import TableDocuments

# Shapes differ without end where keys are data ({"user_17": …}); forgetting them costs a look, no more.
_SHAPES_MAX = 50_000
# So are the fields of many tables: they are read again.
_SEEN_MAX = 50_000
_INSERTS_AT_ONCE = 500


@dataclass(slots=True)
class _Known:
    """What this process knows of a table.

    Attributes:
        hours: Of each field what the catalog says; None: it has no hours, so any hour counts.
        met: The fields that events of an hour really had, of the latest three hours.
    """

    hours: dict[SeenField, TypeHours | None]
    met: dict[int, set[SeenField]] = field(default_factory=dict)

    def outside(self, seen: Mapping[SeenField, TypeHours]) -> dict[SeenField, TypeHours]:
        """What the catalog does not say yet, and what is better said with it: see the module."""
        wider = {}
        for of, hours in seen.items():
            known = self.hours.get(of, hours)
            if of not in self.hours or (known is not None and known.union(hours) != known):
                wider[of] = hours
        if not wider:
            return wider
        latest = max(hours.last for hours in seen.values())
        for of in self.met.get(latest - 1, set()) & self.met.get(latest - 2, set()):
            known = self.hours.get(of)
            if of not in wider and known is not None and known.last < latest:
                wider[of] = TypeHours(latest, latest)
        return wider

    def note(self, seen: Mapping[SeenField, TypeHours], wider: Mapping[SeenField, TypeHours]) -> None:
        """Remember what has been written."""
        for of, hours in wider.items():
            known = self.hours.get(of, hours)
            self.hours[of] = None if known is None else known.union(hours)
        for of, hours in seen.items():
            for hour in {hours.first, hours.last}:
                self.met.setdefault(hour, set()).add(of)
        for hour in sorted(self.met)[:-3]:
            del self.met[hour]


class MongoCatalog:
    """Notes what is new about tables; cheap for what is known."""

    def __init__(self, database: AsyncDatabase, *, fields_max: int) -> None:
        self._collection = database.get_collection(CATALOG, read_concern=SETTLED, write_concern=DURABLE)
        self._fields_max = fields_max
        self._shapes: set[tuple[str, tuple[int, int]]] = set()  # hashes: shapes of data keys are large
        self._known: dict[str, _Known] = {}
        self._writing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
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
            if not await self._new_shapes(table, documents):
                continue
            # Deliveries that meet in a new hour wait for the first one's write, and need none then.
            async with self._writing[table]:
                new = await self._new_shapes(table, documents)
                if new:
                    await self._note_table(table, new, received_ms)

    async def note_times_without_zone(self, tables: Iterable[str], received_ms: int) -> None:
        """Make sure that the catalog says of these tables that a `time` had no zone.

        Raises:
            PyMongoError: MongoDB did not take it; the next call tries again.
        """
        for table in [table for table in tables if table not in self._times_without_zone]:
            await self._insert([catalog_document(table, (), TIME_WITHOUT_ZONE, received_ms)])
            self._times_without_zone.add(table)

    async def _new_shapes(self, table: str, documents: TableDocuments) -> dict[tuple[int, int], bytes]:
        shapes, known = documents.shapes, self._shapes
        return await run_in_thread_if_large(
            len(shapes), lambda: {key: shown for key, shown in shapes.items() if (table, key) not in known}
        )

    async def _note_table(
        self, table: str, shapes: Mapping[tuple[int, int], bytes], received_ms: int
    ) -> None:
        known = self._known.get(table)
        if known is None:
            known = await self._load(table)
        # Records with keys without end take a while: other deliveries go on meanwhile.
        seen, is_full = await asyncio.to_thread(seen_fields, shapes, known.hours, self._fields_max)
        if is_full:
            await self._insert([catalog_document(table, (), FULL, received_ms)])
        wider = known.outside(seen)
        new = [of for of in wider if of not in known.hours]
        are_ours = await self._insert([_entry(table, of, wider[of], received_ms) for of in new])
        await self._widen(table, {of: wider[of] for of in wider if of in known.hours or not are_ours})
        if len(self._shapes) + len(shapes) > _SHAPES_MAX:
            self._shapes.clear()
        if sum(len(each.hours) for each in self._known.values()) > _SEEN_MAX:
            self._known.clear()
        known.note(seen, wider)
        self._known[table] = known
        self._shapes.update((table, key) for key in islice(shapes, _SHAPES_MAX))

    async def _load(self, table: str) -> _Known:
        cursor = self._collection.find({"table": table, "type": {"$nin": MARKS}})
        documents = await cursor.to_list(None)
        return _Known(
            {
                SeenField(tuple(found["path"]), FieldType(found["type"])): read_hours(found)
                for found in documents
            }
        )

    async def _insert(self, documents: Sequence[Document]) -> bool:
        """Insert entries; False where another drain has inserted some of them."""
        is_first = True
        for start in range(0, len(documents), _INSERTS_AT_ONCE):
            part = documents[start : start + _INSERTS_AT_ONCE]
            try:
                await self._collection.insert_many(part, ordered=False)
            except BulkWriteError as error:
                if not is_there_already(error):
                    raise
                is_first = False
        return is_first

    async def _widen(self, table: str, hours: Mapping[SeenField, TypeHours]) -> None:
        """Let entries count for these hours, too; those without hours stay as they are."""
        ids: defaultdict[tuple[int, int], list[Binary]] = defaultdict(list)
        for of, to in hours.items():
            ids[to.first, to.last].append(catalog_id(table, of.path, of.type.value))
        writes = [
            UpdateMany(
                {"_id": {"$in": same}, "first_hour": {"$exists": True}},
                {"$min": {"first_hour": first}, "$max": {"last_hour": last}},
            )
            for (first, last), same in ids.items()
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)


def _entry(table: str, of: SeenField, hours: TypeHours, received_ms: int) -> Document:
    entry = catalog_document(table, of.path, of.type.value, received_ms)
    shown = {"example": binary_id(hours.example)} if hours.example else {}
    return {**entry, "first_hour": hours.first, "last_hour": hours.last, **shown}
