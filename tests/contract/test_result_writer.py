"""What holds for results wherever they are: a slice is present once, whole, and of its latest run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logdrain.errors import LeaseLost, QueryTimeout, ResultRefused
from logdrain.model.jobs import Claim, Mode
from logdrain.model.result_files import FileFormat
from logdrain.ports.streams import ArrowStream
from tests.contract.kept_results import KeptFiles, KeptResult, KeptTable
from tests.integration.results.result_table import (
    CLAIM,
    HOUR,
    SLICE,
    WatchedStream,
    as_stream,
    next_claim,
)

LATER = next_claim(CLAIM, scheduled_at=SLICE + HOUR, attempt=1)


@pytest.fixture(params=["postgres", "parquet", "csv"])
def result(request: pytest.FixtureRequest, tmp_path: Path) -> KeptResult:
    if request.param == "postgres":
        return KeptTable(request.getfixturevalue("postgres_url"))
    return KeptFiles(tmp_path, FileFormat(request.param))


def sums(claim: Claim, **items: int) -> dict[str, Any]:
    """Columns that the slice's query yields."""
    seconds = int(claim.scheduled_at.timestamp())
    return {
        "time": pa.array([seconds] * len(items), pa.int64()),
        "item": pa.array(items, pa.string()),
        "sum": pa.array(items.values(), pa.int64()),
    }


def rows_of(time: datetime, **items: int) -> list[tuple[Any, ...]]:
    return [(time, item, value) for item, value in items.items()]


def test_a_slice_is_there_once_however_often_it_runs(result: KeptResult) -> None:
    claim = CLAIM
    for _ in range(3):
        assert result.write(sums(claim, milk=1, tea=2)) == 2
        claim = next_claim(claim, ran_before=True)
    assert result.rows() == rows_of(SLICE, milk=1, tea=2)


def test_a_slice_that_runs_again_has_the_rows_of_its_last_run(result: KeptResult) -> None:
    result.write(sums(CLAIM, milk=1, tea=2))
    result.write(sums(CLAIM, soap=3), next_claim(CLAIM, ran_before=True))
    assert result.rows() == rows_of(SLICE, soap=3)


def test_slices_stand_side_by_side(result: KeptResult) -> None:
    result.write(sums(CLAIM, milk=1))
    result.write(sums(LATER, milk=2), LATER)
    assert result.rows() == rows_of(SLICE, milk=1) + rows_of(LATER.scheduled_at, milk=2)
    earlier = next_claim(LATER, scheduled_at=SLICE, ran_before=True)
    result.write(sums(earlier, tea=3), earlier)
    assert result.rows() == rows_of(SLICE, tea=3) + rows_of(LATER.scheduled_at, milk=2)


def test_an_empty_result_has_its_columns(result: KeptResult) -> None:
    assert result.write(sums(CLAIM)) == 0
    assert result.names() == ["time", "item", "sum"]
    assert result.rows() == []


def test_the_rows_go_when_a_slice_turns_out_empty(result: KeptResult) -> None:
    result.write(sums(CLAIM, milk=1))
    result.write(sums(CLAIM), next_claim(CLAIM, ran_before=True))
    assert result.rows() == []


def test_a_run_that_was_overtaken_writes_nothing(result: KeptResult) -> None:
    result.write(sums(CLAIM, milk=2), next_claim(CLAIM))
    with pytest.raises(LeaseLost):
        result.write(sums(CLAIM, milk=1, tea=1))
    assert result.rows() == rows_of(SLICE, milk=2)


def test_a_run_that_is_overtaken_while_it_reads_writes_nothing(result: KeptResult) -> None:
    slow = WatchedStream(
        as_stream(sums(CLAIM, milk=1, tea=1)), lambda: result.write(sums(CLAIM, milk=2), next_claim(CLAIM))
    )
    with pytest.raises(LeaseLost):
        result.write(slow)
    assert result.rows() == rows_of(SLICE, milk=2)


def test_a_query_that_fails_half_way_leaves_what_was_there(result: KeptResult) -> None:
    result.write(sums(CLAIM, milk=1))
    batch = pa.record_batch(sums(CLAIM, tea=2))

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch
        raise QueryTimeout("too long")

    with pytest.raises(QueryTimeout, match="too long"):
        result.write(ArrowStream(batch.schema, batches()), next_claim(CLAIM))
    assert result.rows() == rows_of(SLICE, milk=1)


@pytest.mark.parametrize("mode", [Mode.REPLACE, Mode.TRUNCATE])
def test_what_is_replaced_holds_the_newest_slice(result: KeptResult, mode: Mode) -> None:
    older = next_claim(LATER, scheduled_at=SLICE, ran_before=True)
    result.write(sums(CLAIM, milk=1), CLAIM, mode)
    result.write(sums(LATER, milk=2), LATER, mode)
    assert result.rows() == rows_of(LATER.scheduled_at, milk=2)
    with pytest.raises(ResultRefused, match=r"holds slice 2012-03-01T01:00:00\+00:00 .* is newer than"):
        result.write(sums(CLAIM, milk=3), older, mode)
    assert result.rows() == rows_of(LATER.scheduled_at, milk=2)
    result.write(sums(LATER, milk=4), next_claim(older, scheduled_at=LATER.scheduled_at), mode)
    assert result.rows() == rows_of(LATER.scheduled_at, milk=4)
    forced = replace(older, run_id=older.run_id + 2, forced=True)
    result.write(sums(CLAIM, milk=5), forced, mode)
    assert result.rows() == rows_of(SLICE, milk=5)
