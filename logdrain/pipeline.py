"""The roads that cross rooms: a delivery becomes events, a SQL text rows, a slice a result."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from logdrain import metrics
from logdrain.drain.reading import Parsed, parse, read, unfinished
from logdrain.errors import ScanTypeChanged, StoreUnavailable, UnknownTable
from logdrain.model.events import Batch, Delivery, LineKind, Stored
from logdrain.model.jobs import Claim, Mode, ResultTarget, RunOutcome, Schedule
from logdrain.model.plans import Plan, QueryRequest
from logdrain.ports import (
    ArrowStream,
    Clock,
    Engine,
    EventStore,
    Ledger,
    ResultWriter,
    ScanSource,
    ScanStream,
    Transaction,
)
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query
from logdrain.results.target import parse_result, resolve
from logdrain.schedule.cron import parse as parse_cron

# Reading a large body takes a while: other requests go on meanwhile.
_THREAD_ABOVE_BYTES = 256 * 1024
# A field may get a new type between planning and reading; planning again sees it.
_PLAN_TRIES = 3


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a delivery, for its log line."""

    frames: int
    stored: Stored


async def ingest(body: bytes, delivery: Delivery, store: EventStore, within_s: float) -> Ingested:
    """Take a delivery in: returns once everything in it is durable.

    Args:
        body: Decoded octets, whatever they are.
        delivery: How the request names it.
        store: Where events go.
        within_s: How long the store may take for all of it; senders do not wait longer.

    Raises:
        StoreUnavailable, StoreBusy: not durable; the sender may send it again.
    """
    is_large = len(body) > _THREAD_ABOVE_BYTES
    parsed = await asyncio.to_thread(parse, body, delivery) if is_large else parse(body, delivery)
    pieces = unfinished(parsed, delivery)
    async with _deadline(within_s):
        waiting = await store.waiting_splits(list(pieces), list(pieces.values())) if pieces else []
        if is_large:
            reading = await asyncio.to_thread(read, parsed, delivery, waiting)
        else:
            reading = read(parsed, delivery, waiting)
        stored = await _write(reading.batch, store)
    _count(parsed, delivery, reading.kinds)
    return Ingested(parsed.frames, stored)


async def keep(batch: Batch, store: EventStore, within_s: float) -> Stored:
    """Make a batch durable.

    Raises:
        StoreUnavailable, StoreBusy: not durable.
    """
    async with _deadline(within_s):
        return await _write(batch, store)


