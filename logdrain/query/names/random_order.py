"""Windows in random order, as for samples: DuckDB wants the random number in a column of the rows."""

from collections.abc import Iterator

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


def drop_seeds(context: PlanContext) -> None:
    """Drop the seed of `rand(seed)`, with a warning, but where it is a column of rows: there it counts."""
    for node in list(context.statement.find_all(exp.Rand)):
        if node.this is not None and not _is_column_of_rows(node):
            context.warn("RAND draws other numbers in each run here, whatever its seed", node)
            node.set("this", None)


def _is_column_of_rows(node: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    rows = select.expressions if select is not None and not select.args.get("group") else []
    is_column = any(part is projection for part in _ancestors(node) for projection in rows)
    return is_column and not node.find_ancestor(exp.AggFunc, exp.Window)


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    above: exp.Expr | None = node
    while above is not None:
        yield above
        above = above.parent
