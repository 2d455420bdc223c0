"""Nouns of what is known about stored events: field paths, the BSON types seen, and SQL column types."""

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from logdrain.model.events import Table

FieldPath = tuple[str, ...]
"""Keys from the top of a record down; `ELEMENT` stands for "each element of this array"."""

ELEMENT = "[]"

HOUR_S = 3600


def is_plain(path: FieldPath) -> bool:
    """Whether MongoDB takes a path, written with dots, for what it is."""
    return all(key and "." not in key and not key.startswith("$") for key in path)


class FieldType(StrEnum):
    """BSON types that events hold."""

    INT = "int"
    DOUBLE = "double"
    DECIMAL = "decimal"
    STRING = "string"
    BOOL = "bool"
    DATE = "date"
    ARRAY = "array"
    OBJECT = "object"
    NULL = "null"


_NULL = frozenset({FieldType.NULL})
_NUMBERS = frozenset({FieldType.INT, FieldType.DOUBLE, FieldType.DECIMAL})


class SeenField(NamedTuple):
    """A field path that has held this type at least once."""

    path: FieldPath
    type: FieldType


class TypeKind(StrEnum):
    """Column types of a scan; the names are the SQL names."""

    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL(38,0)"
    VARCHAR = "VARCHAR"
    BOOLEAN = "BOOLEAN"
    TIMESTAMPTZ = "TIMESTAMPTZ"
    LIST = "LIST"
    STRUCT = "STRUCT"
    TEXT = "TEXT"  # mixed types: VARCHAR that holds the JSON text of each value (strings unquoted)
    NULL = "NULL"  # nothing seen yet: every value reads as NULL


DECLARED_TYPES = {
    "int": TypeKind.BIGINT,
    "long": TypeKind.BIGINT,
    "float": TypeKind.DOUBLE,
    "double": TypeKind.DOUBLE,
    "string": TypeKind.VARCHAR,
    "boolean": TypeKind.BOOLEAN,
}
"""Types that a field can be declared to be read as, by Treasure Data's names."""


class WithoutValue(Enum):
    """What type a field has in a time range in which it holds no value."""

    AS_EVER = auto()
    """That of all other times, where it is one: the columns of results stay as they are."""
    UNTYPED = auto()
    """None, as that of a field that was never seen."""


class TypeHours(NamedTuple):
    """The hours of event time in which a field has held a type, counted from 1970.

    Attributes:
        first: The earliest.
        last: The latest; in between it may have been away.
        example: The id of an event that shows it.
    """

    first: int
    last: int
    example: bytes = b""

    def overlap(self, start: int | None, end: int | None) -> bool:
        """Whether an event of these hours can lie from `start` to before `end`, unix seconds; None: open."""
        is_before_end = end is None or self.first * HOUR_S < end
        return is_before_end and (start is None or (self.last + 1) * HOUR_S > start)

    def union(self, other: "TypeHours") -> "TypeHours":
        """From the earliest to the latest of both, with the example of this one."""
        return TypeHours(min(self.first, other.first), max(self.last, other.last), self.example)


@dataclass(frozen=True, slots=True)
class TableCatalog:
    """All that has been seen in one table.

    Attributes:
        hours: When a field has held a type; of what is not listed any hour counts.
        is_full: The limit of fields was reached: there may be more than is listed.
        has_times_without_zone: Of some events the frame's timestamp counts.
        declared: How fields are to be read, whatever they hold.
    """

    table: Table
    fields: dict[FieldPath, frozenset[FieldType]] = field(default_factory=dict)
    is_full: bool = False
    has_times_without_zone: bool = False
    hours: dict[SeenField, TypeHours] = field(default_factory=dict)
    declared: dict[FieldPath, TypeKind] = field(default_factory=dict)

    def within(
        self, start: int | None, end: int | None, *, without_value: WithoutValue = WithoutValue.AS_EVER
    ) -> "TableCatalog":
        """The catalog that a scan of a time range is typed by: all paths, with the types of these hours.

        Args:
            start: Unix seconds; None is an open end.
            end: The first second behind the range.
            without_value: What a field is that holds no value in the range.
        """
        fields = {}
        for path, types in self.fields.items():
            values = types - _NULL
            held = frozenset(of for of in values if self._is_within(SeenField(path, of), start, end))
            if (
                not held
                and without_value is WithoutValue.AS_EVER
                and (len(values) == 1 or values <= _NUMBERS)
            ):
                held = values
            fields[path] = types - (values - held)
        return replace(self, fields=fields, hours={})

    def _is_within(self, seen: SeenField, start: int | None, end: int | None) -> bool:
        hours = self.hours.get(seen)
        return hours is None or hours.overlap(start, end)

    def types(self, path: FieldPath) -> frozenset[FieldType]:
        """Types seen at a path, empty where nothing was seen."""
        return self.fields.get(path, frozenset())

    def children(self, path: FieldPath) -> list[FieldPath]:
        """The paths one step below, in order of name."""
        depth = len(path) + 1
        return sorted(seen for seen in self.fields if len(seen) == depth and seen[:-1] == path)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type a field path has in SQL.

    Attributes:
        element: For a LIST, the type of its elements.
        fields: For a STRUCT, (name, type) in order of name.
        wraps: For a LIST: what is no list reads as a list of one.
    """

    kind: TypeKind
    element: "ColumnType | None" = None
    fields: tuple[tuple[str, "ColumnType"], ...] = ()
    wraps: bool = False

    def __str__(self) -> str:
        if self.kind is TypeKind.LIST and self.element is not None:
            return f"{self.element}[]"
        if self.kind is TypeKind.STRUCT:
            return "STRUCT({})".format(", ".join(f'"{name}" {of}' for name, of in self.fields))
        if self.kind is TypeKind.TEXT:
            return TypeKind.VARCHAR.value
        return self.kind.value
