import math
from datetime import UTC, datetime
from typing import Any

import bson
import pyarrow as pa
import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ScanTypeChanged
from logdrain.events.read import batch_decoder as batches
from logdrain.events.read.batch_decoder import BatchDecoder, unix_seconds
from logdrain.model.catalog import ColumnType
from logdrain.model.events import Table
from logdrain.model.plans import Scan, ScanColumn, TimeRange
from tests.unit.types import typed_values as tv

WRONG: dict[ColumnType, list[Any]] = {
    tv.BIGINT: [1.5, 1.0, math.nan, True, "1", Decimal128("1")],
    tv.DOUBLE: [True, False, "1"],
    tv.VARCHAR: [1, 0.5, True],
    tv.BOOLEAN: [1, 0.0, "true"],
    tv.TIMESTAMPTZ: [0, "2024-05-01"],
}
"""Kinds that pymongoarrow reads, and values that are not theirs."""


def decode(columns: dict[str, ColumnType], *documents: dict[str, Any]) -> pa.RecordBatch:
    scan = Scan(
        "s",
        Table("production", "pay"),
        tuple(ScanColumn(name, (name,), of) for name, of in columns.items()),
        TimeRange(None, None),
    )
    decoder = BatchDecoder(scan)
    batch = decoder.decode(b"".join(map(bson.encode, documents)))
    assert batch.schema == decoder.schema
    batch.validate(full=True)
    return batch


@given(st.data(), st.sampled_from(list(WRONG)))
def test_both_decoders_read_the_same(data: st.DataObject, of: ColumnType) -> None:
    stored = [pair[0] for pair in data.draw(st.lists(tv.values_of(of), min_size=1, max_size=5))]
    documents = [{"f": value} for value in stored]
    # A TEXT column beside it leaves the batch to the exact decoder.
    uniform, exact = decode({"f": of}, *documents), decode({"f": of, "g": tv.TEXT}, *documents)
    assert repr(uniform["f"].to_pylist()) == repr(exact["f"].to_pylist())


@pytest.mark.parametrize(
    ("of", "value"),
    [(of, value) for of, values in WRONG.items() for value in [*values, [], [1], {}, {"a": 1}, ObjectId()]],
)
def test_a_value_of_another_type_is_never_read_as_something_else(of: ColumnType, value: Any) -> None:
    with pytest.raises(ScanTypeChanged, match=r"production\.pay: f is read as"):
        decode({"f": of}, {"f": None}, {"f": value})


def test_a_double_column_takes_a_decimal_that_pymongoarrow_does_not() -> None:
    assert decode({"f": tv.DOUBLE}, {"f": Decimal128("0.5")}, {"f": 1}).to_pylist() == [
        {"f": 0.5},
        {"f": 1.0},
    ]


def test_plain_scalars_do_not_pass_through_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "build_array", None)
    columns = {"n": tv.BIGINT, "s": tv.VARCHAR, "time": tv.BIGINT, "coupon": tv.NULL}
    assert decode(columns, {"n": 1, "s": "x", "time": DatetimeMS(1000)}).num_rows == 1


def test_text_that_looks_like_a_double_to_a_search_is_no_double() -> None:
    text = "\x01price\0 \x08price\0"
    batch = decode({"price": tv.BIGINT, "note": tv.VARCHAR}, {"price": 1, "note": text})
    assert batch.to_pylist() == [{"price": 1, "note": text}]


@pytest.mark.parametrize("unix_ms", [-1001, -1000, -999, -1, 0, 1, 999, 1000, 1700000000999])
def test_the_event_time_in_seconds_and_milliseconds(unix_ms: int) -> None:
    columns = {"time": tv.BIGINT, "_time": tv.TIMESTAMPTZ}
    row = decode(columns, {"time": DatetimeMS(unix_ms)}).to_pylist()[0]
    assert row["time"] == unix_ms // 1000
    assert row["_time"] == datetime.fromtimestamp(unix_ms // 1000, UTC).replace(
        microsecond=unix_ms % 1000 * 1000
    )


def test_seconds_of_times_that_are_missing() -> None:
    times = pa.array([None, 1999], pa.timestamp("ms", tz="UTC"))
    assert unix_seconds(times).to_pylist() == [None, 1]


def test_nothing_seen_yet_reads_as_null() -> None:
    assert decode({"coupon": tv.NULL}, {"time": DatetimeMS(0)}, {"time": DatetimeMS(1)}).to_pylist() == [
        {"coupon": None},
        {"coupon": None},
    ]


def test_rows_count_where_there_are_no_columns() -> None:
    batch = decode({}, {"time": DatetimeMS(0)}, {"time": DatetimeMS(1)})
    assert (batch.num_rows, batch.num_columns) == (2, 0)
