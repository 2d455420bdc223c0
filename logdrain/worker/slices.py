"""A slice becomes rows in a result: SQL or Python runs, its rows and the note that it ran commit together."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from logdrain.answer.queries import Answer, Queries, Reading
from logdrain.ledger.schedules import table_key
from logdrain.model.jobs import Claim, Reads, RunOutcome, Schedule
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.model.result_files import Target
from logdrain.model.stops import Stop
from logdrain.ports import ArrowStream, Clock, LateNotes, ResultWriter, Slices, Transaction
from logdrain.results.url.target import parse_result, resolve
from logdrain.worker.python_slices import PythonReading, PythonSlices


class SliceRunner:
    """Runs slices: plan, scan, aggregate, write, note; the rows and the note commit together.

    Args:
        queries: Plans and reads.
        slices: What is told of success.
        writer: Puts rows into results.
        clock: What the time is.
        result_url: Gives the URL of a named result.
        environment: Variables that results name.
        late_notes: Has the store's clock; None where slices do not run again for late events.
        jobs_folder: Where this worker has the files of jobs in Python.
    """

    def __init__(
        self,
        queries: Queries,
        slices: Slices,
        writer: ResultWriter,
        clock: Clock,
        *,
        result_url: Callable[[str], str],
        environment: Mapping[str, str],
        late_notes: LateNotes | None = None,
        jobs_folder: Path = Path("jobs"),
    ) -> None:
        self._python = PythonSlices(queries, jobs_folder)
        self._queries = queries
        self._slices = slices
        self._writer = writer
        self._clock = clock
        self._result_url = result_url
        self._environment = environment
        self._late_notes = late_notes

    def run(self, claim: Claim, stop: Stop | None = None) -> RunOutcome:
        """Run a claimed slice and note its success.

        Args:
            claim: The slice.
            stop: Ends it from another thread; once its rows are written, it may be too late.

        Raises:
            LeaseLost: another worker has the slice; nothing was written.
            LogdrainError: it failed, or what `stop` was asked with; nothing was written.
        """
        schedule = claim.schedule
        request = slice_request(schedule, claim.scheduled_at, self._clock.now())
        target = self._target(schedule.result) if schedule.result else None
        # Before anything is read: what is noted from here on, the scans may have missed.
        store_time = self._late_notes.store_time() if self._late_notes and target else None
        noted: list[RunOutcome] = []

        def use(reading: Reading | PythonReading, stream: ArrowStream) -> int:
            rows = _Counted(stream)
            if target is None:
                return sum(batch.num_rows for batch in rows)

            def commit_note(transaction: Transaction) -> None:
                outcome = _outcome(reading, rows.count, store_time, target)
                self._slices.note_success(transaction, claim, outcome)
                noted.append(outcome)

            return self._writer.write(
                target,
                claim,
                rows,
                slice_column=reading.plan.slice_column,
                commit_note=commit_note,
                ledger_identity=self._slices.identity(),
            )

        if schedule.function:
            answer = self._python.run(claim, request, use, stop)
        else:
            answer = self._queries.run(request, use, stop=stop, timeout_s=schedule.timeout_s or None)
        if noted:
            return noted[-1]
        outcome = _outcome(answer, answer.rows_out, store_time, target)
        self._slices.succeed(claim, outcome)
        return outcome

    def close_idle(self) -> None:
        """Give back what is kept for the next slice: databases and connections."""
        self._queries.close_idle()
        self._writer.close_idle()

    def _target(self, result: str) -> Target:
        parsed = parse_result(result)
        url = self._result_url(parsed.name) if parsed.name else parsed.url
        return resolve(parsed, url, self._environment.get)


def slice_request(schedule: Schedule, scheduled_at: datetime, now: datetime) -> QueryRequest:
    """What a slice of a schedule asks of the events."""
    return QueryRequest(
        sql=schedule.sql,
        database=schedule.database,
        dialect=schedule.dialect,
        scheduled_time_s=int(scheduled_at.timestamp()),
        now_s=int(now.timestamp()),
    )


def _outcome(
    read: Reading | PythonReading | Answer,
    rows_written: int,
    store_time: datetime | None,
    target: Target | None,
) -> RunOutcome:
    reads = _reads(store_time, read.plan, target)
    return RunOutcome(read.rows_read, read.bytes_read, rows_written, read.plan.warnings, reads)


def _reads(store_time: datetime | None, plan: PlanSummary, target: Target | None) -> Reads | None:
    """What decides whether the slice runs again for late events; None where it must not.

    That is where its rows could not be replaced, and where a later run would read other hours.
    """
    if store_time is None or target is None or plan.counts_from_now:
        return None
    if not target.is_repeatable(plan.slice_column):
        return None
    ranges = tuple((scan.table, scan.time_range) for scan in plan.scans)
    results = tuple((table_key(*scan.table), scan.time_range) for scan in plan.result_scans)
    return Reads(store_time, ranges, newest_only=target.mode.facts.holds_one_slice, results=results)


class _Counted:
    """A stream that knows how many rows have gone by."""

    def __init__(self, stream: ArrowStream) -> None:
        self._stream = stream
        self.count = 0

    @property
    def schema(self) -> pa.Schema:
        """See the stream."""
        return self._stream.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._stream:
            self.count += batch.num_rows
            yield batch