@asynccontextmanager
async def _deadline(within_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise StoreUnavailable(
            f"the store did not confirm within {within_s:g} s", hint="it is overloaded or hangs"
        ) from error


async def _write(batch: Batch, store: EventStore) -> Stored:
    if batch.is_empty:
        return Stored()
    with metrics.STORE_SECONDS.time():
        return await store.write(batch)


def _count(parsed: Parsed, delivery: Delivery, kinds: Mapping[LineKind, int]) -> None:
    metrics.MESSAGES_RECEIVED.inc(parsed.frames)
    metrics.FRAMES_RESYNCED.inc(parsed.resynced)
    if delivery.message_count not in (None, parsed.frames):
        metrics.MESSAGE_COUNT_MISMATCHES.inc()
    for kind, count in kinds.items():
        metrics.LINES.labels(kind.value).inc(count)
    for code, count in parsed.lost.items():
        metrics.LOSSES_REPORTED.labels(code).inc(count)


class Queries:
    """SQL over stored events."""

    def __init__(self, source: ScanSource, engine: Engine) -> None:
        self._source = source
        self._engine = engine

    def plan(self, request: QueryRequest) -> Plan:
        """What a SQL text becomes.

        Raises:
            SqlError: it cannot be run; the message has the place.
            StoreUnavailable: the catalog cannot be read.
        """
        return plan_query(request, self._source.catalog, self._source.tables())

    def explain(self, request: QueryRequest) -> str:
        """The plan, for people."""
        plan = self.plan(request)
        return explain(plan, [self._source.estimate(scan) for scan in plan.scans])

    def run(self, request: QueryRequest, use: "Use") -> "Answer":
        """Run a SQL text and hand its rows to `use`.

        Args:
            request: The text and what it depends on.
            use: Reads the rows to the end, returns how many it took. Called again from the start where
                a field changed its type meanwhile, so what it does must be undone by an exception.

        Raises:
            SqlError: the text cannot be run, or failed.
            LogdrainError: what the store or `use` raised.
        """
        tries_left = _PLAN_TRIES
        while True:
            tries_left -= 1
            plan = self.plan(request)
            reading = Reading(plan, [self._source.scan(scan) for scan in plan.scans])
            try:
                rows = self._engine.run(plan, reading.scans, lambda stream: use(reading, stream))  # noqa: B023  # used within this round
            except ScanTypeChanged:
                if not tries_left:
                    raise
            else:
                return Answer(plan, reading.rows_read, rows)


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan that is being carried out."""

    plan: Plan
    scans: Sequence[ScanStream]

    @property
    def rows_read(self) -> int:
        """Events read so far."""
        return sum(scan.rows_read for scan in self.scans)


Use = Callable[[Reading, ArrowStream], int]
"""What is done with a query's rows; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query did."""

    plan: Plan
    rows_read: int
    rows_out: int


class SliceRunner:
    """Runs slices: plan, scan, aggregate, write, note; the rows and the note commit together."""

    def __init__(
        self,
        queries: Queries,
        ledger: Ledger,
        writer: ResultWriter,
        clock: Clock,
        environment: Mapping[str, str],
    ) -> None:
        self._queries = queries
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._environment = environment

    def run(self, claim: Claim) -> RunOutcome:
        """Run a claimed slice and note its success.

        Raises:
            LeaseLost: another worker has the slice; nothing was written.
            LogdrainError: it failed; nothing was written.
        """
        schedule = claim.schedule
        request = QueryRequest(
            sql=schedule.sql,
            database=schedule.database,
            dialect=schedule.dialect,
            scheduled_time_s=int(claim.scheduled_at.timestamp()),
            now_s=int(self._clock.now().timestamp()),
        )
        target = self._target(schedule.result) if schedule.result else None
        noted: list[RunOutcome] = []

        def use(reading: Reading, stream: ArrowStream) -> int:
            rows = _Counted(stream)
            if target is None:
                return sum(batch.num_rows for batch in rows)

            def commit_note(transaction: Transaction) -> None:
                outcome = RunOutcome(reading.rows_read, rows.count, reading.plan.warnings)
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

        answer = self._queries.run(request, use)
        if noted:
            return noted[-1]
        outcome = RunOutcome(answer.rows_read, answer.rows_out, answer.plan.warnings)
        self._ledger.succeed(claim, outcome)
        return outcome

    def _target(self, result: str) -> ResultTarget:
        parsed = parse_result(result)
        url = self._ledger.result_url(parsed.name) if parsed.name else parsed.url
        return resolve(parsed, url, self._environment.get)


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """What is known of a schedule before it first runs; `first` is its first scheduled time or None."""

    first: datetime | None
    warnings: tuple[str, ...]


def check_schedule(schedule: Schedule, ledger: Ledger, queries: Queries, now: datetime) -> CheckedSchedule:
    """Find what is wrong with a schedule now rather than at its first run.

    A table that has no events yet is a warning: the schedule may be there before the application is.

    Raises:
        LogdrainError: cron, zone, result or SQL is wrong.
    """
    first = parse_cron(schedule.cron, schedule.timezone).next_after(now)
    adds_rows = False
    if schedule.result:
        parsed = parse_result(schedule.result)
        adds_rows = parsed.mode is Mode.APPEND
        if parsed.name:
            ledger.result_url(parsed.name)
    at_s = int((first or now).timestamp())
    request = QueryRequest(schedule.sql, schedule.database, schedule.dialect, at_s, int(now.timestamp()))
    warnings: list[str] = []
    try:
        plan = queries.plan(request)
    except UnknownTable as error:
        warnings.append(str(error))
    else:
        warnings += plan.warnings
        if adds_rows and plan.slice_column is None:
            warnings.append("no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run again")
    return CheckedSchedule(first, tuple(warnings))


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
