"""TD functions from values to a value: how each reads its arguments and what it makes of them.

Constant arguments are folded with them, columns go through them row by row (vector_functions).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache, partial
from typing import Any

from logdrain.model.plans import Scalar
from logdrain.query.values import java_regex, octets
from logdrain.query.values.agents import OPTIONS, classified, described
from logdrain.query.values.distributions import (
    beta_cdf,
    inverse_beta_cdf,
    inverse_normal_cdf,
    normal_cdf,
    numeric_histogram,
    t_cdf,
    t_pdf,
)
from logdrain.query.values.hive_texts import converted, crc32, soundex
from logdrain.query.values.java_format import Part, formatted, has_seconds, pattern_parts
from logdrain.query.values.java_parse import time_reader, unix_seconds
from logdrain.query.values.json_pieces import json_piece
from logdrain.query.values.td_calendar import Unit, local_time, minute_of, start_of
from logdrain.query.values.td_text import digest, find_charset, url_decoded, url_encoded, within_octets
from logdrain.query.values.td_time import BIGINT_MAX, BIGINT_MIN, ZONE_HINT, duration_s, find_zone, unix_time
from logdrain.query.values.trino_texts import is_luhn, number_in_base, span_in_words
from logdrain.query.values.xxhash import xxhash64

TIME_PARSE = "parse_td_time"
DURATION_HINT = "write a sign and numbers with w, d, h, m or s: '1d', '-1h30m'"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        type: The engine's name for it.
        what: What a wrong constant is not: `"time zone"`.
        default: Its value where it is left out or NULL; None: the result is NULL then.
        read: From the value to what the function takes; None where it cannot be read.
    """

    type: str
    what: str
    hint: str
    default: Scalar | None = None
    read: Callable[[Any], object] = lambda value: value


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A function of values.

    Attributes:
        name: What the engine calls it.
        returns: The engine's type; a constant call is folded where it is BIGINT or VARCHAR.
        compute: Gets what the parameters read; no argument is None.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    compute: Callable[..., object]

    def __call__(self, *values: Scalar | None) -> object:
        """The value for one row; NULL where an argument is NULL, cannot be read, or leaves the calendar."""
        read = []
        for parameter, value in zip(self.parameters, values, strict=True):
            given = parameter.default if value is None else value
            known = None if given is None else parameter.read(given)
            if known is None:
                return None
            read.append(known)
        try:
            return self.compute(*read)
        except OverflowError:
            return None


_UNITS = {
    "minute": Unit.MINUTE,
    "hour": Unit.HOUR,
    "day": Unit.DAY,
    "week": Unit.WEEK,
    "month": Unit.MONTH,
    "quarter": Unit.QUARTER,
    "year": Unit.YEAR,
}
_CODE = re.compile(r"[yqMwdhms]!?")
_SHORT_FORMS = {
    Unit.YEAR: "yyyy",
    Unit.QUARTER: "yyyy-MM",
    Unit.MONTH: "yyyy-MM",
    Unit.WEEK: "yyyy-MM-dd",
    Unit.DAY: "yyyy-MM-dd",
    Unit.HOUR: "yyyy-MM-dd HH",
    Unit.MINUTE: "yyyy-MM-dd HH:mm",
    Unit.SECOND: "yyyy-MM-dd HH:mm:ss",
}


def _format(seconds: int, parts: tuple[Part, ...], zone: tzinfo, *, zone_names: bool) -> str:
    instant = seconds if has_seconds(parts) else minute_of(seconds)
    return _formatted(instant, parts, zone, zone_names=zone_names)


@lru_cache(maxsize=65_536)  # columns have many times of few minutes
def _formatted(seconds: int, parts: tuple[Part, ...], zone: tzinfo, *, zone_names: bool) -> str:
    return formatted(local_time(seconds, zone), parts, zone_names=zone_names)


def _string(seconds: int, code: str, zone: tzinfo) -> str:
    unit = Unit(code[0])
    form = _SHORT_FORMS[unit] if code.endswith("!") else "yyyy-MM-dd HH:mm:ssZ"
    return _formatted(start_of(unit, seconds, zone), pattern_parts(form) or (), zone, zone_names=True)


def _within_bigint(number: int) -> int:
    if not BIGINT_MIN <= number <= BIGINT_MAX:
        raise OverflowError("beyond BIGINT")
    return number


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _java_format(milliseconds: int, parts: tuple[Part, ...]) -> str:
    return formatted(_EPOCH + timedelta(milliseconds=milliseconds), parts, zone_names=True)


