"""What is in results of files."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logdrain.errors import (
    ResultColumnConflict,
    ResultRefused,
)
from logdrain.model.jobs import Mode
from logdrain.model.result_files import FileFormat
from logdrain.ports.streams import ArrowStream
from tests.integration.results.result_files import csv_of, target, write
from tests.integration.results.result_table import (
    HOUR,
    SLICE,
    SLICE_S,
    as_stream,
)


def test_an_engine_reads_the_folder_as_one_table(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path))
    more = as_stream({"time": [SLICE_S + 3600], "item": ["tea"], "new": [1.5]})
    write(tmp_path, target(tmp_path), more, scheduled_at=SLICE + HOUR, run_id=2)
    found = duckdb.execute(
        "SELECT epoch(time), item, new FROM read_parquet($files, union_by_name = true) ORDER BY time",
        {"files": f"{tmp_path}/pay/*.parquet"},
    ).fetchall()
    assert found == [(SLICE_S, "milk", None), (SLICE_S + 3600, "tea", 1.5)]


def test_parquet_types(tmp_path: Path) -> None:
    instant = datetime(2012, 3, 1, 1, 2, 3, 4, tzinfo=UTC)
    columns = {
        "time": pa.array([SLICE_S]),
        "small": pa.array([1], pa.int16()),
        "huge": pa.array([2**64 - 1], pa.uint64()),
        "exact": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
        "real": pa.array([float("nan")], pa.float32()),
        "text": pa.array(["a\0b"]).dictionary_encode(),
        "tokyo": pa.array([instant], pa.timestamp("ns", "Asia/Tokyo")),
        "plain": pa.array([instant.replace(tzinfo=None)], pa.timestamp("ms")),
        "day": pa.array([date(2012, 3, 1)]),
        "clock": pa.array([time(1, 2)], pa.time32("s")),
        "span": pa.array([(1, 2, 3_000)], pa.month_day_nano_interval()),
        "raw": pa.array([b"\0"]),
        "id": pa.array([bytes(16)], pa.uuid()),
        "nested": pa.array([[{"a": 1}]]),
        "unknown": pa.nulls(1),
    }
    write(tmp_path, target(tmp_path, mode=Mode.REPLACE), as_stream(columns))
    table = pq.read_table(tmp_path / "pay.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "time": "timestamp[us, tz=UTC]",
        "small": "int64",
        "huge": "uint64",
        "exact": "decimal128(10, 2)",
        "real": "double",
        "text": "large_string",
        "tokyo": "timestamp[us, tz=UTC]",
        "plain": "timestamp[us]",
        "day": "date32[day]",
        "clock": "time64[us]",
        "span": "large_string",
        "raw": "large_binary",
        "id": "extension<arrow.uuid>",
        "nested": "list<element: struct<a: int64>>",
        "unknown": "large_string",
    }
    [row] = table.to_pylist()
    assert (row["time"], row["tokyo"]) == (SLICE, instant)
    assert (row["text"], row["span"], row["unknown"]) == ("a\0b", "1 months 2 days 3 microseconds", None)
    assert row["nested"] == [{"a": 1}]


def test_a_parquet_file_says_what_it_is(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path, mode=Mode.REPLACE))
    metadata = pq.read_schema(tmp_path / "pay.parquet").metadata
    assert metadata[b"logdrain.schedule"] == b"pay_hourly"
    assert metadata[b"logdrain.scheduled_at"] == b"2012-03-01T00:00:00+00:00"


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    batch = pa.record_batch({"n": pa.array(range(1000))})
    write(tmp_path, target(tmp_path, mode=Mode.REPLACE), ArrowStream(batch.schema, [batch] * 300))
    metadata = pq.read_metadata(tmp_path / "pay.parquet")
    assert (metadata.num_rows, metadata.num_row_groups) == (300_000, 3)


def test_csv(tmp_path: Path) -> None:
    columns = {
        "time": pa.array([SLICE_S, None, SLICE_S]),
        'a "name", quoted': ['say "hi"\n', "", None],
        "real": [0.1, float("nan"), float("-inf")],
        "yes": [True, False, None],
        "nested": pa.array([[{"a": 1, "b": "x"}], [], None]),
        "formula": ["=1+1", "-2", "@x"],
    }
    assert csv_of(tmp_path, columns) == (
        'time,"a ""name"", quoted",real,yes,nested,formula\n'
        '2012-03-01 00:00:00Z,"say ""hi""\n",0.1,true,"[{""a"":1,""b"":""x""}]",=1+1\n'
        ',"",nan,false,[],-2\n'
        "2012-03-01 00:00:00Z,,-inf,,,@x\n"
    )


def test_a_text_that_would_end_what_postgres_reads(tmp_path: Path) -> None:
    assert csv_of(tmp_path, {"text": ["\\.", "\\..", "a\\."]}) == 'text\n"\\."\n\\..\na\\.\n'


def test_nul_is_taken_out_of_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert csv_of(tmp_path, {"item": ["a\0b"]}) == "item\nab\n"
    assert f"result_nul_characters_removed table={tmp_path}/pay.csv count=1" in capsys.readouterr().err


def test_time_as_unix_seconds(tmp_path: Path) -> None:
    assert csv_of(tmp_path, {"time": [SLICE_S]}, unix_time=True) == f"time\n{SLICE_S}\n"
    write(tmp_path, target(tmp_path, unix_time=True, mode=Mode.REPLACE), run_id=2)
    assert pq.read_schema(tmp_path / "pay.parquet").field("time").type == pa.int64()


@pytest.mark.parametrize("form", FileFormat)
def test_milliseconds_as_seconds_are_found(tmp_path: Path, form: FileFormat) -> None:
    rows = as_stream({"time": [SLICE_S, SLICE_S * 1000]})
    with pytest.raises(ResultRefused, match=r'"time" has, in row 2, .* outside the years'):
        write(tmp_path, target(tmp_path, format=form), rows)


def test_a_type_that_parquet_does_not_hold_is_named(tmp_path: Path) -> None:
    rows = as_stream({"a": [1], "spans": pa.array([[(1, 2, 3)]], pa.list_(pa.month_day_nano_interval()))})
    with pytest.raises(ResultColumnConflict, match=r'column "spans" yields .* which Parquet does not hold'):
        write(tmp_path, target(tmp_path), rows)


def test_names_that_postgres_cannot_have_are_names_in_files(tmp_path: Path) -> None:
    name = "x" * 70
    assert csv_of(tmp_path, {name: [1], "xmin": [2]}) == f"{name},xmin\n1,2\n"
