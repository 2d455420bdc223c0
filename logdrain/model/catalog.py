"""Nouns of what is known about stored events: field paths, the BSON types seen, and SQL column types."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from logdrain.model.events import Table

FieldPath = tuple[str, ...]
"""Keys from the top of a record down; `ELEMENT` stands for "each element of this array"."""

ELEMENT = "[]"


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


class SeenField(NamedTuple):
    """A field path that has held this type at least once."""

    path: FieldPath
    type: FieldType


@dataclass(frozen=True, slots=True)
class TableCatalog:
    """All that has been seen in one table."""

    table: Table
    fields: dict[FieldPath, frozenset[FieldType]] = field(default_factory=dict)
    is_full: bool = False  # the limit of fields was reached: there may be more than is listed
    has_times_without_zone: bool = False  # of some events the frame's timestamp counts

    def types(self, path: FieldPath) -> frozenset[FieldType]:
        """Types seen at a path, empty where nothing was seen."""
        return self.fields.get(path, frozenset())

    def children(self, path: FieldPath) -> list[FieldPath]:
        """The paths one step below, in order of name."""
        depth = len(path) + 1
        return sorted(seen for seen in self.fields if len(seen) == depth and seen[:-1] == path)


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


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type a field path has in SQL.

    Attributes:
        element: For a LIST, the type of its elements.
        fields: For a STRUCT, (name, type) in order of name.
    """

    kind: TypeKind
    element: "ColumnType | None" = None
    fields: tuple[tuple[str, "ColumnType"], ...] = ()

    def __str__(self) -> str:
        if self.kind is TypeKind.LIST and self.element is not None:
            return f"{self.element}[]"
        if self.kind is TypeKind.STRUCT:
            return "STRUCT({})".format(", ".join(f'"{name}" {of}' for name, of in self.fields))
        if self.kind is TypeKind.TEXT:
            return TypeKind.VARCHAR.value
        return self.kind.value
