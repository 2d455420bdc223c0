"""Functions of Trino and Hive that the engine lacks, or has with another meaning.

Two tables: by name, for functions that are read as plain calls; by node, for those that sqlglot has.
"""

from sqlglot import exp

from logdrain.errors import SqlTypeError, UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.duckdb.date_patterns import format_datetime, parse_datetime
from logdrain.query.duckdb.dialect_functions import FUNCTION_TEMPLATES
from logdrain.query.duckdb.double_sums import compensated
from logdrain.query.duckdb.hive_rules import HIVE_NODES, HIVE_RULES
from logdrain.query.duckdb.templates import Rule, from_template, stand_where
from logdrain.query.duckdb.trino_rules import TRINO_NODES, TRINO_RULES, json_scalar, regexp_replace
from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.kinds import is_map


def translate_functions(context: PlanContext) -> None:
    """Put the engine's meaning in place of each function of the two tables.

    Raises:
        UnsupportedSql: a form of a function that has no counterpart.
    """
    by_name, by_node = _BY_NAME[context.request.dialect], _BY_NODE[context.request.dialect]
    for node in reversed(list(context.statement.walk())):
        name = node.name.lower() if type(node) is exp.Anonymous else ""
        rule = by_name.get(f"{name}/{len(node.expressions)}") or by_name.get(name) or by_node.get(type(node))
        if rule:
            changed = _applied(rule, node, context)
            changed.type = changed.type or node.type
            if changed is not node:
                stand_where(node, changed)
                node.replace(changed)


def _applied(rule: Rule, node: exp.Expr, context: PlanContext) -> exp.Expr:
    """What a rule makes of a call.

    Raises:
        SqlTypeError: the call has too few or too many arguments, so the rule missed one.
    """
    try:
        return rule(node, context)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        written = context.written(node) or (node.name if isinstance(node, exp.Anonymous) else node.key)
        raise SqlTypeError(
            f"{written.upper()} does not take these arguments",
            place=context.place(node),
            hint="compare their number and order with the function's documentation",
        ) from error


def _regexp_extract(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """Trino yields NULL where nothing matches, the engine an empty string."""
    is_match = exp.RegexpLike(this=node.this.copy(), expression=node.expression.copy())
    return exp.Case(ifs=[exp.If(this=is_match, true=node.copy())])


def _extreme(name: str) -> Rule:
    """Trino's max_by(x, y) yields x where y is greatest, also where that x is NULL."""

    def rule(node: exp.Expr, _: PlanContext) -> exp.Expr:
        if node.args.get("count"):
            return node
        return exp.Anonymous(this=name, expressions=[node.this, node.expression])

    return rule


def _date_diff(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """Trino counts whole units that have passed, the engine's date_diff the boundaries crossed."""
    unit = exp.Literal.string(node.text("unit").lower() or "day")
    # Trino's date_diff(unit, from, to) is read as to - from.
    return exp.Anonymous(this="DATE_SUB", expressions=[unit, node.expression, node.this])


def _date_add(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """A date and days make a date, where the engine makes a timestamp."""
    is_date = isinstance(node, exp.TsOrDsAdd) or node.this.is_type(exp.DType.DATE)
    is_span = isinstance(node, (exp.TsOrDsAdd, exp.DateAdd)) or isinstance(node.expression, exp.Interval)
    return exp.cast(node.copy(), exp.DType.DATE) if is_date and is_span else node


def _quantile(node: exp.Expr, context: PlanContext) -> exp.Expr:
    """Trino's approx_percentile has the type of its argument, and takes a list; here it is exact."""
    if node.args.get("weight"):
        raise UnsupportedSql(
            "APPROX_PERCENTILE with weights",
            place=context.place(node),
            hint="compare SUM(weight) OVER (ORDER BY value) with the whole SUM(weight) in a subquery",
        )
    return exp.Anonymous(this="QUANTILE_DISC", expressions=[node.this, node.args["quantile"]])


def _bracket(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """The engine counts as Trino does, from 1; keys of a map are as they are written in both."""
    node.set("offset", node.args.get("offset", 1))
    return node


def _distinct(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """An exact count is an approximation, too, and the same in every run."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]), big_int=True)


def _rows_counted(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """COUNT(DISTINCT a, b) counts the pairs without NULL; the engine takes one expression."""
    if not isinstance(node.parent, exp.Count) or len(node.expressions) == 1:
        return node
    missing = [
        exp.If(this=exp.Is(this=part.copy(), expression=exp.Null()), true=exp.Null())
        for part in node.expressions
    ]
    return exp.Distinct(expressions=[exp.Case(ifs=missing, default=exp.Tuple(expressions=node.expressions))])


def _json_text(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """Both dialects yield NULL for text that is no JSON, the engine an error."""
    if node.find(exp.AggFunc, exp.Query):  # TRY takes neither
        return node
    return exp.Try(this=exp.Paren(this=node.copy()))


def _cardinality(node: exp.Expr, _: PlanContext) -> exp.Expr:
    """The engine has one function for lists and one for maps."""
    return exp.Anonymous(this="CARDINALITY", expressions=[node.this]) if is_map(node.this) else node


def _reduce(node: exp.Expr, context: PlanContext) -> exp.Expr:
    """Trino's reduce ends with a function of the result, the engine's does not."""
    finish = node.args.get("finish")
    if finish is None:
        return node
    if not isinstance(finish, exp.Lambda) or len(finish.expressions) != 1:
        raise UnsupportedSql("REDUCE whose last argument is not x -> …", place=context.place(node))
    reduced = node.copy()
    reduced.set("finish", None)
    name = finish.expressions[0].name
    result = exp.Paren(this=finish.this.copy())
    for identifier in list(result.find_all(exp.Identifier)):
        if identifier.name == name:
            identifier.replace(reduced.copy())
    return result


_BY_NAME: dict[Dialect, dict[str, Rule]] = {
    dialect: {name: from_template(template) for name, template in templates.items()}
    for dialect, templates in FUNCTION_TEMPLATES.items()
}
_BY_NAME[Dialect.TRINO] |= {"format_datetime": format_datetime, **TRINO_RULES}
_BY_NAME[Dialect.HIVE] |= HIVE_RULES

_BOTH: dict[type[exp.Expr], Rule] = {
    exp.Add: _date_add,
    exp.ApproxDistinct: _distinct,
    exp.ArraySize: _cardinality,
    exp.DateAdd: _date_add,
    exp.Distinct: _rows_counted,
    exp.JSONExtract: _json_text,
    exp.Reduce: _reduce,
    exp.RegexpReplace: regexp_replace,
    exp.Sub: _date_add,
    exp.TsOrDsAdd: _date_add,
}

_BY_NODE: dict[Dialect, dict[type[exp.Expr], Rule]] = {
    Dialect.TRINO: {
        **_BOTH,
        exp.ApproxQuantile: _quantile,
        exp.ArgMax: _extreme("ARG_MAX_NULL"),
        exp.ArgMin: _extreme("ARG_MIN_NULL"),
        exp.Avg: compensated,
        exp.Bracket: _bracket,
        exp.DateDiff: _date_diff,
        exp.JSONExtractScalar: json_scalar,
        exp.ParseDatetime: parse_datetime,
        exp.RegexpExtract: _regexp_extract,
        exp.Sum: compensated,
        **TRINO_NODES,
    },
    Dialect.HIVE: {**_BOTH, exp.JSONExtractScalar: _json_text, **HIVE_NODES},
}

TRANSLATED_NAMES = {
    dialect: frozenset(key.partition("/")[0] for key in rules) for dialect, rules in _BY_NAME.items()
}
