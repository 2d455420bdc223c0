"""Nouns of what a query reads: scans, filters, and groups that the event store makes itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from logdrain.model.catalog import ColumnType, FieldPath, FieldType, TypeKind
from logdrain.model.events import Table

Scalar = bool | int | float | str
"""A constant in a pushed-down predicate."""


class Dialect(StrEnum):
    """Whose SQL a text is written in; the values are td's `-T`."""

    TRINO = "trino"
    HIVE = "hive"


class PseudoColumn(StrEnum):
    """Columns every table has, made from the event time."""

    TIME = "time"  # BIGINT, unix seconds
    TIME_MS = "_time"  # TIMESTAMPTZ with milliseconds


class ScanColumn(NamedTuple):
    """One column that a scan yields.

    Attributes:
        name: Its name in the engine, unique in its scan regardless of case.
        path: Where it is in the document; `("time",)` and `("_time",)` are the event time.
        type: Its SQL type.
    """

    name: str
    path: FieldPath
    type: ColumnType


class Comparator(StrEnum):
    """Comparisons that a scan can apply."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"


class Predicate(NamedTuple):
    """A simple filter, with SQL's meaning of NULL: `path comparator values`.

    Attributes:
        values: One constant; any number for IN; none for IS_NULL and NOT_NULL.
    """

    path: FieldPath
    comparator: Comparator
    values: tuple[Scalar, ...]


class TimeRange(NamedTuple):
    """A half-open range of event time in unix seconds; None is an open end."""

    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Scan:
    """Read these columns of a table's events in this time range, filtered."""

    name: str  # what the engine SQL calls it
    table: Table
    columns: tuple[ScanColumn, ...]
    time_range: TimeRange
    predicates: tuple[Predicate, ...] = ()


class ResultTable(NamedTuple):
    """A table of a named result; `schema` "" is the first of the search path."""

    result: str
    schema: str
    table: str

    @property
    def name(self) -> str:
        """What a query calls it, but for quotes."""
        return ".".join(filter(None, ("result", self.result, self.schema, self.table)))


class ResultColumn(NamedTuple):
    """One column of a result table.

    Attributes:
        name: Its name in the engine, unique in its table regardless of case.
        column: Its name in Postgres.
        type: Its SQL type; `time` is BIGINT unix seconds here, too.
        postgres_type: As Postgres prints it.
    """

    name: str
    column: str
    type: str
    postgres_type: str


@dataclass(frozen=True, slots=True)
class ResultScan:
    """Read these columns of a result table; the filters, whose paths are Postgres' names, only save work."""

    name: str  # what the engine SQL calls it
    table: ResultTable
    columns: tuple[ResultColumn, ...]
    time_range: TimeRange
    predicates: tuple[Predicate, ...] = ()


class AggregateFunction(StrEnum):
    """Functions over the events of a group, with SQL's meaning of NULL."""

    COUNT = "COUNT"
    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    AVG = "AVG"


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A field that events are grouped by; no value and NULL are one group."""

    path: FieldPath
    kind: TypeKind


@dataclass(frozen=True, slots=True)
class Measure:
    """One number (or text) about each group.

    Attributes:
        path: Of which field; `()` for COUNT(*), `("time",)` for the event time in unix seconds.
        kind: Of the result.
    """

    function: AggregateFunction
    path: FieldPath
    kind: TypeKind


@dataclass(frozen=True, slots=True)
class FixedValue:
    """The same in every row."""

    value: int | str
    kind: TypeKind


Source = GroupKey | Measure
"""What the event store can say of a group."""


class OutputColumn(NamedTuple):
    """One column of the rows that come out."""

    name: str
    source: Source | FixedValue


class GroupFilter(NamedTuple):
    """A part of HAVING, with SQL's meaning of NULL: `source comparator values`."""

    source: Source
    comparator: Comparator
    values: tuple[Scalar, ...]


class SortKey(NamedTuple):
    """An item of ORDER BY."""

    source: Source
    is_descending: bool
    is_nulls_first: bool


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A whole query that the event store can answer: one row for each group of a scan's events.

    Attributes:
        scan: Which events. The store has to apply its time range and predicates exactly.
        keys: What makes a group; constants do not.
        outputs: In the order of the SELECT list.
        types: What the fields it is about have held: only then are the rows those of the engine.
        is_grouped: Whether there is a GROUP BY; without one there is one row even if there are no events.
        having: Groups that pass all of these become rows.
        order: The rows are sorted by these; equal ones come in any order.
        offset: So many of the first rows are left out.
        limit: No more rows than this; None: all.
    """

    scan: Scan
    keys: tuple[GroupKey, ...]
    outputs: tuple[OutputColumn, ...]
    types: tuple[tuple[FieldPath, frozenset[FieldType]], ...]
    is_grouped: bool
    having: tuple[GroupFilter, ...] = ()
    order: tuple[SortKey, ...] = ()
    offset: int = 0
    limit: int | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """What has to be known of each group, each once."""
        used = [output.source for output in self.outputs if not isinstance(output.source, FixedValue)]
        used += [condition.source for condition in self.having]
        used += [key.source for key in self.order]
        return tuple(dict.fromkeys(used))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured, each once."""
        return tuple(source for source in self.sources if isinstance(source, Measure))
