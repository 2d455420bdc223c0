"""Nouns of a query: what is read, what the engine runs, what comes out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from logdrain.model.catalog import ColumnType, FieldPath
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a SQL text becomes.

    Attributes:
        scans: What is read from the event store.
        engine_sql: What the engine runs over the scans.
        slice_column: The output column that carries TD_SCHEDULED_TIME(), or None.
        warnings: For the person who wrote the SQL.
        not_pushed: Filters that the engine applies after the scan, with the reason.
    """

    scans: tuple[Scan, ...]
    engine_sql: str
    slice_column: str | None
    warnings: tuple[str, ...]
    not_pushed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A SQL text and what it depends on.

    Attributes:
        database: Where table names without a database live; "" for none.
        scheduled_time_s: What TD_SCHEDULED_TIME() returns, unix seconds.
        now_s: The clock, unix seconds.
    """

    sql: str
    database: str
    dialect: Dialect
    scheduled_time_s: int
    now_s: int
