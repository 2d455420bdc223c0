"""Hive's functions: HIVE has an entry for each that DuckDB lacks, or has with another meaning.

(https://cwiki.apache.org/confluence/display/Hive/LanguageManual+UDF)
"""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.duckdb import regexps
from logdrain.query.duckdb.functions_of_both import (
    BOTH,
    URL_AUTHORITY,
    URL_FRAGMENT,
    URL_HOST,
    URL_PARAMETER,
    URL_PATH,
    URL_PROTOCOL,
    URL_QUERY,
    Functions,
    compensated_sum,
    pairs,
    rounded,
    tried,
    unnested,
    whole_stays,
)
from logdrain.query.duckdb.hive_times import HIVE_TIMES, as_time
from logdrain.query.duckdb.templates import template
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import NUMBER, TEXT, WHOLE, is_map, is_of
from logdrain.query.sql.unnested import UnnestedColumn

_FILE = f"CASE WHEN {URL_QUERY} = '' THEN {URL_PATH} ELSE {URL_PATH} || '?' || {URL_QUERY} END"
_URL_PARTS = {
    "AUTHORITY": f"NULLIF({URL_AUTHORITY}, '')",
    "FILE": _FILE,
    "HOST": f"NULLIF({URL_HOST}, '')",
    "PATH": URL_PATH,
    "PROTOCOL": f"NULLIF({URL_PROTOCOL}, '')",
    "QUERY": f"NULLIF({URL_QUERY}, '')",
    "REF": f"NULLIF({URL_FRAGMENT}, '')",
    "USERINFO": f"NULLIF(REGEXP_EXTRACT({URL_AUTHORITY}, '^([^@]*)@', 1), '')",
}
_WHOLE_OF_TEXT = (
    "CASE WHEN REGEXP_FULL_MATCH(_0, '\\s*[+-]?[0-9]+([.][0-9]*)?\\s*') "
    "THEN REGEXP_REPLACE(TRIM(_0), '[.][0-9]*$', '') END"
)
"""Text with a fraction becomes the whole number before the point."""

_SUBSTRING_INDEX = (
    "CASE WHEN _2 > 0 THEN ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), 1, _2), _1) WHEN _2 < 0 "
    "THEN ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), GREATEST(LEN(STR_SPLIT(_0, _1)) + _2 + 1, 1), "
    "LEN(STR_SPLIT(_0, _1))), _1) ELSE '' END"
)
_SEEDED = (
    "(MD5_NUMBER_LOWER(CAST(_0 AS VARCHAR) || '/' || CAST(ROW_NUMBER() OVER () AS VARCHAR)) >> 11) "
    "/ 9007199254740992.0e0"
)
_HISTOGRAM = (
    "LIST_TRANSFORM(MAP_ENTRIES(NUMERIC_HISTOGRAM_OF("
    "CAST(_1 AS BIGINT), LIST(CAST(_0 AS DOUBLE)) FILTER (WHERE NOT _0 IS NULL), "
    "LIST(1e0) FILTER (WHERE NOT _0 IS NULL))), LAMBDA e : {'x': e.key, 'y': e.value})"
)
_INITCAP = (
    "ARRAY_TO_STRING(LIST_TRANSFORM(REGEXP_EXTRACT_ALL(LOWER(_0), '\\s+|\\S+'), "
    "lambda word: UPPER(word[1]) || word[2:]), '')"
)
_INSTANTS = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ)
_DECIMAL = (exp.DType.DECIMAL,)
_PERHAPS_WHOLE = WHOLE | {exp.DType.UNKNOWN}
_NUMBER_OR_TEXT = NUMBER | TEXT
_FIELDS_SHOWN = 3
_COMMA, _COLON = "','", "':'"


