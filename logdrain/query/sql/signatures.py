"""Functions of Trino and Hive: how many arguments each takes, and which type it returns.

To add a function: one entry here, one in duckdb/functions_of_trino.py or duckdb/functions_of_hive.py (what
the engine runs instead), one row in tests/unit/query/test_translations.py or test_hive.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from logdrain.model.plans import Dialect

_BIGINT, _DOUBLE, _VARCHAR, _MAP = exp.DType.BIGINT, exp.DType.DOUBLE, exp.DType.VARCHAR, exp.DType.MAP
_BOOLEAN, _OCTETS = exp.DType.BOOLEAN, exp.DType.VARBINARY
_COUNT_MAX = 255
_PAIR = 2


class Signature(NamedTuple):
    """How a function is called.

    Attributes:
        counts: The numbers of arguments that it takes.
        returns: UNKNOWN if the type depends on the arguments.
        like: Which argument's type it has, from 0; None: it is `returns`.
        is_call: The parser reads it as a plain call by name; else as the node that sqlglot has for it.
    """

    counts: Sequence[int]
    returns: exp.DType = exp.DType.UNKNOWN
    is_call: bool = True
    like: int | None = None

    def problem(self, name: str, count: int) -> str:
        """What is wrong with a call that has so many arguments; "" if nothing is."""
        if count in self.counts:
            return ""
        if isinstance(self.counts, range):
            is_pairs = self.counts.step == _PAIR
            taken = "an even number of" if is_pairs else f"at least {self.counts[0]}"
        else:
            taken = " or ".join(str(number) for number in self.counts)
        return f"{name} takes {taken} argument{'' if self.counts[-1] == 1 else 's'}, not {count}"


def _call(*counts: int, returns: exp.DType = exp.DType.UNKNOWN) -> Signature:
    return Signature(counts, returns)


def _call_of_any(fewest: int, *, returns: exp.DType = exp.DType.UNKNOWN) -> Signature:
    return Signature(range(fewest, _COUNT_MAX), returns)


def _call_like(*counts: int) -> Signature:
    """The type is that of the first argument."""
    return Signature(counts, like=0)


def _node(*counts: int) -> Signature:
    """Sqlglot's node for the function lacks a check of its arguments."""
    return Signature(counts, is_call=False)


_BOTH = {
    "all_match": _call(2, returns=_BOOLEAN),
    "any_match": _call(2, returns=_BOOLEAN),
    "array_max": _call(1),
    "array_min": _call(1),
    "array_distinct": _call_like(1),
    "array_except": _call_like(2),
    "array_intersect": _call_like(2),
    "array_remove": _call_like(2),
    "array_union": _call_like(2),
    "arrays_overlap": _call(2, returns=_BOOLEAN),
    "count": Signature(range(1, _COUNT_MAX), is_call=False),
    "date": _node(1),
    "e": _call(0, returns=_DOUBLE),
    "every": _call(1, returns=_BOOLEAN),
    "histogram": _call(1, 2, returns=_MAP),
    "map_concat": _call_of_any(1, returns=_MAP),
    "none_match": _call(2, returns=_BOOLEAN),
    "soundex": _call(1, returns=_VARCHAR),
    "time": _node(1),
    "timestamp": _node(1, 2),
    "width_bucket": _call(2, 4, returns=_BIGINT),
}

