"""DuckDB runs a query inside this process."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa

from logdrain.model.queries import EngineQuery, Plan
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream
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

    @contextmanager
    def run(
        self, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop | None = None
    ) -> Iterator[ArrowStream]:
        """Run a query; see `ports.Engine`."""
        sources = {scan.name: stream for scan, stream in zip(query.plan.all_scans, scans, strict=True)}
        with (
            query_errors(query),
            self._sessions.running(query.sql, sources, stop or Stop()) as session,
        ):
            yield ArrowStream(session.schema, _batches(session, query))


def _batches(session: Session, query: EngineQuery) -> Iterator[pa.RecordBatch]:
    with query_errors(query):
        yield from session.batches()