_TIME = Parameter("BIGINT", "unix time", "write unix seconds")
_DURATION = Parameter("VARCHAR", "duration", DURATION_HINT, read=duration_s)
_ZONE = Parameter("VARCHAR", "time zone", ZONE_HINT, "UTC", find_zone)
_TEXT = Parameter("VARCHAR", "text", "write a string")
_PATTERN = Parameter(
    "VARCHAR",
    "pattern",
    "write letters of Java's SimpleDateFormat: 'yyyy-MM-dd HH:mm:ss z'; text in ''…''",
    read=pattern_parts,
)
_CODES = Parameter(
    "VARCHAR",
    "code",
    "write y, q, M, w, d, h, m or s, with or without !",
    read=lambda code: code if _CODE.fullmatch(code) else None,
)
_UNIT = Parameter(
    "VARCHAR", "unit", f"write one of {', '.join(_UNITS)}", read=lambda unit: _UNITS.get(unit.lower())
)
_CHARSET = Parameter("VARCHAR", "character set", "write its name: 'UTF-8'", "UTF-8", find_charset)
_CHARSET_NEEDED = Parameter("VARCHAR", "character set", "write its name: 'UTF-8'", read=find_charset)
_OPTION = Parameter(
    "VARCHAR",
    "option",
    f"write one of {', '.join(OPTIONS)}",
    "",
    lambda option: option if option in OPTIONS or not option else None,
)
_OCTETS = Parameter("BIGINT", "number of octets", "write a whole number")
_WEIGHT = Parameter("DOUBLE", "weight", "write a number from 0 to 1", 1.0)

TIME_FORMAT_OF_HIVE = ScalarFunction(
    "td_time_format_of_hive", (_TIME, _PATTERN, _ZONE), "VARCHAR", partial(_format, zone_names=True)
)
TIME_FORMAT_OF_TRINO = ScalarFunction(
    "td_time_format_of_trino", (_TIME, _PATTERN, _ZONE), "VARCHAR", partial(_format, zone_names=False)
)
PARSE = ScalarFunction(TIME_PARSE, (_TEXT, _ZONE), "BIGINT", unix_time)
DURATION = ScalarFunction("td_duration_s", (_DURATION,), "BIGINT", _within_bigint)
STRING = ScalarFunction("td_time_string", (_TIME, _CODES, _ZONE), "VARCHAR", _string)
DATE_TRUNC = ScalarFunction("td_date_trunc", (_UNIT, _TIME, _ZONE), "BIGINT", start_of)
URL_ENCODE = ScalarFunction("td_url_encode", (_TEXT, _CHARSET), "VARCHAR", url_encoded)
URL_DECODE = ScalarFunction("td_url_decode", (_TEXT, _CHARSET), "VARCHAR", url_decoded)
SUBSTRING = ScalarFunction(
    "td_substring_inencoding", (_TEXT, _OCTETS, _CHARSET_NEEDED), "VARCHAR", within_octets
)
DIGEST = ScalarFunction("td_smart_digest", (_TEXT, _WEIGHT), "VARCHAR", digest)
PARSE_AGENT = ScalarFunction("td_parse_agent", (_TEXT,), "MAP(VARCHAR, VARCHAR)", classified)
PARSE_USER_AGENT = ScalarFunction("td_parse_user_agent", (_TEXT, _OPTION), "VARCHAR", described)
JAVA_FORMAT = ScalarFunction("java_time_format", (_TIME, _PATTERN), "VARCHAR", _java_format)
JAVA_PARSE = ScalarFunction(
    "java_time_parse",
    (_TEXT, Parameter("VARCHAR", "pattern", "write 'yyyy-MM-dd HH:mm:ss'", read=time_reader)),
    "BIGINT",
    unix_seconds,
)
_BASE = Parameter("BIGINT", "base", "write a number from 2 to 36")
CONV = ScalarFunction("hive_conv", (_TEXT, _BASE, _BASE), "VARCHAR", converted)
CRC32 = ScalarFunction("hive_crc32", (_TEXT,), "BIGINT", crc32)
SOUNDEX = ScalarFunction("soundex_code", (_TEXT,), "VARCHAR", soundex)

