"""What planning knows so far: one value that every step of the recipe reads and adds to."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError

from logdrain.errors import Place, SqlError, UnknownResult
from logdrain.model.catalog import FieldPath, TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import (
    Aggregation,
    Dialect,
    Predicate,
    PseudoColumn,
    ResultColumn,
    ResultScan,
    ResultTable,
    Scan,
    ScanColumn,
    TimeRange,
)
from logdrain.model.queries import QueryRequest
from logdrain.query.sql.dialect import FRONT_DOORS
from logdrain.types.sql_types import column_type

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

TIME: FieldPath = (PseudoColumn.TIME.value,)

_NAMELESS = "_"  # no column can be called "", as a field can

WRITTEN_CALL = "written_call"
"""Mark (in a node's meta) of a call under the engine's name: what was written, and how many arguments."""


@dataclass(slots=True)
class ScanBuilder:
    """A scan that still grows: one reference to a table in the query."""

    name: str
    catalog: TableCatalog
    columns: dict[FieldPath, ScanColumn] = field(default_factory=dict)
    time_range: TimeRange = field(default=TimeRange(None, None))
    predicates: list[Predicate] = field(default_factory=list)

    def column(self, path: FieldPath) -> ScanColumn:
        """The column that reads a field; the scan reads it from now on."""
        if path not in self.columns:
            taken = {column.name.lower() for column in self.columns.values()}
            name = unused_name(".".join(path) or _NAMELESS, taken)
            self.columns[path] = ScanColumn(name, path, column_type(self.catalog, path))
        return self.columns[path]

    def finished(self) -> Scan:
        """The scan as a noun; one that needs no column (COUNT(*)) reads the time."""
        time = ScanColumn(TIME[0], TIME, column_type(self.catalog, TIME))
        return Scan(
            name=self.name,
            table=self.catalog.table,
            columns=tuple(self.columns.values()) or (time,),
            time_range=self.time_range,
            predicates=tuple(self.predicates),
        )


@dataclass(slots=True)
class ResultScanBuilder:
    """A scan of a result table that still grows.

    Attributes:
        columns: All that the table has, by their names in the engine.
        read: Those that the query reads.
    """

    name: str
    table: ResultTable
    columns: dict[str, ResultColumn]
    read: dict[str, ResultColumn] = field(default_factory=dict)
    time_range: TimeRange = field(default=TimeRange(None, None))
    predicates: list[Predicate] = field(default_factory=list)

    def finished(self) -> ResultScan:
        """The scan as a noun; one that needs no column (COUNT(*)) reads the first."""
        columns = self.read or dict(list(self.columns.items())[:1])
        return ResultScan(
            self.name, self.table, tuple(columns.values()), self.time_range, tuple(self.predicates)
        )


def no_results(table: ResultTable) -> Sequence[ResultColumn]:
    """Where no results are known.

    Raises:
        UnknownResult: always.
    """
    raise UnknownResult(
        f"there is no {table.name}: no ledger with results is known here", hint="set DATABASE_URL"
    )


@dataclass(slots=True)
class SqlTree:
    """A query as a tree, which steps change in place, and the text that it was read from.

    Attributes:
        text: What the user wrote; of a request that was a tree, that tree as text.
        is_written: Whether there was a text; errors and warnings about a tree have no place.
    """

    statement: exp.Query
    text: str
    dialect: Dialect
    is_written: bool

    def place(self, node: exp.Expr) -> Place:
        """Where a node stands in the user's text: `line 2, column 5`."""
        return node_place(self.text, node)

    def written(self, node: exp.Expr) -> str:
        """The word that a function call starts with, as it was written; "" where it was not."""
        if "start" not in node.meta:
            return ""
        return self.text[node.meta["start"] : node.meta["end"] + 1]

    def readable(self, node: exp.Expr) -> str:
        """A resolved expression in the user's dialect, with quotes only where a name needs them."""
        plain = node.copy()
        for call in plain.find_all(exp.Anonymous):
            name, count = call.meta.get(WRITTEN_CALL, (call.name, len(call.expressions)))
            call.set("this", name)
            call.set("expressions", call.expressions[:count])
        for identifier in plain.find_all(exp.Identifier):
            identifier.set("quoted", not _PLAIN_NAME.fullmatch(identifier.name))
        return plain.sql(dialect=FRONT_DOORS[self.dialect])


@dataclass(slots=True)
class PlanContext(SqlTree):
    """A plan in the making.

    Attributes:
        request: What it is made from; `read_statement` reads it.
        has_addresses: Whether the engine has a database of addresses, for the TD_IP_TO_… functions.
        result_columns: The columns of a result table; raises UnknownTable, UnknownResult.
        scans: By name, in order of appearance.
        result_scans: The same of result tables.
    """

    request: QueryRequest
    catalogs: Callable[[Table], TableCatalog]
    tables: Sequence[Table]
    has_addresses: bool = False
    result_columns: Callable[[ResultTable], Sequence[ResultColumn]] = no_results
    scans: dict[str, ScanBuilder] = field(default_factory=dict)
    result_scans: dict[str, ResultScanBuilder] = field(default_factory=dict)
    slice_column: str | None = None
    warnings: list[str] = field(default_factory=list)
    not_pushed: list[str] = field(default_factory=list)
    counts_from_now: list[str] = field(default_factory=list)
    aggregation: Aggregation | None = None
    not_aggregated: str = ""

    def warn(self, text: str, node: exp.Expr | None = None) -> None:
        """Say something about a node to the person who wrote the SQL, once."""
        warning = f"{self.place(node)}: {text}" if node is not None and self.is_written else text
        if warning not in self.warnings:
            self.warnings.append(warning)


@contextmanager
def sql_errors(tree: SqlTree, warnings: Sequence[str]) -> Iterator[None]:
    """What sqlglot raises becomes a SqlError; every SqlError has the warnings, and a place only in a text."""
    try:
        yield
    except RecursionError:
        raise _told(SqlError("the query is nested too deeply", place=Place(1, 1)), tree, warnings) from None
    except SqlglotError as error:
        place = tree.place(tree.statement)
        told = _told(SqlError(f"the query cannot be understood: {error}", place=place), tree, warnings)
        raise told from error
    except SqlError as error:
        _told(error, tree, warnings)
        raise


def _told(error: SqlError, tree: SqlTree, warnings: Sequence[str]) -> SqlError:
    error.warnings = tuple(warnings)
    if not tree.is_written:
        error.place = None
    return error


def node_place(sql: str, node: exp.Expr) -> Place:
    """Where a node stands in the text that it was read from."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return place_of(sql, min(starts)) if starts else Place(1, 1)


def place_of(sql: str, offset: int) -> Place:
    """The place of a character offset."""
    before = sql[:offset]
    return Place(before.count("\n") + 1, offset - before.rfind("\n"))


def unused_name(name: str, taken: set[str]) -> str:
    """The name, or with `_2`, `_3`, … the first that is not taken (compared in lower case)."""
    if name.lower() not in taken:
        return name
    number = 2
    while f"{name}_{number}".lower() in taken:
        number += 1
    return f"{name}_{number}"


def quoted(name: str, at: exp.Expr | None = None) -> exp.Identifier:
    """An identifier that is taken as it is written; keeps the place of `at`."""
    identifier = exp.to_identifier(name, quoted=True)
    return identifier.update_positions(at) if at is not None else identifier
