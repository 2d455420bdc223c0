"""A record's shape: its field paths and types. Equal shapes are seen again all day, new ones rarely."""

from collections.abc import Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from logdrain.events.documents import INT64_MAX, INT64_MIN
from logdrain.model.catalog import ELEMENT, FieldPath, FieldType, SeenField
from logdrain.model.events import Record

# A key longer than this is data, not a name.
_KEY_LENGTH_MAX = 1000
_SCALARS = {float: FieldType.DOUBLE, str: FieldType.STRING, bool: FieldType.BOOL, type(None): FieldType.NULL}


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
        paths_max: How many paths it keeps.
    """
    paths = {field.path for field in seen}
    kept: list[SeenField] = []
    is_full = False
    known = set(seen)
    # One by one, nothing sorted: of keys without end, no more is held than is kept.
    for field in (field for shape in shapes for field in fields_of(shape)):
        if field in known:
            continue
        if field.path not in paths:
            if len(paths) >= paths_max or any(len(key) > _KEY_LENGTH_MAX for key in field.path):
                is_full = True
                continue
            paths.add(field.path)
        known.add(field)
        kept.append(field)
    return kept, is_full


def _shape(value: Any) -> Hashable:
    kind = type(value)
    if kind is int:
        return FieldType.INT if INT64_MIN <= value <= INT64_MAX else FieldType.DECIMAL
    if kind is dict:
        return shape_of(value)
    if kind is list:
        return ArrayShape(frozenset(map(_shape, value)))
    return _SCALARS[kind]


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
