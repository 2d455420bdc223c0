"""Which result column carries the scheduled time: the key of a slice."""

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from logdrain.query.sql.context import PlanContext
from logdrain.query.td.time_functions import SCHEDULED


def find_slice_column(context: PlanContext) -> None:
    """Name the first result column that is TD_SCHEDULED_TIME() in every row, through subqueries and UNION."""
    root = build_scope(context.statement)
    if root is None:
        return
    for index, projection in enumerate(context.statement.selects):
        if _is_scheduled(root, index):
            context.slice_column = projection.alias_or_name
            return


def _is_scheduled(scope: Scope, index: int) -> bool:
    if scope.set_operation_scopes:
        return all(_is_scheduled(branch, index) for branch in scope.set_operation_scopes)
    select = scope.expression.unnest()
    if not isinstance(select, exp.Select) or index >= len(select.selects):
        return False
    value = select.selects[index].unalias().unnest()
    if value.meta.get(SCHEDULED):
        group = select.args.get("group")
        # A total of ROLLUP has NULL where the constant was grouped by.
        return group is None or not group.find(exp.Rollup, exp.Cube, exp.GroupingSets)
    if not isinstance(value, exp.Column) or _has_outer_join(select):
        return False
    source = scope.sources.get(value.table)
    if not isinstance(source, Scope) or not isinstance(source.expression, exp.Query):
        return False
    names = source.outer_columns or source.expression.named_selects
    return value.name in names and _is_scheduled(source, names.index(value.name))


def _has_outer_join(select: exp.Select) -> bool:
    return any(join.side for join in select.args.get("joins") or [])
