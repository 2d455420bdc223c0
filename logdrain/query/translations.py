"""Functions of Trino and Hive that sqlglot does not know, or writes for the engine with another meaning.

Two tables: by name, for functions that sqlglot reads as plain calls; by node, for those it reads as its own.
"""

from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.dialects.hive import Hive
from sqlglot.time import format_time

from logdrain.errors import UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.draft import Draft

_URL = r"^(?:([^:/?#]+):)?(?://(?:[^/?#@]*@)?([^/?#:]*)(?::([0-9]+))?)?([^?#]*)(?:[?]([^#]*))?(?:#(.*))?$"

_TEMPLATES = {
    "all_match": "COALESCE(LIST_BOOL_AND(LIST_TRANSFORM(_0, _1)), TRUE)",
    "any_match": "COALESCE(LIST_BOOL_OR(LIST_TRANSFORM(_0, _1)), FALSE)",
    "array_max": "LIST_MAX(_0)",
    "array_min": "LIST_MIN(_0)",
    "array_remove": "LIST_FILTER(_0, LAMBDA kept : kept <> _1)",
    "array_union": "LIST_DISTINCT(LIST_CONCAT(_0, _1))",
    "arrays_overlap": "LIST_HAS_ANY(_0, _1)",
    "at_timezone": "_0 AT TIME ZONE _1",
    "codepoint": "UNICODE(_0)",
    "every": "BOOL_AND(_0)",
    "from_iso8601_date": "CAST(_0 AS DATE)",
    "is_finite": "ISFINITE(_0)",
    "is_infinite": "ISINF(_0)",
    "json_array_get": "JSON_EXTRACT(_0, CAST(_1 AS BIGINT))",
    "last_day_of_month": "LAST_DAY(_0)",
    "none_match": "NOT COALESCE(LIST_BOOL_OR(LIST_TRANSFORM(_0, _1)), FALSE)",
    "url_extract_fragment": f"REGEXP_EXTRACT(_0, '{_URL}', 6)",
    "url_extract_host": f"REGEXP_EXTRACT(_0, '{_URL}', 2)",
    "url_extract_path": f"REGEXP_EXTRACT(_0, '{_URL}', 4)",
    "url_extract_port": f"CAST(NULLIF(REGEXP_EXTRACT(_0, '{_URL}', 3), '') AS BIGINT)",
    "url_extract_protocol": f"REGEXP_EXTRACT(_0, '{_URL}', 1)",
    "url_extract_query": f"REGEXP_EXTRACT(_0, '{_URL}', 5)",
}
"""Trino's name -> the engine's expression over the arguments _0, _1, …"""


def translate_functions(draft: Draft) -> None:
    """Put the engine's meaning in place of each function of the two tables.

    Raises:
        UnsupportedSql: a form of a function that has no counterpart.
    """
    for node in reversed(list(draft.statement.walk())):
        rule = _BY_NAME.get(node.name.lower()) if type(node) is exp.Anonymous else _BY_NODE.get(type(node))
        if rule:
            changed = rule(node, draft)
            if changed is not node:
                node.replace(changed)


Rule = Callable[[exp.Expr, Draft], exp.Expr]


def from_template(template: str) -> Rule:
    """A rule that puts the arguments of a call into an expression of the engine, for _0, _1 and so on."""
    parsed = sqlglot.parse_one(template, read="duckdb")

    def fill(node: exp.Expr, draft: Draft) -> exp.Expr:
        arguments = {f"_{index}": argument for index, argument in enumerate(node.expressions)}
        filled = parsed.copy()
        for column in list(filled.find_all(exp.Column)):
            if column.name not in arguments:
                raise UnsupportedSql(f"{draft.place(node)}: {node.name} needs more arguments")
            column.replace(arguments[column.name].copy())
        return exp.paren(filled, copy=False)

    return fill


def _format_datetime(node: exp.Expr, draft: Draft) -> exp.Expr:
    time, pattern = node.expressions
    return exp.TimeToStr(this=time, format=_strftime_pattern(node, pattern, draft))


def _parse_datetime(node: exp.Expr, draft: Draft) -> exp.Expr:
    return exp.StrToTime(this=node.this, format=_strftime_pattern(node, node.args["format"], draft))


