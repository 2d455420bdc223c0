"""Windows in random order, as for samples: DuckDB wants the random number in a column of the rows."""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import PlanContext, quoted
from logdrain.query.sql.two_levels import join, split

_ROWS = "_random"
_RANDOM = frozenset({"rand", "random", "shuffle"})


def write_random_windows(context: PlanContext) -> None:
    """Draw the random numbers of windows in a query below.

    Raises:
        UnsupportedSql: beside QUALIFY, or in a WINDOW clause.
    """
    for select in list(context.statement.find_all(exp.Select)):
        calls = [
            node
            for window in select.find_all(exp.Window)
            if window.find_ancestor(exp.Select) is select
            for node in window.find_all(exp.Rand, exp.Anonymous)
            if _is_random(node)
        ]
        if not calls:
            continue
        if select.args.get("qualify") or select.args.get("windows"):
            raise UnsupportedSql(
                "a random order beside QUALIFY or in WINDOW",
                place=context.place(calls[0]),
                hint="draw the numbers in a subquery: SELECT *, RAND() AS r",
            )
        below = split(select)
        for number, call in enumerate(calls):
            name = f"_random_{number}"
            below.append("expressions", exp.alias_(call.copy(), name, quoted=True))
            call.replace(exp.column(quoted(name), table=quoted(_ROWS)))
        join(select, below, _ROWS)


def _is_random(node: exp.Expr) -> bool:
    return isinstance(node, exp.Rand) or node.name.lower() in _RANDOM
