"""Functions of Trino and Hive that are an expression of the engine under another name.

Keys are names in lower case, or `name/2` for calls with so many arguments. The arguments are _0, _1, …
"""

from sqlglot import exp

from logdrain.model.plans import Dialect

_URL = r"^(?:([^:/?#]+):)?(?://((?:[^/?#@]*@)?([^/?#:]*)(?::([0-9]+))?))?([^?#]*)(?:[?]([^#]*))?(?:#(.*))?$"
_PROTOCOL, _AUTHORITY, _HOST, _PORT, _PATH, _QUERY, _FRAGMENT = range(1, 8)

TOP_COUNTS = (
    "MAP_FROM_ENTRIES(LIST_TRANSFORM(LIST_SLICE(LIST_SORT(LIST_TRANSFORM(MAP_ENTRIES(HISTOGRAM(_1)), "
    "LAMBDA e : {'n': -CAST(e.value AS BIGINT), 'v': e.key})), 1, _0), LAMBDA e : {'k': e.v, 'v': -e.n}))"
)

_ENTRIES = "LIST({'k': _0, 'v': _1}) FILTER (WHERE NOT _0 IS NULL)"
_KEYS = "LIST(_0) FILTER (WHERE NOT _0 IS NULL)"


def _first_of_each(entries: str, keys: str) -> str:
    """A map of entries; of those with one key the first."""
    kept = f"LIST_FILTER({entries}, LAMBDA e, at : LIST_POSITION({keys}, e.k) = at)"
    return (
        f"CASE WHEN LIST_UNIQUE({keys}) = LEN({keys}) THEN MAP_FROM_ENTRIES({entries}) "
        f"ELSE MAP_FROM_ENTRIES({kept}) END"
    )


def _pairs(text: str, between_pairs: str, within_pair: str) -> str:
    """`a=1,b=2` as entries."""
    return (
        f"LIST_TRANSFORM(LIST_FILTER(STR_SPLIT({text}, {between_pairs}), LAMBDA p : p <> ''), LAMBDA p : "
        f"{{'k': LIST_EXTRACT(STR_SPLIT(p, {within_pair}), 1), 'v': CASE WHEN STRPOS(p, {within_pair}) > 0 "
        f"THEN SUBSTRING(p, STRPOS(p, {within_pair}) + LENGTH({within_pair})) END}})"
    )


def _grouped(entries: str) -> str:
    """A map from each key to the list of its values."""
    return (
        f"MAP_FROM_ENTRIES(LIST_TRANSFORM(LIST_DISTINCT(LIST_TRANSFORM({entries}, LAMBDA e : e.k)), "
        f"LAMBDA k : {{'k': k, 'v': LIST_TRANSFORM(LIST_FILTER({entries}, LAMBDA e : e.k = k), "
        "LAMBDA e : e.v)}))"
    )


def _url_part(part: int) -> str:
    return f"REGEXP_EXTRACT(_0, '{_URL}', {part})"


def _parameter(url: str, name: str) -> str:
    """The value of a parameter in a URL's query, still encoded; NULL where it is not there."""
    return (
        f"CASE WHEN REGEXP_MATCHES({url}, '[?&]' || REGEXP_ESCAPE({name}) || '(=|&|#|$)') "
        f"THEN REGEXP_EXTRACT({url}, '[?&]' || REGEXP_ESCAPE({name}) || '=([^&#]*)', 1) END"
    )


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
_REGEXP_POSITION = (
    "CASE WHEN REGEXP_MATCHES(_0, _1) THEN LENGTH(LIST_EXTRACT(STR_SPLIT_REGEX(_0, _1), 1)) + 1 ELSE -1 END"
)
_WIDTH_BUCKET = (  # the bounds may fall, too
    "CASE WHEN (_0 - _1) * SIGN(_2 - _1) < 0 THEN 0 "
    "WHEN (_0 - _2) * SIGN(_2 - _1) >= 0 THEN CAST(_3 AS BIGINT) + 1 "
    "ELSE CAST(FLOOR((_0 - _1) / (_2 - _1) * _3) AS BIGINT) + 1 END"
)
_WIDTH_BUCKET_OF_BINS = "CASE WHEN NOT _0 IS NULL THEN LEN(LIST_FILTER(_1, LAMBDA bound : bound <= _0)) END"
_JSON_SIZE = (
    "CASE JSON_TYPE(_0, _1) WHEN 'OBJECT' THEN LEN(JSON_KEYS(_0, _1)) "
    "WHEN 'ARRAY' THEN JSON_ARRAY_LENGTH(_0, _1) ELSE 0 END"
)
_SUBSTRING_INDEX = (
    "CASE WHEN _2 > 0 THEN ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), 1, _2), _1) WHEN _2 < 0 "
    "THEN ARRAY_TO_STRING(LIST_SLICE(STR_SPLIT(_0, _1), GREATEST(LEN(STR_SPLIT(_0, _1)) + _2 + 1, 1), "
    "LEN(STR_SPLIT(_0, _1))), _1) ELSE '' END"
)

