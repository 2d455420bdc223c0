"""What a run tells the ledger about what it read, and how it is ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pytest

from logdrain.answer.queries import Answer, Queries, ReadCount
from logdrain.errors import ScanTypeChanged
from logdrain.model.events import Table
from logdrain.model.jobs import Cause, Claim, Reads, Schedule
from logdrain.model.plans import Scan, TimeRange
from logdrain.model.queries import PlanSummary
from logdrain.model.stops import Stop
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import Slices
from logdrain.ports.results import ResultWriter
from logdrain.ports.streams import ArrowStream
from logdrain.worker.slices import SliceRunner

NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)
STORE_NOW = datetime(2012, 3, 1, 1, 0, 7, tzinfo=UTC)
PAY = Table("production", "pay")
HOUR = TimeRange(1330560000, 1330563600)


class FixedClock:
    def now(self) -> datetime:
        return NOW


def outcome_reads(
    result: str, slice_column: str | None, counts_from_now: tuple[str, ...] = ()
) -> Reads | None:
    """What a run to this result notes of its reading."""
    plan = PlanSummary(
        scans=(Scan("pay", PAY, (), HOUR),),
        slice_column=slice_column,
        warnings=(),
        counts_from_now=counts_from_now,
    )
    queries, slices, notes = Mock(spec=Queries, timeout_s=None), Mock(spec=Slices), Mock(spec=LateNotes)
    notes.store_time.return_value = STORE_NOW

    @contextmanager
    def stream(_request: object, *, stop: Stop, timeout_s: float) -> Iterator[Answer]:
        assert notes.store_time.called  # before anything is read
        assert (stop, timeout_s) == (asked_stop, 60)
        yield Answer(plan, ArrowStream(pa.schema([])), [ReadCount(5, 50)])

    def write(*_args: object, commit_note: Callable[[Any], None], **_named: object) -> int:
        commit_note(Mock())
        return 0

    queries.stream.side_effect = stream
    writer = Mock(spec=ResultWriter)
    writer.write.side_effect = write
    asked_stop = Stop()
    schedule = Schedule("sums", "", "UTC", 0, "production", "SELECT 1", result=result, timeout_s=60)
    claim = Claim(7, schedule, NOW, Cause.SCHEDULE, 1, 1, forced=False, ran_before=False)
    runner = SliceRunner(
        queries,
        slices,
        writer,
        FixedClock(),
        result_url=lambda _: "postgres://host/db",
        environment={},
        late_notes=notes,
    )
    runner.run(claim, asked_stop)
    return slices.note_success.call_args.args[2].reads  # type: ignore[no-any-return]  # a mock's


@pytest.mark.parametrize(
    ("result", "slice_column", "newest_only"),
    [
        ("r:t", "time", False),
        ("r:t?mode=update&unique=uid", None, False),
        ("r:t?mode=replace", None, True),
        ("r:t?mode=truncate", "time", True),
    ],
)
def test_what_can_be_written_again_is_noted(
    result: str, slice_column: str | None, *, newest_only: bool
) -> None:
    expected = Reads(STORE_NOW, ((PAY, HOUR),), newest_only=newest_only)
    assert outcome_reads(result, slice_column) == expected


def test_what_cannot_be_written_again_is_not() -> None:
    assert outcome_reads("r:t", None) is None
    assert outcome_reads("r:t", "time", counts_from_now=("TD_INTERVAL",)) is None


def failing_first() -> Iterator[pa.RecordBatch]:
    yield pa.record_batch({"n": [1]})
    raise ScanTypeChanged("n got a new type")


def test_a_type_that_changes_behind_the_first_rows_costs_no_retry() -> None:
    """Also a schedule that allows none must not fail for good of it."""
    schema = pa.schema([("n", pa.int64())])
    batches = [failing_first(), [pa.record_batch({"n": [1, 2]})]]
    answers = [
        Answer(PlanSummary(scans=()), ArrowStream(schema, rows), [ReadCount(read, 0)])
        for rows, read in zip(batches, (1, 5), strict=True)
    ]
    queries, slices, writer = Mock(spec=Queries, timeout_s=None), Mock(spec=Slices), Mock(spec=ResultWriter)
    queries.stream.side_effect = map(nullcontext, answers)

    def write(
        _target: object, _claim: object, rows: ArrowStream, *, commit_note: Callable[[Any], None], **_: object
    ) -> int:
        count = sum(batch.num_rows for batch in rows)
        commit_note(Mock())
        return count

    writer.write.side_effect = write
    schedule = Schedule("sums", "", "UTC", 0, "production", "SELECT 1", result="r:t", retry_limit=0)
    claim = Claim(7, schedule, NOW, Cause.SCHEDULE, 1, 1, forced=False, ran_before=False)
    outcome = SliceRunner(
        queries, slices, writer, FixedClock(), result_url=lambda _: "postgres://host/db", environment={}
    ).run(claim)
    assert (outcome.rows_read, outcome.rows_written) == (5, 2)
    slices.note_success.assert_called_once()
