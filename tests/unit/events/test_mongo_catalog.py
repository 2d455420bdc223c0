from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from logdrain.events.write.catalog_writer import MongoCatalog
from logdrain.model.events import TableDocuments

TABLES = {"a.b": TableDocuments(shapes={1: {"n": 1}})}


class Answering:
    """A database, its collection and its cursor: every insert gets this answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.details = details
        self.inserts = 0

    def get_collection(self, _name: str, **_options: object) -> "Answering":
        return self

    def find(self, _query: dict[str, Any]) -> "Answering":
        return self

    async def to_list(self, _length: None) -> list[dict[str, Any]]:
        return []

    async def insert_many(self, _documents: list[dict[str, Any]], **_options: object) -> None:
        self.inserts += 1
        raise BulkWriteError(self.details)


async def test_what_another_drain_has_noted_is_as_good() -> None:
    client: Any = Answering({"writeErrors": [{"code": 11000}]})
    catalog = MongoCatalog(client, fields_max=10)
    for _ in range(2):
        await catalog.note(TABLES, 0)
    assert client.inserts == 1


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
