"""HAVING, ORDER BY and LIMIT over groups, against what they mean said in plain Python."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.answer.aggregate_rows import rows_of
from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ColumnType, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import (
    Aggregation,
    Comparator,
    FixedValue,
    GroupFilter,
    GroupKey,
    OutputColumn,
    Scan,
    SortKey,
    TimeRange,
)
from logdrain.ports.queries import EVENTS, Groups
from logdrain.types.arrow_columns import arrow_type

KEYS = (
    GroupKey(("i",), TypeKind.BIGINT),
    GroupKey(("d",), TypeKind.DOUBLE),
    GroupKey(("s",), TypeKind.VARCHAR),
    GroupKey(("b",), TypeKind.BOOLEAN),
)
VALUES: tuple[st.SearchStrategy[Any], ...] = (
    st.integers(-2, 2) | st.sampled_from([2**53 + 1, -(2**62)]),
    st.sampled_from([-0.0, 0.0, 0.5, -1.5, float("inf"), 1e300]),
    st.sampled_from(["", "a", "A", "b", "é", "e\u0301", "\0", "\U0001f600", "\uffff"]),
    st.booleans(),
)
COMPARED: dict[Comparator, Callable[[Any, Sequence[Any]], bool]] = {
    Comparator.EQ: lambda value, constants: bool(value == constants[0]),
    Comparator.NE: lambda value, constants: bool(value != constants[0]),
    Comparator.LT: lambda value, constants: bool(value < constants[0]),
    Comparator.LTE: lambda value, constants: bool(value <= constants[0]),
    Comparator.GT: lambda value, constants: bool(value > constants[0]),
    Comparator.GTE: lambda value, constants: bool(value >= constants[0]),
    Comparator.IN: lambda value, constants: value in constants,
}

Row = tuple[Any, ...]


@st.composite
def filters(draw: st.DrawFn) -> GroupFilter:
    at, comparator = draw(st.integers(0, 3)), draw(st.sampled_from(Comparator))
    least, most = (0, 0) if "null" in comparator else (1, 3) if comparator is Comparator.IN else (1, 1)
    return GroupFilter(KEYS[at], comparator, tuple(draw(st.lists(VALUES[at], min_size=least, max_size=most))))


def rows(aggregation: Aggregation, given_rows: Sequence[Row]) -> list[Row]:
    """The rows of an aggregation whose groups have these keys."""
    columns = [
        pa.array([row[KEYS.index(key)] for row in given_rows], arrow_type(ColumnType(key.kind)))
        for key in aggregation.sources
        if isinstance(key, GroupKey)
    ]
    names = [EVENTS, *map(str, range(len(columns)))]
    groups = pa.table([pa.array([1] * len(given_rows)), *columns], names=names)
    stream = rows_of(Groups(groups, 0, 0, TableCatalog(Table("a", "b"))), aggregation)
    return [tuple(row.values()) for batch in stream for row in batch.to_pylist()]


def asked(**parts: Any) -> Aggregation:
    scan = Scan("scan_0", Table("a", "b"), (), TimeRange(None, None))
    outputs = tuple(OutputColumn(key.path[0], key) for key in KEYS)
    return Aggregation(scan, KEYS, parts.pop("outputs", outputs), (), is_grouped=True, **parts)


def passes(row: Row, condition: GroupFilter) -> bool:
    value = row[KEYS.index(condition.source)]
    if condition.comparator in (Comparator.IS_NULL, Comparator.NOT_NULL):
        return (value is None) is (condition.comparator is Comparator.IS_NULL)
    return value is not None and COMPARED[condition.comparator](value, condition.values)


def sorted_by(given_rows: Sequence[Row], order: Sequence[SortKey]) -> list[Row]:
    found = list(given_rows)
    for key in reversed(order):
        at = KEYS.index(key.source)
        nulls = [row for row in found if row[at] is None]
        others = sorted((row for row in found if row[at] is not None), key=lambda row: row[at])  # at once
        if key.is_descending:
            others = [row for _, same in grouped(others, at) for row in same]
        found = nulls + others if key.is_nulls_first else others + nulls
    return found


def grouped(ascending: Sequence[Row], at: int) -> list[tuple[Any, list[Row]]]:
    """Rows from the largest value down; equal ones as they came."""
    values = list(dict.fromkeys(row[at] for row in ascending))
    return [(value, [row for row in ascending if row[at] == value]) for value in reversed(values)]


GROUPS = st.lists(st.tuples(*(st.none() | values for values in VALUES)), max_size=12)
ORDER = st.lists(st.builds(SortKey, st.sampled_from(KEYS), st.booleans(), st.booleans()), max_size=3)


@given(
    GROUPS,
    st.lists(filters(), max_size=2),
    ORDER,
    st.integers(0, 5),
    st.none() | st.integers(0, 8),
)
def test_it_means_what_sql_says(
    given_rows: list[Row], having: list[GroupFilter], order: list[SortKey], offset: int, limit: int | None
) -> None:
    aggregation = asked(having=tuple(having), order=tuple(order), offset=offset, limit=limit)
    kept = [row for row in given_rows if all(passes(row, condition) for condition in having)]
    end = None if limit is None else offset + limit
    assert rows(aggregation, given_rows) == sorted_by(kept, order)[offset:end]


def test_what_is_not_selected_may_be_compared_and_what_is_fixed_is_in_every_row() -> None:
    outputs = (OutputColumn("x", FixedValue("x", TypeKind.VARCHAR)), OutputColumn("i", KEYS[0]))
    order = (SortKey(KEYS[2], is_descending=True, is_nulls_first=False),)
    aggregation = asked(outputs=outputs, order=order, limit=1)
    assert rows(aggregation, [(1, 0.0, "a", True), (2, 0.0, "b", True)]) == [("x", 2)]


def test_only_constants_are_as_many_rows_as_there_are_groups() -> None:
    aggregation = asked(outputs=(OutputColumn("x", FixedValue(1, TypeKind.BIGINT)),), limit=2)
    assert rows(aggregation, [(1, 0.0, "a", True)] * 3) == [(1,), (1,)]


@pytest.mark.parametrize(
    "parts",
    [
        {"order": (SortKey(KEYS[1], is_descending=False, is_nulls_first=False),)},
        {"having": (GroupFilter(KEYS[1], Comparator.GT, (0.0,)),)},
    ],
)
def test_where_nan_stands_only_the_engine_knows(parts: dict[str, Any]) -> None:
    groups = [(1, float("nan"), "a", True), (2, 0.0, "b", True)]
    assert len(rows(asked(), groups)) == 2
    with pytest.raises(ScanTypeChanged, match="NaN"):
        rows(asked(**parts), groups)
