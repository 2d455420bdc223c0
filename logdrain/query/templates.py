"""Rules that turn a call into what the engine runs."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.draft import Draft

Rule = Callable[[exp.Expr, Draft], exp.Expr]


def from_template(template: str) -> Rule:
    """A rule that puts the arguments of a call into an expression of the engine, for _0, _1 and so on."""
    parsed = sqlglot.parse_one(template, read="duckdb")

    def fill(node: exp.Expr, draft: Draft) -> exp.Expr:
        arguments = {f"_{index}": argument for index, argument in enumerate(node.expressions)}
        filled = parsed.copy()
        if filled.find(exp.AggFunc) and isinstance(node.parent, (exp.Filter, exp.Window)):
            raise UnsupportedSql(
                f"{draft.place(node)}: {node.name} with FILTER or OVER", hint="use CASE, or a subquery"
            )
        for column in list(filled.find_all(exp.Column)):
            if column.name not in arguments:
                raise UnsupportedSql(f"{draft.place(node)}: {node.name} needs more arguments")
            column.replace(arguments[column.name].copy())
        return exp.paren(filled, copy=False)

    return fill


def template(text: str, arguments: Mapping[str, exp.Expr]) -> exp.Expr:
    """An expression of the engine in parentheses, with the arguments in the place of their names."""
    filled = _parsed(text).copy()
    for column in list(filled.find_all(exp.Column)):
        if column.name in arguments:
            column.replace(arguments[column.name].copy())
    return exp.paren(filled, copy=False)


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def applied(function: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """The body of a lambda, with these in the place of its parameters."""
    parameters = [parameter.name for parameter in function.expressions]
    values = dict(zip(parameters, arguments, strict=False))
    body = exp.Paren(this=function.this.copy())
    for identifier in list(body.find_all(exp.Identifier)):
        if identifier.name in values:
            identifier.replace(values[identifier.name].copy())
    return body
