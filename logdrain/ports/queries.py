"""Stored events to read, and what runs SQL over them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Plan, Scan
from logdrain.model.stops import Stop


class ArrowStream(Protocol):
    """Columns in batches; bounded memory. Reading may raise what the producer raises."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types, known before the first batch."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once through from the start for each call."""
        ...


class ScanStream(ArrowStream, Protocol):
    """What a scan yields, with counts of what it has read, over all passes."""

    @property
    def rows_read(self) -> int:
        """Events, or rows of a result table, yielded so far."""
        ...

    @property
    def bytes_read(self) -> int:
        """What the store has sent so far: BSON, or rows as text; compression on the way does not count."""
        ...


class AggregateStream(ScanStream, Protocol):
    """The rows of an aggregation; `rows_read` counts the events in them, `bytes_read` what was sent."""

    @property
    def catalog(self) -> TableCatalog:
        """What had been seen in the table when all its events were read; known before the last batch."""
        ...

    def interrupt(self) -> None:
        """End what the store is doing for it, from another thread; returns at once, reading it fails."""
        ...


class ScanSource(Protocol):
    """Stored events, to read."""

    def tables(self) -> list[Table]:
        """All tables, in order of name.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...

    def catalog(self, table: Table) -> TableCatalog:
        """What has been seen in a table; no fields where the table is unknown.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...

    def scan(self, scan: Scan) -> ScanStream:
        """Read lazily: nothing is asked of the store before the first batch is.

        Raises (while it is read):
            StoreUnavailable: MongoDB went away.
            ScanTypeChanged: a value does not have its column's type any more.
        """
        ...

    def aggregate(self, aggregation: Aggregation) -> AggregateStream:
        """Let the store group and sum; lazy, as a scan is.

        The rows are the engine's, but for the last digits of sums and averages of doubles.

        Raises (while it is read):
            StoreUnavailable: MongoDB went away.
            ScanTypeChanged: a field has a type that the aggregation does not know of, or its rows could be
                others than the engine's.
        """
        ...

    def estimate(self, scan: Scan) -> int:
        """Roughly how many events the scan's time range holds.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...


class Engine(Protocol):
    """Runs a plan's SQL over its scans."""

    def check(self, plan: Plan, scans: Sequence[ScanStream]) -> None:
        """Find what would fail before the first row is read; reads nothing.

        Args:
            plan: What would be run.
            scans: As `run` takes them.

        Raises:
            SqlError: the engine does not take the query.
        """
        ...

    def run(
        self,
        plan: Plan,
        scans: Sequence[ScanStream],
        use: Callable[[ArrowStream], int],
        stop: Stop | None = None,
    ) -> int:
        """Run the plan and hand its result to `use`, while the engine is open; returns what `use` returns.

        Args:
            plan: What to run.
            scans: One stream per `plan.all_scans`, in the same order.
            use: Called once with the result; reads it to the end.
            stop: Ends the query from another thread, also in the middle of a step of the engine.

        Raises:
            SqlError: the query failed (SqlTypeError, NumberOverflow, UnknownFunction, QueryMemoryExceeded).
            LogdrainError: whatever a scan or `use` raised, unchanged, or what `stop` was asked with.
        """
        ...

    def close_idle(self) -> None:
        """Give back what is kept for the next query."""
        ...