def _strftime_pattern(node: exp.Expr, pattern: exp.Expr, draft: Draft) -> exp.Expr:
    if not pattern.is_string:
        raise UnsupportedSql(f"{draft.place(node)}: the pattern must be a string in quotes")
    return exp.Literal.string(format_time(pattern.name, Hive.TIME_MAPPING) or "")


def _regexp_extract(node: exp.Expr, draft: Draft) -> exp.Expr:
    """Trino yields NULL where nothing matches, the engine an empty string."""
    if draft.request.dialect is not Dialect.TRINO:
        return node
    is_match = exp.RegexpLike(this=node.this.copy(), expression=node.expression.copy())
    return exp.Case(ifs=[exp.If(this=is_match, true=node.copy())])


def _extreme(name: str) -> Rule:
    """Trino's max_by(x, y) yields x where y is greatest, also where that x is NULL."""

    def rule(node: exp.Expr, _: Draft) -> exp.Expr:
        if node.args.get("count"):
            return node
        return exp.Anonymous(this=name, expressions=[node.this, node.expression])

    return rule


def _date_diff(node: exp.Expr, draft: Draft) -> exp.Expr:
    """Trino counts whole units that have passed, the engine's date_diff the boundaries crossed."""
    if draft.request.dialect is not Dialect.TRINO:
        return node
    unit = exp.Literal.string(node.text("unit").lower() or "day")
    # Trino's date_diff(unit, from, to) is read as to - from.
    return exp.Anonymous(this="DATE_SUB", expressions=[unit, node.expression, node.this])


def _date_add(node: exp.Expr, _: Draft) -> exp.Expr:
    """A date and days make a date, where the engine makes a timestamp."""
    is_date = isinstance(node, exp.TsOrDsAdd) or node.this.is_type(exp.DType.DATE)
    is_span = isinstance(node, (exp.TsOrDsAdd, exp.DateAdd)) or isinstance(node.expression, exp.Interval)
    return exp.cast(node.copy(), exp.DType.DATE) if is_date and is_span else node


def _quantile(node: exp.Expr, draft: Draft) -> exp.Expr:
    """Trino's approx_percentile has the type of its argument, and takes a list of percentiles."""
    if draft.request.dialect is not Dialect.TRINO or node.args.get("weight"):
        return node
    return exp.Anonymous(this="APPROX_QUANTILE", expressions=[node.this, node.args["quantile"]])


def _json_text(node: exp.Expr, _: Draft) -> exp.Expr:
    """Both dialects yield NULL for text that is no JSON, the engine an error."""
    if node.find(exp.AggFunc, exp.Query):  # TRY takes neither
        return node
    return exp.Try(this=exp.Paren(this=node.copy()))


def _reduce(node: exp.Expr, draft: Draft) -> exp.Expr:
    """Trino's reduce ends with a function of the result, the engine's does not."""
    finish = node.args.get("finish")
    if finish is None:
        return node
    if not isinstance(finish, exp.Lambda) or len(finish.expressions) != 1:
        raise UnsupportedSql(f"{draft.place(node)}: REDUCE whose last argument is not x -> …")
    reduced = node.copy()
    reduced.set("finish", None)
    name = finish.expressions[0].name
    result = exp.Paren(this=finish.this.copy())
    for identifier in list(result.find_all(exp.Identifier)):
        if identifier.name == name:
            identifier.replace(reduced.copy())
    return result


_BY_NAME: dict[str, Rule] = {
    "format_datetime": _format_datetime,
    **{name: from_template(template) for name, template in _TEMPLATES.items()},
}

_BY_NODE: dict[type[exp.Expr], Rule] = {
    exp.Add: _date_add,
    exp.ApproxQuantile: _quantile,
    exp.ArgMax: _extreme("ARG_MAX_NULL"),
    exp.ArgMin: _extreme("ARG_MIN_NULL"),
    exp.DateAdd: _date_add,
    exp.DateDiff: _date_diff,
    exp.JSONExtractScalar: _json_text,
    exp.ParseDatetime: _parse_datetime,
    exp.Reduce: _reduce,
    exp.RegexpExtract: _regexp_extract,
    exp.Sub: _date_add,
    exp.TsOrDsAdd: _date_add,
}

TRANSLATED_NAMES = frozenset(_BY_NAME)
