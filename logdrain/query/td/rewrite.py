"""TD functions become plain SQL, and the clock becomes the request's."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnknownFunction
from logdrain.query.sql.constants import bigint
from logdrain.query.sql.context import PlanContext
from logdrain.query.td.calls import Call
from logdrain.query.td.registry import ANY_NUMBER, REFUSED_FUNCTIONS, TD_FUNCTIONS, TdFunction


def rewrite_td_functions(context: PlanContext) -> None:
    """Replace each TD function by what the engine runs, the innermost first.

    Raises:
        SqlTypeError: the wrong number of arguments, or one that cannot be read.
        UnknownFunction: one of those that are refused.
    """
    _stop_unix_timestamp(context)
    for node in reversed(list(context.statement.find_all(exp.Anonymous))):
        name = node.name.upper()
        refused = REFUSED_FUNCTIONS.get(name)
        if refused:
            raise UnknownFunction(
                f"{name} is not run here: {refused.reason}", place=context.place(node), hint=refused.instead
            )
        function = TD_FUNCTIONS.get(name)
        if function is None:
            continue
        if len(node.expressions) not in function.argument_counts:
            raise SqlTypeError(
                f"{name} takes {_counts(function)}, not {len(node.expressions)}", place=context.place(node)
            )
        node.replace(function.rewrite(Call(name, node, node.expressions, context)))


def _counts(function: TdFunction) -> str:
    counts = function.argument_counts
    if counts.stop == ANY_NUMBER:
        text = f"at least {counts.start}"
    else:
        text = " or ".join(str(count) for count in counts)
    return f"{text} argument{'' if text.endswith(' 1') or text == '1' else 's'}"


def freeze_now(context: PlanContext) -> None:
    """The present is the request's: a query that is planned twice says the same."""
    now = datetime.fromtimestamp(context.request.now_s, UTC)
    for node in list(context.statement.find_all(exp.Func)):
        if type(node) in _CLOCK:
            context.counts_from_now.append(f"{node.sql_name()} ({context.place(node)})")
            kind, text = _CLOCK[type(node)]
            node.replace(exp.cast(exp.Literal.string(text(now)), kind))


def _stop_unix_timestamp(context: PlanContext) -> None:
    """Hive's unix_timestamp() is a number, and so a constant argument."""
    for node in list(context.statement.find_all(exp.StrToUnix)):
        if isinstance(node.this, exp.CurrentTimestamp):
            context.counts_from_now.append(f"UNIX_TIMESTAMP ({context.place(node)})")
            node.replace(bigint(context.request.now_s))


_CLOCK: dict[type[exp.Expr], tuple[exp.DType, Callable[[datetime], str]]] = {
    exp.CurrentTimestamp: (exp.DType.TIMESTAMPTZ, lambda now: f"{now:%Y-%m-%d %H:%M:%S}+00:00"),
    exp.Localtimestamp: (exp.DType.TIMESTAMP, lambda now: f"{now:%Y-%m-%d %H:%M:%S}.000"),
    exp.CurrentDate: (exp.DType.DATE, lambda now: f"{now:%Y-%m-%d}"),
    exp.CurrentTime: (exp.DType.TIME, lambda now: f"{now:%H:%M:%S}"),
    exp.Localtime: (exp.DType.TIME, lambda now: f"{now:%H:%M:%S}"),
}
