"""A slice of a job in Python: its function is called, and what it returns becomes rows.

The function runs in the worker's own thread, which nobody can end from outside: a time limit, a wish to end
the run or a lost lease take effect where it asks for events, hands over rows or returns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from logdrain.answer.queries import Answer, Queries, once_more
from logdrain.errors import JobFileMissing, JobResultInvalid, LogdrainError
from logdrain.jobs.python_files import PythonFunction, find_file, opened, users_errors
from logdrain.model.jobs import Claim
from logdrain.model.plans import TimeRange
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream
from logdrain.results.values.record_stream import records_stream

TIME = "time"


@dataclass(slots=True)
class PythonAnswer:
    """The rows of a job's function, and what it has read so far: it may go on while they are written."""

    rows: ArrowStream = field(default_factory=lambda: ArrowStream(pa.schema([])))
    slice_column: str | None = None
    readings: list[Answer] = field(default_factory=list)

    @property
    def plan(self) -> PlanSummary:
        """The same as a SQL job's plan would say it."""
        plans = [reading.plan for reading in self.readings]
        return PlanSummary(
            scans=tuple(scan for plan in plans for scan in plan.scans),
            slice_column=self.slice_column,
            warnings=tuple(dict.fromkeys(warning for plan in plans for warning in plan.warnings)),
            counts_from_now=tuple(dict.fromkeys(what for plan in plans for what in plan.counts_from_now)),
            result_scans=tuple(scan for plan in plans for scan in plan.result_scans),
        )

    @property
    def rows_read(self) -> int:
        """Events and rows of result tables read so far."""
        return sum(reading.rows_read for reading in self.readings)

    @property
    def bytes_read(self) -> int:
        """What the stores have sent so far."""
        return sum(reading.bytes_read for reading in self.readings)


