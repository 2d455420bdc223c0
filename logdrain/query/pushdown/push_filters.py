"""What the scans need not read: time ranges and simple filters, found in the query.

A scan's filter only saves work: the engine applies every condition again. So whatever is not plainly safe
stays with the engine, and the plan says so.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from logdrain.query.pushdown.predicates import ALL_TIME, intersect, predicates, time_range
from logdrain.query.pushdown.result_scans import push_to_result
from logdrain.query.sql.context import TIME, PlanContext, ScanBuilder

# With one of these a filter on the result is not the same as a filter on the rows that go in.
_CHANGES_ROWS = ("group", "having", "distinct", "limit", "offset", "windows", "qualify")

_OUTER = "an outer join keeps rows without it"
_NESTED = "its table stands in parentheses or is a sample"


def push_filters(context: PlanContext) -> None:
    """Give each scan the conditions that it can apply itself."""
    root = build_scope(context.statement)
    if root is not None:
        pusher = _Pusher(context, root.ref_count())
        # From the outside in: a query hands conditions on to the subqueries it reads.
        for scope in reversed(list(root.traverse())):
            if isinstance(scope.expression, exp.Select):
                pusher.push(scope, scope.expression)


class _Pusher:
    def __init__(self, context: PlanContext, uses: dict[int, int]) -> None:
        self._context = context
        self._uses = uses
        self._handed_on: dict[int, list[exp.Expr]] = {}

    def push(self, scope: Scope, select: exp.Select) -> None:
        """Push the conditions of one SELECT, and those handed on to it."""
        nullable, plain = _join_shape(select)
        where = select.args.get("where")
        everywhere = _conjuncts(where.this if where else None) + self._handed_on.pop(id(scope), [])
        for join in select.args.get("joins") or []:
            conditions = _conjuncts(join.args.get("on"))
            if not join.side and join.kind in ("", "INNER", "CROSS"):
                everywhere += conditions
            elif join.side == "LEFT" and join.kind in ("", "OUTER"):
                # The condition of a LEFT JOIN chooses among the rows of its right side only.
                self._push_all(scope, conditions, {join.alias_or_name} & plain, _OUTER)
        self._push_all(scope, everywhere, plain - nullable, _OUTER if nullable else _NESTED)

    def _push_all(
        self, scope: Scope, conditions: Iterable[exp.Expr], targets: set[str], not_a_target: str
    ) -> None:
        made_rows = {name for name, (node, _) in scope.selected_sources.items() if isinstance(node, exp.UDTF)}
        for condition in conditions:
            names = {column.table for column in condition.find_all(exp.Column)}
            sources = {
                name: scope.selected_sources[name][1] for name in names if name in scope.selected_sources
            }
            if len(names) != 1 or not sources or names & made_rows:
                continue  # joins two tables, or is about none
            (name,) = names
            reason = self._push(sources[name], condition) if name in targets else not_a_target
            if reason:
                text = f"{self._context.readable(condition)}: {reason}"
                if text not in self._context.not_pushed:
                    self._context.not_pushed.append(text)

    def _push(self, source: exp.Table | Scope, condition: exp.Expr) -> str:
        """Push one condition about one source; returns why (a part of) it stays with the engine only."""
        if condition.find(exp.Query):
            return "has a subquery"
        if isinstance(source, Scope):
            is_handed_on = self._uses[id(source)] == 1 and self._hand_on(source, condition, _names(source))
            return "" if is_handed_on else "about the result of a subquery"
        result_scan = self._context.result_scans.get(source.name)
        if result_scan is not None:
            return push_to_result(result_scan, condition)
        scan = self._context.scans.get(source.name)
        return _push_to_scan(scan, condition) if scan else ""

    def _hand_on(self, scope: Scope, condition: exp.Expr, names: Sequence[str]) -> bool:
        query = scope.expression
        wrapper = query.parent if isinstance(query.parent, exp.Subquery) else query
        if any(node.args.get(part) for node in (query, wrapper) for part in ("limit", "offset")):
            return False
        if scope.set_operation_scopes:
            # A filter on a UNION, INTERSECT or EXCEPT is the same filter on both sides.
            handed_on = [self._hand_on(side, condition, names) for side in scope.set_operation_scopes]
            return all(handed_on)
        if not isinstance(query, exp.Select) or any(query.args.get(part) for part in _CHANGES_ROWS):
            return False
        values = [projection.unalias() for projection in query.selects]
        if any(value.find(exp.AggFunc, exp.Window, exp.UDTF, exp.Explode) for value in values):
            return False
        meaning = dict(zip(names, values, strict=False))
        inner = condition.copy()
        for column in list(inner.find_all(exp.Column)):
            value = meaning.get(column.name)
            if not isinstance(value, exp.Column):
                return False
            column.replace(value.copy()) if column.parent else None
        self._handed_on.setdefault(id(scope), []).append(inner)
        return True


def _push_to_scan(scan: ScanBuilder, condition: exp.Expr) -> str:
    time = scan.columns.get(TIME)
    found = time_range(condition, lambda column: time is not None and column.name == time.name)
    if found != ALL_TIME:
        scan.time_range = intersect(scan.time_range, found)
        return "only its outer time range is pushed" if condition.find(exp.Or) else ""
    pushed = predicates(condition, scan)
    if isinstance(pushed, str):
        return pushed
    scan.predicates.extend(predicate for predicate in pushed if predicate not in scan.predicates)
    return ""


def _join_shape(select: exp.Select) -> tuple[set[str], set[str]]:
    """Names of the sources that an outer join fills with NULL, and of those that are read as they are."""
    from_clause = select.args.get("from_")
    if from_clause is None:
        return set(), set()
    seen: list[exp.Expr] = [from_clause.this]
    nullable: set[str] = set()
    for join in select.args.get("joins") or []:
        if join.side in ("RIGHT", "FULL"):
            nullable |= {source.alias_or_name for source in seen}
        if join.side in ("LEFT", "FULL"):
            nullable.add(join.this.alias_or_name)
        seen.append(join.this)
    return nullable, {source.alias_or_name for source in seen if _is_plain(source)}


def _is_plain(source: exp.Expr) -> bool:
    if source.args.get("sample") or source.args.get("joins"):
        return False
    is_query = isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query)
    return isinstance(source, exp.Table) or is_query


def _names(scope: Scope) -> Sequence[str]:
    query = scope.expression
    return scope.outer_columns or (query.named_selects if isinstance(query, exp.Query) else [])


def _conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    if condition is None:
        return []
    node = condition.unnest()
    if not isinstance(node, exp.And):
        return [node]
    return [part for side in node.flatten() for part in _conjuncts(side)]