_TRINO = {
    "approx_most_frequent": _call(2, 3, returns=_MAP),
    "array_average": _call(1),
    "array_first": _call(1),
    "array_histogram": _call(1),
    "array_last": _call(1),
    "array_position": _call(2, returns=_BIGINT),
    "at_timezone": _call(2),
    "beta_cdf": _call(3, returns=_DOUBLE),
    "bit_count": _call(1, 2, returns=_BIGINT),
    "bitwise_left_shift": _call(2, returns=_BIGINT),
    "bitwise_right_shift": _call(2, returns=_BIGINT),
    "bitwise_right_shift_arithmetic": _call(2, returns=_BIGINT),
    "codepoint": _call(1, returns=_BIGINT),
    "contains_sequence": _call(2, returns=_BOOLEAN),
    "cosine_distance": _call(2, returns=_DOUBLE),
    "cosine_similarity": _call(2, returns=_DOUBLE),
    "crc32": _call(1, returns=_BIGINT),
    "current_timezone": _call(0),
    "entropy": _call(1, returns=_DOUBLE),
    "format": _call_of_any(1, returns=_VARCHAR),
    "format_datetime": _call(2),
    "from_base32": _call(1, returns=_OCTETS),
    "from_base64url": _call(1),
    "from_ieee754_32": _call(1, returns=_DOUBLE),
    "from_ieee754_64": _call(1, returns=_DOUBLE),
    "from_iso8601_date": _call(1),
    "great_circle_distance": _call(4, returns=_DOUBLE),
    "hamming_distance": _call(2, returns=_BIGINT),
    "hmac_md5": _call(2, returns=_OCTETS),
    "hmac_sha1": _call(2, returns=_OCTETS),
    "hmac_sha256": _call(2, returns=_OCTETS),
    "hmac_sha512": _call(2, returns=_OCTETS),
    "human_readable_seconds": _call(1, returns=_VARCHAR),
    "infinity": _call(0, returns=_DOUBLE),
    "inverse_beta_cdf": _call(3, returns=_DOUBLE),
    "is_finite": _call(1),
    "is_infinite": _call(1),
    "is_json_scalar": _call(1, returns=_BOOLEAN),
    "json_array_contains": _call(2, returns=_BOOLEAN),
    "json_array_get": _call(2, returns=exp.DType.JSON),
    "json_exists": _call_of_any(0),
    "json_array_length": _call(1, returns=_BIGINT),
    "json_size": _call(2, returns=_BIGINT),
    "last_day_of_month": _call(1),
    "luhn_check": _call(1, returns=_BOOLEAN),
    "map_agg": _call(2, returns=_MAP),
    "map_filter": _call(2, returns=_MAP),
    "map_union": _call(1, returns=_MAP),
    "map_zip_with": _call(3, returns=_MAP),
    "millisecond": _call(1, returns=_BIGINT),
    "multimap_agg": _call(2, returns=_MAP),
    "multimap_from_entries": _call(1, returns=_MAP),
    "murmur3": _call(1, returns=_OCTETS),
    "nan": _call(0, returns=_DOUBLE),
    "from_big_endian_32": _call(1, returns=_BIGINT),
    "from_big_endian_64": _call(1, returns=_BIGINT),
    "inverse_normal_cdf": _call(3, returns=_DOUBLE),
    "ngrams": _call(2),
    "normal_cdf": _call(3, returns=_DOUBLE),
    "numeric_histogram": _call(2, 3, returns=_MAP),
    "to_big_endian_32": _call(1),
    "to_big_endian_64": _call(1),
    "wilson_interval_lower": _call(3, returns=_DOUBLE),
    "wilson_interval_upper": _call(3, returns=_DOUBLE),
    "xxhash64": _call(1),
    "parse_datetime": _node(2),
    "rand": _call(0, 1, 2),
    "random": _call(0, 1, 2),
    "regexp_position": _call(2, returns=_BIGINT),
    "repeat": _call(2, returns=exp.DType.ARRAY),
    "reverse": _call(1),
    "sha1": _call(1),
    "sha512": _call(1, returns=_OCTETS),
    "shuffle": _call_like(1),
    "slice": _call(3, returns=exp.DType.ARRAY),
    "split": _call(2, 3, returns=exp.DType.ARRAY),
    "split_part": _call(3, returns=_VARCHAR),
    "split_to_map": _call(3, returns=_MAP),
    "split_to_multimap": _call(3, returns=_MAP),
    "t_cdf": _call(2, returns=_DOUBLE),
    "t_pdf": _call(2, returns=_DOUBLE),
    "to_base": _call(2, returns=_VARCHAR),
    "to_base32": _call(1, returns=_VARCHAR),
    "to_base64url": _call(1, returns=_VARCHAR),
    "to_ieee754_32": _call(1, returns=_OCTETS),
    "to_ieee754_64": _call(1, returns=_OCTETS),
    "to_iso8601": _call(1, returns=_VARCHAR),
    "to_milliseconds": _call(1, returns=_BIGINT),
    "transform_keys": _call(2, returns=_MAP),
    "transform_values": _call(2, returns=_MAP),
    "trim_array": _call(2),
    "url_decode": _call(1, returns=_VARCHAR),
    "url_encode": _call(1, returns=_VARCHAR),
    "url_extract_fragment": _call(1, returns=_VARCHAR),
    "url_extract_host": _call(1, returns=_VARCHAR),
    "url_extract_parameter": _call(2, returns=_VARCHAR),
    "url_extract_path": _call(1, returns=_VARCHAR),
    "url_extract_port": _call(1, returns=_BIGINT),
    "url_extract_protocol": _call(1, returns=_VARCHAR),
    "url_extract_query": _call(1, returns=_VARCHAR),
    "with_timezone": _call(2),
    "year_of_week": _call(1, returns=_BIGINT),
    "yow": _call(1, returns=_BIGINT),
    "zip": Signature(range(2, _COUNT_MAX), returns=exp.DType.ARRAY),
    "zip_with": _call(3, returns=exp.DType.ARRAY),
}

