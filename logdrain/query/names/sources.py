"""What names mean: the sources in a query's FROM, and the columns they offer."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from logdrain.model.catalog import ELEMENT, FieldPath, FieldType, TableCatalog
from logdrain.query.sql.context import ScanBuilder
from logdrain.types.sql_types import is_pseudo, pseudo_names, wrapping_list

_NOT_IN_STAR = frozenset({"_id", "_origin", "time", "_time"})


@dataclass(slots=True)
class EventSource:
    """A reference to an event table.

    Attributes:
        alias: What the engine calls it, unlike every other.
        called: What the query calls it; sources may share that.
    """

    alias: str
    scan: ScanBuilder
    called: str = ""

    def names(self) -> list[str]:
        """The names that can be used without a dot."""
        return below(self.scan, ())

    def star(self) -> list[str]:
        """What `*` stands for: the time, then all fields seen, in order of name."""
        fields = [path[0] for path in self.scan.catalog.children(()) if path[0] not in _NOT_IN_STAR]
        return ["time", *fields]


@dataclass(slots=True)
class QuerySource:
    """A derived table, CTE, UNNEST or VALUES: named columns that another query makes.

    Attributes:
        called: As of EventSource.
    """

    alias: str
    columns: list[str]
    called: str = ""

    def names(self) -> list[str]:
        """The names that can be used without a dot."""
        return self.columns

    def star(self) -> list[str]:
        """What `*` stands for."""
        return self.columns


Source = EventSource | QuerySource


@dataclass(slots=True)
class NameScope:
    """The sources one SELECT sees; `parent` is the query around it.

    Attributes:
        merged: Columns joined by USING, in lower case -> what they stand for.
        hidden: Right sides of SEMI and ANTI joins, which only their ON sees.
    """

    parent: "NameScope | None" = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, exp.Expr] = field(default_factory=dict)
    hidden: list[Source] = field(default_factory=list)

    def chain(self) -> Iterable["NameScope"]:
        """This scope and those around it, from the inside out."""
        scope: NameScope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def event_sources(self) -> list[EventSource]:
        """The event tables among the sources."""
        return [source for source in self.sources if isinstance(source, EventSource)]


def matches(name: str, names: Iterable[str]) -> list[str]:
    """The names a word can mean: the exact one, else all that differ from it in case only."""
    known = list(names)
    exact = [candidate for candidate in known if candidate == name]
    return exact or [candidate for candidate in known if candidate.lower() == name.lower()]


def below(scan: ScanBuilder, path: FieldPath) -> list[str]:
    """Names of the fields one step below a path, pseudo columns included."""
    pseudo = pseudo_names(path)
    children = [child[-1] for child in scan.catalog.children(path) if child[-1] != ELEMENT]
    return pseudo + [name for name in children if name not in pseudo]


def is_seen(scan: ScanBuilder, path: FieldPath) -> bool:
    """Whether an event has had this field, or every table has it."""
    return is_pseudo(path) or path in scan.catalog.fields


def holds_list(scan: ScanBuilder, path: FieldPath) -> bool:
    """Whether the field is always a list: nothing lies below it by name."""
    return scan.catalog.types(path) - {FieldType.NULL} == {FieldType.ARRAY}


def read_as_list(scan: ScanBuilder, name: str, ever: TableCatalog) -> None:
    """Let a column that has ever been a list be one in all events, also where they hold a plain value."""
    for path, column in scan.columns.items():
        values = scan.catalog.types(path) - {FieldType.NULL}
        if column.name == name and FieldType.ARRAY in ever.types(path) and values - {FieldType.ARRAY}:
            scan.columns[path] = column._replace(type=wrapping_list(scan.catalog, path))


def sometimes_list(scan: ScanBuilder, path: FieldPath) -> FieldPath:
    """The field above a path that is a list in some events and something else in others; () for none."""
    for depth in range(1, len(path)):
        types = scan.catalog.types(path[:depth]) - {FieldType.NULL}
        if FieldType.ARRAY in types and len(types) > 1:
            return path[:depth]
    return ()