class SliceContext:
    """`model.python_jobs.JobContext` of one run."""

    def __init__(self, queries: Queries, request: QueryRequest, answer: PythonAnswer, stop: Stop) -> None:
        self._queries = queries
        self._request = request
        self._answer = answer
        self._stop = stop

    @property
    def scheduled_time(self) -> datetime:
        """The slice's cron instant, UTC."""
        return datetime.fromtimestamp(self._request.scheduled_time_s, UTC)

    def query(self, sql: str) -> pa.Table:
        """Run SQL, get all of its rows."""

        def read() -> pa.Table:
            with self._queries.stream(replace(self._request, sql=sql), stop=self._stop) as answer:
                table = pa.Table.from_batches(list(answer.rows), answer.rows.schema)
            self._answer.readings.append(replace(answer, rows=ArrowStream(answer.rows.schema)))
            return table

        return once_more(read)

    def scan(
        self,
        table: str,
        start: datetime | int | None,
        end: datetime | int | None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read events, batch by batch."""
        time_range = TimeRange(_seconds(start), _seconds(end))
        scan, stream = self._queries.scan(table, self._request.database, time_range, columns)
        plan = PlanSummary(scans=(scan,))
        self._answer.readings.append(Answer(plan, stream, [stream]))
        return _until_stopped(stream, self._stop)


class PythonSlices:
    """Runs slices of jobs in Python.

    Args:
        queries: What the context reads with.
        jobs_folder: Where this worker has its job files.
    """

    def __init__(self, queries: Queries, jobs_folder: Path) -> None:
        self._queries = queries
        self._jobs_folder = jobs_folder

    @contextmanager
    def answer(self, claim: Claim, request: QueryRequest, stop: Stop) -> Iterator[PythonAnswer]:
        """Call the function of a claimed slice; its rows can be read once, while the block lasts.

        Args:
            claim: The slice.
            request: What the context's queries depend on; its text is not looked at.
            stop: Ends it from another thread, as far as that is possible.

        Raises (also while the rows are read):
            JobFileMissing, JobFileInvalid: the file is not there, or cannot be run any more.
            JobFailed, JobFailedTransient: the function raised.
            JobResultInvalid: what it returned is no result.
            LogdrainError: what a query raised, or what `stop` was asked with.
        """
        schedule = claim.schedule
        path = find_file(schedule.source, self._jobs_folder)
        with opened(path) as functions, ExitStack() as stack:
            job = next((found for found in functions if found.name == schedule.function), None)
            if job is None:
                raise JobFileMissing(
                    f"{path} has no job {schedule.function!r} any more",
                    hint=f"put it back, or `logdrain sched:delete {schedule.name}`",
                )
            yield self._called(job, request, stop, stack)

    def _called(
        self, job: PythonFunction, request: QueryRequest, stop: Stop, stack: ExitStack
    ) -> PythonAnswer:
        answer = PythonAnswer()
        with users_errors(job.path):
            returned = job.function(SliceContext(self._queries, request, answer, stop))
        stop.check()
        if isinstance(returned, str):
            last = stack.enter_context(self._queries.stream(replace(request, sql=returned), stop=stop))
            answer.readings.append(last)
            answer.rows, answer.slice_column = last.rows, last.plan.slice_column
        else:
            answer.slice_column = job.options.get("slice_column") or None
            answer.rows = _with_slice_time(_rows(job, returned, stop, stack), answer.slice_column, request)
        return answer


def _rows(job: PythonFunction, returned: object, stop: Stop, stack: ExitStack) -> ArrowStream:
    """What a function returned, as a stream."""
    if isinstance(returned, pa.RecordBatch):
        return ArrowStream(returned.schema, [returned])
    if hasattr(returned, "__arrow_c_stream__"):  # Table, RecordBatchReader, and frames of other libraries
        with users_errors(job.path):
            reader = pa.RecordBatchReader.from_stream(returned)
        return ArrowStream(reader.schema, _users_own(reader, job.path, stop))
    if isinstance(returned, Iterable) and not isinstance(returned, bytes | Mapping):
        records = _users_own(returned, job.path, stop)
        return stack.enter_context(records_stream(records, job.options.get("columns")))
    raise JobResultInvalid(
        f"{job.path}:{job.line}: {job.name} returned {_a(returned)}",
        hint="return SQL, an Arrow table, batch or reader, or an iterable of dicts",
    )


def _users_own(items: Iterable[Any], path: Path, stop: Stop) -> Iterator[Any]:
    """What a generator of the job yields; what it raises is named with its place."""
    iterator = iter(items)
    try:
        while True:
            stop.check()
            with users_errors(path):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            with suppress(LogdrainError), users_errors(path):
                close()


def _with_slice_time(rows: ArrowStream, name: str | None, request: QueryRequest) -> ArrowStream:
    """The rows with the scheduled time in their slice column, where they have no such column."""
    if name is None or name in rows.schema.names:
        return rows
    seconds = request.scheduled_time_s
    of = pa.int64() if name == TIME else pa.timestamp("us", tz="UTC")
    value = pa.scalar(seconds if name == TIME else datetime.fromtimestamp(seconds, UTC), of)
    schema = pa.schema([pa.field(name, of), *rows.schema])
    return ArrowStream(schema, (_with_constant(batch, value, schema) for batch in rows))


def _with_constant(batch: pa.RecordBatch, value: Any, schema: pa.Schema) -> pa.RecordBatch:
    """One more column in front, the same in every row."""
    first = pa.repeat(value, batch.num_rows)
    return pa.RecordBatch.from_arrays([first, *batch.columns], schema=schema)


def _until_stopped(stream: ScanStream, stop: Stop) -> Iterator[pa.RecordBatch]:
    for batch in stream:
        stop.check()
        yield batch


def _seconds(time: datetime | int | None) -> int | None:
    if not isinstance(time, datetime):
        return time
    if time.tzinfo is None:
        raise JobResultInvalid(
            f"scan() was given {time.isoformat()}, which has no time zone",
            hint="context.scheduled_time has one, and what is counted from it",
        )
    return int(time.timestamp())


def _a(returned: object) -> str:
    return "nothing" if returned is None else f"a value of type {type(returned).__name__}"
