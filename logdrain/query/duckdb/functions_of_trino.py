"""Trino's functions: TRINO has an entry for each that DuckDB lacks, or has with another meaning.

(https://trino.io/docs/current/functions.html)
"""

import re

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.query.duckdb import regexps
from logdrain.query.duckdb.date_patterns import format_datetime, parse_datetime
from logdrain.query.duckdb.functions_of_both import (
    BOTH,
    TOP_COUNTS,
    URL_FRAGMENT,
    URL_HOST,
    URL_PARAMETER,
    URL_PATH,
    URL_PORT,
    URL_PROTOCOL,
    URL_QUERY,
    Functions,
    compensated_sum,
    date_add,
    pairs,
)
from logdrain.query.duckdb.json_functions import JSON_FUNCTIONS
from logdrain.query.duckdb.templates import Rule, bound, called, from_template, over, template
from logdrain.query.duckdb.trino_casts import trino_cast
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import is_of

_MYSQL_WEEKS = {"%v": "%V", "%x": "%G"}
_EXTRACTED = {"DOW": "ISODOW", "DAY_OF_WEEK": "ISODOW", "DAY_OF_MONTH": "DAY", "DAY_OF_YEAR": "DOY"}
_EXTRACTED |= {"YOW": "ISOYEAR", "YEAR_OF_WEEK": "ISOYEAR"}
_LISTS = (exp.Array, exp.ArrayAgg, exp.Transform, exp.ArrayFilter, exp.ArraySort)

