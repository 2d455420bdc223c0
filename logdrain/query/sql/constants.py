"""Constant expressions: what the query says before it is run."""

import re
from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from logdrain.model.plans import Scalar
from logdrain.query.sql.kinds import TEXT, WHOLE, is_of
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN

_INTEGER = re.compile(r"[+-]?[0-9]+")
_EXACT_DIGITS = 15  # so many digits of a decimal literal survive the way through a double

_ARITHMETIC: dict[type[exp.Expr], Callable[[int, int], int]] = {
    exp.Add: int.__add__,
    exp.Sub: int.__sub__,
    exp.Mul: int.__mul__,
}


class Constant(NamedTuple):
    """A value known before the query runs; None is SQL's NULL."""

    value: Scalar | None


NULL = Constant(None)


def constant(node: exp.Expr) -> Constant | None:
    """The value of literals, signs, integer + - *, casts and concatenation of constants; else None."""
    node = node.unnest()
    rule = _RULES.get(type(node))
    return rule(node) if rule else None


def bigint(value: int | None) -> exp.Expr:
    """A BIGINT constant that no clause takes for the number of a column, as GROUP BY does with `1`."""
    if value is None:
        return exp.cast(exp.Null(), exp.DType.BIGINT)
    literal: exp.Expr = exp.Literal.number(abs(value))
    return exp.Cast(this=exp.Neg(this=literal) if value < 0 else literal, to=exp.DType.BIGINT.into_expr())


def _literal(node: exp.Expr) -> Constant | None:
    text = str(node.this)
    if node.is_string:
        return Constant(text)
    if _INTEGER.fullmatch(text):
        return Constant(int(text))
    digits = re.sub(r"[eE].*|[^0-9]", "", text).lstrip("0")
    return Constant(float(text)) if len(digits) <= _EXACT_DIGITS else None


def _negated(node: exp.Expr) -> Constant | None:
    found = constant(node.this)
    if found is None or isinstance(found.value, (bool, str)):
        return None
    return NULL if found.value is None else Constant(-found.value)


def _cast(node: exp.Expr) -> Constant | None:
    found = constant(node.this)
    if found is None or found.value is None:
        return found
    value = found.value
    if is_of(node, WHOLE):
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return Constant(int(value))
        return found if type(value) is int else None
    is_text = isinstance(value, str) or type(value) is int
    return Constant(str(value)) if is_of(node, TEXT) and is_text else None


def _calculated(node: exp.Expr) -> Constant | None:
    left, right = constant(node.this), constant(node.expression)
    if left is None or right is None:
        return None
    if left.value is None or right.value is None:
        return NULL
    if type(left.value) is not int or type(right.value) is not int:
        return None
    value = _ARITHMETIC[type(node)](left.value, right.value)
    return Constant(value) if BIGINT_MIN <= value <= BIGINT_MAX else None


def _concatenated(node: exp.Expr) -> Constant | None:
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    text = ""
    for part in parts:
        found = constant(part)
        if found is None or not isinstance(found.value, str):
            return None
        text += found.value
    return Constant(text)


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], Constant | None]] = {
    exp.Literal: _literal,
    exp.Null: lambda _: NULL,
    exp.Boolean: lambda node: Constant(bool(node.this)),
    exp.Neg: _negated,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DPipe: _concatenated,
    exp.Concat: _concatenated,
    **dict.fromkeys(_ARITHMETIC, _calculated),
}
