"""TD_SESSIONIZE_WINDOW: a window over a window, which becomes a window over a subquery.

`SELECT … TD_SESSIONIZE_WINDOW(t, timeout) OVER (PARTITION BY p ORDER BY t) … FROM … WHERE …` becomes
`SELECT … FROM (SELECT …, t where a session begins FROM … WHERE …)`. A session begins where the row before is
more than the timeout away. Its id is made from the partition and the time at which it begins, so that it is
the same in every run.
"""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import PlanContext, quoted
from logdrain.query.sql.nodes import SessionId
from logdrain.query.sql.two_levels import group_keys, join, split
from logdrain.query.td.calls import Call

_FUNCTION = "TD_SESSIONIZE_WINDOW"
_ROWS = "_sessions"


def session_window(call: Call) -> exp.Expr:
    """`TD_SESSIONIZE_WINDOW(long, timeout) OVER (PARTITION BY … ORDER BY …) -> uuid`; written out later."""
    window = call.node.parent
    if not isinstance(window, exp.Window) or window.args.get("order") is None:
        raise UnsupportedSql(
            f"{call.name} without OVER (… ORDER BY …)",
            place=call.context.place(call.node),
            hint=f"write {call.name}(time, 1800) OVER (PARTITION BY user ORDER BY time)",
        )
    return call.node


def session_of(call: Call) -> exp.Expr:
    """`TD_SESSIONIZE(long, timeout, by) -> uuid`: as the window, by the last argument in order of time."""
    time, timeout, by = (argument.copy() for argument in call.arguments)
    marker = exp.Anonymous(this=_FUNCTION, expressions=[time, timeout])
    order = exp.Order(expressions=[exp.Ordered(this=time.copy(), nulls_first=True)])
    return exp.Window(this=marker, partition_by=[by], order=order)


def write_sessions(context: PlanContext) -> None:
    """Write each call as a window over a subquery.

    Raises:
        UnsupportedSql: it stands elsewhere than in the SELECT list.
    """
    calls = [
        node
        for node in context.statement.find_all(exp.Anonymous)
        if node.name.upper() == _FUNCTION and isinstance(node.parent, exp.Window)
    ]
    for select in {
        id(call.find_ancestor(exp.Select)): call.find_ancestor(exp.Select) for call in calls
    }.values():
        if isinstance(select, exp.Select):
            _write(context, select, [call for call in calls if call.find_ancestor(exp.Select) is select])


def _write(context: PlanContext, select: exp.Select, calls: list[exp.Anonymous]) -> None:
    place = context.place(calls[0])
    if any(select.args.get(part) for part in ("qualify", "windows")):
        raise UnsupportedSql(
            f"{_FUNCTION} beside QUALIFY or WINDOW", place=place, hint="write that in a query around it"
        )
    if any(key.find(exp.Window) for key in group_keys(select)):
        raise UnsupportedSql(f"GROUP BY {_FUNCTION}", place=place, hint="group in a query around it")
    windows = [call.parent for call in calls if isinstance(call.parent, exp.Window)]
    below = split(select)
    for call, window in zip(calls, windows, strict=True):
        window.replace(_session_id(below, call, window))
    join(select, below, _ROWS)


def _session_id(inner: exp.Select, call: exp.Anonymous, window: exp.Window) -> exp.Expr:
    """The id of the row's session; the inner query gets the column that says where sessions begin."""
    time, timeout = call.expressions
    before = exp.Window(
        this=exp.Lag(this=time.copy()),
        partition_by=[part.copy() for part in window.args.get("partition_by") or []],
        order=window.args["order"].copy(),
    )
    goes_on = exp.LTE(
        this=exp.Paren(this=exp.Sub(this=exp.Paren(this=time.copy()), expression=before)),
        expression=timeout.copy(),
    )
    begins = exp.Case(ifs=[exp.If(this=goes_on, true=exp.Null())], default=time.copy())
    name = f"_begins_{len(inner.expressions)}"
    inner.append("expressions", exp.alias_(begins, name, quoted=True))
    start = exp.Window(
        this=exp.Max(this=exp.column(quoted(name), table=quoted(_ROWS))),
        partition_by=[part.copy() for part in window.args.get("partition_by") or []],
        order=window.args["order"].copy(),
    )
    parts = [part.copy() for part in window.args.get("partition_by") or []]
    return SessionId(expressions=[*parts, start])
