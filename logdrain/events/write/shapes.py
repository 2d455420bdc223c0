"""A record's field paths and types, for the catalog; see `types/event_documents.py` for its shape."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from logdrain.model.catalog import ELEMENT, FieldPath, FieldType, SeenField
from logdrain.model.events import Record
from logdrain.types.type_table import FIELD_TYPES

# A path longer than this is data, not a name.
PATH_SIZE_MAX_BYTES = 1024
# All paths of a table, for each of those that it may have.
_PATHS_SIZE_BYTES_EACH = 256


def fields_of(record: Record, path: FieldPath = ()) -> Iterator[SeenField]:
    """Every field path and type in a record; may repeat."""
    for key, value in record.items():
        yield from _fields(value, (*path, key))


def new_fields(
    records: Iterable[Record], seen: AbstractSet[SeenField], paths_max: int
) -> tuple[list[SeenField], bool]:
    """The fields of these records that have not been seen, and whether there are more that are not kept.

    Args:
        records: One of each shape, as BSON holds them.
        seen: What the catalog has.
        paths_max: How many paths it keeps; in octets, 256 times as many.
    """
    paths = {field.path for field in seen}
    size_left_bytes = paths_max * _PATHS_SIZE_BYTES_EACH - sum(map(_size_bytes, paths))
    kept: list[SeenField] = []
    is_full = False
    known = set(seen)
    # One by one, nothing sorted: of keys without end, no more is held than is kept.
    for field in (field for record in records for field in fields_of(record)):
        if field in known:
            continue
        if field.path not in paths:
            size_bytes = 0 if len(paths) >= paths_max else _size_bytes(field.path)
            if not 0 < size_bytes <= min(PATH_SIZE_MAX_BYTES, size_left_bytes):
                is_full = True
                continue
            paths.add(field.path)
            size_left_bytes -= size_bytes
        known.add(field)
        kept.append(field)
    return kept, is_full


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
