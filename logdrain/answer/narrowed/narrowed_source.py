"""Port ScanSource around another one: what a narrowed key may not see never leaves it.

Rows are dropped and fields taken away before the planner or the engine sees any of it, so that no form of a
query gets round it, nor an error, a plan or a count: there is nothing behind it to be found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logdrain.answer.narrowed.row_filter import passing
from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ELEMENT, ColumnType, FieldPath, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.model.narrowing import (
    Junction,
    Narrowing,
    RowCondition,
    RowFilter,
    RowJunction,
    RowOperator,
    conditions_of,
    plain_keys,
)
from logdrain.model.plans import Aggregation, Comparator, Predicate, Scan, ScanColumn
from logdrain.model.stops import Stop
from logdrain.ports.queries import Groups, ScanSource
from logdrain.ports.streams import ScanStream
from logdrain.types.arrow_columns import arrow_schema, arrow_type
from logdrain.types.sql_types import column_type

_PUSHED = frozenset({RowOperator.EQ, RowOperator.IN})
_CONSTANTS: dict[TypeKind, set[type]] = {TypeKind.BIGINT: {int}, TypeKind.VARCHAR: {str}}


class NarrowedSource:
    """Stored events as a narrowed key sees them.

    Args:
        source: Where events are read.
        narrowing: What is left of them.
    """

    def __init__(self, source: ScanSource, narrowing: Narrowing) -> None:
        self._source = source
        self._narrowing = narrowing

    def tables(self) -> list[Table]:
        """The tables that are there for the key. See the port."""
        return [table for table in self._source.tables() if self._narrowing.has_table(table)]

    def catalog(self, table: Table) -> TableCatalog:
        """What has been seen but for hidden fields: as if those had never been logged. See the port."""
        if not self._narrowing.has_table(table):
            return TableCatalog(table)
        catalog, hides = self._source.catalog(table), self._narrowing.hides
        return replace(
            catalog,
            fields={path: types for path, types in catalog.fields.items() if not hides(path)},
            hours={seen: hours for seen, hours in catalog.hours.items() if not hides(seen.path)},
            declared={path: kind for path, kind in catalog.declared.items() if not hides(path)},
        )

    def scan(self, scan: Scan) -> ScanStream:
        """Read lazily what the key may see. See the port."""
        return _NarrowedStream(self._source, self._narrowing, scan)

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        """Always left to the engine: the store's groups are of all rows.

        Raises:
            ScanTypeChanged: always; the engine then has the groups.
        """
        stop.check()
        raise ScanTypeChanged(f"{aggregation.scan.table.name} is grouped by the engine")

    def estimate(self, scan: Scan) -> int:
        """Nothing is told of how many events there are in all. See the port."""
        del scan
        return 0


class _NarrowedStream(ScanStream):
    """Reads a few more columns than it yields, and drops rows by them."""

    def __init__(self, source: ScanSource, narrowing: Narrowing, scan: Scan) -> None:
        super().__init__(arrow_schema(scan.columns))
        self._scan = scan
        self._rows = narrowing.rows
        self._is_there = narrowing.has_table(scan.table)
        self._shown = [column for column in scan.columns if is_shown(narrowing, column.path, column.type)]
        paths = dict.fromkeys(condition.path for condition in conditions_of(narrowing.rows))
        self._filtered_by = _filter_columns(source, scan.table, self._shown, list(paths))
        columns = dict.fromkeys((*self._shown, *self._filtered_by.values()))
        asked = tuple(each for each in scan.predicates if not narrowing.hides_below(each.path))
        forced = _predicates(narrowing.rows, self._filtered_by)
        self._inner = source.scan(replace(scan, columns=tuple(columns), predicates=(*asked, *forced)))

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if not self._is_there:
            return
        try:
            for batch in self._inner:
                passed = self._passing(batch)
                self.bytes_read += passed.nbytes
                yield passed
        except ScanTypeChanged as error:  # its words may name what is hidden
            raise ScanTypeChanged(
                f"a field of {self._scan.table.name} got a new type meanwhile", hint="run the query again"
            ) from error

    def _passing(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._rows is not None:
            columns = {path: batch.column(column.name) for path, column in self._filtered_by.items()}
            batch = batch.filter(passing(self._rows, columns))
        shown = {column.name for column in self._shown}
        if len(shown) == len(self._scan.columns):
            return batch.select(self.schema.names)
        types: list[Any] = [arrow_type(column.type) for column in self._scan.columns]
        arrays = [
            batch.column(name) if name in shown else pa.nulls(batch.num_rows, of)
            for name, of in zip(self.schema.names, types, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def is_shown(narrowing: Narrowing, path: FieldPath, of: ColumnType) -> bool:
    """Whether nothing hidden is in a column: it is read by parts, or has no hidden parts."""
    if narrowing.hides(path):
        return False
    if not narrowing.hides_below(path):
        return True
    if of.kind is TypeKind.STRUCT:
        return all(is_shown(narrowing, (*path, name), part) for name, part in of.fields)
    if of.kind is TypeKind.LIST and of.element is not None:
        return is_shown(narrowing, (*path, ELEMENT), of.element)
    return of.kind is not TypeKind.TEXT  # the text of a value has all that is in it


def _filter_columns(
    source: ScanSource, table: Table, shown: Sequence[ScanColumn], paths: Sequence[FieldPath]
) -> dict[FieldPath, ScanColumn]:
    """The columns that rows are judged by: those that are read anyway, else some more."""
    by_path = {column.path: column for column in shown}
    catalog = source.catalog(table)
    taken = {column.name.lower() for column in shown}
    found: dict[FieldPath, ScanColumn] = {}
    for path in paths:
        exact = path if path in catalog.fields else _as_written(catalog, path)
        if exact not in by_path:
            name = f"_row_{len(found)}"
            while name in taken:
                name += "_"
            taken.add(name)
            by_path[exact] = ScanColumn(name, exact, column_type(catalog, exact))
        found[path] = by_path[exact]
    return found


def _predicates(rows: RowFilter | None, columns: Mapping[FieldPath, ScanColumn]) -> Iterator[Predicate]:
    """What of a filter the store can apply, so that less is read; rows are judged again here."""
    if isinstance(rows, RowJunction) and rows.junction is Junction.AND:
        for part in rows.parts:
            yield from _predicates(part, columns)
    if isinstance(rows, RowCondition) and rows.operator in _PUSHED:
        column = columns[rows.path]
        if {type(value) for value in rows.wanted} == _CONSTANTS.get(column.type.kind):
            yield Predicate(column.path, Comparator(rows.operator.value), rows.wanted)


def _as_written(catalog: TableCatalog, path: FieldPath) -> FieldPath:
    """The one path that differs in the case of its letters only; the path itself where there is none."""
    alike = [seen for seen in catalog.fields if plain_keys(seen) == plain_keys(path) and ELEMENT not in seen]
    return alike[0] if len(alike) == 1 else path
