from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ScanTypeChanged
from logdrain.model.catalog import ColumnType
from logdrain.types.arrow_columns import BELOW_ARRAY, arrow_type, build_array
from tests.unit.types import typed_values as tv

A_DATE = datetime(2024, 5, 1, 12, 30, 0, 1000)  # noqa: DTZ001  # as bson decodes
WHERE = "production.pay: price"


@given(st.data(), tv.COLUMN_TYPES.filter(lambda of: "TIMESTAMPTZ" not in str(of)))
def test_values_come_back_as_they_were(data: st.DataObject, of: ColumnType) -> None:
    pairs = data.draw(st.lists(tv.values_of(of), max_size=5))
    array = build_array([stored for stored, _ in pairs], of, WHERE)
    assert array.type == arrow_type(of)
    array.validate(full=True)
    assert len(array) == len(pairs)
    for read, (_, expected) in zip(array.to_pylist(), pairs, strict=True):
        assert tv.matches(read, expected, of)


def test_dates_within_and_beyond_the_years_of_python() -> None:
    array = build_array([A_DATE, None, DatetimeMS(2**48)], tv.TIMESTAMPTZ, WHERE)
    assert array.cast(pa.int64()).to_pylist() == [1714566600001, None, 2**48]
    assert build_array([A_DATE], tv.TIMESTAMPTZ, WHERE).to_pylist() == [A_DATE.replace(tzinfo=UTC)]


def test_a_double_column_takes_numbers_of_every_type() -> None:
    numbers = [1, Int64(2**53 + 1), 0.5, Decimal128("18446744073709551616")]
    assert build_array(numbers, tv.DOUBLE, WHERE).to_pylist() == [1.0, 2.0**53, 0.5, 2.0**64]


def test_keys_that_a_struct_does_not_list_are_left_out() -> None:
    assert build_array([{"a": 1, "b": "x"}], tv.struct_of(a=tv.BIGINT), WHERE).to_pylist() == [{"a": 1}]


@pytest.mark.parametrize(
    ("of", "value", "held"),
    [
        (tv.BIGINT, 2.0, "double"),
        (tv.BIGINT, True, "bool"),
        (tv.BIGINT, "1", "string"),
        (tv.BIGINT, Decimal128("1"), "decimal"),
        (tv.BIGINT, BELOW_ARRAY, "array above it"),
        (tv.DOUBLE, True, "bool"),
        (tv.DOUBLE, "1", "string"),
        (tv.DECIMAL, 0.5, "double"),
        (tv.DECIMAL, Decimal128("0.5"), "decimal 0.5"),
        (tv.DECIMAL, Decimal128("1E+38"), "decimal 1E+38"),
        (tv.DECIMAL, Decimal128("NaN"), "decimal NaN"),
        (tv.VARCHAR, 1, "int"),
        (tv.VARCHAR, {}, "object"),
        (tv.BOOLEAN, 1, "int"),
        (tv.TIMESTAMPTZ, 1, "int"),
        (tv.TIMESTAMPTZ, "2024-05-01", "string"),
        (tv.BIGINT, A_DATE, "date"),
        (tv.NULL, 1, "int"),
        (tv.TEXT, BELOW_ARRAY, "array above it"),
        (tv.list_of(tv.BIGINT), 1, "int"),
        (tv.list_of(tv.BIGINT), {"a": 1}, "object"),
        (tv.struct_of(a=tv.BIGINT), [1], "array"),
        (tv.struct_of(a=tv.BIGINT), 1, "int"),
    ],
)
def test_another_type_is_an_error_that_names_it(of: ColumnType, value: Any, held: str) -> None:
    with pytest.raises(ScanTypeChanged) as caught:
        build_array([None, value], of, WHERE)
    assert caught.value.located == f"{WHERE} is read as {of}, but an event has: {held}"
    assert caught.value.retryable


def test_an_error_within_a_column_says_where() -> None:
    of = tv.list_of(tv.struct_of(qty=tv.BIGINT))
    with pytest.raises(
        ScanTypeChanged, match=r'an element of production\.pay: price\."qty" is read as BIGINT'
    ):
        build_array([[{"qty": 1}, {"qty": "two"}]], of, WHERE)
