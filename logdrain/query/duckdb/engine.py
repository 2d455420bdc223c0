"""DuckDB runs a query inside this process."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from logdrain.model.queries import EngineQuery, Plan
from logdrain.model.stops import Stop
from logdrain.ports import ArrowStream, ScanStream
from logdrain.query.duckdb.lower import lower, query_errors
from logdrain.query.duckdb.session import DuckdbSessions, Session
from logdrain.query.duckdb.vector_functions import VectorFunction


class DuckdbEngine:
    """Implements `ports.Engine`; every run has a database to itself, in memory.

    Args:
        memory_limit_bytes: What one query may use; then it spills, or fails with QueryMemoryExceeded.
        threads: How many threads one query may use.
        temp_folder: Where a query spills, or None: it never does.
        spill_max_bytes: What one query may spill; then it fails with QueryMemoryExceeded. None: no limit.
        more_functions: Functions beside VECTOR_FUNCTIONS, by name in lower case.
        databases_kept_max: How many databases are kept for the next query; who keeps any has to `close_idle`.
    """

    def __init__(
        self,
        memory_limit_bytes: int,
        threads: int,
        temp_folder: str | None,
        *,
        spill_max_bytes: int | None = None,
        more_functions: Mapping[str, VectorFunction] | None = None,
        databases_kept_max: int = 0,
    ) -> None:
        self._sessions = DuckdbSessions(
            memory_limit_bytes,
            threads,
            temp_folder,
            spill_max_bytes=spill_max_bytes,
            more_functions=more_functions,
            databases_kept_max=databases_kept_max,
        )

    def lower(self, plan: Plan) -> EngineQuery:
        """Write a plan as DuckDB's SQL; see `ports.Engine`."""
        return lower(plan)

    def close_idle(self) -> None:
        """Close the databases that are kept for the next query."""
        self._sessions.close_idle()

    def run(
        self,
        query: EngineQuery,
        scans: Sequence[ScanStream],
        use: Callable[[ArrowStream], int],
        stop: Stop | None = None,
    ) -> int:
        """Run a query and hand its result to `use`; see `ports.Engine`."""
        sources = {scan.name: stream for scan, stream in zip(query.plan.all_scans, scans, strict=True)}
        with (
            query_errors(query),
            self._sessions.running(query.sql, sources, stop or Stop()) as session,
        ):
            return use(_Rows(session, query))


class _Rows:
    """The rows of a query."""

    def __init__(self, session: Session, query: EngineQuery) -> None:
        self._session = session
        self._query = query

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        return self._session.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once."""
        with query_errors(self._query):
            yield from self._session.batches()
