"""What a condition says to the scan of a result table: Postgres checks it."""

from sqlglot import exp

from logdrain.model.plans import Comparator, Predicate, ResultColumn
from logdrain.query.pushdown.predicates import ALL_TIME, conditions, intersect, time_range
from logdrain.query.sql.context import ResultScanBuilder

_TIME = "time"


def push_to_result(scan: ResultScanBuilder, condition: exp.Expr) -> str:
    """Give a result scan a condition that Postgres can check; returns why it stays with the engine only."""
    time = scan.columns.get(_TIME)
    if time is not None and time.column == _TIME and time.type == "BIGINT":
        found = time_range(condition, lambda column: column.name == _TIME)
        if found != ALL_TIME:
            scan.time_range = intersect(scan.time_range, found)
            return "only its outer time range is pushed" if condition.find(exp.Or) else ""
    pushed: list[Predicate] = []
    for column, comparator, values in conditions(condition.unnest()):
        known = scan.columns.get(column.name)
        if known is None or None in values or _is_converted(known, comparator):
            return "its column is converted on its way"
        constants = tuple(value for value in values if value is not None)
        pushed.append(Predicate((known.column,), comparator, constants))
    scan.predicates += pushed
    return "" if pushed else "not a simple comparison"


def _is_converted(column: ResultColumn, comparator: Comparator) -> bool:
    """Whether Postgres has another value than SQL sees; the reader decides which types it compares."""
    is_null_test = comparator in (Comparator.IS_NULL, Comparator.NOT_NULL)
    return not is_null_test and column.type not in ("BIGINT", "VARCHAR", "BOOLEAN")
