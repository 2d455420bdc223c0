"""A slice becomes rows in a result; a schedule is checked before it has any."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from logdrain.answer.queries import Answer, Queries, Reading
from logdrain.errors import UnknownTable
from logdrain.jobs.cron import parse as parse_cron
from logdrain.ledger.result_table_key import table_key
from logdrain.model.jobs import Claim, Reads, RunOutcome, Schedule
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.model.result_files import FileTarget, Target
from logdrain.model.stops import Stop
from logdrain.ports.clock import Clock
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import Ledger
from logdrain.ports.queries import ArrowStream
from logdrain.ports.results import ResultWriter
from logdrain.ports.transactions import Transaction
from logdrain.query.plan import check_text
from logdrain.results.files.file_places import file_place
from logdrain.results.postgres.unique_key import check_unique
from logdrain.results.url.target import parse_result, resolve, variable_name
from logdrain.worker.python_slices import PythonReading, PythonSlices

_ANY_TIME = datetime.fromtimestamp(0, UTC)


class SliceRunner:
    """Runs slices: plan, scan, aggregate, write, note; the rows and the note commit together.

    Args:
        queries: Plans and reads.
        ledger: Has named results; is told of success.
        writer: Puts rows into results.
        clock: What the time is.
        environment: Variables that results name.
        late_notes: Has the store's clock; None where slices do not run again for late events.
        jobs_folder: Where this worker has the files of jobs in Python.
    """

    def __init__(
        self,
        queries: Queries,
        ledger: Ledger,
        writer: ResultWriter,
        clock: Clock,
        environment: Mapping[str, str],
        *,
        late_notes: LateNotes | None = None,
        jobs_folder: Path = Path("jobs"),
    ) -> None:
        self._python = PythonSlices(queries, jobs_folder)
        self._queries = queries
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
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
        request = _request(schedule, claim.scheduled_at, self._clock.now())
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
                self._ledger.note_success(transaction, claim, outcome)
                noted.append(outcome)

            return self._writer.write(
                target,
                claim,
                rows,
                slice_column=reading.plan.slice_column,
                commit_note=commit_note,
                ledger_identity=self._ledger.identity(),
            )

        if schedule.function:
            answer = self._python.run(claim, request, use, stop)
        else:
            answer = self._queries.run(request, use, stop=stop, timeout_s=schedule.timeout_s or None)
        if noted:
            return noted[-1]
        outcome = _outcome(answer, answer.rows_out, store_time, target)
        self._ledger.succeed(claim, outcome)
        return outcome

    def close_idle(self) -> None:
        """Give back what is kept for the next slice: databases and connections."""
        self._queries.close_idle()
        self._writer.close_idle()

    def _target(self, result: str) -> Target:
        parsed = parse_result(result)
        url = self._ledger.result_url(parsed.name) if parsed.name else parsed.url
        return resolve(parsed, url, self._environment.get)


def _request(schedule: Schedule, scheduled_at: datetime, now: datetime) -> QueryRequest:
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


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """What is known of a schedule before it first runs; `first` is its first scheduled time or None."""

    first: datetime | None
    warnings: tuple[str, ...]


def check_schedule(
    schedule: Schedule, ledger: Ledger, queries: Queries, now: datetime, *, result_folder: str = ""
) -> CheckedSchedule:
    """Find what is wrong with a schedule now rather than at its first run.

    A table that has no events yet is a warning: the schedule may be there before the application is.

    Args:
        schedule: What is to be kept.
        ledger: Has named results.
        queries: Plans it.
        now: What the time is.
        result_folder: LOGDRAIN_RESULT_FOLDER, as far as it is known here.

    Raises:
        LogdrainError: cron, zone, result or SQL is wrong, or they do not fit together.
    """
    first = parse_cron(schedule.cron, schedule.timezone).next_after(now)
    result = _check_result(schedule.result, ledger, result_folder) if schedule.result else _CheckedResult()
    if schedule.function:
        return CheckedSchedule(first, result.warnings)
    request = _request(schedule, first or now, now)
    warnings = list(result.warnings)
    try:
        plan = queries.plan(request)
    except UnknownTable as error:
        warnings.append(str(error))
    else:
        check_unique(plan.columns, result.unique)
        warnings += plan.warnings
        if plan.counts_from_now:
            warnings.append(
                f"{', '.join(plan.counts_from_now)}: counts from the moment of the run, so a slice that runs "
                "late or again reads other hours; with TD_SCHEDULED_TIME() anywhere in the query, even in a "
                "comment, TD_INTERVAL counts from that"
            )
        if result.adds_rows and plan.slice_column is None:
            again = "again, nor by itself when events come late" if schedule.late_s else "again"
            warnings.append(f"no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run {again}")
    return CheckedSchedule(first, tuple(warnings))


class _CheckedResult(NamedTuple):
    """What is known of a result before anything is written.

    Attributes:
        adds_rows: A slice's rows can only be replaced where a column tells them from others.
        unique: The columns that have to be in the query.
    """

    adds_rows: bool = False
    unique: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _check_result(text: str, ledger: Ledger, result_folder: str) -> _CheckedResult:
    parsed = parse_result(text)
    url = ledger.result_url(parsed.name) if parsed.name else parsed.url
    # A variable is the worker's: what it holds is not known here.
    target = None if variable_name(url) else resolve(parsed, url, dict[str, str]().get)
    if not isinstance(target, FileTarget):
        return _CheckedResult(parsed.mode.facts.goes_by_slice, parsed.unique)
    if not result_folder:
        return _CheckedResult(warnings=("only workers with LOGDRAIN_RESULT_FOLDER write files, below it",))
    file_place(target, _ANY_TIME, result_folder)
    return _CheckedResult()


def check_sql_text(schedule: Schedule) -> None:
    """Find what is wrong with a schedule's SQL whatever tables there are; a job in Python has none.

    Raises:
        SqlError: with line and column.
    """
    if not schedule.function:
        check_text(_request(schedule, _ANY_TIME, _ANY_TIME))


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