_BOTH = {
    "all_match": "COALESCE(LIST_BOOL_AND(LIST_TRANSFORM(_0, _1)), TRUE)",
    "any_match": "COALESCE(LIST_BOOL_OR(LIST_TRANSFORM(_0, _1)), FALSE)",
    "array_max": "LIST_MAX(_0)",
    "array_min": "LIST_MIN(_0)",
    "array_remove": "LIST_FILTER(_0, LAMBDA kept : kept <> _1)",
    "array_union": "LIST_DISTINCT(LIST_CONCAT(_0, _1))",
    "arrays_overlap": "LIST_HAS_ANY(_0, _1)",
    "e": "EXP(1)",
    "every": "BOOL_AND(_0)",
    "none_match": "NOT COALESCE(LIST_BOOL_OR(LIST_TRANSFORM(_0, _1)), FALSE)",
}

_TRINO = {
    "approx_most_frequent": TOP_COUNTS,
    "array_average": "LIST_AVG(_0)",
    "array_first": "LIST_EXTRACT(_0, 1)",
    "array_histogram": "LIST_HISTOGRAM(_0)",
    "array_last": "LIST_EXTRACT(_0, -1)",
    "array_max": "CASE WHEN LEN(_0) = LIST_COUNT(_0) THEN LIST_MAX(_0) END",
    "array_min": "CASE WHEN LEN(_0) = LIST_COUNT(_0) THEN LIST_MIN(_0) END",
    "array_position": "CASE WHEN NOT (_0 IS NULL OR _1 IS NULL) THEN COALESCE(LIST_POSITION(_0, _1), 0) END",
    "bit_count": "BIT_COUNT(CAST(_0 AS BIGINT))",
    "bitwise_left_shift": "CAST(_0 AS BIGINT) << _1",
    "bitwise_right_shift": "CAST(_0 AS BIGINT) >> _1",
    "bitwise_right_shift_arithmetic": "CAST(_0 AS BIGINT) >> _1",
    "codepoint": "UNICODE(_0)",
    "current_timezone": "'UTC'",
    "from_iso8601_date": "CAST(_0 AS DATE)",
    "hamming_distance": "HAMMING(_0, _1)",
    "infinity": "CAST('Infinity' AS DOUBLE)",
    "is_finite": "ISFINITE(_0)",
    "is_infinite": "ISINF(_0)",
    "is_json_scalar": "NOT JSON_TYPE(_0) IN ('OBJECT', 'ARRAY')",
    "json_array_contains": "LIST_CONTAINS(FROM_JSON(_0, '[\"JSON\"]'), TO_JSON(_1))",
    "json_array_get": "JSON_EXTRACT(_0, CAST(_1 AS BIGINT))",
    "json_size": _JSON_SIZE,
    "last_day_of_month": "LAST_DAY(_0)",
    "map_agg": _first_of_each(_ENTRIES, _KEYS),
    "map_union": _first_of_each(
        "LIST_TRANSFORM(FLATTEN(LIST(MAP_ENTRIES(_0))), LAMBDA m : {'k': m.key, 'v': m.value})",
        "FLATTEN(LIST(MAP_KEYS(_0)))",
    ),
    "millisecond": "MILLISECOND(_0) % 1000",
    "multimap_agg": _grouped(_ENTRIES),
    "nan": "CAST('NaN' AS DOUBLE)",
    "ngrams": _NGRAMS,
    "rand/0": "RANDOM()",
    "rand/1": "CAST(FLOOR(RANDOM() * _0) AS BIGINT)",
    "rand/2": "_0 + CAST(FLOOR(RANDOM() * (_1 - _0)) AS BIGINT)",
    "random/0": "RANDOM()",
    "random/1": "CAST(FLOOR(RANDOM() * _0) AS BIGINT)",
    "random/2": "_0 + CAST(FLOOR(RANDOM() * (_1 - _0)) AS BIGINT)",
    "regexp_position": _REGEXP_POSITION,
    "repeat": "LIST_TRANSFORM(RANGE(_1), LAMBDA n : _0)",
    "sha1": "UNHEX(SHA1(_0))",
    "slice": _SLICE,
    "soundex/1": "SOUNDEX_CODE(CAST(_0 AS VARCHAR))",
    "split/2": "STR_SPLIT(_0, _1)",
    "split/3": _SPLIT_3,
    "split_part": "LIST_EXTRACT(STR_SPLIT(_0, _1), _2)",
    "split_to_map": f"MAP_FROM_ENTRIES({_pairs('_0', '_1', '_2')})",
    "split_to_multimap": _grouped(_pairs("_0", "_1", "_2")),
    "to_base": "LOWER(TO_BASE(_0, _1))",
    "to_base64url": "REPLACE(REPLACE(TO_BASE64(_0), '+', '-'), '/', '_')",
    "to_milliseconds": "CAST(EPOCH(_0) * 1000 AS BIGINT)",
    "trim_array": "LIST_SLICE(_0, 1, LEN(_0) - _1)",
    "url_decode": "TD_URL_DECODE(_0, 'UTF-8')",
    "url_encode": "TD_URL_ENCODE(_0, 'UTF-8')",
    "url_extract_fragment": _url_part(_FRAGMENT),
    "url_extract_host": _url_part(_HOST),
    "url_extract_parameter": f"TD_URL_DECODE({_parameter('_0', '_1')}, 'UTF-8')",
    "url_extract_path": _url_part(_PATH),
    "url_extract_port": f"CAST(NULLIF({_url_part(_PORT)}, '') AS BIGINT)",
    "url_extract_protocol": _url_part(_PROTOCOL),
    "url_extract_query": _url_part(_QUERY),
    "width_bucket/2": _WIDTH_BUCKET_OF_BINS,
    "width_bucket/4": _WIDTH_BUCKET,
    "year_of_week": "ISOYEAR(_0)",
    "yow": "ISOYEAR(_0)",
    "zip": "LIST_ZIP(_0, _1)",
}

