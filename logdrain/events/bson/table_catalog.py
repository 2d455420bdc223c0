"""The catalog's documents: each says that a path of a table has held a type."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from bson.datetime_ms import DatetimeMS

from logdrain.events.bson.documents import binary_id
from logdrain.model.catalog import FieldPath, FieldType, TableCatalog
from logdrain.model.events import Table

FULL = "full"
"""In the place of a type: the limit of fields was reached."""

TIME_WITHOUT_ZONE = "time_without_zone"
"""In the place of a type: an event's `time` had no zone."""

MARKS = (FULL, TIME_WITHOUT_ZONE)


def catalog_document(table: str, path: FieldPath, kind: str, received_ms: int) -> dict[str, Any]:
    """A document of the catalog; its id is made from what it says."""
    name = msgspec.json.encode([table, path, kind])
    return {
        "_id": binary_id(hashlib.blake2b(name, digest_size=16).digest()),
        "table": table,
        "path": list(path),
        "type": kind,
        "since": DatetimeMS(received_ms),
    }


def of_table(table: Table) -> dict[str, Any]:
    """The filter for a table's part of the catalog."""
    return {"table": {"$eq": table.name}}


def read_catalog(table: Table, documents: Iterable[Mapping[str, Any]]) -> TableCatalog:
    """What documents with `path` and `type` say about a table."""
    types: dict[FieldPath, set[FieldType]] = {}
    marks: set[str] = set()
    for document in documents:
        if document["type"] in MARKS:
            marks.add(document["type"])
        else:
            types.setdefault(tuple(document["path"]), set()).add(FieldType(document["type"]))
    return TableCatalog(
        table,
        {path: frozenset(seen) for path, seen in types.items()},
        is_full=FULL in marks,
        has_times_without_zone=TIME_WITHOUT_ZONE in marks,
    )
