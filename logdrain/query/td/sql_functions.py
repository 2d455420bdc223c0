"""TD functions that are plain SQL under another name."""

from sqlglot import exp

from logdrain.query.sql.constants import Constant, bigint, constant
from logdrain.query.td.calls import Call


def as_written(call: Call) -> exp.Expr:
    """The call itself: an engine has an entry for it."""
    return call.node.copy()


def sum_if(call: Call) -> exp.Expr:
    """`TD_SUMIF(double, bool) -> double`; NULL where the condition is true for no row."""
    return _where(exp.Sum(this=_double(call.arguments[0])), call.arguments[1])


def avg_if(call: Call) -> exp.Expr:
    """`TD_AVGIF(double, bool) -> double`; NULL where the condition is true for no row."""
    return _where(exp.Avg(this=_double(call.arguments[0])), call.arguments[1])


def first(call: Call) -> exp.Expr:
    """`TD_FIRST(value, key, …)`: the value of the row whose keys are the smallest; NULL keys come last."""
    return _first(call, descending=False)


def last(call: Call) -> exp.Expr:
    """`TD_LAST(value, key, …)`: the value of the row whose keys are the greatest; NULL keys come last."""
    return _first(call, descending=True)


def numeric_range(call: Call) -> exp.Expr:
    """`TD_NUMERIC_RANGE([start,] end [, step])`: a row for each number, from 0, without the end."""
    bounds = [_whole(call, argument) for argument in call.arguments]
    start, end = (bigint(0), bounds[0]) if len(bounds) == 1 else bounds[:2]
    step = bounds[2] if len(bounds) > 2 else bigint(1)  # noqa: PLR2004  start, end, step
    if constant(step) == Constant(0):
        raise call.wrong(call.arguments[2], "the step is 0", "write how far one number is from the next")
    return exp.Explode(this=exp.GenerateSeries(start=start, end=end, step=step, is_end_exclusive=True))


def x_rank(call: Call) -> exp.Expr:
    """`TD_X_RANK(key, …)`: the number of the row among those with the same keys, from 1, in any order.

    Where a subquery sorts the rows, `hive_forms` has written the call as a window in that order.
    """
    call.context.warn(
        f"{call.name} numbers rows in any order here; "
        "sort them in a subquery, or write ROW_NUMBER() OVER (PARTITION BY … ORDER BY …)",
        call.node,
    )
    return exp.Window(this=exp.RowNumber(), partition_by=[key.copy() for key in call.arguments])


def _whole(call: Call, bound: exp.Expr) -> exp.Expr:
    """A bound as BIGINT: `2.0` is 2, too."""
    known = constant(bound)
    if known is None or known.value is None:
        return exp.cast(bound.copy(), exp.DType.BIGINT)
    if isinstance(known.value, (bool, str)) or not float(known.value).is_integer():
        raise call.wrong(bound, f"{known.value!r} is no whole number", "write numbers such as 0, 10, 2")
    return bigint(int(known.value))


def _where(aggregate: exp.Expr, condition: exp.Expr) -> exp.Expr:
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition.copy()))


def _double(value: exp.Expr) -> exp.Expr:
    return exp.cast(value.copy(), exp.DType.DOUBLE)


def _first(call: Call, *, descending: bool) -> exp.Expr:
    value, *keys = (argument.copy() for argument in call.arguments)
    order = [exp.Ordered(this=key, desc=descending, nulls_first=False) for key in keys]
    return exp.First(this=exp.Order(this=value, expressions=order))
