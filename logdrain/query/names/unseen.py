"""NULL, and fields that no event has had yet, where the engine wants more of them than NULL.

Such a field is typed NULL, so it takes the type of what it stands beside.
"""

from sqlglot import exp

from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.kinds import is_of

_NULL = (exp.DType.NULL,)
_OF_TIMES: tuple[type[exp.Expr], ...] = (
    *(exp.Year, exp.Quarter, exp.Month, exp.Week, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfWeek),
    *(
        exp.DayOfWeekIso,
        exp.DayOfYear,
        exp.YearOfWeek,
        exp.Hour,
        exp.Minute,
        exp.Second,
        exp.Extract,
        exp.LastDay,
    ),
    *(
        exp.TimestampTrunc,
        exp.DateTrunc,
        exp.DateAdd,
        exp.DateDiff,
        exp.TimeToStr,
        exp.TimeToUnix,
        exp.AtTimeZone,
    ),
)
_CALLS_OF_TIMES = frozenset(
    {
        *("at_timezone", "format_datetime", "last_day_of_month", "millisecond", "timezone_hour"),
        *("timezone_minute", "to_iso8601", "to_milliseconds", "with_timezone", "year_of_week", "yow"),
    }
)
_CALLS_OF_TWO_LISTS = frozenset({"array_except", "array_intersect", "array_union", "arrays_overlap"})


def type_unseen(context: PlanContext) -> None:
    """Give NULL the type that its surroundings need; UNNEST of it is no row."""
    for node in list(context.statement.find_all(exp.Column, exp.Null)):
        parent = node.parent
        if parent is None or not is_of(node, _NULL):
            continue
        needed = _needed(parent, node)
        if isinstance(parent, exp.Unnest):
            node.replace(exp.Array(expressions=[]))
        elif needed is not None:
            node.replace(exp.Cast(this=node.copy(), to=needed))


def _needed(parent: exp.Expr, node: exp.Expr) -> exp.DataType | None:
    """The type that a function or operator wants; None: the engine takes NULL there."""
    call = parent.name.lower() if isinstance(parent, exp.Anonymous) else ""
    is_moved = isinstance(parent, (exp.Add, exp.Sub)) and isinstance(parent.expression, exp.Interval)
    if isinstance(parent, _OF_TIMES) or call in _CALLS_OF_TIMES or is_moved:
        return exp.DType.TIMESTAMP.into_expr()
    if call in _CALLS_OF_TWO_LISTS or (call.startswith("array") and node is parent.expressions[0]):
        lists = [part.type for part in parent.expressions if is_of(part, (exp.DType.ARRAY,))]
        return lists[0].copy() if lists and lists[0] else _list_of(parent.expressions[1:])
    if call.startswith("array"):  # an element
        lists = parent.expressions[0].type.expressions if parent.expressions[0].type else []
        return lists[0].copy() if lists else None
    return None


def _list_of(elements: list[exp.Expr]) -> exp.DataType:
    """A list of such elements; of text where none is known."""
    known = [part.type for part in elements if part.type and not is_of(part, (*_NULL, exp.DType.UNKNOWN))]
    of = known[0].copy() if known else exp.DType.VARCHAR.into_expr()
    return exp.DataType(this=exp.DType.ARRAY, expressions=[of], nested=True)
