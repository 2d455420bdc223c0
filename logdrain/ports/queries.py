"""Stored events to read, and what runs SQL over them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import pyarrow as pa

from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Scan
from logdrain.model.queries import EngineQuery, Plan
from logdrain.model.stops import Stop
from logdrain.ports.streams import ArrowStream, ScanStream

EVENTS = "events"
"""The column of `Groups.table` that says how many events are in a group."""


class Groups(NamedTuple):
    """The groups of an aggregation, in any order, all in memory.

    Attributes:
        table: EVENTS, and a column for each of the aggregation's `sources`, named "0", "1", …
        rows_read: Events in the groups.
        bytes_read: BSON that the store has sent for them; not that of the events.
        catalog: What had been seen in the table when all of its events had been read.
    """

    table: pa.Table
    rows_read: int
    bytes_read: int
    catalog: TableCatalog


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

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        """Let the store group and sum; HAVING, ORDER BY and LIMIT are left to the caller.

        The values are the engine's, but for the last digits of sums and averages of doubles.

        Args:
            aggregation: What to ask.
            stop: Ends it from another thread, also while the store is at it.

        Raises:
            StoreUnavailable: MongoDB went away.
            ScanTypeChanged: a field has a type that the aggregation does not know of, its values could be
                others than the engine's, or the groups do not fit into memory.
            LogdrainError: what `stop` was asked with.
        """
        ...

    def estimate(self, scan: Scan) -> int:
        """Roughly how many events the scan's time range holds.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...


class Engine(Protocol):
    """Lowers a plan, and runs what comes out over the plan's scans."""

    def lower(self, plan: Plan) -> EngineQuery:
        """Write a plan in the engine's own SQL.

        Raises:
            SqlError: what the engine has nothing for, by name and with its place.
        """
        ...

    def run(
        self, query: EngineQuery, scans: Sequence[ScanStream], stop: Stop | None = None
    ) -> AbstractContextManager[ArrowStream]:
        """Run the query; its rows can be read once, while the block lasts.

        Args:
            query: What to run.
            scans: One stream per `query.plan.all_scans`, in the same order.
            stop: Ends the query from another thread, also in the middle of a step of the engine.

        Raises (also while the rows are read):
            SqlError: the query failed (SqlTypeError, NumberOverflow, UnknownFunction, QueryMemoryExceeded).
            LogdrainError: whatever a scan raised, unchanged, or what `stop` was asked with.
        """
        ...

    def close_idle(self) -> None:
        """Give back what is kept for the next query."""
        ...
