from collections.abc import AsyncIterator, Callable
from typing import Any

import pymongo
import pytest

from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.write.splits import MongoSplits
from logdrain.events.write.store import MongoEventStore, StoreLimits
from logdrain.ports.clock import Clock
from tests.changed_settings import settings_with
from tests.contract.stored_batches import OpenStore, SetClock


@pytest.fixture(params=["pymongo", "motor"])
async def open_store(request: pytest.FixtureRequest, mongodb_uri: str) -> AsyncIterator[OpenStore]:
    client = open_async(mongodb_uri, driver=request.param, timeout_s=10)

    def open_one(limits: StoreLimits, clock: Clock | None = None, /) -> MongoEventStore:
        return MongoEventStore(client, database_name(mongodb_uri), clock or SetClock(), limits)

    yield open_one
    await close_async(client)


@pytest.fixture
def store(open_store: OpenStore) -> MongoEventStore:
    return open_store(settings_with(store_timeout_s=10))


@pytest.fixture
async def splits(mongodb_uri: str) -> AsyncIterator[MongoSplits]:
    client = open_async(mongodb_uri, driver="pymongo", timeout_s=10)
    yield MongoSplits(client[database_name(mongodb_uri)])
    await close_async(client)


@pytest.fixture
def documents(mongodb_uri: str) -> Callable[[str], list[dict[str, Any]]]:
    def read(collection: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
            return list(client.get_default_database()[collection].find().sort("_id", 1))

    return read
