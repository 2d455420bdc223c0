"""Is the whole query one that the event store can answer, with the very rows that the engine would have?

One table, a WHERE that the scan applies exactly, fields to group by, plain aggregates of fields whose values
the catalog knows to be of one type. Whatever is not plainly that stays with the engine; the plan says why.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlglot import exp

from logdrain.model.catalog import FieldPath, FieldType, TypeKind, is_plain
from logdrain.model.plans import (
    AggregateFunction,
    Aggregation,
    Comparator,
    FixedValue,
    GroupKey,
    Measure,
    OutputColumn,
)
from logdrain.query.pushdown.predicates import conditions
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import TIME, PlanContext, ScanBuilder
from logdrain.query.sql.kinds import TEXT, is_of
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN
from logdrain.types.sql_types import ORIGIN, is_pseudo
from logdrain.types.type_table import COLUMN_KINDS, EXACT_KINDS

_T = TypeVar("_T")
_Source = GroupKey | Measure | FixedValue

_PLAIN_PARTS = frozenset({"kind", "expressions", "from_", "where", "group"})
_STRING = frozenset({FieldType.STRING})
_NUMBERS = {types: kind for types, kind in EXACT_KINDS.items() if int in COLUMN_KINDS[kind].constants}
# Whole numbers beyond 2^53 among doubles are several keys in the store and one in the engine.
_KEYS = {types: kind for types, kind in EXACT_KINDS.items() if len(types) == 1}

_FUNCTIONS: dict[type[exp.Expr], AggregateFunction] = {
    exp.Count: AggregateFunction.COUNT,
    exp.Sum: AggregateFunction.SUM,
    exp.Min: AggregateFunction.MIN,
    exp.Max: AggregateFunction.MAX,
    exp.Avg: AggregateFunction.AVG,
}


def find_aggregation(context: PlanContext) -> None:
    """Note in the context what the store can be asked instead of the engine, or why it cannot."""
    if not context.statement.find(exp.AggFunc, exp.Group):
        return
    found = _aggregation(context)
    if isinstance(found, str):
        context.not_aggregated = found
    else:
        context.aggregation = found


def _aggregation(context: PlanContext) -> Aggregation | str:
    select = context.statement
    reason = _other_shape(select, context)
    if reason or not isinstance(select, exp.Select):
        return reason
    (scan,) = context.scans.values()
    return _unfiltered(select, context, scan) or _of_groups(select, context, scan)


def _of_groups(select: exp.Select, context: PlanContext, scan: ScanBuilder) -> Aggregation | str:
    finder = _Finder(context, scan, select)
    group = select.args.get("group")
    keys = _all(finder.key(node) for node in (group.expressions if group else []))
    if isinstance(keys, str):
        return keys
    sources: list[_Source] | str = _all(
        finder.source(projection.unalias().unnest()) for projection in select.selects
    )
    if isinstance(sources, str):
        return sources
    if group is None and not any(isinstance(source, Measure) for source in sources):
        return "it aggregates nothing"
    grouped = tuple(dict.fromkeys(key for key in keys if isinstance(key, GroupKey)))
    if any(isinstance(source, GroupKey) and source not in grouped for source in sources):
        return "a column is neither grouped nor aggregated"
    return Aggregation(
        scan=scan.finished(),
        keys=grouped,
        outputs=tuple(
            OutputColumn(projection.alias_or_name, source)
            for projection, source in zip(select.selects, sources, strict=True)
        ),
        types=tuple(_types(scan, grouped, sources)),
        is_grouped=group is not None,
    )


def _other_shape(select: exp.Query, context: PlanContext) -> str:
    if not isinstance(select, exp.Select) or len(context.scans) != 1 or context.result_scans:
        return "it is not one SELECT over one table"
    others = [part for part, value in select.args.items() if value and part not in _PLAIN_PARTS]
    if others or select.args.get("kind"):
        return f"it has {(others or ['kind'])[0].strip('_').upper()}"
    source = select.args["from_"].this if select.args.get("from_") else None
    if (
        not isinstance(source, exp.Table)
        or source.name not in context.scans
        or source.args.get("sample")
        or source.args.get("joins")
    ):
        return "its table stands in a subquery, in parentheses or is a sample"
    group = select.args.get("group")
    if group is not None and any(value for part, value in group.args.items() if part != "expressions"):
        return "it groups by more than a list of columns"
    return ""


def _unfiltered(select: exp.Select, context: PlanContext, scan: ScanBuilder) -> str:
    """Why the scan lets through what WHERE does not; "" where it does not."""
    if context.not_pushed:
        return f"a filter is left to the engine: {context.not_pushed[0]}"
    where = select.args.get("where")
    for condition in _conjuncts(where.this) if where else ():
        if not _is_exact(condition, scan):
            return f"a filter is left to the engine: {context.readable(condition)}"
    for predicate in scan.predicates:
        text = "".join(value for value in predicate.values if isinstance(value, str))
        if not is_plain(predicate.path) or any("\ud800" <= char <= "\udfff" for char in text):
            return "a filter cannot be written for the store"
    return ""


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    node = condition.unnest()
    if isinstance(node, exp.And):
        for side in node.flatten():
            yield from _conjuncts(side)
    else:
        yield node


def _is_exact(condition: exp.Expr, scan: ScanBuilder) -> bool:
    """Whether the scan's time range or predicates say all that this condition says."""
    parts = conditions(condition)
    for column, comparator, values in parts:
        if _path(column, scan) == TIME:
            one = values[0] if len(values) == 1 else None
            if comparator is Comparator.NE or type(one) is not int or not BIGINT_MIN <= one <= BIGINT_MAX:
                return False
    # What is not about the time is pushed as it is, or the context has said that it is not.
    return bool(parts)


