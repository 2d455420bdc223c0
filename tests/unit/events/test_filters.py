import math
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.ids import make_id
from logdrain.events.read.filters import scan_filter, time_filter
from logdrain.model.catalog import ColumnType
from logdrain.model.events import Table
from logdrain.model.plans import Comparator, Predicate, Scalar, Scan, ScanColumn, TimeRange
from tests.unit.types import typed_values as tv

LAST_SECOND = 2**48 // 1000


def filtered(of: ColumnType, comparator: Comparator, *values: Scalar, path: tuple[str, ...] = ("f",)) -> Any:
    scan = Scan(
        "s",
        Table("production", "pay"),
        (ScanColumn("f", path, of),),
        TimeRange(None, None),
        (Predicate(path, comparator, values),),
    )
    return scan_filter(scan)


@given(st.integers(0, 2**48 - 1), st.integers(-5, LAST_SECOND + 5), st.integers(-5, LAST_SECOND + 5))
def test_a_time_range_is_a_range_of_ids(time_ms: int, start: int, end: int) -> None:
    in_time = time_filter(TimeRange(start, end)).get("_id", {})
    event_id = make_id(time_ms, "shop", "delivery", 1)
    is_within = (
        event_id >= bytes(in_time.get("$gte", b""))
        and ("$lt" not in in_time or event_id < bytes(in_time["$lt"]))
        and "$in" not in in_time
    )
    assert is_within == (start * 1000 <= time_ms < end * 1000)


def test_bounds_are_the_first_id_of_their_millisecond() -> None:
    in_time = time_filter(TimeRange(1, 2))
    assert {bound: UUID(bytes=bytes(value)).hex for bound, value in in_time["_id"].items()} == {
        "$gte": "0000000003e800000000000000000000",
        "$lt": "0000000007d000000000000000000000",
    }


@pytest.mark.parametrize("time_range", [(None, None), (-(10**30), 10**30), (0, None), (None, 2**48)])
def test_a_range_open_at_both_ends_is_no_filter(time_range: tuple[int | None, int | None]) -> None:
    assert time_filter(TimeRange(*time_range)) == {}


@pytest.mark.parametrize("time_range", [(5, 5), (6, 5), (None, 0), (None, -1), (10**30, None)])
def test_an_empty_range_matches_nothing(time_range: tuple[int | None, int | None]) -> None:
    assert time_filter(TimeRange(*time_range)) == {"_id": {"$in": []}}


def test_a_constant_is_always_beneath_an_operator() -> None:
    condition = filtered(tv.VARCHAR, Comparator.EQ, "$ne")["$and"][0]["$or"][0]
    assert condition == {"f": {"$eq": "$ne"}}


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (tv.BIGINT, 2**63),
        (tv.BIGINT, -(2**63) - 1),
        (tv.BIGINT, 2.0**53),
        (tv.BIGINT, math.nan),
        (tv.BIGINT, math.inf),
        (tv.BIGINT, "1"),
        (tv.BIGINT, True),
        (tv.DOUBLE, 2**53),
        (tv.DOUBLE, True),
        (tv.BOOLEAN, 1),
        (tv.VARCHAR, 1),
        (tv.VARCHAR, "\ud800"),
        (tv.TEXT, "1"),
        (tv.NULL, 1),
        (tv.TIMESTAMPTZ, "2024-05-01"),
        (tv.list_of(tv.BIGINT), 1),
        (tv.struct_of(a=tv.BIGINT), 1),
    ],
)
@pytest.mark.parametrize("comparator", [Comparator.EQ, Comparator.NE, Comparator.LT, Comparator.IN])
def test_what_mongodb_would_judge_otherwise_is_left_to_the_engine(
    of: ColumnType, value: Scalar, comparator: Comparator
) -> None:
    assert filtered(of, comparator, value) == {}


@pytest.mark.parametrize("path", [("a.b",), ("$f",), ("",), ("a", "$b"), ("time",), ("_time",)])
def test_paths_that_mongodb_would_read_otherwise_are_left_to_the_engine(path: tuple[str, ...]) -> None:
    assert filtered(tv.BIGINT, Comparator.EQ, 1, path=path) == {}


def test_one_constant_that_does_not_compare_alike_keeps_a_list_back() -> None:
    assert filtered(tv.BIGINT, Comparator.IN, 1, 2**63) == {}


def test_a_field_that_is_no_column_is_left_to_the_engine() -> None:
    scan = Scan(
        "s",
        Table("production", "pay"),
        (),
        TimeRange(None, 1),
        (Predicate(("f",), Comparator.IS_NULL, ()),),
    )
    assert list(scan_filter(scan)) == ["_id"]
