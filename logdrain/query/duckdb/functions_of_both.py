"""Functions that Trino and Hive share, and templates that both tables use.

A table has an entry for each function: its name, if it is read as a plain call, or the node that sqlglot has
for it; and what DuckDB runs instead. How many arguments it takes is in sql/signatures.py.
"""

from collections.abc import Mapping

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.duckdb import regexps
from logdrain.query.duckdb.templates import Lowering, Rule, bound, called, is_cheap, template
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import WHOLE, is_map, is_of
from logdrain.query.sql.nodes import JsonFieldText, SessionId
from logdrain.query.sql.unnested import UnnestedColumn, holds_rows

Functions = Mapping[str | type[exp.Expr], Lowering]

_URL = r"^(?:([^:/?#]+):)?(?://((?:[^/?#@]*@)?([^/?#:]*)(?::([0-9]+))?))?([^?#]*)(?:[?]([^#]*))?(?:#(.*))?$"
URL_PROTOCOL, URL_AUTHORITY, URL_HOST, URL_PORT, URL_PATH, URL_QUERY, URL_FRAGMENT = (
    f"REGEXP_EXTRACT(_0, '{_URL}', {group})" for group in range(1, 8)
)
URL_PARAMETER = (
    "CASE WHEN REGEXP_MATCHES(_0, '[?&]' || REGEXP_ESCAPE(_1) || '(=|&|#|$)') "
    "THEN REGEXP_EXTRACT(_0, '[?&]' || REGEXP_ESCAPE(_1) || '=([^&#]*)', 1) END"
)
"""The value of the parameter _1 in the URL _0, still encoded; NULL if the URL has no such parameter."""

TOP_COUNTS = (
    "MAP_FROM_ENTRIES(LIST_TRANSFORM(LIST_SLICE(LIST_SORT(LIST_TRANSFORM(MAP_ENTRIES(HISTOGRAM(_1)), "
    "LAMBDA e : {'n': -CAST(e.value AS BIGINT), 'v': e.key})), 1, _0), LAMBDA e : {'k': e.v, 'v': -e.n}))"
)

_ANY = "CASE WHEN LIST_BOOL_OR(_0) THEN TRUE WHEN LEN(_0) = LIST_COUNT(_0) THEN FALSE END"
_DISTINCT = (  # a long list by sorting: comparing each element with all others would take too long
    "CASE WHEN LEN(_0) <= 1000 THEN LIST_FILTER(_0, LAMBDA e, at : LIST_POSITION(_0, e) = at) "
    "ELSE LIST_EXTRACT(LIST_TRANSFORM("
    "[LIST_SORT(LIST_TRANSFORM(_0, LAMBDA e, at : {'e': e, 'at': at}))], "
    "LAMBDA s : LIST_TRANSFORM(LIST_SORT(LIST_TRANSFORM("
    "LIST_FILTER(s, LAMBDA p, n : n = 1 OR LIST_EXTRACT(s, n - 1).e IS DISTINCT FROM p.e), "
    "LAMBDA p : {'at': p.at, 'e': p.e})), LAMBDA p : p.e)), 1) END"
)
"""A list with each element once, NULL too, in the order of first appearance."""

_IN_BOTH = (  # in the order of the longer list
    "CASE WHEN LEN(_0) < LEN(_1) THEN LIST_FILTER(_1, LAMBDA e : LIST_POSITION(_0, e) >= 1) "
    "WHEN LEN(_0) >= LEN(_1) THEN LIST_FILTER(_0, LAMBDA e : LIST_POSITION(_1, e) >= 1) END"
)

_WIDTH_BUCKET = (  # the bounds may fall, too
    "CASE WHEN (_0 - _1) * SIGN(_2 - _1) < 0 THEN 0 "
    "WHEN (_0 - _2) * SIGN(_2 - _1) >= 0 THEN CAST(_3 AS BIGINT) + 1 "
    "ELSE CAST(FLOOR((_0 - _1) / (_2 - _1) * _3) AS BIGINT) + 1 END"
)
_WIDTH_BUCKET_OF_BINS = "CASE WHEN NOT _0 IS NULL THEN LEN(LIST_FILTER(_1, LAMBDA bound : bound <= _0)) END"
_DOUBLES = (exp.DType.DOUBLE, exp.DType.FLOAT)
_COMPENSATED: dict[type[exp.Expr], str] = {exp.Sum: "FSUM", exp.Avg: "FAVG"}


