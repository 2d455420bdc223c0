import math
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from logdrain.errors import ResultRefused
from logdrain.ports.streams import ArrowStream
from tests.integration.results.result_table import ResultTable


def test_the_edges_of_numbers_are_exact(table: ResultTable) -> None:
    table.add(
        0,
        i64=[-(2**63), 2**63 - 1],
        u64=pa.array([2**64 - 1, 0], pa.uint64()),
        d38=pa.array([Decimal(10**38 - 1), Decimal(1 - 10**38)], pa.decimal128(38, 0)),
        cents=pa.array([Decimal("-0.01"), Decimal("99999999.99")], pa.decimal128(10, 2)),
        tiny=[5e-324, 0.1 + 0.2],
        f32=pa.array([0.1, 16777216.0], pa.float32()),
    )
    assert table.types() == {
        "i64": "bigint",
        "u64": "numeric",
        "d38": "numeric",
        "cents": "numeric(10,2)",
        "tiny": "double precision",
        "f32": "double precision",
    }
    assert table.rows() == [
        (-(2**63), 2**64 - 1, 10**38 - 1, Decimal("-0.01"), 5e-324, 0.10000000149011612),
        (2**63 - 1, 0, 1 - 10**38, Decimal("99999999.99"), 0.1 + 0.2, 16777216.0),
    ]


def test_numbers_that_are_none(table: ResultTable) -> None:
    table.add(0, x=[math.inf, -math.inf, math.nan])
    [(low,), (high,), (nan,)] = table.rows()
    assert (low, high) == (-math.inf, math.inf)
    assert math.isnan(nan)


def test_texts_that_mean_something_to_copy_or_sql(table: ResultTable) -> None:
    texts = [
        "",
        "\\N",
        "\\.",
        "a\n\\.\nb",
        "\t\r\n\\",
        "'; DROP TABLE payment_history; --",
        "日本語 🍣 é",
        "NULL",
        None,
    ]
    table.add(0, i=list(range(len(texts))), text=texts)
    assert [text for _, text in table.rows()] == texts


def test_the_character_nul_is_taken_out_and_counted(
    table: ResultTable, capsys: pytest.CaptureFixture[str]
) -> None:
    table.add(0, text=["a\0b\0"], nested=[["\0c"]])
    assert table.rows() == [("ab", ["c"])]
    assert "event=result_nul_characters_removed" in (told := capsys.readouterr().err)
    assert "count=3" in told


def test_nested_values_are_jsonb(table: ResultTable) -> None:
    table.add(
        0,
        items=[[1, None, 2**60], None],
        origin=[{"app": "shop", "price": Decimal("1.10"), "at": datetime(2012, 3, 1, tzinfo=UTC)}, None],
        counts=pa.array([[(7, "a")], []], pa.map_(pa.int64(), pa.string())),
        odd=[[math.nan, math.inf, 0.5], []],
    )
    assert set(table.types().values()) == {"jsonb"}
    first, second = table.rows()
    assert first == (
        [1, None, 2**60],
        {"app": "shop", "price": 1.1, "at": "2012-03-01T00:00:00Z"},
        {"7": "a"},
        ["NaN", "Infinity", 0.5],
    )
    assert second == (None, None, {}, [])
    assert table.execute("SELECT origin->>'price' FROM payment_history LIMIT 1") == [("1.10",)]


def test_times_and_other_types(table: ResultTable) -> None:
    identity = uuid.UUID(int=1)
    table.add(
        0,
        day=[date(1, 1, 1), date(9999, 12, 31)],
        clock=[time(0, 0), time(23, 59, 59, 999999)],
        local=[datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)],  # noqa: DTZ001 - a type without zone
        zoned=pa.array([1_330_560_000_123_456_789, None], pa.timestamp("ns", "Asia/Tokyo")),
        took=[timedelta(days=400, microseconds=1), timedelta(microseconds=-1)],
        span=pa.array([(1, 2, 3_000_000), None], pa.month_day_nano_interval()),
        raw=[b"\x00\\\xff", b""],
        key=pa.array([identity.bytes, None], pa.uuid()),
        kind=pa.array(["a", None]).dictionary_encode(),
    )
    assert list(table.types().values()) == [
        "date",
        "time without time zone",
        "timestamp without time zone",
        "timestamp with time zone",
        "interval",
        "interval",
        "bytea",
        "uuid",
        "text",
    ]
    first, second = table.rows()
    assert first[:2] == (date(1, 1, 1), time(0, 0))
    assert first[3] == datetime(2012, 3, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert first[4] == timedelta(days=400, microseconds=1)
    assert first[5] == timedelta(days=32, milliseconds=3)  # psycopg reads a month as 30 days
    assert first[6:] == (b"\x00\\\xff", identity, "a")
    assert second[1:4] == (time(23, 59, 59, 999999), datetime(9999, 12, 31, 23, 59, 59, 999999), None)  # noqa: DTZ001 - a type without zone
    assert second[4:] == (timedelta(microseconds=-1), None, b"", None, None)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            pa.array([0, None, 1_330_560_000_000], pa.int64()),
            "in row 3, 1330560000000, which as unix seconds",
        ),
        (pa.array([0, 0, 2**63 - 1], pa.timestamp("us")), "in row 3, a time outside the years 1 to 9999"),
        (pa.array([0, 0, -(2**31)], pa.int32()).cast(pa.date32()), "in row 3, a time outside"),
    ],
    ids=["milliseconds", "infinity", "date"],
)
def test_a_time_that_postgres_and_its_readers_cannot_hold_is_refused(
    table: ResultTable, values: Any, told: str
) -> None:
    with pytest.raises(ResultRefused, match=told):
        table.add(0, time=values)
    assert table.types() == {}


def test_rows_are_counted_over_batches(table: ResultTable) -> None:
    batches = [pa.record_batch({"time": [0] * 10_000}), pa.record_batch({"time": [0, 2**60]})]
    with pytest.raises(ResultRefused, match="in row 10002"):
        table.write(ArrowStream(batches[0].schema, batches), slice_column=None)
