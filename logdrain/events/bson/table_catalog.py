"""The catalog's documents: each says that a path of a table has held a type."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from bson.binary import Binary
from bson.datetime_ms import DatetimeMS

from logdrain.events.bson.documents import binary_id
from logdrain.model.catalog import FieldPath, FieldType, SeenField, TableCatalog, TypeHours, TypeKind
from logdrain.model.events import Table

FULL = "full"
"""In the place of a type: the limit of fields was reached."""

TIME_WITHOUT_ZONE = "time_without_zone"
"""In the place of a type: an event's `time` had no zone."""

DECLARED = "declared"
"""In the place of a type: `as` says how the field is read."""

MARKS = (FULL, TIME_WITHOUT_ZONE, DECLARED)

FACTS = {"_id": 0, "path": 1, "type": 1, "first_hour": 1, "last_hour": 1, "as": 1}
"""What `read_catalog` needs; entries without hours are older: of them any hour counts."""


def catalog_id(table: str, path: FieldPath, kind: str) -> Binary:
    """The id of a document of the catalog, made from what it says."""
    name = msgspec.json.encode([table, path, kind])
    return binary_id(hashlib.blake2b(name, digest_size=16).digest())


def catalog_document(table: str, path: FieldPath, kind: str, received_ms: int) -> dict[str, Any]:
    """A document of the catalog, without hours."""
    return {
        "_id": catalog_id(table, path, kind),
        "table": table,
        "path": list(path),
        "type": kind,
        "since": DatetimeMS(received_ms),
    }


def read_hours(document: Mapping[str, Any]) -> TypeHours | None:
    """When the field has held the type; None where the document does not say."""
    if "first_hour" not in document:
        return None
    return TypeHours(document["first_hour"], document["last_hour"], bytes(document.get("example", b"")))


def of_table(table: Table) -> dict[str, Any]:
    """The filter for a table's part of the catalog."""
    return {"table": {"$eq": table.name}}


def read_catalog(table: Table, documents: Iterable[Mapping[str, Any]]) -> TableCatalog:
    """What these documents, at least their FACTS, say about a table."""
    types: dict[FieldPath, set[FieldType]] = {}
    hours: dict[SeenField, TypeHours] = {}
    marks: set[str] = set()
    declared: dict[FieldPath, TypeKind] = {}
    for document in documents:
        if document["type"] == DECLARED:
            declared[tuple(document["path"])] = TypeKind(document["as"])
            continue
        if document["type"] in MARKS:
            marks.add(document["type"])
            continue
        seen = SeenField(tuple(document["path"]), FieldType(document["type"]))
        types.setdefault(seen.path, set()).add(seen.type)
        if (known := read_hours(document)) is not None:
            hours[seen] = known
    return TableCatalog(
        table,
        {path: frozenset(seen) for path, seen in types.items()},
        is_full=FULL in marks,
        has_times_without_zone=TIME_WITHOUT_ZONE in marks,
        hours=hours,
        declared=declared,
    )
