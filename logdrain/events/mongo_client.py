"""The one place that knows which driver speaks to MongoDB: PyMongo's async API, or an installed Motor.

Motor was retired on 14 May 2026 in favour of PyMongo's own async client; the call shapes are the same.
"""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.errors import BSONError
from pymongo.errors import BulkWriteError, ConfigurationError, InvalidURI, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from logdrain.errors import ConfigError, StoreUnavailable
from logdrain.events.driver import AsyncClient
from logdrain.log import mask
from logdrain.model.events import Table

DEFAULT_DATABASE = "logdrain"
DUPLICATE_KEY = 11000
# Durable on this node's disk and, in a replica set, on a majority.
DURABLE = WriteConcern(w="majority", j=True)

SETTLED = ReadConcern("majority")
"""Reads only what no change of the primary takes back."""

DRIVER_ERRORS = (PyMongoError, BSONError)
"""What an operation may raise; the second where what we send is larger than MongoDB takes, or no BSON."""

CATALOG = "_catalog"
LATE = "_late"
NEAR_MISSES = "_near_misses"
QUARANTINE = "_quarantine"
SPLITS = "_splits"
"""Our own collections: their names begin with `_`, so that no tag can reach them."""


def database_name(uri: str) -> str:
    """The database a URI names, or the default.

    Raises:
        ConfigError: the URI cannot be read.
    """
    try:
        return parse_uri(uri)["database"] or DEFAULT_DATABASE
    except (InvalidURI, ConfigurationError, ValueError):
        # Not quoted, not chained: what the driver says may hold half of a password.
        raise ConfigError(
            "MONGODB_URI cannot be read",
            hint="write mongodb://, USER:PASSWORD@ where needed, HOST:27017/DATABASE; / in a password is %2F",
        ) from None


def open_async(uri: str, *, driver: str, timeout_s: float) -> AsyncClient:
    """A client for the drain; connects when first used.

    Args:
        uri: mongodb:// or mongodb+srv://.
        driver: "pymongo" or "motor".
        timeout_s: Bound of every operation, connecting included.

    Raises:
        ConfigError: the URI cannot be read, or the driver is not installed.
    """
    database_name(uri)
    options: dict[str, Any] = {
        "appname": "logdrain",
        "serverSelectionTimeoutMS": int(timeout_s * 1000),
        "connectTimeoutMS": int(timeout_s * 1000),
        "timeoutMS": int(timeout_s * 1000),
    }
    if driver == "motor":
        try:
            motor = importlib.import_module("motor.motor_asyncio")
        except ImportError as error:
            raise ConfigError(
                "LOGDRAIN_MONGODB_DRIVER=motor, but Motor is not installed",
                hint="pip install 'logdrain[motor]', or unset LOGDRAIN_MONGODB_DRIVER",
            ) from error
        motor_client: AsyncClient = motor.AsyncIOMotorClient(uri, **options)
        return motor_client
    return pymongo.AsyncMongoClient(uri, **options)


async def close_async(client: AsyncClient) -> None:
    """Close a client of either driver: PyMongo's close is awaited, Motor's is not."""
    if (closing := client.close()) is not None:
        await closing


def is_there_already(error: BulkWriteError) -> bool:
    """Whether all that a bulk write was refused for is that others have written the same, durably."""
    refused = error.details["writeErrors"]
    return not error.details.get("writeConcernErrors") and all(
        found["code"] == DUPLICATE_KEY for found in refused
    )


def tables_among(collections: Iterable[str]) -> list[Table]:
    """The tables among collection names, in order; ours have no dot."""
    return sorted(
        Table(*name.split("."))
        for name in collections
        if name.count(".") == 1 and not name.startswith("system.")
    )


def unavailable(error: Exception) -> StoreUnavailable:
    """What a driver's error means to us, without the addresses and topology dumps it likes to add."""
    first = (
        mask(str(error) or type(error).__name__)
        .split(", Timeout:", maxsplit=1)[0]
        .split(" (configured timeouts", maxsplit=1)[0]
    )
    return StoreUnavailable(
        f"MongoDB did not answer: {first[:300]}", hint="see that it runs and that MONGODB_URI names it"
    )


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the driver as ours.

    Raises:
        StoreUnavailable: instead of an error of the driver.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        raise unavailable(error) from error
