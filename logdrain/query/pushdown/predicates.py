"""What a condition says about the time of an event, and about a single field."""

from collections.abc import Callable, Sequence
from functools import reduce

from sqlglot import exp

from logdrain.model.catalog import FieldPath, FieldType
from logdrain.model.plans import Comparator, Predicate, PseudoColumn, Scalar, TimeRange
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import ScanBuilder
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN
from logdrain.types.sql_types import ORIGIN, is_pseudo
from logdrain.types.type_table import BSON_TYPES, COLUMN_KINDS, EXACT_KINDS

_NOT_TIME = "only `time`, compared with whole numbers, gives a time range"

ALL_TIME = TimeRange(None, None)

# From here on several whole numbers are one double, and a comparison in the store can differ from one in SQL,
# where a column of whole numbers may have become DOUBLE on its way (in a UNION).
_DOUBLE_IS_EXACT_BELOW = 2**53

_COMPARATORS: dict[type[exp.Expr], Comparator] = {
    exp.EQ: Comparator.EQ,
    exp.NEQ: Comparator.NE,
    exp.LT: Comparator.LT,
    exp.LTE: Comparator.LTE,
    exp.GT: Comparator.GT,
    exp.GTE: Comparator.GTE,
}
_MIRRORED = {
    Comparator.LT: Comparator.GT,
    Comparator.LTE: Comparator.GTE,
    Comparator.GT: Comparator.LT,
    Comparator.GTE: Comparator.LTE,
}

Comparison = tuple[exp.Expr, Comparator, tuple[Scalar | None, ...]]
"""`expression comparator constants`."""

Condition = tuple[exp.Column, Comparator, tuple[Scalar | None, ...]]
"""`column comparator constants`."""


def intersect(left: TimeRange, right: TimeRange) -> TimeRange:
    """The time that is in both ranges."""
    starts = [start for start in (left.start, right.start) if start is not None]
    ends = [end for end in (left.end, right.end) if end is not None]
    return TimeRange(max(starts, default=None), min(ends, default=None))


def time_range(condition: exp.Expr, is_time: Callable[[exp.Column], bool]) -> TimeRange:
    """A range outside of which the condition is never true; the smallest that is easily seen."""
    node = condition.unnest()
    if isinstance(node, (exp.And, exp.Or)):
        sides = [time_range(side, is_time) for side in node.flatten()]
        return reduce(intersect if isinstance(node, exp.And) else _hull, sides)
    found = ALL_TIME
    for column, comparator, values in conditions(node):
        as_range = _RANGES.get(comparator)
        numbers = [value for value in values if isinstance(value, int) and _is_bigint(value)]
        if as_range and is_time(column) and len(numbers) == len(values):
            found = intersect(found, as_range(min(numbers), max(numbers)))
    return found


_RANGES: dict[Comparator, Callable[[int, int], TimeRange]] = {
    Comparator.EQ: lambda low, high: TimeRange(low, high + 1),
    Comparator.IN: lambda low, high: TimeRange(low, high + 1),
    Comparator.LT: lambda _, high: TimeRange(None, high),
    Comparator.LTE: lambda _, high: TimeRange(None, high + 1),
    Comparator.GT: lambda low, _: TimeRange(low + 1, None),
    Comparator.GTE: lambda low, _: TimeRange(low, None),
}


def predicates(condition: exp.Expr, scan: ScanBuilder) -> list[Predicate] | str:
    """What the scan can check by itself and is the same as the condition; or why it cannot."""
    found = conditions(condition.unnest())
    if not found:
        is_about_ms = any(
            column.name == PseudoColumn.TIME_MS.value for column in condition.find_all(exp.Column)
        )
        return _NOT_TIME if is_about_ms else "not a simple comparison"
    pushed = []
    for column, comparator, values in found:
        path = next((known.path for known in scan.columns.values() if known.name == column.name), ())
        reason = _problem(scan, path, values)
        if reason:
            return reason
        pushed.append(Predicate(path, comparator, tuple(value for value in values if value is not None)))
    return pushed


