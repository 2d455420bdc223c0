"""Which rows pass a filter; what cannot be compared does not."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from logdrain.answer.narrowed.row_filter import passing
from logdrain.model.narrowing import read_narrowing

NUMBERS = pa.array([7, 8, None])
TEXTS = pa.array(["7", "x7", None])
LISTS = pa.array([["a", "b"], [], None])
TIMES = pa.array([datetime(2012, 3, 1, tzinfo=UTC), None, None], pa.timestamp("ms", tz="UTC"))
DECIMALS = pa.array([Decimal(7), Decimal(10**30), None], pa.decimal128(38, 0))


@pytest.mark.parametrize(
    ("column", "op", "value", "passes"),
    [
        (NUMBERS, "eq", 7, [True, False, False]),
        (NUMBERS, "eq", 7.0, [True, False, False]),
        (NUMBERS, "eq", "7", [False, False, False]),
        (NUMBERS, "eq", True, [False, False, False]),
        (NUMBERS, "ne", 7, [False, True, False]),
        (NUMBERS, "in", [7, "a"], [True, False, False]),
        (NUMBERS, "not_in", [7], [False, True, False]),
        (NUMBERS, "gte", 8, [False, True, False]),
        (NUMBERS, "lt", 8, [True, False, False]),
        (NUMBERS, "exists", False, [False, False, True]),
        (TEXTS, "eq", 7, [True, False, False]),  # a field of mixed types reads as text
        (TEXTS, "gt", 7, [False, False, False]),
        (TEXTS, "starts_with", "x", [False, True, False]),
        (TEXTS, "ends_with", "7", [True, True, False]),
        (TEXTS, "contains", "x", [False, True, False]),
        (LISTS, "eq", "b", [True, False, False]),
        (LISTS, "ne", "b", [False, False, False]),
        (LISTS, "exists", True, [True, False, False]),
        (TIMES, "gte", "2012-03-01T00:00:00Z", [True, False, False]),
        (TIMES, "gt", "2012-03-01", [False, False, False]),
        (TIMES, "gt", "yesterday", [False, False, False]),
        (DECIMALS, "gt", 7, [False, True, False]),
        (pa.nulls(3), "eq", 7, [False, False, False]),
        (pa.nulls(3), "exists", False, [True, True, True]),
    ],
    ids=lambda value: str(value).replace("\n", ""),
)
def test_rows_that_pass(column: Any, op: str, value: object, passes: list[bool]) -> None:
    rows = read_narrowing((), {"field": "a", "op": op, "value": value}, ()).rows
    assert rows is not None
    assert passing(rows, {("a",): column}).to_pylist() == passes


def test_the_opposite_of_what_is_not_known_is_not_known() -> None:
    equal = {"field": "a", "op": "eq", "value": 7}
    rows = read_narrowing((), {"not": equal}, ()).rows
    either = read_narrowing((), {"or": [equal, {"field": "a", "op": "exists", "value": False}]}, ()).rows
    assert rows is not None
    assert either is not None
    assert passing(rows, {("a",): NUMBERS}).to_pylist() == [False, True, False]
    assert passing(either, {("a",): NUMBERS}).to_pylist() == [True, False, True]
