"""A slice of a job in Python: its function is called, and what it returns becomes rows.

The function runs in the worker's own thread, which nobody can end from outside: a time limit, a wish to end
the run or a lost lease take effect where it asks for events, hands over rows or returns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from logdrain.answer.deadlines import time_limit
from logdrain.answer.queries import Answer, Queries, Reading
from logdrain.errors import JobFileMissing, JobResultInvalid, LogdrainError
from logdrain.jobs.python_files import PythonFunction, find_file, opened, users_errors
from logdrain.model.jobs import Claim
from logdrain.model.plans import ResultScan, Scan, TimeRange
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import ArrowStream, ScanStream
from logdrain.results.values.batches import BatchStream
from logdrain.results.values.record_stream import records_stream

TIME = "time"


@dataclass(slots=True)
class PythonReading:
    """What a job's function has read so far: it may go on reading while its rows are written."""

    slice_column: str | None = None
    scans: list[Scan] = field(default_factory=list)
    result_scans: list[ResultScan] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    counts_from_now: dict[str, None] = field(default_factory=dict)
    streams: list[ScanStream] = field(default_factory=list)

    @property
    def plan(self) -> PlanSummary:
        """The same as a SQL job's plan would say it."""
        return PlanSummary(
            scans=tuple(self.scans),
            slice_column=self.slice_column,
            warnings=tuple(self.warnings),
            counts_from_now=tuple(self.counts_from_now),
            result_scans=tuple(self.result_scans),
        )

    @property
    def rows_read(self) -> int:
        """Events and rows of result tables read so far."""
        return sum(stream.rows_read for stream in self.streams)

    @property
    def bytes_read(self) -> int:
        """What the stores have sent so far."""
        return sum(stream.bytes_read for stream in self.streams)

    def add(self, reading: Reading) -> None:
        """Count what a query reads."""
        self.scans += reading.plan.scans
        self.result_scans += reading.plan.result_scans
        self.warnings |= dict.fromkeys(reading.plan.warnings)
        self.counts_from_now |= dict.fromkeys(reading.plan.counts_from_now)
        self.streams += reading.scans

    def then(self, reading: Reading) -> "PythonReading":
        """This and, as the last one, the query whose rows are the result; this stays as it is."""
        both = PythonReading(
            reading.plan.slice_column,
            [*self.scans],
            [*self.result_scans],
            {**self.warnings},
            {**self.counts_from_now},
            [*self.streams],
        )
        both.add(reading)
        return both


class SliceContext:
    """`model.python_jobs.JobContext` of one run."""

    def __init__(self, queries: Queries, request: QueryRequest, reading: PythonReading, stop: Stop) -> None:
        self._queries = queries
        self._request = request
        self._reading = reading
        self._stop = stop

    @property
    def scheduled_time(self) -> datetime:
        """The slice's cron instant, UTC."""
        return datetime.fromtimestamp(self._request.scheduled_time_s, UTC)

    def query(self, sql: str) -> pa.Table:
        """Run SQL, get all of its rows."""
        tables: list[pa.Table] = []

        def use(reading: Reading, rows: ArrowStream) -> int:
            tables.append(pa.Table.from_batches(list(rows), rows.schema))
            self._reading.add(reading)
            return tables[-1].num_rows

        self._queries.run(replace(self._request, sql=sql), use, stop=self._stop)
        return tables[-1]

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
        self._reading.scans.append(scan)
        self._reading.streams.append(stream)
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

    def run(
        self,
        claim: Claim,
        request: QueryRequest,
        use: Callable[[PythonReading, ArrowStream], int],
        stop: Stop | None,
    ) -> Answer:
        """Call the function of a claimed slice and hand its rows to `use`, once.

        Args:
            claim: The slice.
            request: What the context's queries depend on; its text is not looked at.
            use: Reads the rows to the end, returns how many it took.
            stop: Ends it from another thread, as far as that is possible.

        Raises:
            JobFileMissing, JobFileInvalid: the file is not there, or cannot be run any more.
            JobFailed, JobFailedTransient: the function raised.
            JobResultInvalid: what it returned is no result.
            LogdrainError: what a query or `use` raised, or what `stop` was asked with.
        """
        schedule = claim.schedule
        path = find_file(schedule.source, self._jobs_folder)
        stop = stop or Stop()
        with (
            time_limit(stop, schedule.timeout_s or self._queries.timeout_s, is_own=bool(schedule.timeout_s)),
            opened(path) as functions,
        ):
            job = next((found for found in functions if found.name == schedule.function), None)
            if job is None:
                raise JobFileMissing(
                    f"{path} has no job {schedule.function!r} any more",
                    hint=f"put it back, or `logdrain sched:delete {schedule.name}`",
                )
            return self._run(job, request, use, stop)

    def _run(
        self,
        job: PythonFunction,
        request: QueryRequest,
        use: Callable[[PythonReading, ArrowStream], int],
        stop: Stop,
    ) -> Answer:
        reading = PythonReading()
        context = SliceContext(self._queries, request, reading, stop)
        with users_errors(job.path):
            returned = job.function(context)
        stop.check()
        if isinstance(returned, str):
            return self._run_sql(replace(request, sql=returned), reading, use, stop)
        reading.slice_column = job.options.get("slice_column") or None
        with ExitStack() as stack:
            rows = _with_slice_time(_rows(job, returned, stop, stack), reading.slice_column, request)
            count = use(reading, rows)
        return Answer(reading.plan, reading.rows_read, reading.bytes_read, count)

    def _run_sql(
        self,
        request: QueryRequest,
        before: PythonReading,
        use: Callable[[PythonReading, ArrowStream], int],
        stop: Stop,
    ) -> Answer:
        readings: list[PythonReading] = []

        def use_all(reading: Reading, rows: ArrowStream) -> int:
            readings.append(before.then(reading))
            return use(readings[-1], rows)

        answer = self._queries.run(request, use_all, stop=stop)
        last = readings[-1]
        return Answer(last.plan, last.rows_read, last.bytes_read, answer.rows_out)


def _rows(job: PythonFunction, returned: object, stop: Stop, stack: ExitStack) -> ArrowStream:
    """What a function returned, as a stream."""
    if isinstance(returned, pa.RecordBatch):
        return BatchStream(returned.schema, [returned])
    if hasattr(returned, "__arrow_c_stream__"):  # Table, RecordBatchReader, and frames of other libraries
        with users_errors(job.path):
            reader = pa.RecordBatchReader.from_stream(returned)
        return BatchStream(reader.schema, _users_own(reader, job.path, stop))
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
    of = pa.int64() if name == TIME else pa.timestamp("us", tz="UTC")
    return _WithConstant(rows, pa.field(name, of), request.scheduled_time_s)


class _WithConstant:
    """A stream with one more column in front, the same in every row."""

    def __init__(self, rows: ArrowStream, column: "pa.Field[Any]", seconds: int) -> None:
        self._rows = rows
        is_number = pa.types.is_integer(column.type)
        self._value = pa.scalar(seconds if is_number else datetime.fromtimestamp(seconds, UTC), column.type)
        self.schema = pa.schema([column, *rows.schema])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._rows:
            first = pa.repeat(self._value, batch.num_rows)
            yield pa.RecordBatch.from_arrays([first, *batch.columns], schema=self.schema)


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
