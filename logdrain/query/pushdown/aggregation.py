"""Is the whole query one that the event store can answer, with the very rows that the engine would have?

One table, a WHERE that the scan applies exactly, fields to group by, plain aggregates of fields whose values
the catalog knows to be of one type; HAVING, ORDER BY and LIMIT over those. Whatever is not plainly that stays
with the engine; the plan says why.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlglot import exp

from logdrain.model.catalog import FieldPath, FieldType, TypeKind, is_plain
from logdrain.model.plans import (
    AggregateFunction,
    Aggregation,
    Comparator,
    FixedValue,
    GroupFilter,
    GroupKey,
    Measure,
    OutputColumn,
    SortKey,
    Source,
)
from logdrain.query.pushdown.predicates import comparisons, conditions, is_number, is_whole
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import TIME, PlanContext, ScanBuilder
from logdrain.query.sql.kinds import TEXT, is_of
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN
from logdrain.types.sql_types import ORIGIN, is_pseudo
from logdrain.types.type_table import COLUMN_KINDS, EXACT_KINDS

_PLAIN_PARTS = frozenset({"expressions", "from_", "where", "group", "having", "order", "limit", "offset"})
_OTHER_PARTS = {
    "distinct": "SELECT DISTINCT compares whole rows",
    "joins": "it has a JOIN",
    "kind": "it is SELECT AS",
    "laterals": "LATERAL VIEW makes rows",
    "qualify": "QUALIFY is about window functions",
    "windows": "it has window functions",
    "with_": "it reads a subquery of WITH",
}
_STRING = frozenset({FieldType.STRING})
_NUMBERS = {types: kind for types, kind in EXACT_KINDS.items() if int in COLUMN_KINDS[kind].constants}
# Whole numbers beyond 2^53 among doubles are several keys in the store and one in the engine.
_KEYS = {types: kind for types, kind in EXACT_KINDS.items() if len(types) == 1}

_FITS: dict[TypeKind, Callable[[object], bool]] = {
    TypeKind.BIGINT: is_whole,
    TypeKind.DOUBLE: is_number,
    TypeKind.VARCHAR: lambda value: isinstance(value, str) and _is_unicode(value),
    TypeKind.BOOLEAN: lambda value: isinstance(value, bool),
}
_ADDS = frozenset({AggregateFunction.SUM, AggregateFunction.AVG})
_ROUNDED = "a sum of doubles, whose last digits depend on who adds them"

_FUNCTIONS: dict[type[exp.Expr], AggregateFunction] = {
    exp.Count: AggregateFunction.COUNT,
    exp.Sum: AggregateFunction.SUM,
    exp.Min: AggregateFunction.MIN,
    exp.Max: AggregateFunction.MAX,
    exp.Avg: AggregateFunction.AVG,
}


class _EngineError(Exception):
    """The reason why the engine has to answer."""


def find_aggregation(context: PlanContext) -> None:
    """Note in the context what the store can be asked instead of the engine, or why it cannot."""
    if not context.statement.find(exp.AggFunc, exp.Group):
        return
    try:
        context.aggregation = _aggregation(context)
    except _EngineError as reason:
        context.not_aggregated = str(reason)


def _aggregation(context: PlanContext) -> Aggregation:
    select = _plain_select(context)
    (scan,) = context.scans.values()
    _require_exact_filter(select, context, scan)
    finder = _Finder(context, scan, select)
    group = select.args.get("group")
    found = [finder.key(node) for node in (group.expressions if group else [])]
    keys = tuple(dict.fromkeys(key for key in found if isinstance(key, GroupKey)))
    sources = [finder.source(projection) for projection in select.selects]
    if group is None and not any(isinstance(source, Measure) for source in sources):
        raise _EngineError("it aggregates nothing")
    aggregation = Aggregation(
        scan=scan.finished(),
        keys=keys,
        outputs=tuple(
            OutputColumn(projection.alias_or_name, source)
            for projection, source in zip(select.selects, sources, strict=True)
        ),
        types=(),
        is_grouped=group is not None,
        having=tuple(finder.having()),
        order=tuple(finder.order()),
        offset=_row_count(select.args.get("offset")) or 0,
        limit=_row_count(select.args.get("limit")),
    )
    if any(isinstance(source, GroupKey) and source not in keys for source in aggregation.sources):
        raise _EngineError("a column is neither grouped nor aggregated")
    return replace(aggregation, types=tuple(_types(scan, aggregation)))


def _plain_select(context: PlanContext) -> exp.Select:
    """The statement, where it is one SELECT over one table and has only parts that the store knows."""
    select = context.statement
    if not isinstance(select, exp.Select) or len(context.scans) != 1 or context.result_scans:
        raise _EngineError("it is not one SELECT over one table")
    for part, value in select.args.items():
        if value and part not in _PLAIN_PARTS:
            raise _EngineError(_OTHER_PARTS.get(part) or f"it has {part.strip('_').upper()}")
    source = select.args["from_"].this if select.args.get("from_") else None
    if (
        not isinstance(source, exp.Table)
        or source.name not in context.scans
        or source.args.get("sample")
        or source.args.get("joins")
    ):
        raise _EngineError("its table stands in a subquery, in parentheses or is a sample")
    group = select.args.get("group")
    if group is not None and any(value for part, value in group.args.items() if part != "expressions"):
        raise _EngineError("it groups by more than a list of columns")
    return select


def _require_exact_filter(select: exp.Select, context: PlanContext, scan: ScanBuilder) -> None:
    """Nothing that WHERE keeps out is let through by the scan."""
    if context.not_pushed:
        raise _EngineError(f"a filter is left to the engine: {context.not_pushed[0]}")
    for condition in _conjuncts(select.args.get("where")):
        if not _is_exact(condition, scan):
            raise _EngineError(f"a filter is left to the engine: {context.readable(condition)}")
    for predicate in scan.predicates:
        if not is_plain(predicate.path) or not all(map(_is_unicode, predicate.values)):
            raise _EngineError("a filter cannot be written for the store")


def _conjuncts(clause: exp.Expr | None) -> Iterator[exp.Expr]:
    """The conditions of WHERE or HAVING that have to be true together."""
    waiting = [clause.this] if clause is not None else []
    while waiting:
        node = waiting.pop(0).unnest()
        if isinstance(node, exp.And):
            waiting[:0] = node.flatten()
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


def _row_count(clause: exp.Expr | None) -> int | None:
    """The number of rows in LIMIT or OFFSET; None where there is no such clause."""
    if clause is None:
        return None
    known = constant(clause.expression) if isinstance(clause, exp.Limit | exp.Offset) else None
    if known is None or not isinstance(known.value, int) or not is_whole(known.value) or known.value < 0:
        raise _EngineError(f"{clause.key.upper()} is more than a number")
    return known.value


class _Finder:
    """Finds what expressions of one SELECT mean to the store."""

    def __init__(self, context: PlanContext, scan: ScanBuilder, select: exp.Select) -> None:
        self._context = context
        self._scan = scan
        self._select = select

    def key(self, node: exp.Expr) -> GroupKey | FixedValue:
        """What an item of GROUP BY groups by."""
        written = self._written_out(node)
        if isinstance(written, exp.Column):
            return self._grouped(written)
        fixed = _fixed(written) if written is not None else None
        if fixed is None:
            raise _EngineError(f"it groups by {self._context.readable(node)}, which is more than a column")
        return fixed

    def having(self) -> Iterator[GroupFilter]:
        """What HAVING asks of a group."""
        for condition in _conjuncts(self._select.args.get("having")):
            parts = comparisons(condition)
            if not parts:
                raise _EngineError(f"HAVING has more than comparisons: {self._context.readable(condition)}")
            for compared, comparator, values in parts:
                source = self._computed(compared)
                known = tuple(value for value in values if value is not None)
                if isinstance(source, FixedValue) or not all(map(_FITS[source.kind], values)):
                    raise _EngineError(f"HAVING compares two types: {self._context.readable(condition)}")
                if self._is_rounded(source):
                    raise _EngineError(f"HAVING compares {_ROUNDED}")
                yield GroupFilter(source, comparator, known)

    def order(self) -> Iterator[SortKey]:
        """What ORDER BY sorts by; a constant sorts nothing."""
        clause = self._select.args.get("order")
        for item in clause.expressions if clause else ():
            source = self._computed(item.this)
            if isinstance(source, FixedValue):
                continue
            if self._select.args.get("limit") and self._is_rounded(source):
                raise _EngineError(f"ORDER BY with LIMIT compares {_ROUNDED}")
            yield SortKey(source, bool(item.args.get("desc")), bool(item.args.get("nulls_first")))

    def source(self, node: exp.Expr) -> Source | FixedValue:
        """What an expression of the SELECT list is."""
        node = node.unalias().unnest()
        fixed = _fixed(node)
        if fixed is not None:
            return fixed
        if isinstance(node, exp.Column):
            return self._grouped(node)
        function = _FUNCTIONS.get(type(node))
        if function is None or node.expressions:
            raise _EngineError(f"{self._context.readable(node)} is more than a column or a plain aggregate")
        argument = _uncast(node.this.unnest())
        if function is AggregateFunction.COUNT and (isinstance(argument, exp.Star) or _is_value(argument)):
            return Measure(function, (), TypeKind.BIGINT)
        if not isinstance(argument, exp.Column):
            raise _EngineError(f"{self._context.readable(node)} is not of a column alone")
        return self._measured(function, argument)

    def _computed(self, node: exp.Expr) -> Source | FixedValue:
        """What an expression behind GROUP BY is: it may be the name or number of a projection."""
        written = self._written_out(node)
        if written is None:
            raise _EngineError(f"{self._context.readable(node)} is none of the columns, or several")
        return self.source(written)

    def _written_out(self, node: exp.Expr) -> exp.Expr | None:
        """Numbers and aliases are projections; None: of none, or of several."""
        node = node.unnest()
        selects = self._select.selects
        if isinstance(node, exp.Literal) and not node.is_string:
            number = int(node.name) if node.name.isdecimal() else 0
            return selects[number - 1].unalias().unnest() if 1 <= number <= len(selects) else None
        if isinstance(node, exp.Column) and not node.table:
            named = [one for one in selects if one.alias_or_name.lower() == node.name.lower()]
            return named[0].unalias().unnest() if len(named) == 1 else None
        return node

    def _grouped(self, column: exp.Column) -> GroupKey:
        path = _path(column, self._scan)
        kind = None if path == TIME else _KEYS.get(_seen(self._scan, path))
        problem = _unreachable(self._scan, path)
        if kind is None or problem:
            raise _EngineError(f"it groups by {column.name}, {problem or _held(self._scan, path)}")
        return GroupKey(path, kind)

    def _measured(self, function: AggregateFunction, column: exp.Column) -> Measure:
        path = _path(column, self._scan)
        what = f"{function} of {column.name}"
        if problem := _unreachable(self._scan, path):
            raise _EngineError(f"{what}, {problem}")
        seen = _seen(self._scan, path)
        kind: TypeKind | None
        if function is AggregateFunction.COUNT:
            kind = TypeKind.BIGINT if seen else None
        elif function in {AggregateFunction.MIN, AggregateFunction.MAX}:
            kind = TypeKind.BIGINT if path == TIME else EXACT_KINDS.get(seen)
        else:
            kind = None if path == TIME else _NUMBERS.get(seen)
        if kind is None:
            raise _EngineError(f"{what}, {_held(self._scan, path)}")
        return Measure(function, path, TypeKind.DOUBLE if function is AggregateFunction.AVG else kind)

    def _is_rounded(self, source: Source) -> bool:
        """Whether the last digits depend on the order in which doubles are added."""
        is_sum = isinstance(source, Measure) and source.function in _ADDS
        return is_sum and FieldType.DOUBLE in _seen(self._scan, source.path)


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


def _types(scan: ScanBuilder, aggregation: Aggregation) -> Iterator[tuple[FieldPath, frozenset[FieldType]]]:
    """What the catalog has said of every field in use, and of the objects around it."""
    used = [key.path for key in aggregation.keys]
    used += [measure.path for measure in aggregation.measures]
    used += [predicate.path for predicate in scan.predicates]
    around = {path[:depth] for path in used if not is_pseudo(path) for depth in range(1, len(path) + 1)}
    for path in sorted(around):
        yield path, scan.catalog.types(path)


def _is_unicode(value: object) -> bool:
    """Whether a constant can be written for the store, which has no halves of characters."""
    return not isinstance(value, str) or not any("\ud800" <= char <= "\udfff" for char in value)
