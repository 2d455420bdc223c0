"""Column types, and values that columns of each type hold: (as stored, as read from Arrow)."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import strategies as st

from logdrain.model.catalog import ColumnType, TypeKind

Pair = tuple[Any, Any]

BIGINT = ColumnType(TypeKind.BIGINT)
DOUBLE = ColumnType(TypeKind.DOUBLE)
DECIMAL = ColumnType(TypeKind.DECIMAL)
VARCHAR = ColumnType(TypeKind.VARCHAR)
BOOLEAN = ColumnType(TypeKind.BOOLEAN)
TIMESTAMPTZ = ColumnType(TypeKind.TIMESTAMPTZ)
TEXT = ColumnType(TypeKind.TEXT)
NULL = ColumnType(TypeKind.NULL)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_10000_MS = 253_402_300_800_000


def list_of(element: ColumnType) -> ColumnType:
    return ColumnType(TypeKind.LIST, element=element)


def struct_of(**fields: ColumnType) -> ColumnType:
    return ColumnType(TypeKind.STRUCT, fields=tuple(sorted(fields.items())))


def _same(value: Any) -> Pair:
    return value, value


def _date(unix_ms: int) -> Pair:
    return DatetimeMS(unix_ms), EPOCH + timedelta(milliseconds=unix_ms)


KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
STRINGS = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | DOUBLES | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)

_SCALARS: dict[ColumnType, st.SearchStrategy[Pair]] = {
    BIGINT: INTEGERS.map(_same),
    DOUBLE: DOUBLES.map(_same) | INTEGERS.map(lambda value: (value, float(value))),
    DECIMAL: st.integers(-(10**34) + 1, 10**34 - 1).map(
        lambda value: (value if -(2**63) <= value < 2**63 else Decimal128(str(value)), Decimal(value))
    ),
    VARCHAR: STRINGS.map(_same),
    BOOLEAN: st.booleans().map(_same),
    TIMESTAMPTZ: st.integers(-(10**13), YEAR_10000_MS - 1).map(_date),
    TEXT: JSON.filter(lambda value: value is not None).map(_same),
}

COLUMN_TYPES = st.recursive(
    st.sampled_from(list(_SCALARS)),
    lambda inner: (
        inner.map(list_of)
        | st.dictionaries(KEYS, inner, min_size=1, max_size=3).map(
            lambda fields: ColumnType(TypeKind.STRUCT, fields=tuple(sorted(fields.items())))
        )
    ),
    max_leaves=4,
)


def values_of(of: ColumnType) -> st.SearchStrategy[Pair]:
    """Values of a type, None among them."""
    return st.just((None, None)) | _present(of)


def _present(of: ColumnType) -> st.SearchStrategy[Pair]:
    if of.kind is TypeKind.LIST and of.element is not None:
        return st.lists(values_of(of.element), max_size=3).map(
            lambda pairs: ([stored for stored, _ in pairs], [read for _, read in pairs])
        )
    if of.kind is TypeKind.STRUCT:
        fields = dict(of.fields)
        return st.fixed_dictionaries(
            {}, optional={name: values_of(below) for name, below in fields.items()}
        ).map(
            lambda pairs: (
                {name: stored for name, (stored, _) in pairs.items()},
                {name: pairs[name][1] if name in pairs else None for name in fields},
            )
        )
    return _SCALARS[of]


def matches(read: Any, expected: Any, of: ColumnType) -> bool:
    """Whether a value is exactly what was expected: 0.0 is not -0.0, 1 is not 1.0."""
    if read is None or expected is None:
        return read is expected
    if of.kind is TypeKind.TEXT:
        return _is_text_of(read, expected)
    if of.kind is TypeKind.LIST and of.element is not None:
        element = of.element
        return len(read) == len(expected) and all(
            matches(one, other, element) for one, other in zip(read, expected, strict=True)
        )
    if of.kind is TypeKind.STRUCT:
        return all(matches(read[name], expected[name], below) for name, below in of.fields)
    return repr(read) == repr(expected) or (isinstance(read, datetime) and read == expected)


def _is_text_of(text: str, value: Any) -> bool:
    """JSON's own reader judges what our writer wrote; a string stands for itself."""
    return text == value if isinstance(value, str) else repr(json.loads(text)) == repr(_without_int64(value))


def _without_int64(value: Any) -> Any:
    return int(value) if isinstance(value, Int64) else value