_HIVE = {
    "binary": "ENCODE(CAST(_0 AS VARCHAR))",
    "bround/1": "ROUND_EVEN(_0, 0)",
    "bround/2": "ROUND_EVEN(_0, _1)",
    "find_in_set": "COALESCE(LIST_POSITION(STR_SPLIT(_1, ','), _0), 0)",
    "format_number": "FORMAT('{:,.' || CAST(_1 AS VARCHAR) || 'f}', CAST(_0 AS DOUBLE))",
    "from_utc_timestamp": "(TRY_CAST(_0 AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE _1",
    "isnotnull": "NOT _0 IS NULL",
    "isnull": "_0 IS NULL",
    "shiftleft": "CAST(_0 AS BIGINT) << _1",
    "shiftright": "CAST(_0 AS BIGINT) >> _1",
    "str_to_map/1": f"MAP_FROM_ENTRIES({_pairs('_0', chr(39) + ',' + chr(39), chr(39) + ':' + chr(39))})",
    "str_to_map/2": f"MAP_FROM_ENTRIES({_pairs('_0', '_1', chr(39) + ':' + chr(39))})",
    "str_to_map/3": f"MAP_FROM_ENTRIES({_pairs('_0', '_1', '_2')})",
    "substring_index": _SUBSTRING_INDEX,
    "to_utc_timestamp": "(TRY_CAST(_0 AS TIMESTAMP) AT TIME ZONE _1) AT TIME ZONE 'UTC'",
}

FUNCTION_TEMPLATES = {Dialect.TRINO: {**_BOTH, **_TRINO}, Dialect.HIVE: {**_BOTH, **_HIVE}}

