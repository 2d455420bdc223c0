"""The groups that the store has made become a query's rows: HAVING, ORDER BY, LIMIT, and the SELECT list.

They are the engine's rows: a comparison with NULL is not true, text is in the order of its code points, and
every key of ORDER BY says where NULL stands.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ColumnType
from logdrain.model.plans import Aggregation, Comparator, FixedValue, GroupFilter, Source
from logdrain.ports.queries import Groups
from logdrain.ports.streams import ArrowStream
from logdrain.types.arrow_columns import arrow_type

_BATCH_ROWS = 65_536
_compute: Any = pc  # its stubs know few of its functions


def rows_of(groups: Groups, aggregation: Aggregation) -> ArrowStream:
    """The rows of an aggregation, all in memory.

    Raises:
        ScanTypeChanged: NaN would have to be compared; only the engine knows where it stands.
    """
    names = {source: str(number) for number, source in enumerate(aggregation.sources)}
    table = groups.table
    for condition in aggregation.having:
        table = table.filter(_passes(_comparable(table, names[condition.source]), condition))
    if aggregation.order:
        table = table.take(_in_order(table, aggregation, names))
    table = table.slice(aggregation.offset, aggregation.limit)
    return _selected(table, aggregation, names)


def _passes(column: Any, condition: GroupFilter) -> Any:
    match condition.comparator:
        case Comparator.IS_NULL:
            return _compute.is_null(column)
        case Comparator.NOT_NULL:
            return _compute.is_valid(column)
        case Comparator.IN:
            return _compute.is_in(column, pa.array(condition.values, column.type))
    return _COMPARISONS[condition.comparator](column, pa.scalar(condition.values[0], column.type))


_COMPARISONS: dict[Comparator, Callable[[Any, Any], Any]] = {
    Comparator.EQ: _compute.equal,
    Comparator.NE: _compute.not_equal,
    Comparator.LT: _compute.less,
    Comparator.LTE: _compute.less_equal,
    Comparator.GT: _compute.greater,
    Comparator.GTE: _compute.greater_equal,
}


def _in_order(table: pa.Table, aggregation: Aggregation, names: dict[Source, str]) -> Any:
    """The numbers of the rows that are wanted, sorted; equal ones stay as they came."""
    keys = [
        (
            names[key.source],
            "descending" if key.is_descending else "ascending",
            "at_start" if key.is_nulls_first else "at_end",
        )
        for key in aggregation.order
    ]
    for name, *_ in keys:
        _comparable(table, name)
    return _compute.sort_indices(table, sort_keys=keys)


def _comparable(table: pa.Table, name: str) -> Any:
    column = table[name]
    if pa.types.is_floating(column.type) and _compute.any(_compute.is_nan(column)).as_py():
        raise ScanTypeChanged("a group is NaN, and has to be compared")
    return column


def _selected(table: pa.Table, aggregation: Aggregation, names: dict[Source, str]) -> ArrowStream:
    """The columns of the SELECT list."""
    fields: list[Any] = []
    columns: list[Any] = []
    for name, source in aggregation.outputs:
        of: Any = arrow_type(ColumnType(source.kind))
        fields.append(pa.field(name, of))
        if isinstance(source, FixedValue):
            columns.append(pa.repeat(pa.scalar(source.value, of), table.num_rows))
        else:
            columns.append(table[names[source]])
    rows = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    return ArrowStream(rows.schema, rows.to_batches(max_chunksize=_BATCH_ROWS))