def pairs(text: str, between_pairs: str, within_pair: str) -> str:
    """A template: text such as `a=1,b=2` as a list of entries."""
    return (
        f"LIST_TRANSFORM(LIST_FILTER(STR_SPLIT({text}, {between_pairs}), LAMBDA p : p <> ''), LAMBDA p : "
        f"{{'k': LIST_EXTRACT(STR_SPLIT(p, {within_pair}), 1), 'v': CASE WHEN STRPOS(p, {within_pair}) > 0 "
        f"THEN SUBSTRING(p, STRPOS(p, {within_pair}) + LENGTH({within_pair})) END}})"
    )


def _matched(text: str) -> Rule:
    """A template over what a function yields for each element of a list: TRUE, FALSE or NULL."""
    return lambda node, _: template(text, exp.Anonymous(this="LIST_TRANSFORM", expressions=node.expressions))


def _distinct_of(text: str) -> Rule:
    return lambda node, _: template(_DISTINCT, template(text, *node.expressions))


def tried(node: exp.Expr) -> exp.Expr:
    """NULL for text that is not JSON, as in both dialects; DuckDB raises an error.

    TRY takes no aggregates: what stands for the JSON is evaluated before.
    """

    def attempt(parts: list[exp.Expr]) -> exp.Expr:
        call = node.copy()
        for part in parts:
            call.set("this", part)
        return exp.Try(this=exp.Paren(this=call))

    return attempt([]) if is_cheap(node.this) else bound([node.this], attempt)


