"""Forms that only Hive has, written as standard SQL."""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import PlanContext

_GROUPINGS = ("rollup", "cube", "grouping_sets")
_CLUSTER_HINTS = ("sort", "cluster", "distribute")


def write_hive_forms(context: PlanContext) -> None:
    """Rewrite WITH ROLLUP and its like, LATERAL VIEW OUTER, and drop SORT, CLUSTER and DISTRIBUTE BY.

    Raises:
        UnsupportedSql: LATERAL VIEW OUTER of something else than EXPLODE; GROUPING__ID.
    """
    for select in context.statement.find_all(exp.Select):
        _no_grouping_id(context, select)
        _groupings(select)
        _ranks(select)
        for lateral in select.args.get("laterals") or []:
            if lateral.args.get("outer"):
                _outer_view(context, select, lateral)
    for select in context.statement.find_all(exp.Select):
        for hint in _CLUSTER_HINTS:  # where rows go in Hive's cluster: no meaning here
            select.set(hint, None)


def _no_grouping_id(context: PlanContext, select: exp.Select) -> None:
    group = select.args.get("group")
    if group is None or not any(group.args.get(kind) for kind in _GROUPINGS):
        return
    for column in select.find_all(exp.Column):
        if column.name.upper() == "GROUPING__ID" and not column.table:
            raise UnsupportedSql(
                "GROUPING__ID: versions of Hive number its bits differently",
                place=context.place(column),
                hint=f"write GROUPING({', '.join(context.readable(key) for key in group.expressions)})",
            )


def _ranks(select: exp.Select) -> None:
    """`TD_X_RANK(k)` over a subquery with SORT BY or CLUSTER BY counts rows in that order."""
    source = select.args["from_"].this if select.args.get("from_") else None
    inner = source.this if isinstance(source, exp.Subquery) else None
    if not isinstance(inner, exp.Select):
        return
    sorting = inner.args.get("sort") or inner.args.get("cluster") or inner.args.get("order")
    outputs = {name.lower() for name in inner.named_selects}
    keys = (
        [
            key
            for key in sorting.expressions
            if key.find(exp.Column) and key.find(exp.Column).name.lower() in outputs
        ]
        if sorting
        else []
    )
    for call in [node for node in select.find_all(exp.Anonymous) if node.name.upper() == "TD_X_RANK"]:
        if keys and call.expressions and call.find_ancestor(exp.Select) is select:
            order = exp.Order(expressions=[_by_output(key) for key in keys])
            call.replace(exp.Window(this=exp.RowNumber(), partition_by=call.expressions, order=order))


def _by_output(key: exp.Expr) -> exp.Expr:
    """A sort key of a subquery, as the query around it names the column."""
    outer = key.copy()
    for column in list(outer.find_all(exp.Column)):
        column.set("table", None)
    return outer if isinstance(outer, exp.Ordered) else exp.Ordered(this=outer, nulls_first=True)


def _groupings(select: exp.Select) -> None:
    """`GROUP BY a, b WITH ROLLUP` -> `GROUP BY ROLLUP (a, b)`."""
    group = select.args.get("group")
    if group is None:
        return
    for kind in _GROUPINGS:
        for grouping in group.args.get(kind) or []:
            if not grouping.expressions:
                grouping.set("expressions", group.expressions)
            group.set("expressions", [grouping])
        group.set(kind, None)


def _outer_view(context: PlanContext, select: exp.Select, lateral: exp.Lateral) -> None:
    """`LATERAL VIEW OUTER explode(x) t AS a` -> `LEFT JOIN UNNEST(x) AS t(a) ON TRUE`."""
    if type(lateral.this) is not exp.Explode:
        raise UnsupportedSql(
            "LATERAL VIEW OUTER of another function than EXPLODE", place=context.place(lateral)
        )
    rows = exp.Unnest(expressions=[lateral.this.this], alias=lateral.args["alias"])
    lateral.pop()
    select.append("joins", exp.Join(this=rows, side="LEFT", on=exp.true()))