_HIVE = {
    "add_months": _call(2, returns=_VARCHAR),
    "binary": _call(1),
    "bround": _call(1, 2),
    "conv": _call(3, returns=_VARCHAR),
    "crc32": _call(1, returns=_BIGINT),
    "date_format": _call(2, returns=_VARCHAR),
    "datediff": _node(2),
    "day": _node(1),
    "elt": _call_of_any(2, returns=_VARCHAR),
    "field": _call_of_any(2, returns=_BIGINT),
    "find_in_set": _call(2, returns=_BIGINT),
    "format_number": _call(2, returns=_VARCHAR),
    "from_unixtime": _call(1, 2, returns=_VARCHAR),
    "from_utc_timestamp": _call(2, returns=exp.DType.TIMESTAMP),
    "histogram_numeric": _call(2, returns=exp.DType.ARRAY),
    "initcap": _call(1, returns=_VARCHAR),
    "isnotnull": _call(1),
    "isnull": _call(1),
    "json_tuple": _call_of_any(2),
    "map": Signature(range(0, _COUNT_MAX, _PAIR), is_call=False),
    "map_values": _call(1),
    "month": _node(1),
    "months_between": _call(2, 3, returns=_DOUBLE),
    "negative": _call_like(1),
    "octet_length": _call(1, returns=_BIGINT),
    "parse_url": _call(2, 3, returns=_VARCHAR),
    "parse_url_tuple": _call_of_any(2),
    "percentile": _node(2),
    "percentile_approx": _node(2, 3),
    "pmod": _call(2, returns=_BIGINT),
    "positive": _call_like(1),
    "regexp_replace": _node(3),
    "shiftleft": _call(2, returns=_BIGINT),
    "shiftright": _call(2, returns=_BIGINT),
    "str_to_map": _call(1, 2, 3, returns=_MAP),
    "substring_index": _call(3, returns=_VARCHAR),
    "to_unix_timestamp": _call(1, 2, returns=_BIGINT),
    "to_utc_timestamp": _call(2, returns=exp.DType.TIMESTAMP),
    "unix_timestamp": _call(1, 2, returns=_BIGINT),
    "year": _node(1),
}

SIGNATURES = {Dialect.TRINO: {**_BOTH, **_TRINO}, Dialect.HIVE: {**_BOTH, **_HIVE}}

# Names of sqlglot's own nodes and of other dialects' functions, which break with the arguments of a call.
_NO_FUNCTIONS = frozenset(
    (
        *("combined_parameterized_agg", "datetime", "dynamic_identifier", "generator", "j_s_o_n_exists"),
        *(
            "j_s_o_n_object",
            "j_s_o_n_object_agg",
            "map_insert",
            "match_against",
            "next_value_for",
            "open_j_s_o_n",
        ),
        *("parameterized_agg", "parse_time", "range_n", "ts_or_di_to_di", "ts_or_ds_add", "ts_or_ds_diff"),
        *("ts_or_ds_to_date", "ts_or_ds_to_date_str", "ts_or_ds_to_datetime", "ts_or_ds_to_time"),
        *("ts_or_ds_to_timestamp", "var_map", "x_m_l_table", "xmlelement"),
    )
)
_NOT_OF_THE_DIALECT = {Dialect.TRINO: _NO_FUNCTIONS | {"initcap"}, Dialect.HIVE: _NO_FUNCTIONS}

OWN_NAMES = {
    dialect: _NOT_OF_THE_DIALECT[dialect] | {name for name, known in signatures.items() if known.is_call}
    for dialect, signatures in SIGNATURES.items()
}
"""Names that the parser reads as plain calls, whatever node sqlglot has for them."""

RETURNED_TYPES = {
    name: signature.returns
    for signatures in SIGNATURES.values()
    for name, signature in signatures.items()
    if signature.returns is not exp.DType.UNKNOWN
}

LIKE_AN_ARGUMENT = {
    name: signature.like
    for signatures in SIGNATURES.values()
    for name, signature in signatures.items()
    if signature.like is not None
}
"""Functions that have the type of an argument, and which one."""
