"""Time ranges and predicates of a scan -> a MongoDB filter.

A filter may let too much through, as the engine filters again; it never keeps back what SQL would keep,
nor a value whose type the scan has to complain about.
"""

from collections.abc import Callable
from typing import Any

from logdrain.events.bson.documents import INT64_MAX, INT64_MIN, binary_id
from logdrain.events.read.projection import is_pseudo
from logdrain.model.catalog import FieldPath, TypeKind, is_plain
from logdrain.model.plans import Comparator, Predicate, Scalar, Scan, TimeRange
from logdrain.types.type_table import BSON_ALIASES

_TIME_LIMIT_MS = 2**48
_HASH_SIZE_BYTES = 10
# Up to here every whole number is a double, so that MongoDB and SQL compare alike whatever they convert.
_EXACT_DOUBLES = 2**53

_CONDITIONS: dict[Comparator, Callable[[list[Scalar]], dict[str, Any]]] = {
    Comparator.EQ: lambda values: {"$eq": values[0]},
    Comparator.NE: lambda values: {"$nin": [values[0], None]},
    Comparator.LT: lambda values: {"$lt": values[0]},
    Comparator.LTE: lambda values: {"$lte": values[0]},
    Comparator.GT: lambda values: {"$gt": values[0]},
    Comparator.GTE: lambda values: {"$gte": values[0]},
    Comparator.IN: lambda values: {"$in": values},
    Comparator.IS_NULL: lambda _: {"$eq": None},
    Comparator.NOT_NULL: lambda _: {"$ne": None},
}


def scan_filter(scan: Scan) -> dict[str, Any]:
    """The filter of a scan: its time range, and of its predicates those that MongoDB judges as SQL does."""
    kinds = {column.path: column.type.kind for column in scan.columns if not is_pseudo(column)}
    conditions = [
        _with_other_types(predicate, kinds[predicate.path])
        for predicate in scan.predicates
        if predicate.path in kinds and _is_exact(predicate, kinds[predicate.path])
    ]
    times = time_filter(scan.time_range)
    return {**times, "$and": conditions} if conditions else times


def exact_filter(scan: Scan) -> dict[str, Any]:
    """The filter of a scan whose predicates are all exact and whose fields hold no other type."""
    conditions = [
        {".".join(predicate.path): _CONDITIONS[predicate.comparator](list(predicate.values))}
        for predicate in scan.predicates
    ]
    times = time_filter(scan.time_range)
    return {**times, "$and": conditions} if conditions else times


def time_filter(time_range: TimeRange) -> dict[str, Any]:
    """A range of event time as a range of ids, whose first 48 bits are unix milliseconds."""
    start_ms = 0 if time_range.start is None else max(time_range.start * 1000, 0)
    end_ms = _TIME_LIMIT_MS if time_range.end is None else min(time_range.end * 1000, _TIME_LIMIT_MS)
    if start_ms >= end_ms:
        return {"_id": {"$in": []}}
    bounds = {}
    if start_ms > 0:
        bounds["$gte"] = _first_id(start_ms)
    if end_ms < _TIME_LIMIT_MS:
        bounds["$lt"] = _first_id(end_ms)
    return {"_id": bounds} if bounds else {}


def _first_id(time_ms: int) -> Any:
    return binary_id(time_ms.to_bytes(6, "big") + bytes(_HASH_SIZE_BYTES))


def _is_exact(predicate: Predicate, kind: TypeKind) -> bool:
    return (
        kind in BSON_ALIASES
        and is_plain(predicate.path)
        and all(_compares_alike(value, kind) for value in predicate.values)
    )


def _compares_alike(value: Scalar, kind: TypeKind) -> bool:
    """Whether MongoDB compares a constant with such a column exactly as SQL does."""
    match value:
        case bool():
            return kind is TypeKind.BOOLEAN
        case str():
            # A lone surrogate cannot be sent.
            return kind is TypeKind.VARCHAR and not any("\ud800" <= char <= "\udfff" for char in value)
        case int() if kind in {TypeKind.BIGINT, TypeKind.DECIMAL}:
            return INT64_MIN <= value <= INT64_MAX
    return kind in {TypeKind.BIGINT, TypeKind.DECIMAL, TypeKind.DOUBLE} and abs(value) < _EXACT_DOUBLES


def _with_other_types(predicate: Predicate, kind: TypeKind) -> dict[str, Any]:
    """The condition, or a value that the column cannot hold: the scan has to see it to raise."""
    path = ".".join(predicate.path)
    others = {path: {"$ne": None, "$not": {"$type": BSON_ALIASES[kind]}}}
    condition = _CONDITIONS[predicate.comparator](list(predicate.values))
    return {"$or": [{path: condition}, others, *_arrays(predicate.path)]}


def _arrays(path: FieldPath) -> list[dict[str, Any]]:
    """An array at the path or above it, which MongoDB would search for a fitting element."""
    return [{".".join(path[:depth]): {"$type": "array"}} for depth in range(1, len(path) + 1)]
