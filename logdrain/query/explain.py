"""A plan for people: what is read, what is filtered where, and what the engine runs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

from sqlglot import exp

from logdrain.model.plans import Comparator, Predicate, ResultScan, Scan
from logdrain.model.queries import EngineQuery, Plan
from logdrain.query.sql.kinds import TEXT, is_of

_SIGNS = {
    Comparator.EQ: "=",
    Comparator.NE: "<>",
    Comparator.LT: "<",
    Comparator.LTE: "<=",
    Comparator.GT: ">",
    Comparator.GTE: ">=",
    Comparator.IN: "IN",
    Comparator.IS_NULL: "IS NULL",
    Comparator.NOT_NULL: "IS NOT NULL",
}


def text_sums(plan: Plan) -> list[str]:
    """Warnings of sums over text: a field that was text in one event."""
    return [
        f"{type(node).__name__.upper()}({node.this.name or node.this.sql()}) is over VARCHAR:"
        " write TRY_CAST(… AS DOUBLE), or DECIMAL for money; text that is no number counts as NULL then"
        for node in plan.statement.find_all(exp.Sum, exp.Avg)
        if is_of(node.this, TEXT)
    ]


def explain(query: EngineQuery, estimates: Sequence[int | None]) -> str:
    """Describe a plan, and what the engine makes of it.

    Args:
        query: What to describe.
        estimates: Roughly how many events each scan's time range holds, then how many rows each result
            table has; None where it is not known.
    """
    plan = query.plan
    lines: list[str] = []
    for scan, estimate in zip_longest(plan.all_scans, estimates[: len(plan.all_scans)]):
        lines += _scan_lines(scan, estimate)
    if not plan.all_scans:
        lines += ["reads no table"]
    lines += _section("left to the engine", plan.not_pushed)
    lines += _aggregation_lines(plan)
    lines += _section("engine SQL", query.sql.splitlines())
    lines += _section("slice column", [plan.slice_column or "none: no result column is TD_SCHEDULED_TIME()"])
    lines += _section("warnings", plan.warnings)
    return "\n".join(lines)


def _aggregation_lines(plan: Plan) -> list[str]:
    if plan.aggregation is None:
        return _section("aggregated by the engine", [plan.not_aggregated] if plan.not_aggregated else [])
    keys = ", ".join(".".join(key.path) for key in plan.aggregation.keys) or "nothing"
    measures = [f"{one.function}({'.'.join(one.path) or '*'})" for one in plan.aggregation.measures]
    text = f"{', '.join(measures) or 'no measures'} by {keys}"
    return _section("aggregated in MongoDB, without the engine", [text])


def _scan_lines(scan: Scan | ResultScan, estimate: int | None) -> list[str]:
    what = "events" if isinstance(scan, Scan) else "rows"
    size = "" if estimate is None else f", about {estimate:,} {what}"
    columns = [f"{column.name} {column.type}" for column in scan.columns]
    return [
        f"{scan.name}: {scan.table.name}{size}",
        f"  time     {_instant(scan.time_range.start, 'the first ' + what[:-1])}",
        f"     until {_instant(scan.time_range.end, 'the last ' + what[:-1])}",
        f"  columns  {', '.join(columns)}",
        f"  filters  {' AND '.join(_filter_text(predicate) for predicate in scan.predicates) or 'none'}",
    ]


def _instant(seconds: int | None, open_end: str) -> str:
    if seconds is None:
        return open_end
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC ({seconds})"
    except (ValueError, OverflowError, OSError):  # beyond the years that a date can have
        return f"({seconds})"


def _filter_text(predicate: Predicate) -> str:
    values = ", ".join(
        f"'{value}'" if isinstance(value, str) else str(value).upper() for value in predicate.values
    )
    if predicate.comparator is Comparator.IN:
        values = f"({values})"
    return " ".join(filter(None, (".".join(predicate.path), _SIGNS[predicate.comparator], values)))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    indented = [f"  {line}" for line in lines]
    return ["", title, *indented] if indented else []
