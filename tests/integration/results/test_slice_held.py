"""Modes replace and truncate: which slice the table holds, and what those see who come in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from logdrain.errors import LeaseLost, QueryMemoryExceeded, ResultRefused
from logdrain.model.jobs import Claim, Mode
from logdrain.ports.streams import ArrowStream
from logdrain.ports.transactions import Transaction
from tests.integration.results.result_table import (
    CLAIM,
    HOUR,
    SLICE,
    ResultTable,
    WatchedStream,
    as_stream,
    next_claim,
)

BOTH = pytest.mark.parametrize("mode", [Mode.REPLACE, Mode.TRUNCATE])


def claim_of(hours: int, **changes: Any) -> Claim:
    """The claim of the slice so many hours after the first."""
    return replace(replace(CLAIM, scheduled_at=SLICE + hours * HOUR), **changes)


@BOTH
def test_an_older_slice_does_not_turn_the_table_back(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.add(5, uid=[5])
    with pytest.raises(ResultRefused, match=r"holds slice 2012-03-01T05:00:00\+00:00 of") as raised:
        table.write(WatchedStream(as_stream({"uid": [4]}), pytest.fail), claim_of(4), slice_column=None)
    assert "sched:run --force" in raised.value.hint
    assert not raised.value.retryable
    assert table.rows() == [(5,)]
    table.write({"uid": [4]}, claim_of(4, forced=True), slice_column=None)
    assert table.rows() == [(4,)]
    table.add(5, uid=[5])


@BOTH
def test_a_newer_slice_that_commits_during_the_query_stays(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    rows = WatchedStream(as_stream({"uid": [1]}), on_read=lambda: table.add(1, uid=[2]))
    with pytest.raises(ResultRefused, match="which is newer than 2012-03-01T00:00:00"):
        table.write(rows, slice_column=None)
    assert table.rows() == [(2,)]


def test_in_the_ledgers_database_an_older_slice_is_refused_too(ledger_table: ResultTable) -> None:
    def note(_: Transaction) -> None:
        noted.append("a success")

    noted: list[str] = []
    ledger_table.mode = Mode.REPLACE
    ledger_table.write({"uid": [1]}, claim_of(1), slice_column=None, commit_note=note)
    with pytest.raises(ResultRefused, match="newer"):
        ledger_table.write({"uid": [0]}, claim_of(0), slice_column=None, commit_note=note)
    assert ledger_table.rows() == [(1,)]
    assert noted == ["a success"]


def test_what_another_schedule_or_a_table_that_is_gone_held_says_nothing(table: ResultTable) -> None:
    table.mode = Mode.REPLACE
    table.add(5, uid=[5])
    of_another = replace(claim_of(4), schedule=replace(CLAIM.schedule, name="another"))
    table.write({"uid": [4]}, of_another, slice_column=None)
    table.add(3, uid=[3])
    table.execute("DROP TABLE payment_history")
    table.add(2, uid=[2])
    assert table.rows() == [(2,)]


@BOTH
def test_a_worker_that_was_overtaken_writes_nothing(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.write({"uid": [2]}, next_claim(CLAIM), slice_column=None)
    with pytest.raises(LeaseLost):
        table.write({"uid": [1]}, CLAIM, slice_column=None)
    assert table.rows() == [(2,)]


@BOTH
def test_a_lost_lease_rolls_everything_back(ledger_table: ResultTable, mode: Mode) -> None:
    def lose_lease(_: Transaction) -> None:
        raise LeaseLost("another worker has the slice")

    ledger_table.mode = mode
    ledger_table.write({"uid": [1], "old": [1]}, slice_column=None, commit_note=lambda _: None)
    with pytest.raises(LeaseLost):
        ledger_table.write({"uid": [0.5]}, next_claim(CLAIM), slice_column=None, commit_note=lose_lease)
    assert ledger_table.types() == {"uid": "bigint", "old": "bigint"}
    assert ledger_table.rows() == [(1, 1)]


@BOTH
def test_a_commit_whose_answer_was_lost_is_done_though_a_newer_slice_followed(
    table: ResultTable, mode: Mode
) -> None:
    table.mode = mode
    table.add(0, uid=[1])
    table.write({"uid": [2]}, replace(claim_of(1), run_id=9), slice_column=None)
    assert table.write(WatchedStream(as_stream({"uid": [1]}), pytest.fail), slice_column=None) == 1
    assert table.rows() == [(2,)]


def failing_batches() -> Iterator[pa.RecordBatch]:
    """One batch, then what a query fails of."""
    yield pa.record_batch({"uid": [2]})
    raise QueryMemoryExceeded("the query needs more than 512 MB")


@BOTH
def test_an_error_leaves_the_old_rows(table: ResultTable, mode: Mode) -> None:
    table.mode = mode
    table.add(0, uid=[1])
    with pytest.raises(QueryMemoryExceeded):
        table.write(
            ArrowStream(pa.schema({"uid": pa.int64()}), failing_batches()), claim_of(1), slice_column=None
        )
    table.execute("ALTER TABLE payment_history ADD CONSTRAINT small CHECK (uid < 10)")
    with pytest.raises(ResultRefused, match="small"):
        table.add(1, uid=[2, 11])
    assert table.rows() == [(1,)]
    assert table.execute("SELECT scheduled_at FROM logdrain_contents") == [(SLICE,)]


@BOTH
def test_readers_see_whole_slices_and_never_an_empty_table(table: ResultTable, mode: Mode) -> None:
    """Also a transaction that began before: it goes on seeing what it saw."""
    table.mode = mode
    row_count, slices = 2_000, 25
    table.add(0, hour=[0] * row_count)
    with psycopg.connect(table.url) as old_reader, ThreadPoolExecutor(1) as pool:
        old_reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old_reader.execute("SELECT 1 FROM pg_class LIMIT 1")
        writing = pool.submit(lambda: [table.add(hour, hour=[hour] * row_count) for hour in range(1, slices)])
        seen = []
        while not writing.done():
            seen.append(table.execute("SELECT count(*), count(DISTINCT hour) FROM payment_history"))
        assert writing.result() == [row_count] * (slices - 1)
        assert len(seen) > 1
        assert all(counted == [(row_count, 1)] for counted in seen)
        assert old_reader.execute("SELECT count(*), max(hour) FROM payment_history").fetchall() == [
            (row_count, 0)
        ]


@BOTH
def test_writers_at_once_leave_one_slice(table: ResultTable, mode: Mode) -> None:
    """Whatever the order in which they come: the newest that was written stays."""
    table.mode = mode
    hours = range(8)

    def write(hour: int) -> bool:
        try:
            return table.add(hour, hour=[hour] * 3) == 3
        except ResultRefused:
            return False

    with ThreadPoolExecutor(len(hours)) as pool:
        written = list(pool.map(write, hours))
    assert written[-1]
    assert table.rows() == [(7,)] * 3
    assert table.execute("SELECT scheduled_at FROM logdrain_contents") == [(SLICE + 7 * HOUR,)]