def _parse_url(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """`parse_url(url, part [, name])`; NULL if the URL has no such part."""
    url, part, *name = node.expressions
    if name and part.is_string and part.name == "QUERY":
        return template(URL_PARAMETER, url, name[0])
    if name or not part.is_string or part.name not in _URL_PARTS:
        raise UnsupportedSql(
            "PARSE_URL takes a URL and a part",
            place=context.place(node),
            hint=f"parts are {', '.join(_URL_PARTS)}",
        )
    return template(_URL_PARTS[part.name], url)


def _substring(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The place 0 means the first, as 1 does."""
    start = node.args.get("start")
    if start is not None and start.is_int and start.name == "0":
        node.set("start", exp.Literal.number(1))
    return node


def _cast(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """Between text, times and numbers; NULL where the text is none."""
    source, to = node.this, node.args["to"]
    if is_of(source, _INSTANTS) and is_of(to, NUMBER):
        seconds: exp.Expr = exp.Anonymous(this="EPOCH", expressions=[source.copy()])
        if is_of(to, WHOLE):
            seconds = exp.Floor(this=seconds)
        node.set("this", seconds)
    elif is_of(source, NUMBER) and is_of(to, _INSTANTS):
        written = context.readable(source)
        raise UnsupportedSql(
            f"CAST({written} AS TIMESTAMP): versions of Hive read a number as seconds or as milliseconds",
            place=context.place(node),
            hint=f"write CAST(FROM_UNIXTIME({written}) AS TIMESTAMP), of seconds",
        )
    elif to.is_type(exp.DType.DATE):
        node.set("this", as_time(source, context))
    elif is_of(source, TEXT) and is_of(to, WHOLE):
        node.set("this", template(_WHOLE_OF_TEXT, source))
    return node


def _compared(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Text beside a number is read as a number, NULL where it is none."""
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        if is_of(side, TEXT) and is_of(other, NUMBER):
            side.replace(_number(side))
    return node


def _calculated(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Text is read as a number, NULL where it is none."""
    sides = (node.this, node.expression)
    if all(is_of(side, _NUMBER_OR_TEXT) for side in sides):
        for side in sides:
            if is_of(side, TEXT):
                side.replace(_number(side))
    return node


def _divided(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """NULL where the divisor is 0."""
    _calculated(node, context)
    divisor = exp.Nullif(this=node.expression.copy(), expression=exp.Literal.number(0))
    if isinstance(node, exp.IntDiv) and any(
        not is_of(side, _PERHAPS_WHOLE) for side in (node.left, node.right)
    ):
        quotient = exp.Div(this=exp.paren(node.left), expression=divisor)
        return exp.cast(exp.Trunc(this=quotient), exp.DType.BIGINT)
    node.set("expression", divisor)
    return node


def _added(node: exp.Expr, context: SqlTree) -> exp.Expr:
    return compensated_sum(_of_number(node, context), context)


def _of_number(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Text as an argument is read as a number, NULL where it is none."""
    holder, key = (node.this, "expressions") if isinstance(node.this, exp.Distinct) else (node, "this")
    argument = holder.args[key][0] if key == "expressions" else holder.args[key]
    if argument is not None and is_of(argument, TEXT):
        argument.replace(_number(argument))
    return node


def _in_bigint(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """FLOOR and CEIL are BIGINT, but for those of DECIMAL."""
    number = whole_stays(_of_number(node, context), context)
    return exp.cast(number, exp.DType.BIGINT) if number is node and not is_of(node.this, _DECIMAL) else number


def _number(text: exp.Expr) -> exp.Expr:
    return exp.TryCast(this=text.copy(), to=exp.DType.DOUBLE.into_expr(), safe=True)


def _percentile_approx(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """A value that is there, and the same in every run."""
    return exp.Anonymous(this="QUANTILE_DISC", expressions=[_number(node.this), node.args["quantile"].copy()])


def _percentile(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Between two values, a part of the way."""
    return exp.Anonymous(this="QUANTILE_CONT", expressions=[_number(node.this), node.args["quantile"].copy()])


def _greatest(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """NULL where an argument is NULL."""
    node.set("ignore_nulls", False)  # noqa: FBT003  sqlglot's signature
    return node


def _size(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """-1 of NULL."""
    if isinstance(node.parent, exp.GenerateSeries):  # of the places that POSEXPLODE counts
        return node
    length = exp.Anonymous(
        this="CARDINALITY" if is_map(node.this) else "ARRAY_LENGTH",
        expressions=[_no_object(node, context).this],
    )
    if node.this.is_type(exp.DType.NULL):
        return exp.Literal.number(-1)
    return exp.Coalesce(this=length, expressions=[exp.Literal.number(-1)])


def _collected(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """An empty list of no values, where the engine has NULL."""
    whole = node
    while isinstance(whole.parent, (exp.Filter, exp.Window)) and whole.parent.this is whole:
        whole = whole.parent
    wrapped = exp.Coalesce(expressions=[exp.Array()])
    wrapped.type = node.type
    whole.replace(wrapped)
    wrapped.set("this", whole)
    return node


def _no_object(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """An object of an event is no map: which of its fields an event had is not known."""
    argument = node.expressions[0] if node.expressions else node.this
    if isinstance(argument, exp.Expr) and argument.type and argument.is_type(exp.DType.STRUCT):
        written = context.readable(argument)
        fields = [field.name for field in argument.type.expressions][:_FIELDS_SHOWN]
        raise UnsupportedSql(
            f"{written} is an object, neither a map nor a list",
            place=context.place(node),
            hint=f"name its fields: {', '.join(f'{written}.{name}' for name in fields)}",
        )
    return node


def _json_object(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """NULL for text that is no JSON."""
    if node.expression.find(exp.JSONPathWildcard):
        raise UnsupportedSql(
            "GET_JSON_OBJECT with * in its path",
            place=context.place(node),
            hint="name the element: '$.a[0].b'",
        )
    return tried(node)


def _like(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """A backslash makes the sign after it plain."""
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _rand(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """`rand(seed)`: the same numbers in every run."""
    return node if node.this is None else template(_SEEDED, node.this)


def _text(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), exp.DType.VARCHAR)


def _elt(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """`elt(n, text, …)`: the text number n, from 1; NULL for any other n."""
    number, *texts = node.expressions
    pairs = [
        exp.If(this=exp.Literal.number(place), true=_text(text)) for place, text in enumerate(texts, start=1)
    ]
    return exp.Case(this=number.copy(), ifs=pairs)


def _field(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """`field(value, other, …)`: which of the others it is, from 1; 0 for none and for NULL."""
    value, *others = node.expressions
    pairs = [
        exp.If(this=exp.EQ(this=_text(value), expression=_text(other)), true=exp.Literal.number(place))
        for place, other in enumerate(others, start=1)
    ]
    return exp.Case(ifs=pairs, default=exp.Literal.number(0))


HIVE: Functions = {
    **BOTH,
    "binary": "ENCODE(CAST(_0 AS VARCHAR))",
    "bround": {1: "ROUND_EVEN(_0, 0)", 2: "ROUND_EVEN(_0, CAST(_1 AS INTEGER))"},
    "conv": "HIVE_CONV(CAST(_0 AS VARCHAR), CAST(_1 AS BIGINT), CAST(_2 AS BIGINT))",
    "crc32": "HIVE_CRC32(CAST(_0 AS VARCHAR))",
    "elt": _elt,
    "field": _field,
    "find_in_set": "CASE WHEN NOT (_0 IS NULL OR _1 IS NULL) "
    "THEN COALESCE(LIST_POSITION(STR_SPLIT(_1, ','), _0), 0) END",
    "initcap": _INITCAP,
    "format_number": "FORMAT('{:,.' || CAST(_1 AS VARCHAR) || 'f}', CAST(_0 AS DOUBLE))",
    "from_utc_timestamp": "(TRY_CAST(_0 AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE _1",
    "histogram_numeric": _HISTOGRAM,
    "isnotnull": "NOT _0 IS NULL",
    "isnull": "_0 IS NULL",
    "map_values": _no_object,
    "negative": "-_0",
    "octet_length": "STRLEN(CAST(_0 AS VARCHAR))",
    "parse_url": _parse_url,
    "pmod": "((_0 % NULLIF(_1, 0)) + _1) % NULLIF(_1, 0)",
    "positive": lambda node, _: exp.paren(node.expressions[0].copy()),
    "shiftleft": "CAST(_0 AS BIGINT) << _1",
    "shiftright": "CAST(_0 AS BIGINT) >> _1",
    "str_to_map": {
        1: f"MAP_FROM_ENTRIES({pairs('_0', _COMMA, _COLON)})",
        2: f"MAP_FROM_ENTRIES({pairs('_0', '_1', _COLON)})",
        3: f"MAP_FROM_ENTRIES({pairs('_0', '_1', '_2')})",
    },
    "substring_index": _SUBSTRING_INDEX,
    "to_utc_timestamp": "(TRY_CAST(_0 AS TIMESTAMP) AT TIME ZONE _1) AT TIME ZONE 'UTC'",
    exp.ApproxQuantile: _percentile_approx,
    exp.ArraySize: _size,
    exp.JSONExtractScalar: _json_object,
    exp.Length: lambda node, _: (
        template("LENGTH(CAST(_0 AS VARCHAR))", node.this) if is_of(node.this, NUMBER) else node
    ),
    exp.Like: _like,
    exp.Quantile: _percentile,
    exp.Rand: _rand,
    exp.RegexpExtract: regexps.EXTRACT_OF_HIVE,
    exp.Substring: _substring,
    **dict.fromkeys((exp.ArrayAgg, exp.ArrayUniqueAgg), _collected),
    **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
    **dict.fromkeys((exp.Explode, exp.MapKeys, exp.Unnest), _no_object),
    UnnestedColumn: lambda node, context: unnested(_no_object(node, context), context),
    **dict.fromkeys((exp.Greatest, exp.Least), _greatest),
    **dict.fromkeys((exp.Avg, exp.Sum), _added),
    **dict.fromkeys((exp.IntDiv, exp.Mod), _divided),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div), _calculated),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _compared),
    **dict.fromkeys(
        (
            *(exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop),
            *(exp.Abs, exp.Exp, exp.Ln, exp.Neg, exp.Sqrt),
        ),
        _of_number,
    ),
    **dict.fromkeys((exp.Ceil, exp.Floor), _in_bigint),
    exp.Round: lambda node, context: rounded(_of_number(node, context), context),
    **HIVE_TIMES,
}
