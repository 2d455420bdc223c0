"""A slice becomes rows in a result; a schedule is checked before it has any."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from logdrain.errors import UnknownTable
from logdrain.model.jobs import Claim, Mode, ResultTarget, RunOutcome, Schedule
from logdrain.model.plans import QueryRequest
from logdrain.pipeline.queries import Queries, Reading
from logdrain.ports import (
    ArrowStream,
    Clock,
    Ledger,
    ResultWriter,
    Transaction,
)
from logdrain.results.target import parse_result, resolve
from logdrain.schedule.cron import parse as parse_cron


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
