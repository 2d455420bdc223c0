"""Columns of a scan -> what MongoDB is asked for, and where each column then is.

Keys of records are data: a key that holds a dot, starts with `$` or is empty cannot be part of a dotted
path, so it is reached with $getField (MongoDB 5.0 and later).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from logdrain.model.catalog import ColumnType, FieldPath, FieldType, TypeKind, is_plain
from logdrain.model.plans import PseudoColumn, ScanColumn
from logdrain.types.arrow_columns import BELOW_ARRAY
from logdrain.types.type_table import COLUMN_KINDS

EVENT_TIME: FieldPath = ("time",)

_PSEUDO_PATHS = {(PseudoColumn.TIME.value,), (PseudoColumn.TIME_MS.value,)}
_TIMESTAMPTZ = ColumnType(TypeKind.TIMESTAMPTZ)


class FetchedField(NamedTuple):
    """A field as it comes from MongoDB: `key` is its place in the documents that come back."""

    path: FieldPath
    type: ColumnType
    key: str


def is_pseudo(column: ScanColumn) -> bool:
    """Whether a column is made from the event time."""
    return column.path in _PSEUDO_PATHS


def stored_path(column: ScanColumn) -> FieldPath | None:
    """Where a column's values are stored, or None where they are all NULL."""
    if is_pseudo(column):
        return EVENT_TIME
    return None if column.type.kind is TypeKind.NULL else column.path


def fetched_fields(columns: Iterable[ScanColumn]) -> tuple[FetchedField, ...]:
    """The fields that columns are made from, each once; the event time where no column needs any."""
    types: dict[FieldPath, ColumnType] = {}
    for column in columns:
        path = stored_path(column)
        if path is not None:
            types[path] = _TIMESTAMPTZ if path == EVENT_TIME else column.type
    types = types or {EVENT_TIME: _TIMESTAMPTZ}
    if all(len(path) == 1 and is_plain(path) for path in types):
        return tuple(FetchedField(path, of, path[0]) for path, of in types.items())
    return tuple(FetchedField(path, of, f"c{at}") for at, (path, of) in enumerate(types.items()))


def projection(fields: Iterable[FetchedField]) -> dict[str, Any]:
    """The projection of a find; plain inclusion where the keys are the fields' own (a quarter faster)."""
    document: dict[str, Any] = {"_id": 0}
    for field in fields:
        document[field.key] = 1 if field.path == (field.key,) else _expression(field)
    return document


def _expression(field: FetchedField) -> Any:
    """The value at a path. MongoDB reads a dotted path over an array as an array of its elements' values."""
    if not is_plain(field.path):
        return _get_field(field.path)
    dotted = f"${'.'.join(field.path)}"
    if len(field.path) == 1 or FieldType.ARRAY not in COLUMN_KINDS[field.type.kind].holds:
        return dotted  # an array is a wrong type here in any case
    parent = f"${'.'.join(field.path[:-1])}"
    return {"$cond": [{"$isArray": parent}, _literal(BELOW_ARRAY), dotted]}


def _get_field(path: FieldPath) -> Any:
    if not path:
        return "$$ROOT"
    is_below_array = {"$in": [{"$type": "$$above"}, ["array", "minKey"]]}
    value = {"$getField": {"field": _literal(path[-1]), "input": "$$above"}}
    return {
        "$let": {
            "vars": {"above": _get_field(path[:-1])},
            "in": {"$cond": [is_below_array, _literal(BELOW_ARRAY), value]},
        }
    }


def _literal(value: Any) -> dict[str, Any]:
    return {"$literal": value}
