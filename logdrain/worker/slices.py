"""A slice becomes rows in a result: SQL or Python runs, its rows and the note that it ran commit together."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path

from logdrain.answer.deadlines import time_limit
from logdrain.answer.queries import Answer, Queries, once_more
from logdrain.ledger.schedules import table_key
from logdrain.model.jobs import Claim, Reads, RunOutcome, Schedule
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.model.result_files import Target
from logdrain.model.stops import Stop
from logdrain.ports.clock import Clock
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import Slices
from logdrain.ports.results import ResultWriter
from logdrain.ports.transactions import Transaction
from logdrain.results.url.target import parse_result, resolve
from logdrain.worker.python_slices import PythonAnswer, PythonSlices


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
        schedule, stop = claim.schedule, stop or Stop()
        timeout_s = schedule.timeout_s or self._queries.timeout_s
        with time_limit(stop, timeout_s, is_own=bool(schedule.timeout_s)):
            return once_more(partial(self._run, claim, stop))

    def _run(self, claim: Claim, stop: Stop) -> RunOutcome:
        schedule = claim.schedule
        request = slice_request(schedule, claim.scheduled_at, self._clock.now())
        target = self._target(schedule.result) if schedule.result else None
        # Before anything is read: what is noted from here on, the scans may have missed.
        store_time = self._late_notes.store_time() if self._late_notes and target else None

        def outcome() -> RunOutcome:
            reads = _reads(store_time, answer.plan, target)
            return RunOutcome(
                answer.rows_read, answer.bytes_read, answer.rows.rows_read, answer.plan.warnings, reads
            )

        noted: list[RunOutcome] = []

        def commit_note(transaction: Transaction) -> None:
            noted.append(outcome())
            self._slices.note_success(transaction, claim, noted[-1])

        with self._answer(claim, request, stop) as answer:
            if target is None:
                for _ in answer.rows:
                    pass
            else:
                self._writer.write(
                    target,
                    claim,
                    answer.rows,
                    slice_column=answer.plan.slice_column,
                    commit_note=commit_note,
                    ledger_identity=self._slices.identity(),
                )
        if not noted:
            noted.append(outcome())
            self._slices.succeed(claim, noted[-1])
        return noted[-1]

    def _answer(
        self, claim: Claim, request: QueryRequest, stop: Stop
    ) -> AbstractContextManager[Answer | PythonAnswer]:
        if claim.schedule.function:
            return self._python.answer(claim, request, stop)
        return self._queries.stream(request, stop=stop, timeout_s=claim.schedule.timeout_s or None)

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
