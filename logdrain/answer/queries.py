"""A SQL text becomes rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from typing import NamedTuple, TypeVar

import pyarrow as pa

from logdrain.answer.aggregate_rows import rows_of
from logdrain.answer.deadlines import time_limit
from logdrain.answer.kept.scans import KeptScans
from logdrain.answer.narrowed.narrowed_source import NarrowedSource
from logdrain.errors import QueryRowsExceeded, ScanTypeChanged, SqlError
from logdrain.model.narrowing import Narrowing
from logdrain.model.plans import Aggregation, Scan, TimeRange
from logdrain.model.queries import EngineQuery, Plan, PlanSummary, QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import Engine, Groups, ScanSource
from logdrain.ports.results import ResultReader
from logdrain.ports.streams import ArrowStream, ScanStream
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query
from logdrain.query.plan_cache import CachedPlan, PlanCache
from logdrain.query.sql.context import no_results
from logdrain.query.whole_scan import whole_scan

_T = TypeVar("_T")
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
        may_aggregate: Whether the store may group, where it can.
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
        may_aggregate: bool = True,
    ) -> None:
        self._results = results
        self._may_aggregate = may_aggregate
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
            scan = plan.aggregation.scan
            self._prepared.keep(request, plan, catalogs(scan.table).within(*scan.time_range))
        return plan

    def check(self, request: QueryRequest) -> Plan:
        """The plan of a query that the engine takes, too; no event is read.

        Raises:
            SqlError: it cannot be run; the message has the place, the error the warnings of planning.
            StoreUnavailable: the catalog cannot be read.
        """
        return self._checked(request).plan

    def _checked(self, request: QueryRequest) -> EngineQuery:
        query = self._engine.lower(self._plan(request))
        with _warned(query.plan), self._engine.run(query.explained, self._streams(query.plan)):
            return query

    def explain(self, request: QueryRequest) -> str:
        """The plan, for people. Raises what `check` does."""
        query = self._checked(request)
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

    @contextmanager
    def stream(
        self,
        request: QueryRequest,
        *,
        stop: Stop | None = None,
        timeout_s: float | None = None,
        rows_max: int | None = None,
    ) -> Iterator["Answer"]:
        """Run a SQL text; its rows can be read once, while the block lasts.

        Until the first of them are there, it is planned again where a field got a new type meanwhile.

        Args:
            request: The text and what it depends on.
            stop: Ends it from another thread.
            timeout_s: Instead of the one for all queries.
            rows_max: One row more is an error; None: no limit.

        Raises (also while the rows are read):
            SqlError: the text cannot be run, or failed; it has the warnings of planning.
            QueryTimeout: it took too long.
            QueryRowsExceeded: there is a row more than `rows_max`.
            ScanTypeChanged: a field got a new type behind the first rows: ask again, see `once_more`.
            LogdrainError: what the store raised, or what `stop` was asked with.
        """
        stop = stop or Stop()
        with time_limit(stop, timeout_s or self.timeout_s, is_own=bool(timeout_s)), ExitStack() as stack:
            answer = self._begin(request, stop, stack)
            with _warned(answer.plan):
                yield replace(answer, rows=_bounded(answer.rows, stop, rows_max))

    def narrowed(self, narrowing: Narrowing) -> "Queries":
        """The same over what somebody may see; there are no result tables."""
        return Queries(
            NarrowedSource(self._source, narrowing),
            self._engine,
            self.timeout_s,
            has_addresses=self._has_addresses,
            may_aggregate=False,
        )

    def close_idle(self) -> None:
        """Give back what is kept for the next query."""
        self._engine.close_idle()
        if self._kept is not None:
            self._kept.close_idle()

    def _begin(self, request: QueryRequest, stop: Stop, stack: ExitStack) -> "Answer":
        """Read up to the first rows, with a new plan where one was not right; `stack` ends the rest."""
        tries_left = _PLAN_TRIES
        prepared = self._prepared.find(request)
        may_aggregate = self._may_aggregate
        while True:
            plan, summary = self._plan_or_cached(request, prepared)
            tries_left -= plan is not None
            aggregation = summary.aggregation
            stop.check()
            try:
                with _warned(summary):
                    if aggregation is not None and may_aggregate and not self._is_at_hand(aggregation):
                        return self._in_store(request, summary, aggregation, prepared, stop)
                    return self._in_engine(plan or self._plan(request), stop, stack)
            except ScanTypeChanged:
                # Where the store is in doubt, the engine knows; but perhaps only the plan was old.
                may_aggregate = may_aggregate and prepared is not None
                prepared = None
                self._prepared.forget(request)
                if not tries_left:
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

    def _in_store(
        self,
        request: QueryRequest,
        summary: PlanSummary,
        aggregation: Aggregation,
        prepared: CachedPlan | None,
        stop: Stop,
    ) -> "Answer":
        groups = self._source.aggregate(aggregation, stop)
        if prepared is not None:
            self._prove(request, summary, prepared, groups)
        return Answer(summary, rows_of(groups, aggregation), [ReadCount(groups.rows_read, groups.bytes_read)])

    def _prove(
        self, request: QueryRequest, summary: PlanSummary, prepared: CachedPlan, groups: Groups
    ) -> None:
        """Make sure that a plan from memory is the one that would be made now.

        Raises:
            ScanTypeChanged: it is not, or none can be made any more: planning again says why.
        """
        (scan,) = summary.scans
        if groups.rows_read and groups.catalog.within(*scan.time_range) == prepared.catalog:
            return  # the table has events, so it is still there, and no name can mean anything else
        try:
            is_same = self._plan(request).summary == summary
        except SqlError:
            is_same = False
        if not is_same:
            raise ScanTypeChanged(f"{prepared.catalog.table.name} changed since the query was planned")

    def _streams(self, plan: Plan) -> list[ScanStream]:
        """What the engine reads; nothing is asked before the first batch is."""
        streams: list[ScanStream] = [self._source.scan(scan) for scan in plan.scans]
        if self._results is not None:
            streams += [self._results.scan(scan) for scan in plan.result_scans]
        return streams

    def _in_engine(self, plan: Plan, stop: Stop, stack: ExitStack) -> "Answer":
        query = self._engine.lower(plan)
        streams = self._streams(plan)
        with ExitStack() as running:
            rows = running.enter_context(self._engine.run(query, streams, stop))
            batches = iter(rows)
            first = list(islice(batches, 1))
            stack.enter_context(running.pop_all())
        return Answer(plan, ArrowStream(rows.schema, chain(first, batches)), streams)


class ReadCount(NamedTuple):
    """What has been read of a store, and is not being read any more."""

    rows_read: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A query that is being answered.

    Attributes:
        plan: What it became.
        rows: Its rows, to read once.
        counts: Of all that it reads.
    """

    plan: PlanSummary
    rows: ArrowStream
    counts: Sequence[ReadCount | ScanStream]

    @property
    def rows_read(self) -> int:
        """Events and rows of result tables read so far."""
        return sum(count.rows_read for count in self.counts)

    @property
    def bytes_read(self) -> int:
        """What the stores have sent so far."""
        return sum(count.bytes_read for count in self.counts)


def once_more(run: Callable[[], _T]) -> _T:
    """Run what reads an answer; once more where a field got a new type behind its first rows."""
    try:
        return run()
    except ScanTypeChanged:
        return run()  # planned again, which sees the new type


@contextmanager
def _warned(plan: PlanSummary) -> Iterator[None]:
    """What fails in the block has the warnings of planning."""
    try:
        yield
    except SqlError as error:
        error.warnings = plan.warnings
        raise


def _bounded(rows: ArrowStream, stop: Stop, rows_max: int | None) -> ArrowStream:
    """The rows, until the end is asked for or there are too many."""

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            stop.check()
            if rows_max is not None and rows.rows_read > rows_max:
                raise QueryRowsExceeded(
                    f"the query has more than {rows_max:,} rows",
                    hint="add LIMIT, or raise LOGDRAIN_QUERY_ROWS_MAX",
                )
            yield batch

    return ArrowStream(rows.schema, batches())
