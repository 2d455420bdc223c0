"""Field paths and types of records, for the catalog; see `types/event_documents.py` for their shapes."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

from logdrain.events.bson.documents import own_objects
from logdrain.events.driver import Document
from logdrain.model.catalog import ELEMENT, FieldPath, FieldType, SeenField, TypeHours
from logdrain.model.events import Record
from logdrain.types.event_documents import document_id
from logdrain.types.type_table import FIELD_TYPES

# A path longer than this is data, not a name.
PATH_SIZE_MAX_BYTES = 1024
# All paths of a table, for each of those that it may have.
_PATHS_SIZE_BYTES_EACH = 256
_NOT_OF_THE_RECORD = ("_id", "time", "_origin")
_CODEC: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


def fields_of(record: Record, path: FieldPath = ()) -> Iterator[SeenField]:
    """Every field path and type in a record; may repeat."""
    for key, value in record.items():
        yield from _fields(value, (*path, key))


def seen_fields(
    documents: Mapping[tuple[int, int], bytes], known: Collection[SeenField], paths_max: int
) -> tuple[dict[SeenField, TypeHours], bool]:
    """The fields of these documents with their hours, and whether there are more that are not kept.

    Args:
        documents: By shape and hour.
        known: What the catalog has.
        paths_max: How many paths it keeps; in octets, 256 times as many.
    """
    paths = {field.path for field in known}
    size_left_bytes = paths_max * _PATHS_SIZE_BYTES_EACH - sum(map(_size_bytes, paths))
    seen: dict[SeenField, TypeHours] = {}
    is_full = False
    # One by one, nothing sorted: of keys without end, no more is held than is kept.
    for field, hours in _fields_with_hours(documents):
        if field in seen:
            seen[field] = seen[field].union(hours)
            continue
        if field.path not in paths:
            size_bytes = 0 if len(paths) >= paths_max else _size_bytes(field.path)
            if not 0 < size_bytes <= min(PATH_SIZE_MAX_BYTES, size_left_bytes):
                is_full = True
                continue
            paths.add(field.path)
            size_left_bytes -= size_bytes
        seen[field] = hours
    return seen, is_full


def _fields_with_hours(
    documents: Mapping[tuple[int, int], bytes],
) -> Iterator[tuple[SeenField, TypeHours]]:
    for (_, hour), document in documents.items():
        hours = TypeHours(hour, hour, document_id(document))
        record = own_objects(bson.decode(document, _CODEC))
        for key in _NOT_OF_THE_RECORD:
            del record[key]
        for field in fields_of(record):
            yield field, hours


def _size_bytes(path: FieldPath) -> int:
    """The octets of a path, its dots included; cheap where that is too long anyhow."""
    length = sum(map(len, path)) + len(path)
    return length if length > PATH_SIZE_MAX_BYTES else len(".".join(path).encode()) + 1


def _fields(value: Any, path: FieldPath) -> Iterator[SeenField]:
    if isinstance(value, dict):
        yield SeenField(path, FieldType.OBJECT)
        yield from fields_of(value, path)
    elif isinstance(value, list):
        yield SeenField(path, FieldType.ARRAY)
        for element in value:
            yield from _fields(element, (*path, ELEMENT))
    else:
        yield SeenField(path, FIELD_TYPES[type(value)])