class _Finder:
    """Finds what expressions of one SELECT mean to the store."""

    def __init__(self, context: PlanContext, scan: ScanBuilder, select: exp.Select) -> None:
        self._context = context
        self._scan = scan
        self._selects: Sequence[exp.Expr] = select.selects

    def key(self, node: exp.Expr) -> GroupKey | FixedValue | str:
        """What an item of GROUP BY groups by."""
        written = self._written_out(node.unnest())
        if isinstance(written, exp.Column):
            return self._grouped(written)
        more = f"it groups by {self._context.readable(node)}, which is more than a column"
        return (_fixed(written) if written is not None else None) or more

    def source(self, node: exp.Expr) -> _Source | str:
        """What an expression of the SELECT list is."""
        fixed = _fixed(node)
        if fixed is not None:
            return fixed
        if isinstance(node, exp.Column):
            return self._grouped(node)
        function = _FUNCTIONS.get(type(node))
        if function is None or node.expressions:
            return f"{self._context.readable(node)} is more than a column or a plain aggregate"
        argument = _uncast(node.this.unnest())
        if function is AggregateFunction.COUNT and (isinstance(argument, exp.Star) or _is_value(argument)):
            return Measure(function, (), TypeKind.BIGINT)
        if not isinstance(argument, exp.Column):
            return f"{self._context.readable(node)} is not of a column alone"
        return self._measured(function, argument)

    def _written_out(self, node: exp.Expr) -> exp.Expr | None:
        """Numbers and aliases in GROUP BY are projections."""
        if isinstance(node, exp.Literal) and not node.is_string:
            number = int(node.name) if node.name.isdecimal() else 0
            return self._selects[number - 1].unalias().unnest() if 1 <= number <= len(self._selects) else None
        if isinstance(node, exp.Column) and not node.table:
            named = [one for one in self._selects if one.alias_or_name.lower() == node.name.lower()]
            return named[0].unalias().unnest() if len(named) == 1 else None
        return node

    def _grouped(self, column: exp.Column) -> GroupKey | str:
        path = _path(column, self._scan)
        kind = None if path == TIME else _KEYS.get(_seen(self._scan, path))
        problem = _unreachable(self._scan, path)
        if kind is None or problem:
            return f"it groups by {column.name}, {problem or _held(self._scan, path)}"
        return GroupKey(path, kind)

    def _measured(self, function: AggregateFunction, column: exp.Column) -> Measure | str:
        path = _path(column, self._scan)
        what = f"{function} of {column.name}"
        if problem := _unreachable(self._scan, path):
            return f"{what}, {problem}"
        seen = _seen(self._scan, path)
        kind: TypeKind | None
        if function is AggregateFunction.COUNT:
            kind = TypeKind.BIGINT if seen else None
        elif function in {AggregateFunction.MIN, AggregateFunction.MAX}:
            kind = TypeKind.BIGINT if path == TIME else EXACT_KINDS.get(seen)
        else:
            kind = None if path == TIME else _NUMBERS.get(seen)
        if kind is None:
            return f"{what}, {_held(self._scan, path)}"
        return Measure(function, path, TypeKind.DOUBLE if function is AggregateFunction.AVG else kind)