_FILE = (
    f"CASE WHEN {_url_part(_QUERY)} = '' THEN {_url_part(_PATH)} "
    f"ELSE {_url_part(_PATH)} || '?' || {_url_part(_QUERY)} END"
)
URL_PARTS = {
    "AUTHORITY": f"NULLIF({_url_part(_AUTHORITY)}, '')",
    "FILE": _FILE,
    "HOST": f"NULLIF({_url_part(_HOST)}, '')",
    "PATH": _url_part(_PATH),
    "PROTOCOL": f"NULLIF({_url_part(_PROTOCOL)}, '')",
    "QUERY": f"NULLIF({_url_part(_QUERY)}, '')",
    "REF": f"NULLIF({_url_part(_FRAGMENT)}, '')",
    "USERINFO": f"NULLIF(REGEXP_EXTRACT({_url_part(_AUTHORITY)}, '^([^@]*)@', 1), '')",
}
"""Hive's parse_url(url, part)."""

URL_PARAMETER = _parameter("_0", "_1")
"""Hive's parse_url(url, 'QUERY', name)."""

RULED_NAMES = {
    Dialect.TRINO: (
        "at_timezone",
        "format",
        "map_filter",
        "reverse",
        "to_iso8601",
        "transform_keys",
        "transform_values",
        "with_timezone",
        "zip_with",
    ),
    Dialect.HIVE: (
        *("add_months", "conv", "crc32", "date_format", "elt", "field", "from_unixtime", "months_between"),
        *("parse_url", "pmod", "soundex", "to_unix_timestamp"),
    ),
}
"""Functions with a rule of their own (translations)."""

OWN_NAMES = {
    dialect: frozenset(key.partition("/")[0] for key in (*templates, *RULED_NAMES[dialect]))
    for dialect, templates in FUNCTION_TEMPLATES.items()
}
"""Names that the parser leaves as they are, whatever it knows about them."""

_BIGINT = (
    "array_position bit_count bitwise_left_shift bitwise_right_shift bitwise_right_shift_arithmetic "
    "codepoint crc32 field find_in_set hamming_distance json_size millisecond pmod regexp_position "
    "shiftleft shiftright to_milliseconds to_unix_timestamp unix_timestamp url_extract_port width_bucket "
    "year_of_week yow"
)
_VARCHAR = (
    "add_months conv date_format elt format format_number from_unixtime parse_url soundex "
    "split_part substring_index to_base to_base64url to_iso8601 url_decode "
    "url_encode url_extract_fragment url_extract_host url_extract_parameter url_extract_path "
    "url_extract_protocol url_extract_query"
)
_MAP = (
    "approx_most_frequent histogram map_agg map_concat map_filter map_union multimap_agg split_to_map "
    "split_to_multimap str_to_map transform_keys transform_values"
)
RETURNED_TYPES = {
    **dict.fromkeys(_BIGINT.split(), exp.DType.BIGINT),
    **dict.fromkeys(_VARCHAR.split(), exp.DType.VARCHAR),
    **dict.fromkeys(("e", "infinity", "months_between", "nan"), exp.DType.DOUBLE),
    **dict.fromkeys(_MAP.split(), exp.DType.MAP),
    **dict.fromkeys(("from_utc_timestamp", "to_utc_timestamp"), exp.DType.TIMESTAMP),
    **dict.fromkeys(("split", "repeat", "slice"), exp.DType.ARRAY),
}

SUGGESTIONS = {
    "combinations": "write a join of UNNEST with itself",
    "from_base": "FROM_HEX(text) reads base 16; CAST('12' AS BIGINT) base 10",
    "word_stem": "it needs a dictionary of the language: stem words in the application",
    "approx_set": "write APPROX_DISTINCT",
    "checksum": "its octets are Trino's own: compare COUNT(*), SUM and MAX instead",
    "assert_true": "it would stop the query: count the rows that break the rule, COUNT(IF(rule, NULL, 1))",
    "conv": "TO_BASE and FROM_HEX are there in Trino",
    "hash": "its numbers are Hive's own: write MD5",
    "merge": "write APPROX_DISTINCT over the rows themselves",
    "numeric_histogram": "write WIDTH_BUCKET and COUNT(*) with GROUP BY",
    "reduce_agg": "write REDUCE(ARRAY_AGG(x), …)",
    "reflect": "there is no Java here; write the function itself",
    "java_method": "there is no Java here; write the function itself",
    "sha512": "write SHA256",
    "stack": "write UNION ALL, or LATERAL VIEW EXPLODE(ARRAY(…))",
    "xxhash64": "write MD5",
}
"""What to write instead of a function that is not run."""
