"""Many rows, several writers, and a server that is away or in the way."""

import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pytest

from logdrain.errors import ResultUnavailable
from logdrain.jobs.due import CronCalendar
from logdrain.model.jobs import ResultTarget
from logdrain.ports.streams import ArrowStream
from logdrain.results.postgres.table_writer import PostgresResultWriter
from tests.integration.results.result_table import (
    ANOTHER_LEDGER,
    CLAIM,
    HOUR,
    SLICE,
    SLICE_S,
    ResultTable,
    WatchedStream,
    as_stream,
    next_claim,
    no_note,
)


class ForgetfulStream(ArrowStream):
    """Makes each batch when it is asked for, and watches how many are still held by then."""

    def __init__(self, batch_count: int, batch_rows: int) -> None:
        fields = {"time": pa.int64(), "uid": pa.int64(), "url": pa.string()}
        super().__init__(pa.schema([pa.field(name, of) for name, of in fields.items()]))
        self.batch_count = batch_count
        self.batch_rows = batch_rows
        self.made: list[weakref.ref[pa.RecordBatch]] = []
        self.most_alive = 0

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for place in range(self.batch_count):
            alive = sum(made() is not None for made in self.made)
            self.most_alive = max(self.most_alive, alive)
            yield self._make(place)

    def _make(self, place: int) -> pa.RecordBatch:
        uids = range(place * self.batch_rows, (place + 1) * self.batch_rows)
        columns = ([SLICE_S] * self.batch_rows, list(uids), [f"/items/{uid}" for uid in uids])
        batch = pa.record_batch([pa.array(values) for values in columns], schema=self.schema)
        self.made.append(weakref.ref(batch))
        return batch


def test_a_large_result_is_streamed(table: ResultTable) -> None:
    rows = ForgetfulStream(batch_count=20, batch_rows=10_000)
    assert table.write(rows) == 200_000
    # The one that was just written; it goes when the next arrives.
    assert rows.most_alive == 1
    assert table.execute("SELECT count(*), count(DISTINCT uid), sum(uid), max(url) FROM payment_history") == [
        (200_000, 200_000, sum(range(200_000)), "/items/99999")
    ]


def test_writers_of_one_table_do_not_race(table: ResultTable) -> None:
    """All of them find no table, each brings a column of its own, none knows of the others."""
    hours = range(8)

    def write(hour: int) -> int:
        time_s = SLICE_S + hour * 3600
        claim = replace(CLAIM, scheduled_at=SLICE + hour * HOUR, run_id=hour + 1)
        return table.write({"time": [time_s] * 3, "sum": [1, 2, 3], f"extra_{hour}": [hour] * 3}, claim)

    with ThreadPoolExecutor(len(hours)) as pool:
        assert list(pool.map(write, hours)) == [3] * len(hours)
    assert set(table.types()) == {"time", "sum", *(f"extra_{hour}" for hour in hours)}
    assert table.execute("SELECT count(*), sum(extra_7) FROM payment_history") == [(24, 21)]
    assert table.execute("SELECT count(*), sum(rows) FROM logdrain_marks") == [(8, 24)]


def test_writers_of_many_tables_do_not_race_for_the_marks(table: ResultTable) -> None:
    def write(place: int) -> int:
        of_its_own = replace(CLAIM, schedule=replace(CLAIM.schedule, name=f"schedule_{place}"))
        return replace(table, name=f"table_{place}").write({"time": [SLICE_S]}, of_its_own)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(write, range(12))) == [1] * 12
    assert table.execute("SELECT count(*) FROM logdrain_marks") == [(12,)]


def test_a_reader_is_not_held_up_while_the_query_runs(table: ResultTable) -> None:
    table.write({"time": [SLICE_S], "sum": [1]})
    seen: list[object] = []
    rows = WatchedStream(as_stream({"time": [SLICE_S], "sum": [2]}), lambda: seen.extend(table.rows()))
    table.write(rows, next_claim(CLAIM))
    assert seen == [(SLICE, 1)]
    assert table.rows() == [(SLICE, 2)]


def test_a_table_that_is_locked_for_too_long_is_tried_again_later(table: ResultTable) -> None:
    table.write({"time": [SLICE_S], "sum": [1]})
    writer = PostgresResultWriter(CronCalendar(), lock_timeout_s=0.1)
    with psycopg.connect(table.url) as connection, connection.transaction():
        connection.execute("LOCK TABLE payment_history IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(ResultUnavailable, match="lock timeout") as raised:
            writer.write(
                ResultTarget(table.url, table.name),
                next_claim(CLAIM),
                as_stream({"time": [SLICE_S], "sum": [2]}),
                slice_column="time",
                commit_note=no_note,
                ledger_identity=ANOTHER_LEDGER,
            )
    assert raised.value.retryable
    assert table.rows() == [(SLICE, 1)]


def test_a_connection_that_is_cut_leaves_no_trace(table: ResultTable) -> None:
    def cut() -> None:
        table.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'logdrain'"
        )

    with pytest.raises(ResultUnavailable):
        table.write(WatchedStream(as_stream({"time": [SLICE_S], "sum": [1]}), on_read=cut))
    assert table.types() == {}


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1/db", "no-such-host.invalid/db"], ids=["nobody listens", "no such host"]
)
def test_a_server_that_is_away_is_told_without_the_password(address: str) -> None:
    away = ResultTable(f"postgresql://shop:s3cret@{address}")
    with pytest.raises(ResultUnavailable, match="cannot be reached") as raised:
        away.write({"time": [SLICE_S], "sum": [1]})
    assert raised.value.retryable
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_role_that_may_not_connect_is_told(table: ResultTable) -> None:
    parts = urlsplit(table.url)
    stranger = parts._replace(netloc="nobody_here:s3cret@" + parts.netloc.rpartition("@")[2])
    with pytest.raises(ResultUnavailable, match="nobody_here") as raised:
        ResultTable(stranger.geturl()).write({"time": [SLICE_S], "sum": [1]})
    assert "s3cret" not in str(raised.value)