def _all(found: Iterator[_T | str]) -> list[_T] | str:
    """All of them, or the first reason against one."""
    kept: list[_T] = []
    for one in found:
        if isinstance(one, str):
            return one
        kept.append(one)
    return kept


def _fixed(node: exp.Expr) -> FixedValue | None:
    """A constant whose type in the engine is known: a BIGINT, as TD_SCHEDULED_TIME() is, or text."""
    known = constant(node)
    value = known.value if known else None
    is_bigint = isinstance(node, exp.Cast) and node.to.is_type(exp.DType.BIGINT)
    if is_bigint and type(value) is int and BIGINT_MIN <= value <= BIGINT_MAX:
        return FixedValue(value, TypeKind.BIGINT)
    is_text = is_of(node.to, TEXT) if isinstance(node, exp.Cast) else node.is_string
    return FixedValue(value, TypeKind.VARCHAR) if is_text and isinstance(value, str) else None


def _uncast(node: exp.Expr) -> exp.Expr:
    """Without a cast of a column to the very type that it has."""
    is_same = isinstance(node, exp.Cast) and isinstance(node.this, exp.Column) and node.this.is_type(node.to)
    return node.this if is_same else node


def _is_value(node: exp.Expr) -> bool:
    """Whether an expression is a constant other than NULL: COUNT(1)."""
    known = constant(node)
    return known is not None and known.value is not None


def _path(column: exp.Column, scan: ScanBuilder) -> FieldPath:
    return next((known.path for known in scan.columns.values() if known.name == column.name), ())


def _seen(scan: ScanBuilder, path: FieldPath) -> frozenset[FieldType]:
    if path == TIME:
        return frozenset({FieldType.DATE})
    if is_pseudo(path):
        return _STRING if path[:-1] == (ORIGIN,) else frozenset()
    return scan.catalog.types(path) - {FieldType.NULL}


def _unreachable(scan: ScanBuilder, path: FieldPath) -> str:
    """Why a path means something else to the store; "" where it does not."""
    if not path or not is_plain(path):
        return "whose name the store reads as a path"
    if any(FieldType.ARRAY in scan.catalog.types(path[:depth]) for depth in range(1, len(path))):
        return "which lies inside a list"
    return ""


def _held(scan: ScanBuilder, path: FieldPath) -> str:
    seen = sorted(_seen(scan, path))
    return f"which has held {' and '.join(seen)}" if seen else "which no event has had"


def _types(
    scan: ScanBuilder, keys: Sequence[GroupKey], sources: Sequence[_Source]
) -> Iterator[tuple[FieldPath, frozenset[FieldType]]]:
    """What the catalog has said of every field in use, and of the objects around it."""
    used = [key.path for key in keys]
    used += [source.path for source in sources if isinstance(source, Measure)]
    used += [predicate.path for predicate in scan.predicates]
    around = {path[:depth] for path in used if not is_pseudo(path) for depth in range(1, len(path) + 1)}
    for path in sorted(around):
        yield path, scan.catalog.types(path)
