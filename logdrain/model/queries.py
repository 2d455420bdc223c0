"""Nouns of a query: what is asked, what it was understood as, and what an engine runs."""

from dataclasses import dataclass, fields, replace

from sqlglot import exp

from logdrain.model.plans import Aggregation, Dialect, ResultScan, Scan


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query and what it depends on.

    Attributes:
        sql: A text, or a tree as the parser of this dialect makes it.
        database: Where table names without a database live; "" for none.
        scheduled_time_s: What TD_SCHEDULED_TIME() returns, unix seconds.
        now_s: The clock, unix seconds.
    """

    sql: str | exp.Query
    database: str
    dialect: Dialect
    scheduled_time_s: int
    now_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a query reads, and what its user should know: all of a plan that is of use when it has run.

    Attributes:
        scans: What is read from the event store.
        result_scans: What is read from result tables.
        slice_column: The output column that carries TD_SCHEDULED_TIME(), or None.
        warnings: For the person who wrote the SQL.
        counts_from_now: What follows the clock instead of the scheduled time, with its place.
        aggregation: The same query for the event store alone, or None.
    """

    scans: tuple[Scan, ...]
    result_scans: tuple[ResultScan, ...] = ()
    slice_column: str | None = None
    warnings: tuple[str, ...] = ()
    counts_from_now: tuple[str, ...] = ()
    aggregation: Aggregation | None = None

    @property
    def all_scans(self) -> tuple[Scan | ResultScan, ...]:
        """What the engine reads, in the order of its streams."""
        return (*self.scans, *self.result_scans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(PlanSummary):
    """A query that is understood: every name, type and constant is known, and no engine is chosen.

    Attributes:
        statement: The query as a tree over the scans, by their names; not to be changed.
        text: What the places in the tree count in; of a request that was a tree, that tree as text.
        is_written: Whether the user wrote a text.
        not_pushed: Filters that the engine applies after the scan, with the reason.
        not_aggregated: Why there is no `aggregation`.
    """

    statement: exp.Query
    text: str
    dialect: Dialect
    is_written: bool
    not_pushed: tuple[str, ...] = ()
    not_aggregated: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that come out."""
        return tuple(self.statement.named_selects)

    @property
    def summary(self) -> PlanSummary:
        """The plan without its tree."""
        return PlanSummary(**{field.name: getattr(self, field.name) for field in fields(PlanSummary)})


@dataclass(frozen=True, slots=True)
class EngineQuery:
    """A plan that is lowered for one engine.

    Attributes:
        plan: What it is made from.
        sql: What the engine runs over the plan's scans.
    """

    plan: Plan
    sql: str

    @property
    def explained(self) -> "EngineQuery":
        """What has the engine understand the query, and read nothing."""
        return replace(self, sql=f"EXPLAIN {self.sql}")