def conditions(node: exp.Expr) -> list[Condition]:
    """A comparison, IN, BETWEEN or IS [NOT] NULL of a column and constants, in parts; else empty."""
    return [
        (compared, comparator, values)
        for compared, comparator, values in comparisons(node)
        if isinstance(compared, exp.Column)
    ]


def comparisons(node: exp.Expr) -> list[Comparison]:
    """The same of any expression that is not constant itself."""
    if isinstance(node, exp.Between) and not node.args.get("symmetric"):
        low = _compared(node.this, Comparator.GTE, [node.args["low"]])
        high = _compared(node.this, Comparator.LTE, [node.args["high"]])
        return low + high if low and high else []
    if isinstance(node, exp.In):
        is_list = node.expressions and not node.args.get("query") and not node.args.get("unnest")
        return _compared(node.this, Comparator.IN, node.expressions) if is_list else []
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return _compared(node.this, Comparator.IS_NULL, [])
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is):
        return [(compared, Comparator.NOT_NULL, values) for compared, _, values in comparisons(node.this)]
    comparator = _COMPARATORS.get(type(node))
    if comparator is None:
        return []
    return _compared(node.this, comparator, [node.expression]) or _compared(
        node.expression, _MIRRORED.get(comparator, comparator), [node.this]
    )


def _compared(node: exp.Expr, comparator: Comparator, values: Sequence[exp.Expr]) -> list[Comparison]:
    compared = node.unnest()
    constants = [constant(value) for value in values]
    known = tuple(found.value for found in constants if found is not None)
    if constant(compared) is not None or len(known) < len(values):
        return []
    return [(compared, comparator, known)]


def _problem(scan: ScanBuilder, path: FieldPath, values: Sequence[Scalar | None]) -> str:
    """Why a predicate on a field would not mean in the store what it means in SQL; "" where it does."""
    if path[:1] == (ORIGIN,) and is_pseudo(path):
        types = frozenset({FieldType.STRING})
    elif is_pseudo(path):
        return _NOT_TIME
    else:
        types = scan.catalog.types(path) - {FieldType.NULL}
    kind = EXACT_KINDS.get(types)
    if not types:
        return "no event has had the field"
    if kind is None:
        return (
            "the field has mixed types"
            if len(types) > 1
            else f"the field is {BSON_TYPES[next(iter(types))].words}"
        )
    if any(FieldType.ARRAY in scan.catalog.types(path[:depth]) for depth in range(1, len(path))):
        return "the field lies inside a list"
    if None in values:
        return "NULL is compared"
    fits = all(_fits(value, COLUMN_KINDS[kind].constants) for value in values)
    return "" if fits else "the constant has another type than the field"


def _is_bigint(value: object) -> bool:
    return type(value) is int and BIGINT_MIN <= value <= BIGINT_MAX


def is_whole(value: object) -> bool:
    """Whether a constant is a whole number that SQL and the store compare alike."""
    return type(value) is int and abs(value) < _DOUBLE_IS_EXACT_BELOW


def is_number(value: object) -> bool:
    """Whether a constant is a number that SQL and the store compare alike."""
    return is_whole(value) or (type(value) is float and abs(value) < _DOUBLE_IS_EXACT_BELOW)


def _fits(value: Scalar | None, types: tuple[type, ...]) -> bool:
    """Whether a constant has one of these types, and is as exact in the store as in SQL."""
    is_exact = not isinstance(value, int | float) or abs(value) < _DOUBLE_IS_EXACT_BELOW
    return type(value) in types and is_exact


def _hull(left: TimeRange, right: TimeRange) -> TimeRange:
    starts, ends = (left.start, right.start), (left.end, right.end)
    return TimeRange(
        None if None in starts else min(start for start in starts if start is not None),
        None if None in ends else max(end for end in ends if end is not None),
    )
