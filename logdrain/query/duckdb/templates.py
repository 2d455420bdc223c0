"""What DuckDB runs in the place of a call: a template of SQL, or a rule if a template cannot say it.

An argument that a template names several times is evaluated once (`bound`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

from logdrain.query.sql.context import SqlTree

Rule = Callable[[exp.Expr, SqlTree], exp.Expr]
Lowering = str | Mapping[int, str] | Rule
"""A template over the arguments _0, _1, …, one for each number of arguments, or a rule."""

_BOUND = re.compile("bound_([0-9]+)")
_CHEAP = (exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Lambda, exp.Interval)
_AROUND = (exp.Paren, exp.Cast, exp.Neg)  # as cheap as what is in them


def from_template(text: str) -> Rule:
    """A rule that puts the arguments of a call into a template, in the place of _0, _1 and so on."""

    def fill(node: exp.Expr, _: SqlTree) -> exp.Expr:
        filled = _parsed(text).copy()
        give_place(node, filled)
        return _filled(filled, node.expressions)

    return fill


def over(text: str, *parts: str) -> Rule:
    """A rule that puts these parts of a node into a template, in the place of _0, _1 and so on."""
    return lambda node, _: template(text, *(node.args.get(part) or exp.Null() for part in parts))


def rule_of(lowering: Lowering) -> Rule:
    """The rule for an entry of a table of functions. Arguments have been counted."""
    if callable(lowering):
        return lowering
    if isinstance(lowering, str):
        return from_template(lowering)
    rules = {count: from_template(text) for count, text in lowering.items()}
    return lambda node, context: rules[len(node.expressions)](node, context)


def template(text: str, *arguments: exp.Expr) -> exp.Expr:
    """A template with these arguments in the place of _0, _1, …, in parentheses."""
    return _filled(_parsed(text).copy(), arguments)


def give_place(call: exp.Expr, made: exp.Expr) -> None:
    """Give the functions that replace a call its place in the user's text; casts that were added get none."""
    place: dict[str, object] = {part: call.meta[part] for part in ("start", "end") if part in call.meta}
    for function in made.find_all(exp.Func) if place else ():
        if not isinstance(function, (exp.Cast, exp.Connector)) and "start" not in function.meta:
            function.meta.update(place)


def called(function: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """The body of a lambda, with these in the place of its parameters."""
    parameters = [parameter.name for parameter in function.expressions]
    values = dict(zip(parameters, arguments, strict=False))
    body = exp.Paren(this=function.this.copy())
    for identifier in list(body.find_all(exp.Identifier)):
        if identifier.name in values:
            identifier.replace(values[identifier.name].copy())
    return body


def bound(values: Sequence[exp.Expr], body: Callable[[list[exp.Expr]], exp.Expr]) -> exp.Expr:
    """An expression that evaluates these values once, whatever it does with them.

    It is a lambda over a list of one row. Values may hold what a lambda may not: aggregates, windows,
    subqueries.

    Args:
        values: What is evaluated.
        body: Makes the expression; gets what stands for each value, to be copied for each use.
    """
    row = exp.to_identifier("bound_0")
    names = [f"value_{index}" for index in range(len(values))]
    made = body([exp.Dot(this=row.copy(), expression=exp.to_identifier(name)) for name in names])
    inside = [found for part in (made, *values) for found in part.find_all(exp.Identifier)]
    numbers = [int(found[1]) for part in inside if (found := _BOUND.fullmatch(part.name))]
    own = exp.to_identifier(f"bound_{max(numbers, default=0) + 1}")
    for identifier in [part for part in made.find_all(exp.Identifier) if part.name == row.name]:
        identifier.set("this", own.name)
    fields = [
        exp.PropertyEQ(this=exp.to_identifier(name), expression=value.copy())
        for name, value in zip(names, values, strict=True)
    ]
    rows = exp.Array(expressions=[exp.Struct(expressions=fields)])
    mapped = exp.Anonymous(
        this="LIST_TRANSFORM", expressions=[rows, exp.Lambda(this=made, expressions=[own])]
    )
    return exp.Anonymous(this="LIST_EXTRACT", expressions=[mapped, exp.Literal.number(1)])


def _filled(tree: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """The template with its arguments; bound if it names one several times that is more than a name."""
    values = {f"_{index}": argument for index, argument in enumerate(arguments)}
    used = [column.name for column in tree.find_all(exp.Column)]
    costly = [name for name, value in values.items() if used.count(name) > 1 and not is_cheap(value)]
    if tree.find(exp.AggFunc):
        costly = []
    elif costly:
        costly += [name for name, value in values.items() if name not in costly and value.find(exp.Query)]

    def body(stands_for: list[exp.Expr]) -> exp.Expr:
        known = {**values, **dict(zip(costly, stands_for, strict=True))}
        for column in list(tree.find_all(exp.Column)):
            if column.name in known:
                column.replace(known[column.name].copy())
        return tree

    filled = bound([values[name] for name in costly], body) if costly else body([])
    return exp.paren(filled, copy=False)


def is_cheap(node: exp.Expr) -> bool:
    """Whether it may be evaluated several times: a name or a constant."""
    while isinstance(node, _AROUND):
        node = node.this
    return isinstance(node, _CHEAP) or (isinstance(node, exp.Dot) and is_cheap(node.this))


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    """A template's tree, without its own offsets: they would be read as places in the user's text."""
    parsed = sqlglot.parse_one(text, read="duckdb")
    for node in parsed.walk():
        node.meta.clear()
    return parsed