_ENTRIES = "LIST({'k': _0, 'v': _1}) FILTER (WHERE NOT _0 IS NULL)"
_KEYS = "LIST(_0) FILTER (WHERE NOT _0 IS NULL)"
_ENTRIES_OF_MAPS = "LIST_TRANSFORM(FLATTEN(LIST(MAP_ENTRIES(_0))), LAMBDA m : {'k': m.key, 'v': m.value})"
_SPLIT_3 = (
    "CASE WHEN LEN(STR_SPLIT(_0, _1)) <= _2 THEN STR_SPLIT(_0, _1) ELSE LIST_APPEND("
    "LIST_SLICE(STR_SPLIT(_0, _1), 1, _2 - 1), "
    "ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), _2, LEN(STR_SPLIT(_0, _1))), _1)) END"
)
_SLICE = (
    "CASE WHEN _1 > 0 THEN LIST_SLICE(_0, _1, _1 + _2 - 1) WHEN -_1 <= LEN(_0) "
    "THEN LIST_SLICE(_0, LEN(_0) + _1 + 1, LEN(_0) + _1 + _2) ELSE LIST_SLICE(_0, 1, 0) END"
)
_NGRAMS = "LIST_TRANSFORM(RANGE(1, GREATEST(LEN(_0) - _1 + 2, 2)), LAMBDA n : LIST_SLICE(_0, n, n + _1 - 1))"
_NUMERIC_HISTOGRAM = (
    "NUMERIC_HISTOGRAM_OF(CAST(_0 AS BIGINT), LIST(CAST(_1 AS DOUBLE)) FILTER (WHERE NOT _1 IS NULL), "
    "LIST({}) FILTER (WHERE NOT _1 IS NULL))"
)
_BIT_COUNT = (
    "BIT_COUNT(CASE WHEN _1 >= 64 THEN CAST(_0 AS BIGINT) ELSE CAST(_0 AS BIGINT) & ((1 << _1) - 1) END)"
)
_ENTROPY = (  # of counts
    "CASE WHEN SUM(_0) > 0 THEN LOG2(SUM(_0)) - SUM(CASE WHEN _0 > 0 THEN _0 * LOG2(_0) END) / SUM(_0) "
    "ELSE 0e0 END"
)
_SKEWNESS = (  # of the whole, where DuckDB's is that of a sample
    "CASE WHEN COUNT(_0) >= 3 THEN SKEWNESS(_0) * (COUNT(_0) - 2) / SQRT(COUNT(_0) * (COUNT(_0) - 1.0e0)) END"
)
_COSINE = "LIST_COSINE_SIMILARITY(CAST(_0 AS DOUBLE[]), CAST(_1 AS DOUBLE[]))"
_CONTAINS_SEQUENCE = (
    "CASE WHEN LEN(_1) = 0 THEN LEN(_0) >= 0 "
    "ELSE LIST_CONTAINS(LIST_TRANSFORM(RANGE(1, LEN(_0) - LEN(_1) + 2), "
    "LAMBDA n : LIST_SLICE(_0, n, n + LEN(_1) - 1) IS NOT DISTINCT FROM _1), TRUE) END"
)
_GREAT_CIRCLE = (  # in kilometres
    "6371.01e0 * ATAN2(SQRT(POWER(COS(RADIANS(_2)) * SIN(RADIANS(_1 - _3)), 2) "
    "+ POWER(COS(RADIANS(_0)) * SIN(RADIANS(_2)) "
    "- SIN(RADIANS(_0)) * COS(RADIANS(_2)) * COS(RADIANS(_1 - _3)), 2)), "
    "SIN(RADIANS(_0)) * SIN(RADIANS(_2)) + COS(RADIANS(_0)) * COS(RADIANS(_2)) * COS(RADIANS(_1 - _3)))"
)
_SHUFFLE = "LIST_TRANSFORM(LIST_SORT(LIST_TRANSFORM(_0, LAMBDA e : {'r': RANDOM(), 'e': e})), LAMBDA p : p.e)"
_WILSON = (
    "(_0 * 1.0e0 / _1 + _2 * _2 / (2 * _1) {} _2 * SQRT((_0 * 1.0e0 / _1 * (1 - _0 * 1.0e0 / _1) "
    "+ _2 * _2 / (4 * _1)) / _1)) / (1 + _2 * _2 / _1)"
)
_ISO_DATE = (  # of a week or a day of the year, too
    "CASE WHEN REGEXP_FULL_MATCH(_0, '[0-9]{4}-W[0-9]{2}') "
    "THEN CAST(STRPTIME(_0 || '-1', '%G-W%V-%u') AS DATE) "
    "WHEN CONTAINS(_0, 'W') THEN CAST(STRPTIME(_0, '%G-W%V-%u') AS DATE) "
    "WHEN REGEXP_FULL_MATCH(_0, '[0-9]{4}-[0-9]{3}') THEN CAST(STRPTIME(_0, '%Y-%j') AS DATE) "
    "ELSE CAST(_0 AS DATE) END"
)
_STRPOS = (
    "CASE WHEN LEN(STR_SPLIT(_0, _1)) <= ABS(_2) THEN 0 "
    "WHEN _2 > 0 THEN LENGTH(ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), 1, _2), _1)) + 1 "
    "WHEN _2 < 0 THEN LENGTH(ARRAY_TO_STRING("
    "LIST_SLICE(STR_SPLIT(_0, _1), 1, LEN(STR_SPLIT(_0, _1)) + _2), _1)) + 1 END"
)
_DAYS = (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
_WHOLE_SEQUENCE = "GENERATE_SERIES(_0, _1, CASE WHEN _0 <= _1 THEN 1 ELSE -1 END)"
_SEQUENCE_OF_DAYS = (
    "GENERATE_SERIES(_0, _1, CASE WHEN _0 <= _1 THEN INTERVAL '1' DAY ELSE INTERVAL '-1' DAY END)"
)
_SEQUENCE_OF_MONTHS = (
    "LIST_FILTER(LIST_TRANSFORM(RANGE(0, ABS(DATE_DIFF('month', _0, _1)) // ABS(_2) + 1), "
    "LAMBDA n : _0 + TO_MONTHS(CAST(n * _2 AS INTEGER))), "
    "LAMBDA d : CASE WHEN _2 > 0 THEN d <= _1 ELSE d >= _1 END)"
)
_MONTHS_OF_SPAN = "DATE_PART('year', _0) * 12 + DATE_PART('month', _0)"
_RANDOM = {
    0: "RANDOM()",
    1: "CAST(FLOOR(RANDOM() * _0) AS BIGINT)",
    2: "_0 + CAST(FLOOR(RANDOM() * (_1 - _0)) AS BIGINT)",
}


def _first_values(entries: str, keys: str) -> str:
    """A template: a map of the entries; of entries with the same key the first."""
    firsts = f"LIST_FILTER({entries}, LAMBDA e, at : LIST_POSITION({keys}, e.k) = at)"
    return (
        f"CASE WHEN LIST_UNIQUE({keys}) = LEN({keys}) THEN MAP_FROM_ENTRIES({entries}) "
        f"ELSE MAP_FROM_ENTRIES({firsts}) END"
    )


def _all_values(entries: str) -> str:
    """A template: a map from each key to the list of its values."""
    return (
        f"MAP_FROM_ENTRIES(LIST_TRANSFORM(LIST_DISTINCT(LIST_TRANSFORM({entries}, LAMBDA e : e.k)), "
        f"LAMBDA k : {{'k': k, 'v': LIST_TRANSFORM(LIST_FILTER({entries}, LAMBDA e : e.k = k), "
        "LAMBDA e : e.v)}))"
    )


def _extreme(name: str) -> Rule:
    """MAX_BY(x, y) is the x of the greatest y, even if that x is NULL."""

    def rule(node: exp.Expr, _: SqlTree) -> exp.Expr:
        if node.args.get("count"):
            return node
        return exp.Anonymous(this=name, expressions=[node.this, node.expression])

    return rule


def _approx_percentile(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """Of the type of its argument; takes a list, too. Here it is exact."""
    if node.args.get("weight"):
        raise UnsupportedSql(
            "APPROX_PERCENTILE with weights",
            place=context.place(node),
            hint="compare SUM(weight) OVER (ORDER BY value) with the whole SUM(weight) in a subquery",
        )
    return exp.Anonymous(this="QUANTILE_DISC", expressions=[node.this, node.args["quantile"]])


def _bracket(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """DuckDB counts elements from 1, as Trino does; keys of a map stay as they are written."""
    if node.this.is_type(exp.DType.STRUCT) and node.expressions[0].is_int:
        return exp.Anonymous(this="STRUCT_EXTRACT_AT", expressions=[node.this, *node.expressions])
    node.set("offset", node.args.get("offset", 1))
    return node


def _row(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """A row that is written has fields without names."""
    if "start" not in node.meta or any(isinstance(part, exp.PropertyEQ) for part in node.expressions):
        return node
    return exp.Anonymous(this="ROW", expressions=node.expressions)


def _substring(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Empty from position 0, and from before the beginning."""
    start = node.args.get("start")
    if start is None or (start.is_int and int(start.name) > 0 and not isinstance(start, exp.Neg)):
        return node
    text = "CASE WHEN _1 = 0 OR -_1 > LENGTH(_0) THEN LEFT(_0, 0) ELSE _2 END"
    return template(text, node.this, start, node)


def _contains(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """NULL if the value is not found, and the list has a NULL."""
    text = "CASE WHEN _1 THEN TRUE WHEN LEN(_0) > LIST_COUNT(_0) THEN NULL ELSE _1 END"
    return template(text, node.this, node)


def _normalize(node: exp.Expr, context: SqlTree) -> exp.Expr:
    if (form := node.text("form").upper()) not in ("", "NFC"):
        raise UnsupportedSql(f"NORMALIZE to {form}", place=context.place(node), hint="only NFC is there")
    return exp.Anonymous(this="NFC_NORMALIZE", expressions=[node.this])


def _extract(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Weeks begin on Monday, and days of the week count from it."""
    part = node.this.name.upper()
    if part in _EXTRACTED:
        node.set("this", exp.var(_EXTRACTED[part]))
    return node


def _date_diff(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Whole units that have passed, as DuckDB's date_sub; its date_diff counts the boundaries crossed."""
    unit = exp.Literal.string(node.text("unit").lower() or "day")
    # sqlglot reads date_diff(unit, from, to) as to - from.
    return exp.Anonymous(this="DATE_SUB", expressions=[unit, node.expression, node.this])


def _date_trunc(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """A date stays a date."""
    return exp.cast(node.copy(), exp.DType.DATE) if node.this.is_type(exp.DType.DATE) else node


def _subtracted(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """A date minus a date is a span of time; in DuckDB a number of days."""
    if not all(side.is_type(exp.DType.DATE) for side in (node.this, node.expression)):
        return date_add(node, context)
    return template("CAST(_0 AS TIMESTAMP) - CAST(_1 AS TIMESTAMP)", node.this, node.expression)


def _from_unixtime(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """With a zone: zones.py."""
    if node.args.get("hours") or node.args.get("minutes"):
        raise UnsupportedSql(
            "FROM_UNIXTIME with an offset", place=context.place(node), hint="name a zone: 'Asia/Tokyo'"
        )
    return node


def _date_format(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The week of MySQL's patterns, which sqlglot does not translate."""
    pattern = node.args["format"]
    if pattern.is_string:
        text = re.sub("%[vx]", lambda found: _MYSQL_WEEKS[found[0]], pattern.name)
        node.set("format", exp.Literal.string(text))
    return node


def _format(node: exp.Expr, _: SqlTree) -> exp.Expr:
    return exp.Anonymous(this="PRINTF", expressions=node.expressions)


def _reverse(node: exp.Expr, _: SqlTree) -> exp.Expr:
    (argument,) = node.expressions
    is_list = argument.is_type(exp.DType.ARRAY) or isinstance(argument, _LISTS)
    return exp.Anonymous(this="LIST_REVERSE" if is_list else "REVERSE", expressions=[argument])


def _to_iso8601(node: exp.Expr, _: SqlTree) -> exp.Expr:
    (time,) = node.expressions
    pattern = "%Y-%m-%dT%H:%M:%S.%gZ" if time.is_type(exp.DType.TIMESTAMPTZ) else "%Y-%m-%dT%H:%M:%S.%g"
    if time.is_type(exp.DType.DATE):
        pattern = "%Y-%m-%d"
    return exp.Anonymous(this="STRFTIME", expressions=[time, exp.Literal.string(pattern)])


def _strpos(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """The place of the n-th occurrence, from the end where n is negative."""
    number = node.args.get("occurrence")
    return template(_STRPOS, node.this, node.args["substr"], number) if number else node


def _sequence(node: exp.Expr, _: SqlTree) -> exp.Expr:
    """Of dates a list of dates, months counted from the start; it falls where the start is the greater."""
    start, end, step = node.args["start"], node.args["end"], node.args.get("step")
    if not is_of(start, _DAYS):
        is_rising = all(part.is_int for part in (start, end)) and int(start.name) <= int(end.name)
        return node if step or is_rising else template(_WHOLE_SEQUENCE, start, end)
    if step is None:
        listed = template(_SEQUENCE_OF_DAYS, start, end)
    elif step.text("unit").upper() in ("MONTH", "YEAR"):
        listed = template(_SEQUENCE_OF_MONTHS, start, end, template(_MONTHS_OF_SPAN, step))
    else:
        listed = exp.Anonymous(this="GENERATE_SERIES", expressions=[start, end, step])
    return template("CAST(_0 AS DATE[])", listed) if start.is_type(exp.DType.DATE) else listed


def _over_entries(kind: str) -> Rule:
    """MAP_FILTER, TRANSFORM_KEYS, TRANSFORM_VALUES with a function of key and value."""

    def rule(node: exp.Expr, context: SqlTree) -> exp.Expr:
        source, function = node.expressions
        entry = exp.to_identifier("entry")
        key, value = (
            exp.Dot(this=entry.copy(), expression=exp.to_identifier(part)) for part in ("key", "value")
        )
        result = _called_with(node, context, function, key, value)
        entries = exp.Anonymous(this="MAP_ENTRIES", expressions=[source.copy()])
        if kind == "filter":
            body: exp.Expr = result
        else:
            pair = (result, value.copy()) if kind == "keys" else (key.copy(), result)
            body = exp.Anonymous(this="ROW", expressions=list(pair))
        name = "LIST_FILTER" if kind == "filter" else "LIST_TRANSFORM"
        mapped = exp.Anonymous(this=name, expressions=[entries, exp.Lambda(this=body, expressions=[entry])])
        return exp.Anonymous(this="MAP_FROM_ENTRIES", expressions=[mapped])

    return rule


def _zip_with(node: exp.Expr, context: SqlTree) -> exp.Expr:
    left, right, function = node.expressions
    pair = exp.to_identifier("pair")
    sides = [
        exp.Anonymous(this="STRUCT_EXTRACT", expressions=[pair.copy(), exp.Literal.number(number)])
        for number in (1, 2)
    ]
    body = _called_with(node, context, function, *sides)
    zipped = exp.Anonymous(this="LIST_ZIP", expressions=[left.copy(), right.copy()])
    return exp.Anonymous(
        this="LIST_TRANSFORM", expressions=[zipped, exp.Lambda(this=body, expressions=[pair])]
    )


def _map_zip_with(node: exp.Expr, context: SqlTree) -> exp.Expr:
    """A map with all keys of two maps; a map that lacks the key gives NULL."""
    *maps, function = node.expressions

    def zipped(both: list[exp.Expr]) -> exp.Expr:
        key = exp.to_identifier("zipped_key")
        values = [template("MAP_EXTRACT_VALUE(_0, _1)", one, key) for one in both]
        entry = exp.Anonymous(
            this="ROW", expressions=[key, _called_with(node, context, function, key, *values)]
        )
        keys = template("LIST_DISTINCT(LIST_CONCAT(MAP_KEYS(_0), MAP_KEYS(_1)))", *both)
        mapped = exp.Lambda(this=entry, expressions=[key.copy()])
        return template(
            "MAP_FROM_ENTRIES(_0)", exp.Anonymous(this="LIST_TRANSFORM", expressions=[keys, mapped])
        )

    return bound(maps, zipped)


def _called_with(node: exp.Expr, context: SqlTree, function: exp.Expr, *arguments: exp.Expr) -> exp.Expr:
    if not isinstance(function, exp.Lambda) or len(function.expressions) != len(arguments):
        names = ", ".join("abc"[: len(arguments)])
        raise UnsupportedSql(
            f"{node.name.upper()} whose last argument is not ({names}) -> …", place=context.place(node)
        )
    return called(function, arguments)


TRINO: Functions = {
    **BOTH,
    **JSON_FUNCTIONS,
    "approx_most_frequent": TOP_COUNTS,
    "array_average": "LIST_AVG(CAST(_0 AS DOUBLE[]))",
    "array_first": "LIST_EXTRACT(_0, 1)",
    "array_histogram": "LIST_HISTOGRAM(_0)",
    "array_last": "LIST_EXTRACT(_0, -1)",
    "array_max": "CASE WHEN LEN(_0) = LIST_COUNT(_0) THEN LIST_MAX(_0) END",
    "array_min": "CASE WHEN LEN(_0) = LIST_COUNT(_0) THEN LIST_MIN(_0) END",
    "array_position": "CASE WHEN NOT (_0 IS NULL OR _1 IS NULL) THEN COALESCE(LIST_POSITION(_0, _1), 0) END",
    "bit_count": {1: "BIT_COUNT(CAST(_0 AS BIGINT))", 2: _BIT_COUNT},
    "bitwise_left_shift": "CAST(_0 AS BIGINT) << _1",
    "bitwise_right_shift": "CAST(_0 AS BIGINT) >> _1",
    "bitwise_right_shift_arithmetic": "CAST(_0 AS BIGINT) >> _1",
    "codepoint": "UNICODE(_0)",
    "contains_sequence": _CONTAINS_SEQUENCE,
    "cosine_distance": f"1 - ({_COSINE})",
    "cosine_similarity": _COSINE,
    "crc32": "HIVE_CRC32(DECODE(_0))",
    "current_timezone": "'UTC'",
    "entropy": _ENTROPY,
    "format": _format,
    "format_datetime": format_datetime,
    "from_base64url": "FROM_BASE64(REPLACE(REPLACE(_0, '-', '+'), '_', '/'))",
    "from_iso8601_date": _ISO_DATE,
    "great_circle_distance": _GREAT_CIRCLE,
    "hamming_distance": "CASE WHEN _0 = '' AND _1 = '' THEN 0 ELSE HAMMING(_0, _1) END",
    "infinity": "CAST('Infinity' AS DOUBLE)",
    "is_finite": "ISFINITE(_0)",
    "is_infinite": "ISINF(_0)",
    "last_day_of_month": "LAST_DAY(_0)",
    "map_agg": _first_values(_ENTRIES, _KEYS),
    "map_filter": _over_entries("filter"),
    "map_union": _first_values(_ENTRIES_OF_MAPS, "FLATTEN(LIST(MAP_KEYS(_0)))"),
    "map_zip_with": _map_zip_with,
    "millisecond": "MILLISECOND(_0) % 1000",
    "multimap_agg": _all_values(_ENTRIES),
    "multimap_from_entries": _all_values(
        "LIST_TRANSFORM(_0, LAMBDA e : {'k': STRUCT_EXTRACT_AT(e, 1), 'v': STRUCT_EXTRACT_AT(e, 2)})"
    ),
    "nan": "CAST('NaN' AS DOUBLE)",
    "from_big_endian_32": "CAST(CAST(CAST(_0 AS BIT) AS INTEGER) AS BIGINT)",
    "from_big_endian_64": "CAST(CAST(_0 AS BIT) AS BIGINT)",
    "ngrams": _NGRAMS,
    "numeric_histogram": {
        2: _NUMERIC_HISTOGRAM.format("1e0"),
        3: _NUMERIC_HISTOGRAM.format("CAST(_2 AS DOUBLE)"),
    },
    "to_big_endian_32": "CAST(CAST(CAST(_0 AS INTEGER) AS BIT) AS BLOB)",
    "to_big_endian_64": "CAST(CAST(CAST(_0 AS BIGINT) AS BIT) AS BLOB)",
    "rand": _RANDOM,
    "random": _RANDOM,
    "regexp_position": regexps.POSITION,
    "repeat": "LIST_TRANSFORM(RANGE(_1), LAMBDA n : _0)",
    "reverse": _reverse,
    "sha1": "UNHEX(SHA1(_0))",
    "shuffle": _SHUFFLE,
    "slice": _SLICE,
    "split": {2: "STR_SPLIT(_0, _1)", 3: _SPLIT_3},
    "split_part": "LIST_EXTRACT(STR_SPLIT(_0, _1), _2)",
    "split_to_map": f"MAP_FROM_ENTRIES({pairs('_0', '_1', '_2')})",
    "split_to_multimap": _all_values(pairs("_0", "_1", "_2")),
    "to_base": (
        "CASE WHEN _0 < 0 THEN '-' || LOWER(TO_BASE(-_0, CAST(_1 AS INTEGER))) "
        "ELSE LOWER(TO_BASE(_0, CAST(_1 AS INTEGER))) END"
    ),
    "to_base64url": "REPLACE(REPLACE(TO_BASE64(_0), '+', '-'), '/', '_')",
    "to_iso8601": _to_iso8601,
    "to_milliseconds": "CAST(EPOCH(_0) * 1000 AS BIGINT)",
    "transform_keys": _over_entries("keys"),
    "transform_values": _over_entries("values"),
    "trim_array": "LIST_SLICE(_0, 1, LEN(_0) - _1)",
    "url_decode": "TD_URL_DECODE(_0, 'UTF-8')",
    "url_encode": "TD_URL_ENCODE(_0, 'UTF-8')",
    "url_extract_fragment": URL_FRAGMENT,
    "url_extract_host": URL_HOST,
    "url_extract_parameter": f"TD_URL_DECODE({URL_PARAMETER}, 'UTF-8')",
    "url_extract_path": URL_PATH,
    "url_extract_port": f"CAST(NULLIF({URL_PORT}, '') AS BIGINT)",
    "url_extract_protocol": URL_PROTOCOL,
    "url_extract_query": URL_QUERY,
    "wilson_interval_lower": _WILSON.format("-"),
    "wilson_interval_upper": _WILSON.format("+"),
    "year_of_week": "ISOYEAR(_0)",
    "yow": "ISOYEAR(_0)",
    "zip": lambda node, _: exp.Anonymous(this="LIST_ZIP", expressions=node.expressions),
    "zip_with": _zip_with,
    exp.ApproxQuantile: _approx_percentile,
    exp.ArgMax: _extreme("ARG_MAX_NULL"),
    exp.ArgMin: _extreme("ARG_MIN_NULL"),
    exp.ArrayContains: _contains,
    exp.Avg: compensated_sum,
    exp.Bracket: _bracket,
    exp.Cast: trino_cast,
    exp.DateDiff: _date_diff,
    exp.DateTrunc: _date_trunc,
    exp.Extract: _extract,
    exp.GenerateSeries: _sequence,
    exp.Normalize: _normalize,
    exp.ParseDatetime: parse_datetime,
    exp.RegexpExtract: regexps.EXTRACT,
    exp.Skewness: lambda node, context: from_template(_SKEWNESS)(
        exp.Anonymous(this="SKEWNESS", expressions=[node.this]), context
    ),
    exp.DotProduct: over(
        "LIST_DOT_PRODUCT(CAST(_0 AS DOUBLE[]), CAST(_1 AS DOUBLE[]))", "this", "expression"
    ),
    exp.FromBase: over("NUMBER_IN_BASE(_0, CAST(_1 AS BIGINT))", "this", "expression"),
    exp.StrPosition: _strpos,
    exp.Struct: _row,
    exp.Sub: _subtracted,
    exp.Substring: _substring,
    exp.Sum: compensated_sum,
    exp.TimestampTrunc: _date_trunc,
    exp.TimeToStr: _date_format,
    exp.TryCast: trino_cast,
    exp.UnixToTime: _from_unixtime,
}
