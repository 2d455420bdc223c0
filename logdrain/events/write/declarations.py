"""How fields are declared to be read: a part of the catalog, which `logdrain schema:set` writes."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import time
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from logdrain.events.bson.table_catalog import DECLARED, catalog_document, catalog_id
from logdrain.events.mongo_client import CATALOG, DURABLE, database_name, unavailable
from logdrain.model.catalog import FieldPath, TypeKind

_TIMEOUT_MS = 10_000


class MongoDeclarations:
    """Declared types of fields; every method may raise StoreUnavailable."""

    def __init__(self, uri: str) -> None:
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            uri, appname="logdrain", serverSelectionTimeoutMS=_TIMEOUT_MS, timeoutMS=_TIMEOUT_MS
        )
        database = self._client.get_database(database_name(uri))
        self._catalog = database.get_collection(CATALOG, write_concern=DURABLE)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def replace(self, table: str, types: Mapping[FieldPath, TypeKind]) -> None:
        """Declare these fields, and no others."""
        with _translated():
            kept = [catalog_id(table, path, DECLARED) for path in types]
            self._catalog.delete_many({"table": table, "type": DECLARED, "_id": {"$nin": kept}})
        self.add(table, types)

    def add(self, table: str, types: Mapping[FieldPath, TypeKind]) -> None:
        """Declare these fields, too."""
        with _translated():
            for path, kind in types.items():
                document = {**catalog_document(table, path, DECLARED, int(time() * 1000)), "as": kind.value}
                self._catalog.replace_one({"_id": document["_id"]}, document, upsert=True)

    def remove(self, table: str, paths: Iterable[FieldPath]) -> None:
        """Forget what was declared of these fields."""
        with _translated():
            ids = [catalog_id(table, path, DECLARED) for path in paths]
            self._catalog.delete_many({"_id": {"$in": ids}})


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise unavailable(error) from error
