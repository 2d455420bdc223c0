"""Plans that are kept: the next slice of a schedule asks what the last one asked, an hour later.

A plan is kept where the store groups and TD_SCHEDULED_TIME() can only move: it is an item of SELECT or GROUP
BY, or the start or end of the one TD_TIME_RANGE that is all the WHERE says about `time`, each with or without
TD_TIME_ADD around it. The plan for another scheduled time is the same one with these constants moved by the
difference. Every other text is planned each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlglot import exp

from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Dialect, FixedValue, OutputColumn, TimeRange
from logdrain.model.queries import Plan, PlanSummary, QueryRequest
from logdrain.query.sql.syntax import parse_query

_SCHEDULED, _ADD, _RANGE = "TD_SCHEDULED_TIME", "TD_TIME_ADD", "TD_TIME_RANGE"
# The others may count from the scheduled time, or from now, without a word of it in the text.
_KNOWN = frozenset({_SCHEDULED, _ADD, _RANGE})
# From here a scheduled time of the years 1 to 9999 moves nothing out of 64 bits.
_FARTHEST_S = 2**62
_PLANS_KEPT_MAX = 256


class MovingParts(NamedTuple):
    """What of a plan is the scheduled time, or so many seconds before or after it.

    Attributes:
        outputs: Places in the SELECT list.
    """

    start: bool
    end: bool
    outputs: frozenset[int]


@dataclass(frozen=True, slots=True)
class CachedPlan:
    """The plan of a text for all scheduled times.

    Attributes:
        plan: For one of them.
        scheduled_time_s: That one.
        aggregation: The plan's.
        moving: What differs for another.
        catalog: What was known of the table within the hours that it reads.
    """

    plan: PlanSummary
    scheduled_time_s: int
    aggregation: Aggregation
    moving: MovingParts
    catalog: TableCatalog

    def at(self, scheduled_time_s: int) -> PlanSummary:
        """The very plan that planning would make for this time, unix seconds, from the same catalog."""
        by_s = scheduled_time_s - self.scheduled_time_s
        start, end = self.aggregation.scan.time_range
        time_range = TimeRange(
            start + by_s if start is not None and self.moving.start else start,
            end + by_s if end is not None and self.moving.end else end,
        )
        scan = replace(self.aggregation.scan, time_range=time_range)
        outputs = tuple(
            _moved(output, by_s) if index in self.moving.outputs else output
            for index, output in enumerate(self.aggregation.outputs)
        )
        aggregation = replace(self.aggregation, scan=scan, outputs=outputs)
        return replace(self.plan, scans=(scan,), aggregation=aggregation)


class PlanCache:
    """The plans that are kept, by text; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str | exp.Query, str, Dialect], CachedPlan] = {}
        self._catalogs: dict[Table, TableCatalog] = {}

    def find(self, request: QueryRequest) -> CachedPlan | None:
        """The plan that is kept for the request's text."""
        return self._kept.get(_text(request))

    def keep(self, request: QueryRequest, plan: Plan, catalog: TableCatalog) -> None:
        """Keep a plan that was made from this catalog, if it is one that can be kept."""
        prepared = prepare(request, plan.summary, catalog)
        if prepared is None:
            return
        if len(self._kept) >= _PLANS_KEPT_MAX:
            self._kept.clear()
            self._catalogs.clear()
        # One for all plans of a table: there can be thousands of fields.
        known = self._catalogs.setdefault(catalog.table, catalog)
        if known != catalog:
            self._catalogs[catalog.table] = known = catalog
        self._kept[_text(request)] = replace(prepared, catalog=known)

    def forget(self, request: QueryRequest) -> None:
        """Plan this text from its beginning next time."""
        self._kept.pop(_text(request), None)


def prepare(request: QueryRequest, plan: PlanSummary, catalog: TableCatalog) -> CachedPlan | None:
    """A plan for all scheduled times; None where another time could change more than constants."""
    aggregation = plan.aggregation
    is_by_hours = aggregation and all(catalog.types(path) == types for path, types in aggregation.types)
    if aggregation is None or not is_by_hours or plan.counts_from_now or not isinstance(request.sql, str):
        return None
    moving = _moving(parse_query(request.sql, request.dialect))
    if moving is None or not all(_can_move(value) for value in _values(aggregation, moving)):
        return None
    return CachedPlan(plan, request.scheduled_time_s, aggregation, moving, catalog)


def _moving(statement: exp.Query) -> MovingParts | None:
    """What moves in a statement as it was written; None where TD_SCHEDULED_TIME() stands anywhere else."""
    names = [call.name.upper() for call in statement.find_all(exp.Anonymous)]
    if not _KNOWN.issuperset(names):
        return None
    group = statement.args.get("group")
    bounds = [_is_moving(bound) for bound in _bounds(statement.args.get("where"))]
    outputs = [_is_moving(projection.unalias()) for projection in statement.expressions]
    keys = [_is_moving(key) for key in group.expressions] if group else []
    if sum(bounds) + sum(outputs) + sum(keys) != names.count(_SCHEDULED):
        return None
    start, end = (*bounds, False, False)[:2]
    return MovingParts(start, end, frozenset(index for index, moves in enumerate(outputs) if moves))


def _bounds(where: exp.Expr | None) -> Sequence[exp.Expr]:
    """Start and end of a TD_TIME_RANGE, where nothing else in WHERE is about the time."""
    columns = list(where.find_all(exp.Column)) if where else []
    times = [column for column in columns if column.name.lower() == "time"]
    call = times[0].parent if len(times) == 1 else None
    return call.expressions[1:3] if isinstance(call, exp.Anonymous) and call.name.upper() == _RANGE else []


def _is_moving(node: exp.Expr) -> bool:
    """Whether an expression is the scheduled time, or a constant time away from it."""
    call = node.unnest()
    if not isinstance(call, exp.Anonymous):
        return False
    name = call.name.upper()
    return name == _SCHEDULED or (name == _ADD and bool(call.expressions) and _is_moving(call.expressions[0]))


def _values(aggregation: Aggregation, moving: MovingParts) -> list[object]:
    """The constants that another scheduled time moves."""
    start, end = aggregation.scan.time_range
    sources = [aggregation.outputs[index].source for index in moving.outputs]
    fixed = [source.value if isinstance(source, FixedValue) else None for source in sources]
    return [*([start] if moving.start else []), *([end] if moving.end else []), *fixed]


def _can_move(value: object) -> bool:
    return type(value) is int and abs(value) < _FARTHEST_S


def _moved(output: OutputColumn, by_s: int) -> OutputColumn:
    if not isinstance(output.source, FixedValue) or isinstance(output.source.value, str):
        return output
    return output._replace(source=replace(output.source, value=output.source.value + by_s))


def _text(request: QueryRequest) -> tuple[str | exp.Query, str, Dialect]:
    return request.sql, request.database, request.dialect
