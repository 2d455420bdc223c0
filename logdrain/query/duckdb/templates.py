"""Rules that turn a call into what the engine runs."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.sql.context import PlanContext

Rule = Callable[[exp.Expr, PlanContext], exp.Expr]


def from_template(template: str) -> Rule:
    """A rule that puts the arguments of a call into an expression of the engine, for _0, _1 and so on."""

    def fill(node: exp.Expr, context: PlanContext) -> exp.Expr:
        arguments = {f"_{index}": argument for index, argument in enumerate(node.expressions)}
        filled = _parsed(template).copy()
        if filled.find(exp.AggFunc) and isinstance(node.parent, (exp.Filter, exp.Window)):
            raise UnsupportedSql(
                f"{node.name} with FILTER or OVER", place=context.place(node), hint="use CASE, or a subquery"
            )
        for column in filled.find_all(exp.Column):
            if column.name not in arguments:
                raise UnsupportedSql(f"{node.name} needs more arguments", place=context.place(node))
        stand_where(node, filled)
        for column in list(filled.find_all(exp.Column)):
            column.replace(arguments[column.name].copy())
        return exp.paren(filled, copy=False)

    return fill


def stand_where(call: exp.Expr, made: exp.Expr) -> None:
    """The functions that are called instead of one stand where it stood; casts that were made, nowhere."""
    place: dict[str, object] = {part: call.meta[part] for part in ("start", "end") if part in call.meta}
    for function in made.find_all(exp.Func) if place else ():
        if not isinstance(function, (exp.Cast, exp.Connector)) and "start" not in function.meta:
            function.meta.update(place)


def template(text: str, arguments: Mapping[str, exp.Expr]) -> exp.Expr:
    """An expression of the engine in parentheses, with the arguments in the place of their names."""
    filled = _parsed(text).copy()
    for column in list(filled.find_all(exp.Column)):
        if column.name in arguments:
            column.replace(arguments[column.name].copy())
    return exp.paren(filled, copy=False)


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    """A template's tree, without its own offsets: they would be read as places in the user's text."""
    parsed = sqlglot.parse_one(text, read="duckdb")
    for node in parsed.walk():
        node.meta.clear()
    return parsed


def applied(function: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """The body of a lambda, with these in the place of its parameters."""
    parameters = [parameter.name for parameter in function.expressions]
    values = dict(zip(parameters, arguments, strict=False))
    body = exp.Paren(this=function.this.copy())
    for identifier in list(body.find_all(exp.Identifier)):
        if identifier.name in values:
            identifier.replace(values[identifier.name].copy())
    return body