_REGEX = Parameter("VARCHAR", "regular expression", "write it as in Java", read=java_regex.compiled)
_GROUP = Parameter("BIGINT", "group", "write its number")
_TEXTS = "VARCHAR[]"
REGEXPS = (
    ScalarFunction("java_regexp_matches", (_TEXT, _REGEX), "BOOLEAN", java_regex.is_match),
    ScalarFunction("java_regexp_extract", (_TEXT, _REGEX, _GROUP), "VARCHAR", java_regex.extracted),
    ScalarFunction("java_regexp_extract_all", (_TEXT, _REGEX, _GROUP), _TEXTS, java_regex.all_extracted),
    ScalarFunction("java_regexp_replace", (_TEXT, _REGEX, _TEXT), "VARCHAR", java_regex.replaced),
    ScalarFunction("java_regexp_split", (_TEXT, _REGEX), _TEXTS, java_regex.split),
    ScalarFunction("java_regexp_position", (_TEXT, _REGEX), "BIGINT", java_regex.position),
)

_REAL = Parameter("DOUBLE", "number", "write a number")
_WHOLE = Parameter("BIGINT", "number", "write a whole number")
TRINO_TEXTS = (
    ScalarFunction("number_in_base", (_TEXT, _WHOLE), "BIGINT", number_in_base),
    ScalarFunction("luhn_check", (_TEXT,), "BOOLEAN", is_luhn),
    ScalarFunction("human_readable_seconds", (_REAL,), "VARCHAR", span_in_words),
)
_COUNT = Parameter("BIGINT", "number of buckets", "write a whole number")
_REALS = Parameter("DOUBLE[]", "list of numbers", "write numbers")
DISTRIBUTIONS = (
    ScalarFunction("normal_cdf", (_REAL, _REAL, _REAL), "DOUBLE", normal_cdf),
    ScalarFunction("inverse_normal_cdf", (_REAL, _REAL, _REAL), "DOUBLE", inverse_normal_cdf),
    ScalarFunction("beta_cdf", (_REAL, _REAL, _REAL), "DOUBLE", beta_cdf),
    ScalarFunction("inverse_beta_cdf", (_REAL, _REAL, _REAL), "DOUBLE", inverse_beta_cdf),
    ScalarFunction("t_cdf", (_REAL, _REAL), "DOUBLE", t_cdf),
    ScalarFunction("t_pdf", (_REAL, _REAL), "DOUBLE", t_pdf),
)
HISTOGRAM = ScalarFunction(
    "numeric_histogram_of", (_COUNT, _REALS, _REALS), "MAP(DOUBLE, DOUBLE)", numeric_histogram
)
_DATA = Parameter("BLOB", "octets", "write TO_UTF8(text)")
OCTETS = (
    ScalarFunction("xxhash64", (_DATA,), "BLOB", xxhash64),
    ScalarFunction("murmur3", (_DATA,), "BLOB", octets.murmur3),
    ScalarFunction("sha512", (_DATA,), "BLOB", octets.sha512),
    *(
        ScalarFunction(f"hmac_{name}", (_DATA, _DATA), "BLOB", partial(octets.keyed_hash, name))
        for name in ("md5", "sha1", "sha256", "sha512")
    ),
    ScalarFunction("to_base32", (_DATA,), "VARCHAR", octets.to_base32),
    ScalarFunction("from_base32", (_TEXT,), "BLOB", octets.from_base32),
    ScalarFunction("to_ieee754_32", (_REAL,), "BLOB", octets.to_ieee754_32),
    ScalarFunction("to_ieee754_64", (_REAL,), "BLOB", octets.to_ieee754_64),
    ScalarFunction("from_ieee754_32", (_DATA,), "DOUBLE", octets.from_ieee754_32),
    ScalarFunction("from_ieee754_64", (_DATA,), "DOUBLE", octets.from_ieee754_64),
)
JSON_PIECE = ScalarFunction("json_piece", (_TEXT, _TEXT), "VARCHAR", json_piece)

SCALAR_FUNCTIONS = (
    JSON_PIECE,
    *(*DISTRIBUTIONS, HISTOGRAM, *OCTETS),
    *(JAVA_FORMAT, JAVA_PARSE, CONV, CRC32, SOUNDEX),
    *(TIME_FORMAT_OF_HIVE, TIME_FORMAT_OF_TRINO, PARSE, STRING, DATE_TRUNC, DURATION),
    *(URL_ENCODE, URL_DECODE, SUBSTRING, DIGEST),
    *(PARSE_AGENT, PARSE_USER_AGENT),
    *(*REGEXPS, *TRINO_TEXTS),
)
