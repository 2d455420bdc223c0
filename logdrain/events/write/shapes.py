"""A record's shape: its field paths and types. Equal shapes are seen again all day, new ones rarely."""

from collections.abc import Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from logdrain.events.bson.documents import INT64_MAX, INT64_MIN
from logdrain.model.catalog import ELEMENT, FieldPath, FieldType, SeenField
from logdrain.model.events import Record
from logdrain.types.type_table import FIELD_TYPES

# A path longer than this is data, not a name.
PATH_SIZE_MAX_BYTES = 1024
# All paths of a table, for each of those that it may have.
_PATHS_SIZE_BYTES_EACH = 256


class ObjectShape(msgspec.Struct, frozen=True):
    """Keys and their shapes, in the order printed."""

    fields: tuple[tuple[str, Hashable], ...]


class ArrayShape(msgspec.Struct, frozen=True):
    """The shapes among the elements."""

    elements: frozenset[Hashable]


def shape_of(record: Record) -> ObjectShape:
    """The shape of a record: hashable, equal for records with the same keys, order and types."""
    return ObjectShape(tuple([(key, _shape(value)) for key, value in record.items()]))


def fields_of(shape: ObjectShape) -> Iterator[SeenField]:
    """Every field path and type in a shape; may repeat."""
    for key, below in shape.fields:
        yield from _fields(below, (key,))


def new_fields(
    shapes: Iterable[ObjectShape], seen: AbstractSet[SeenField], paths_max: int
) -> tuple[list[SeenField], bool]:
    """The fields in these shapes that have not been seen, and whether there are more that are not kept.

    Args:
        shapes: What records look like.
        seen: What the catalog has.
        paths_max: How many paths it keeps; in octets, 256 times as many.
    """
    paths = {field.path for field in seen}
    size_left_bytes = paths_max * _PATHS_SIZE_BYTES_EACH - sum(map(_size_bytes, paths))
    kept: list[SeenField] = []
    is_full = False
    known = set(seen)
    # One by one, nothing sorted: of keys without end, no more is held than is kept.
    for field in (field for shape in shapes for field in fields_of(shape)):
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


def _shape(value: Any) -> Hashable:
    kind = type(value)
    if kind is int:
        return FieldType.INT if INT64_MIN <= value <= INT64_MAX else FieldType.DECIMAL
    if kind is dict:
        return shape_of(value)
    if kind is list:
        return ArrayShape(frozenset(map(_shape, value)))
    return FIELD_TYPES[kind]


def _fields(shape: Hashable, path: FieldPath) -> Iterator[SeenField]:
    if isinstance(shape, ObjectShape):
        yield SeenField(path, FieldType.OBJECT)
        for key, below in shape.fields:
            yield from _fields(below, (*path, key))
    elif isinstance(shape, ArrayShape):
        yield SeenField(path, FieldType.ARRAY)
        for element in shape.elements:
            yield from _fields(element, (*path, ELEMENT))
    elif isinstance(shape, FieldType):
        yield SeenField(path, shape)