def compensated_sum(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """SUM and AVG of doubles with compensation, as MongoDB adds them: the error does not grow with the rows.

    Compensation makes NaN of infinity and of sums out of range: there DuckDB's own sum is used. Sums over
    windows stay as they are: DuckDB would compute both for every row.
    """
    value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    plain = node.parent if isinstance(node.parent, exp.Filter) else node
    if isinstance(plain.parent, exp.Window) or not is_of(value, _DOUBLES):
        return node
    exact: exp.Expr = exp.Anonymous(this=_COMPENSATED[type(node)], expressions=[node.this.copy()])
    if isinstance(plain, exp.Filter):
        exact = exp.Filter(this=exact, expression=plain.expression.copy())
    is_lost = exp.Anonymous(this="ISNAN", expressions=[exact.copy()])
    whole = exp.Case(ifs=[exp.If(this=is_lost, true=plain.copy())], default=exact)
    whole.type = node.type
    if plain is node:
        return whole
    plain.replace(whole)
    return node


def date_add(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """A date plus days is a date; in DuckDB it is a timestamp."""
    is_date = isinstance(node, exp.TsOrDsAdd) or node.this.is_type(exp.DType.DATE)
    is_span = isinstance(node, (exp.TsOrDsAdd, exp.DateAdd)) or isinstance(node.expression, exp.Interval)
    return exp.cast(node.copy(), exp.DType.DATE) if is_date and is_span else node


def _approx_distinct(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The exact count: it is the same in every run."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]), big_int=True)


def _count_distinct(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """COUNT(DISTINCT a, b) counts the pairs without NULL; DuckDB takes one expression."""
    if not isinstance(node.parent, exp.Count) or len(node.expressions) == 1:
        return node
    missing = [
        exp.If(this=exp.Is(this=part.copy(), expression=exp.Null()), true=exp.Null())
        for part in node.expressions
    ]
    return exp.Distinct(expressions=[exp.Case(ifs=missing, default=exp.Tuple(expressions=node.expressions))])


def whole_stays(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """FLOOR and CEIL of a whole number are that number; DuckDB's are DOUBLE."""
    return exp.paren(node.this.copy()) if is_of(node.this, WHOLE) else node


def _in_integer(part: str) -> Rule:
    """DuckDB takes no BIGINT there, and columns have no smaller type."""

    def rule(node: exp.Expr, _: SqlTree) -> exp.Expr:
        number = node.args.get(part)
        if isinstance(number, exp.Expr) and not number.is_int:
            node.set(part, exp.cast(number.copy(), exp.DType.INT))
        return node

    return rule


rounded = _in_integer("decimals")


def _cardinality(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """DuckDB has one function for lists and one for maps."""
    return exp.Anonymous(this="CARDINALITY", expressions=[node.this]) if is_map(node.this) else node


def unnested(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The list that a column of UNNEST is made of."""
    if isinstance(node, UnnestedColumn) and holds_rows(node):
        return template(
            "LIST_TRANSFORM(_0, LAMBDA r : STRUCT_EXTRACT_AT(r, _1))", node.this, node.args["place"]
        )
    made = "MAP_KEYS(_0)" if node.args["place"].name == "1" else "MAP_VALUES(_0)"
    return template(made, node.this)


def _reduce(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """Trino's last argument is a function of the result; DuckDB's REDUCE has none."""
    finish = node.args.get("finish")
    if finish is None:
        return node
    if not isinstance(finish, exp.Lambda) or len(finish.expressions) != 1:
        raise UnsupportedSql("REDUCE whose last argument is not x -> …", place=context.place(node))
    reduced = node.copy()
    reduced.set("finish", None)
    return called(finish, [reduced])


def _count_if(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """0 for no rows, where DuckDB's own is NULL; FILTER and OVER stay behind it."""
    case = exp.Case(ifs=[exp.If(this=node.this.copy(), true=exp.Literal.number(1))])
    return exp.Count(this=case, big_int=True)


def _json_field_text(node: exp.Expr, _: SqlTree) -> exp.Expr:
    steps = "".join('."' + step.name.replace('"', '\\"') + '"' for step in node.expressions)
    return exp.Anonymous(this="JSON_EXTRACT_STRING", expressions=[node.this, exp.Literal.string(f"${steps}")])


def _session_id(node: exp.Expr, _: SqlTree) -> exp.Expr:
    whose = exp.cast(exp.Struct(expressions=node.expressions), exp.DType.VARCHAR)
    return exp.cast(exp.cast(exp.MD5(this=whose), exp.DType.UUID), exp.DType.VARCHAR)


BOTH: Functions = {
    "all_match": _matched(
        "CASE WHEN NOT LIST_BOOL_AND(_0) THEN FALSE WHEN LEN(_0) = LIST_COUNT(_0) THEN TRUE END"
    ),
    "any_match": _matched(_ANY),
    "array_distinct": lambda node, _: template(_DISTINCT, *node.expressions),
    "array_except": _distinct_of(
        "CASE WHEN NOT _1 IS NULL THEN LIST_FILTER(_0, LAMBDA e : LIST_POSITION(_1, e) IS NULL) END"
    ),
    "array_intersect": _distinct_of(_IN_BOTH),
    "array_max": "LIST_MAX(_0)",
    "array_min": "LIST_MIN(_0)",
    "array_remove": "CASE WHEN NOT _1 IS NULL THEN LIST_FILTER(_0, LAMBDA e : e IS DISTINCT FROM _1) END",
    "array_union": _distinct_of("CASE WHEN NOT (_0 IS NULL OR _1 IS NULL) THEN LIST_CONCAT(_0, _1) END"),
    "arrays_overlap": (
        "CASE WHEN LIST_HAS_ANY(_0, _1) THEN TRUE WHEN LEN(_0) = LIST_COUNT(_0) AND LEN(_1) = LIST_COUNT(_1) "
        "OR LEN(_0) = 0 OR LEN(_1) = 0 THEN FALSE END"
    ),
    "e": "EXP(1)",
    "every": "BOOL_AND(_0)",
    "none_match": _matched(f"NOT {_ANY}"),
    "soundex": "SOUNDEX_CODE(CAST(_0 AS VARCHAR))",
    "td_approx_most_frequent": TOP_COUNTS,
    "td_array_index": "CASE WHEN _1 >= 0 THEN LIST_EXTRACT(_0, _1 + 1) END",
    "td_divide": "CASE WHEN _1 = 0 THEN 0e0 ELSE CAST(_0 AS DOUBLE) / _1 END",
    "td_md5": "MD5(CAST(_0 AS VARCHAR))",
    "width_bucket": {2: _WIDTH_BUCKET_OF_BINS, 4: _WIDTH_BUCKET},
    exp.Add: date_add,
    exp.Chr: lambda node, _: template("CHR(CAST(_0 AS INTEGER))", *node.expressions),
    exp.ApproxDistinct: _approx_distinct,
    exp.ArraySize: _cardinality,
    exp.CountIf: _count_if,
    exp.DateAdd: date_add,
    exp.Distinct: _count_distinct,
    exp.Pad: _in_integer("expression"),
    **dict.fromkeys((exp.Round, exp.Trunc), rounded),
    **dict.fromkeys((exp.Ceil, exp.Floor), whole_stays),
    exp.JSONExtract: lambda node, _: tried(node),
    exp.Reduce: _reduce,
    exp.RegexpCount: regexps.COUNT,
    exp.RegexpExtractAll: regexps.EXTRACT_ALL,
    exp.RegexpLike: regexps.LIKE,
    exp.RegexpReplace: regexps.REPLACE,
    exp.RegexpSplit: regexps.SPLIT,
    exp.Sub: date_add,
    exp.TsOrDsAdd: date_add,
    UnnestedColumn: unnested,
    JsonFieldText: _json_field_text,
    SessionId: _session_id,
}
