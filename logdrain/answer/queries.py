"""A SQL text becomes rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pyarrow as pa

from logdrain.answer.aggregate_rows import use_aggregate
from logdrain.answer.deadlines import time_limit
from logdrain.answer.kept_scans import KeptScans
from logdrain.errors import QueryRowsExceeded, ScanTypeChanged, SqlError
from logdrain.model.plans import Aggregation, Scan, TimeRange
from logdrain.model.queries import Plan, PlanSummary, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import AggregateStream, ArrowStream, Engine, ScanSource, ScanStream
from logdrain.ports.results import ResultReader
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query
from logdrain.query.plan_cache import CachedPlan, PlanCache
from logdrain.query.sql.context import no_results
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
        kept: Reads from `source`, and keeps what neighbouring slices both read; None: nothing is kept.
    """

    def __init__(
        self,
        source: ScanSource,
        engine: Engine,
        timeout_s: float | None = None,
        *,
        has_addresses: bool = False,
        results: ResultReader | None = None,
        kept: KeptScans | None = None,
    ) -> None:
        self._results = results
        self._has_addresses = has_addresses
        self._kept = kept
        self._source: ScanSource = kept or source
        self._engine = engine
        self._prepared = PlanCache()
        self.timeout_s = timeout_s

    def plan(self, request: QueryRequest) -> Plan:
        """What a SQL text becomes.

        Raises:
            SqlError: it cannot be run; the message has the place.
            StoreUnavailable: the catalog cannot be read.
        """
        return self._engine.lower(self._plan(request)).plan

    def _plan(self, request: QueryRequest) -> Plan:
        catalogs = cache(self._source.catalog)
        plan = plan_query(
            request,
            catalogs,
            self._source.tables(),
            has_addresses=self._has_addresses,
            result_columns=self._results.columns if self._results is not None else no_results,
        )
        if plan.aggregation is not None:
            self._prepared.keep(request, plan, catalogs(plan.aggregation.scan.table))
        return plan

    def explain(self, request: QueryRequest) -> str:
        """The plan, for people."""
        query = self._engine.lower(self._plan(request))
        plan = query.plan
        estimates: list[int | None] = [self._source.estimate(scan) for scan in plan.scans]
        if self._results is not None:
            estimates += [self._results.estimate(scan) for scan in plan.result_scans]
        return explain(query, estimates)

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
        if self._kept is not None:
            self._kept.close_idle()

    def _run(self, request: QueryRequest, use: "Use", stop: Stop) -> "Answer":
        tries_left = _PLAN_TRIES
        prepared = self._prepared.find(request)
        may_aggregate = True
        while True:
            plan, summary = self._plan_or_cached(request, prepared)
            tries_left -= plan is not None
            aggregation = summary.aggregation
            stop.check()
            try:
                if aggregation is not None and may_aggregate and not self._is_at_hand(aggregation):
                    prove = partial(self._prove, request, summary, prepared)
                    return self._run_in_store(summary, aggregation, use, stop, prove)
                return self._run_in_engine(plan or self._plan(request), use, stop)
            except ScanTypeChanged:
                # Where the store is in doubt, the engine knows; but perhaps only the plan was old.
                may_aggregate = may_aggregate and prepared is not None
                prepared = None
                self._prepared.forget(request)
                if not tries_left:
                    raise
            except SqlError as error:
                error.warnings = summary.warnings
                raise

    def _plan_or_cached(
        self, request: QueryRequest, prepared: CachedPlan | None
    ) -> tuple[Plan | None, PlanSummary]:
        if prepared is not None:
            return None, prepared.at(request.scheduled_time_s)
        plan = self._plan(request)
        return plan, plan.summary

    def _is_at_hand(self, aggregation: Aggregation) -> bool:
        return self._kept is not None and self._kept.is_at_hand(aggregation)

    def _run_in_store(
        self, plan: PlanSummary, aggregation: Aggregation, use: "Use", stop: Stop, prove: "Prove"
    ) -> "Answer":
        stream = self._source.aggregate(aggregation)
        reading = Reading(plan, [stream])
        rows = use_aggregate(stream, partial(use, reading), stop, partial(prove, stream))
        return Answer(plan, reading.rows_read, reading.bytes_read, rows)

    def _prove(
        self,
        request: QueryRequest,
        summary: PlanSummary,
        prepared: CachedPlan | None,
        stream: AggregateStream,
    ) -> None:
        """Make sure that a plan from memory is the one that would be made now.

        Raises:
            ScanTypeChanged: it is not, or none can be made any more: planning again says why.
        """
        if prepared is None or (stream.rows_read and stream.catalog == prepared.catalog):
            return  # the table has events, so it is still there, and no name can mean anything else
        try:
            is_same = self._plan(request).summary == summary
        except SqlError:
            is_same = False
        if not is_same:
            raise ScanTypeChanged(f"{prepared.catalog.table.name} changed since the query was planned")

    def _run_in_engine(self, plan: Plan, use: "Use", stop: Stop) -> "Answer":
        query = self._engine.lower(plan)
        streams: list[ScanStream] = [self._source.scan(scan) for scan in plan.scans]
        if self._results is not None:
            streams += [self._results.scan(scan) for scan in plan.result_scans]
        reading = Reading(plan, streams)
        rows = self._engine.run(query, reading.scans, partial(use, reading), stop)
        return Answer(plan, reading.rows_read, reading.bytes_read, rows)


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan that is being carried out."""

    plan: PlanSummary
    scans: Sequence[ScanStream]

    @property
    def rows_read(self) -> int:
        """Events read so far."""
        return sum(scan.rows_read for scan in self.scans)

    @property
    def bytes_read(self) -> int:
        """What the stores have sent so far."""
        return sum(scan.bytes_read for scan in self.scans)


class RowLimit:
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


Prove = Callable[[AggregateStream], None]
"""Says that a plan was right, when the events of its aggregation have been read; raises where it was not."""

Use = Callable[[Reading, ArrowStream], int]
"""What is done with a query's rows; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query did."""

    plan: PlanSummary
    rows_read: int
    bytes_read: int
    rows_out: int
