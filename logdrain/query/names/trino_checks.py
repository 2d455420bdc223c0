"""What Trino refuses and the engine would run: text beside a number, a condition that is none, ….

`time` beside a date is refused in Hive, too: there it would be true for no event.
"""

import re
from collections.abc import Callable

from sqlglot import exp

from logdrain.errors import SqlError, SqlSyntaxError, SqlTypeError
from logdrain.model.plans import Dialect
from logdrain.query.sql.constants import constant
from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.kinds import NUMBER, TEMPORAL, TEXT, is_of

_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_NO_CONDITION = TEXT | NUMBER | TEMPORAL
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_UNITS = frozenset({"MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_WITH_UNITS = (exp.TimestampTrunc, exp.DateTrunc, exp.DateAdd, exp.DateDiff, exp.Interval)
_ENTRIES_MAX = 10_000  # Trino's own limit
_CAST = "convert with CAST(… AS …); a field that has held several types is VARCHAR"


def check_types(context: PlanContext) -> None:
    """Refuse what Trino refuses, and `time` beside a date, before anything is pushed to the store.

    Raises:
        SqlTypeError, SqlSyntaxError, SqlError: with line and column.
    """
    checks = _CHECKS if context.dialect is Dialect.TRINO else _CHECKS_OF_BOTH
    for node in context.statement.walk():
        for of, check in checks:
            if isinstance(node, of):
                check(context, node)


def _check_time(context: PlanContext, node: exp.Expr) -> None:
    """`time` is unix seconds, whatever day it is compared with."""
    parts = list(node.iter_expressions())
    if not any(
        isinstance(part, exp.Column) and part.name == "time" and is_of(part, NUMBER) for part in parts
    ):
        return
    for part in parts:
        if is_of(part, TEMPORAL) or (part.is_string and _DATE.match(part.name)):
            day = found[0] if (found := _DATE.search(context.readable(part))) else "2026-11-28"
            raise SqlTypeError(
                f"time is unix seconds, and {context.readable(part)} is none",
                place=context.place(node),
                hint=f"write TD_TIME_RANGE(time, '{day}', NULL), or with an end in the place of NULL",
            )


def _check_compared(context: PlanContext, node: exp.Expr) -> None:
    parts = list(node.iter_expressions())
    for other in parts[1:]:
        _check_alike(context, node, parts[0], other)


def _check_branches(context: PlanContext, node: exp.Expr) -> None:
    """What CASE, IF or a list can be: the engine takes the first for the type of all."""
    values = [branch.args.get("true") for branch in node.args.get("ifs") or [node]]
    values += [node.args.get("default"), node.args.get("false"), *node.expressions]
    parts = [part for part in values if part is not None]
    for other in parts[1:]:
        _check_alike(context, other, parts[0], other)


def _check_union(context: PlanContext, node: exp.Expr) -> None:
    if isinstance(node, exp.SetOperation):
        for left, right in zip(node.left.selects, node.right.selects, strict=False):
            _check_alike(context, right, left.unalias(), right.unalias())


def _check_alike(context: PlanContext, node: exp.Expr, left: exp.Expr, right: exp.Expr) -> None:
    for text, number in ((left, right), (right, left)):
        if is_of(text, TEXT) and is_of(number, NUMBER):
            words = f"{context.readable(text)} is text beside the number {context.readable(number)}"
            raise SqlTypeError(f"{words}", place=context.place(node), hint=_CAST)


def _check_condition(context: PlanContext, node: exp.Expr) -> None:
    for part in node.iter_expressions():
        if is_of(part, _NO_CONDITION):
            words = f"{context.readable(part)} is no condition"
            raise SqlTypeError(f"{words}", place=context.place(part), hint="compare it with something")


def _check_join(context: PlanContext, join: exp.Expr) -> None:
    is_comma = set(join.args) == {"this"}  # the parser leaves more behind for the word JOIN
    has_condition = (
        any(join.args.get(part) for part in ("on", "using", "method")) or join.text("kind") == "CROSS"
    )
    if not is_comma and not has_condition:
        raise SqlSyntaxError("JOIN without ON", place=context.place(join), hint="write ON …, or CROSS JOIN")


def _check_unit(context: PlanContext, node: exp.Expr) -> None:
    unit = node.args.get("unit")
    if isinstance(unit, (exp.Var, exp.Literal)) and unit.name.upper() not in _UNITS:
        raise SqlError(
            f"{unit.name.lower()!r} is no unit of time",
            place=context.place(node),
            hint=f"units are {', '.join(sorted(name.lower() for name in _UNITS))}",
        )


def _check_entries(context: PlanContext, node: exp.Expr) -> None:
    """SEQUENCE and REPEAT make their lists at once, beside what a query's memory is counted by.

    Not so below UNNEST: its rows are counted, and end with the query.
    """
    if isinstance(node.parent, exp.Unnest):
        return
    if isinstance(node, exp.GenerateSeries):
        parts = [node.args.get(name) or exp.Literal.number(1) for name in ("start", "end", "step")]
    else:
        is_repeat = node.name.upper() == "REPEAT" and len(node.expressions) > 1
        parts = [exp.Literal.number(1), node.expressions[1], exp.Literal.number(1)] if is_repeat else []
    numbers = [found.value for part in parts if (found := constant(part)) and isinstance(found.value, int)]
    if "start" in node.meta and len(numbers) == len(parts) and parts and numbers[2]:
        start, end, step = numbers
        is_falling = start > end and not node.args.get("step")
        if (end - start) // (-1 if is_falling else step) >= _ENTRIES_MAX:
            raise SqlError(
                f"a list of more than {_ENTRIES_MAX} entries",
                place=context.place(node),
                hint="join a table that has as many rows",
            )


_Checks = tuple[tuple[tuple[type[exp.Expr], ...], Callable[[PlanContext, exp.Expr], None]], ...]

_CHECKS_OF_BOTH: _Checks = ((_COMPARED, _check_time),)
_CHECKS: _Checks = (
    *_CHECKS_OF_BOTH,
    (_COMPARED, _check_compared),
    ((exp.Case, exp.If, exp.Array), _check_branches),
    ((exp.Where, exp.Having, exp.Not, exp.And, exp.Or), _check_condition),
    ((exp.SetOperation,), _check_union),
    ((exp.Join,), _check_join),
    (_WITH_UNITS, _check_unit),
    ((exp.GenerateSeries, exp.Anonymous), _check_entries),
)
