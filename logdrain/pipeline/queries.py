"""A SQL text becomes rows."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from logdrain.errors import QueryRowsExceeded, QueryTimeout, ScanTypeChanged, SqlError
from logdrain.model.plans import Aggregation, Plan, QueryRequest, Scan, TimeRange
from logdrain.model.stops import Stop
from logdrain.pipeline.aggregates import use_aggregate
from logdrain.ports import ArrowStream, Engine, ResultReader, ScanSource, ScanStream
from logdrain.query.draft import no_results
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query
from logdrain.query.whole_scan import whole_scan

# A field may get a new type between planning and reading; planning again sees it.
_PLAN_TRIES = 3


class Queries:
    """SQL over stored events.

    Args:
        source: Where events are read.
        engine: What runs the SQL.
        timeout_s: How long a query may take, from planning to its last row; None: as long as it likes.
        has_addresses: Whether the engine has a database of addresses.
        results: Where result tables are read; None where there are no named results.
    """

    def __init__(
        self,
        source: ScanSource,
        engine: Engine,
        timeout_s: float | None = None,
        *,
        has_addresses: bool = False,
        results: ResultReader | None = None,
    ) -> None:
        self._results = results
        self._has_addresses = has_addresses
        self._source = source
        self._engine = engine
        self.timeout_s = timeout_s

    def plan(self, request: QueryRequest) -> Plan:
        """What a SQL text becomes.

        Raises:
            SqlError: it cannot be run; the message has the place.
            StoreUnavailable: the catalog cannot be read.
        """
        return self._plan(request, is_lean=False)

    def _plan(self, request: QueryRequest, *, is_lean: bool) -> Plan:
        return plan_query(
            request,
            self._source.catalog,
            self._source.tables(),
            has_addresses=self._has_addresses,
            is_lean=is_lean,
            result_columns=self._results.columns if self._results is not None else no_results,
        )

    def explain(self, request: QueryRequest) -> str:
        """The plan, for people."""
        plan = self.plan(request)
        estimates: list[int | None] = [self._source.estimate(scan) for scan in plan.scans]
        if self._results is not None:
            estimates += [self._results.estimate(scan) for scan in plan.result_scans]
        return explain(plan, estimates)

    def scan(
        self, table: str, database: str, time_range: TimeRange, columns: Sequence[str] | None
    ) -> tuple[Scan, ScanStream]:
        """Read events without SQL.

        Args:
            table: `database.table`, or a table of `database`.
            database: For a table without one.
            time_range: Of event time.
            columns: Paths of fields with dots; None for `time` and all fields seen.

        Raises:
            UnknownTable: with the nearest name.
            StoreUnavailable: the catalog cannot be read.
        """
        scan = whole_scan(
            table, database, time_range, columns, tables=self._source.tables(), catalogs=self._source.catalog
        )
        return scan, self._source.scan(scan)

    def run(
        self,
        request: QueryRequest,
        use: "Use",
        *,
        stop: Stop | None = None,
        timeout_s: float | None = None,
    ) -> "Answer":
        """Run a SQL text and hand its rows to `use`.

        Args:
            request: The text and what it depends on.
            use: Reads the rows to the end, returns how many it took. Called again from the start where
                a field changed its type meanwhile, so what it does must be undone by an exception.
            stop: Ends it from another thread.
            timeout_s: Instead of the one for all queries.

        Raises:
            SqlError: the text cannot be run, or failed; it has the warnings of planning.
            QueryTimeout: it took too long.
            LogdrainError: what the store or `use` raised, or what `stop` was asked with.
        """
        stop = stop or Stop()
        with time_limit(stop, timeout_s or self.timeout_s, is_own=bool(timeout_s)):
            return self._run(request, use, stop)

    def close_idle(self) -> None:
        """Give back what is kept for the next query."""
        self._engine.close_idle()

    def _run(self, request: QueryRequest, use: "Use", stop: Stop) -> "Answer":
        tries_left = _PLAN_TRIES
        may_aggregate = True
        while True:
            tries_left -= 1
            plan = self._plan(request, is_lean=may_aggregate)
            stop.check()
            try:
                if plan.aggregation is not None and may_aggregate:
                    return self._run_in_store(plan, plan.aggregation, use, stop)
                return self._run_in_engine(plan, use, stop)
            except ScanTypeChanged:
                may_aggregate = False  # where the store is in doubt, the engine knows
                if not tries_left:
                    raise
            except SqlError as error:
                error.warnings = plan.warnings
                raise

    def _run_in_store(self, plan: Plan, aggregation: Aggregation, use: "Use", stop: Stop) -> "Answer":
        stream = self._source.aggregate(aggregation)
        reading = Reading(plan, [stream])
        rows = use_aggregate(stream, partial(use, reading), stop)
        return Answer(plan, reading.rows_read, rows)

    def _run_in_engine(self, plan: Plan, use: "Use", stop: Stop) -> "Answer":
        streams: list[ScanStream] = [self._source.scan(scan) for scan in plan.scans]
        if self._results is not None:
            streams += [self._results.scan(scan) for scan in plan.result_scans]
        reading = Reading(plan, streams)
        rows = self._engine.run(plan, reading.scans, partial(use, reading), stop)
        return Answer(plan, reading.rows_read, rows)


@contextmanager
def time_limit(stop: Stop, timeout_s: float | None, *, is_own: bool = False) -> Iterator[None]:
    """Ask for the end with QueryTimeout where the block lasts longer; None: it may last.

    Args:
        stop: What is asked.
        timeout_s: How long it may last.
        is_own: Whether the limit is the schedule's own, not that of all queries.
    """
    if timeout_s is None:
        yield
        return
    limit = "timeout of the schedule" if is_own else "LOGDRAIN_QUERY_TIMEOUT_S"
    hint = f"read less: a shorter time range, or a longer {limit}"
    error = QueryTimeout(f"the query took longer than {timeout_s:g} s", hint=hint)
    timer = threading.Timer(timeout_s, stop.request, (error,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan that is being carried out."""

    plan: Plan
    scans: Sequence[ScanStream]

    @property
    def rows_read(self) -> int:
        """Events read so far."""
        return sum(scan.rows_read for scan in self.scans)


class AtMost:
    """Rows up to a number; one more is an error.

    Raises (while it is read):
        QueryRowsExceeded: there is one more.
    """

    def __init__(self, rows: ArrowStream, rows_max: int) -> None:
        self._rows = rows
        self._rows_max = rows_max

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        return self._rows.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once."""
        count = 0
        for batch in self._rows:
            count += batch.num_rows
            if count > self._rows_max:
                raise QueryRowsExceeded(
                    f"the query has more than {self._rows_max:,} rows",
                    hint="add LIMIT, or raise LOGDRAIN_QUERY_ROWS_MAX",
                )
            yield batch


Use = Callable[[Reading, ArrowStream], int]
"""What is done with a query's rows; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query did."""

    plan: Plan
    rows_read: int
    rows_out: int
