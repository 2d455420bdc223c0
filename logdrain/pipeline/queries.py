"""A SQL text becomes rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logdrain.errors import ScanTypeChanged
from logdrain.model.plans import Plan, QueryRequest
from logdrain.ports import ArrowStream, Engine, ScanSource, ScanStream
from logdrain.query.explain import explain
from logdrain.query.plan import plan_query

# A field may get a new type between planning and reading; planning again sees it.
_PLAN_TRIES = 3


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
