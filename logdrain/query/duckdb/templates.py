"""What DuckDB runs in the place of a call: a template of SQL, or a rule if a template cannot say it."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import SqlTree

Rule = Callable[[exp.Expr, SqlTree], exp.Expr]
Lowering = str | Mapping[int, str] | Rule
"""A template over the arguments _0, _1, …, one for each number of arguments, or a rule."""


def from_template(text: str) -> Rule:
    """A rule that puts the arguments of a call into a template, in the place of _0, _1 and so on."""

    def fill(node: exp.Expr, context: SqlTree) -> exp.Expr:
        filled = _parsed(text).copy()
        if filled.find(exp.AggFunc) and isinstance(node.parent, (exp.Filter, exp.Window)):
            raise UnsupportedSql(
                f"{node.name} with FILTER or OVER", place=context.place(node), hint="use CASE, or a subquery"
            )
        give_place(node, filled)
        return _filled(filled, node.expressions)

    return fill


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


def _filled(tree: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    values = {f"_{index}": argument for index, argument in enumerate(arguments)}
    for column in list(tree.find_all(exp.Column)):
        if column.name in values:
            column.replace(values[column.name].copy())
    return exp.paren(tree, copy=False)


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    """A template's tree, without its own offsets: they would be read as places in the user's text."""
    parsed = sqlglot.parse_one(text, read="duckdb")
    for node in parsed.walk():
        node.meta.clear()
    return parsed
