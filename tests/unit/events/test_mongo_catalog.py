import asyncio
from typing import Any

import pytest
from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from logdrain.events.bson.table_catalog import catalog_id
from logdrain.events.write.catalog_writer import MongoCatalog
from logdrain.model.events import Origin, Record, TableDocuments
from logdrain.types.event_documents import HOUR_MS, encode_document, encode_origin, shape_of

ORIGIN = encode_origin(Origin("shop", "app", "web.1", ""))


def tables_of(hour: int, *records: Record) -> dict[str, TableDocuments]:
    """Documents of an hour, each of a shape of its own."""
    return {
        "a.b": TableDocuments(
            shapes={
                (hash(shape_of(record)), hour): encode_document(bytes(16), hour * HOUR_MS, ORIGIN, record)
                for record in records
            }
        )
    }


TABLES = tables_of(7, {"n": 1})


class Answering:
    """A database, its collection and its cursor: every insert gets this answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.details = details
        self.stored: list[dict[str, Any]] = []
        self.inserts = 0
        self.widened: list[list[Any]] = []

    def get_collection(self, _name: str, **_options: object) -> "Answering":
        return self

    def find(self, _query: dict[str, Any]) -> "Answering":
        return self

    async def to_list(self, _length: None) -> list[dict[str, Any]]:
        return self.stored

    async def insert_many(self, _documents: list[dict[str, Any]], **_options: object) -> None:
        self.inserts += 1
        if self.details:
            raise BulkWriteError(self.details)

    async def bulk_write(self, requests: list[Any], **_options: object) -> None:
        await asyncio.sleep(0)
        self.widened.append(requests)


async def test_what_another_drain_has_noted_is_as_good() -> None:
    client: Any = Answering({"writeErrors": [{"code": 11000}]})
    catalog = MongoCatalog(client, fields_max=10)
    for _ in range(2):
        await catalog.note(TABLES, 0)
    assert client.inserts == 1
    assert len(client.widened) == 1  # it may have been another hour


@pytest.mark.parametrize(
    "details",
    [
        {"writeErrors": [{"code": 11000}], "writeConcernErrors": [{"code": 64}]},
        {"writeErrors": [{"code": 11000}, {"code": 14031}]},
    ],
)
async def test_a_note_that_is_not_durable_is_none(details: dict[str, Any]) -> None:
    client: Any = Answering(details)
    catalog = MongoCatalog(client, fields_max=10)
    for _ in range(2):
        with pytest.raises(BulkWriteError):
            await catalog.note(TABLES, 0)
    assert client.inserts == 2


async def test_an_hour_costs_a_write_however_many_shapes_and_deliveries_it_has() -> None:
    client: Any = Answering({})
    catalog = MongoCatalog(client, fields_max=10)
    shapes: list[Record] = [{"n": 1}, {"n": 1, "name": "x"}, {"n": 1, "tags": [1]}]
    for hour in (7, 8):
        await catalog.note(tables_of(hour, *shapes), 0)
    assert (client.inserts, len(client.widened)) == (1, 1)
    for hour in range(9, 20):
        client.widened.clear()
        notes = [catalog.note(tables_of(hour, shape), 0) for shape in (*shapes, *shapes)]
        await asyncio.gather(*notes)
        assert len(client.widened) == 1, hour
        assert len(client.widened[0]) == 1
    assert client.inserts == 1


async def test_what_came_in_one_hour_only_is_not_expected_in_the_next() -> None:
    client: Any = Answering({})
    catalog = MongoCatalog(client, fields_max=10)
    for hour, record in ((7, {"price": 1}), (8, {"price": 1}), (8, {"price": "12.50"}), (9, {"price": 1})):
        client.widened.clear()
        await catalog.note(tables_of(hour, record), 0)
    [[write]] = client.widened
    number = catalog_id("a.b", ("price",), "int")
    assert write == UpdateMany(
        {"_id": {"$in": [number]}, "first_hour": {"$exists": True}},
        {"$min": {"first_hour": 9}, "$max": {"last_hour": 9}},
    )


async def test_an_entry_without_hours_counts_for_any_and_is_left_alone() -> None:
    client: Any = Answering({})
    client.stored = [{"path": ["n"], "type": "int"}]
    catalog = MongoCatalog(client, fields_max=10)
    for hour in (7, 8):
        await catalog.note(tables_of(hour, {"n": 1}), 0)
    assert (client.inserts, client.widened) == (0, [])
