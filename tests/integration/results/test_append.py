from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from logdrain.errors import QueryMemoryExceeded, ResultColumnConflict, SliceNotRepeatable
from logdrain.ports.streams import ArrowStream
from tests.integration.results.result_table import CLAIM, HOUR, SLICE, SLICE_S, ResultTable, next_claim

NEXT_SLICE = replace(CLAIM, scheduled_at=SLICE + HOUR)


def test_a_first_slice_creates_the_table_in_the_querys_order(table: ResultTable) -> None:
    written = table.write({"time": [SLICE_S] * 2, "category": ["a", "b"], "sum": [32132, 98021]})
    assert written == 2
    assert list(table.types().items()) == [
        ("time", "timestamp with time zone"),
        ("category", "text"),
        ("sum", "bigint"),
    ]
    assert table.rows() == [(SLICE, "a", 32132), (SLICE, "b", 98021)]


def test_a_slice_that_runs_again_replaces_its_rows(table: ResultTable) -> None:
    table.write({"time": [SLICE_S] * 2, "sum": [1, 2]})
    assert table.write({"time": [SLICE_S], "sum": [3]}, next_claim(CLAIM, ran_before=True)) == 1
    assert table.rows() == [(SLICE, 3)]


def test_another_slice_adds_its_rows(table: ResultTable) -> None:
    table.write({"time": [SLICE_S], "sum": [1]})
    table.write({"time": [SLICE_S + 3600], "sum": [1]}, NEXT_SLICE)
    assert table.rows() == [(SLICE, 1), (SLICE + HOUR, 1)]


def test_a_slice_that_yields_nothing_any_more_leaves_nothing(table: ResultTable) -> None:
    table.write({"time": [SLICE_S], "sum": [1]})
    table.write({"time": pa.array([], pa.int64()), "sum": pa.array([], pa.int64())}, next_claim(CLAIM))
    assert table.rows() == []


def test_an_empty_result_creates_the_table(table: ResultTable) -> None:
    assert table.write({"time": pa.array([], pa.int64()), "sum": pa.array([], pa.float64())}) == 0
    assert table.types() == {"time": "timestamp with time zone", "sum": "double precision"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([SLICE_S], SLICE_S),
        ([float(SLICE_S)], float(SLICE_S)),
        (pa.array([SLICE], pa.timestamp("us", "Asia/Tokyo")), SLICE),
        (pa.array([SLICE.replace(tzinfo=None)], pa.timestamp("s")), SLICE.replace(tzinfo=None)),
    ],
    ids=["bigint", "double", "timestamptz", "timestamp"],
)
def test_the_slice_column_may_have_any_type_of_a_time(
    table: ResultTable, values: object, expected: object
) -> None:
    table.write({"hour": values, "sum": [1]}, slice_column="hour")
    table.write({"hour": values, "sum": [2]}, next_claim(CLAIM), slice_column="hour")
    assert table.rows() == [(expected, 2)]


def test_a_slice_is_found_in_a_table_whose_column_is_text(table: ResultTable) -> None:
    table.execute("CREATE TABLE payment_history (time text, sum bigint)")
    table.write({"time": [SLICE_S], "sum": [1]})
    table.write({"time": [SLICE_S], "sum": [2]}, next_claim(CLAIM))
    assert table.rows() == [("2012-03-01 00:00:00+00", 2)]


def test_unix_time_keeps_the_integer(table: ResultTable) -> None:
    table.unix_time = True
    table.write({"time": [SLICE_S], "sum": [1]})
    table.write({"time": [SLICE_S], "sum": [2]}, next_claim(CLAIM))
    assert table.types()["time"] == "bigint"
    assert table.rows() == [(SLICE_S, 2)]


def test_rows_of_another_time_than_the_slices_are_refused(table: ResultTable) -> None:
    totals = pa.array([SLICE_S, None], pa.int64())
    with pytest.raises(ResultColumnConflict, match="1 rows do not have the scheduled time"):
        table.write({"time": totals, "sum": [1, 1]})
    assert table.types() == {}


def test_a_slice_without_a_slice_column_runs_once_unless_forced(table: ResultTable) -> None:
    table.write({"sum": [1]}, slice_column=None)
    again = replace(CLAIM, run_id=2, fence=2, ran_before=True)
    with pytest.raises(SliceNotRepeatable, match=r"slice 2012-03-01T00:00:00\+00:00 of schedule pay_hourly"):
        table.write({"sum": [1]}, again, slice_column=None)
    assert table.rows() == [(1,)]
    table.write({"sum": [1]}, replace(again, forced=True), slice_column=None)
    assert table.rows() == [(1,), (1,)]


def test_the_table_explains_itself(table: ResultTable) -> None:
    claim = replace(CLAIM, schedule=replace(CLAIM.schedule, name='it\'s "%s" {} \\'))
    table.write({"time": [SLICE_S], "sum": [1]}, claim)
    assert table.execute("SELECT obj_description('payment_history'::regclass)") == [
        ('Written by logdrain, schedule it\'s "%s" {} \\.',)
    ]
    [(comment,)] = table.execute("SELECT col_description('payment_history'::regclass, 1)")
    assert "END of the window" in comment
    [(index,)] = table.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'payment_history'")
    assert index.endswith('("time")')


def test_a_schema_of_ones_own(table: ResultTable) -> None:
    table.execute("CREATE SCHEMA analytics")
    table.schema = "analytics"
    table.write({"time": [SLICE_S], "sum": [1]})
    assert table.execute("SELECT sum FROM analytics.payment_history") == [(1,)]
    assert table.execute("SELECT rows FROM analytics.logdrain_marks") == [(1,)]


def failing_batches(error: Exception) -> Iterator[pa.RecordBatch]:
    """One batch, then what a query fails of."""
    yield pa.record_batch({"time": [SLICE_S], "sum": [2], "new": [1]})
    raise error


def test_an_error_of_the_query_passes_unchanged_and_leaves_no_trace(table: ResultTable) -> None:
    table.write({"time": [SLICE_S], "sum": [1]})
    error = QueryMemoryExceeded("the query needs more than 512 MB")
    schema = pa.schema({"time": pa.int64(), "sum": pa.int64(), "new": pa.int64()})
    with pytest.raises(QueryMemoryExceeded) as raised:
        table.write(ArrowStream(schema, failing_batches(error)), next_claim(CLAIM))
    assert raised.value is error
    assert list(table.types()) == ["time", "sum"]
    assert table.rows() == [(datetime(2012, 3, 1, tzinfo=UTC), 1)]
