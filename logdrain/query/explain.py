"""A plan for people: what is read, what is filtered where, and what the engine runs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

from logdrain.model.plans import Aggregation, Comparator, GroupKey, ResultScan, Scalar, Scan, Source
from logdrain.model.queries import EngineQuery, Plan

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
    return _section("aggregated in MongoDB, without the engine", _group_lines(plan.aggregation))


def _group_lines(aggregation: Aggregation) -> Iterator[str]:
    measures = ", ".join(map(_source_text, aggregation.measures)) or "no measures"
    yield f"{measures} by {', '.join(map(_source_text, aggregation.keys)) or 'nothing'}"
    if aggregation.having:
        parts = [
            _filter_text(_source_text(one.source), one.comparator, one.values) for one in aggregation.having
        ]
        yield f"groups kept: {' AND '.join(parts)}"
    if aggregation.order:
        keys = [
            f"{_source_text(key.source)} {'DESC' if key.is_descending else 'ASC'} "
            f"NULLS {'FIRST' if key.is_nulls_first else 'LAST'}"
            for key in aggregation.order
        ]
        yield f"sorted after grouping: {', '.join(keys)}"
    bounds = [f"OFFSET {aggregation.offset}"] if aggregation.offset else []
    bounds += [f"LIMIT {aggregation.limit}"] if aggregation.limit is not None else []
    if bounds:
        yield f"cut after grouping: {' '.join(bounds)}"


def _source_text(source: Source) -> str:
    path = ".".join(source.path)
    return path if isinstance(source, GroupKey) else f"{source.function}({path or '*'})"


def _scan_lines(scan: Scan | ResultScan, estimate: int | None) -> list[str]:
    what = "events" if isinstance(scan, Scan) else "rows"
    size = "" if estimate is None else f", about {estimate:,} {what}"
    columns = [f"{column.name} {column.type}" for column in scan.columns]
    filters = [_filter_text(".".join(one.path), one.comparator, one.values) for one in scan.predicates]
    return [
        f"{scan.name}: {scan.table.name}{size}",
        f"  time     {_instant(scan.time_range.start, 'the first ' + what[:-1])}",
        f"     until {_instant(scan.time_range.end, 'the last ' + what[:-1])}",
        f"  columns  {', '.join(columns)}",
        f"  filters  {' AND '.join(filters) or 'none'}",
    ]


def _instant(seconds: int | None, open_end: str) -> str:
    if seconds is None:
        return open_end
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC ({seconds})"
    except (ValueError, OverflowError, OSError):  # beyond the years that a date can have
        return f"({seconds})"


def _filter_text(what: str, comparator: Comparator, constants: Sequence[Scalar]) -> str:
    values = ", ".join(f"'{value}'" if isinstance(value, str) else str(value).upper() for value in constants)
    if comparator is Comparator.IN:
        values = f"({values})"
    return " ".join(filter(None, (what, _SIGNS[comparator], values)))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    indented = [f"  {line}" for line in lines]
    return ["", title, *indented] if indented else []
